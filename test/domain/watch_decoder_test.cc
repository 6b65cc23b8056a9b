#include "domain/watch_decoder.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

const std::string kStream =
    R"({"type":"ADDED","object":{"metadata":{"name":"ä","resourceVersion":"1"}}})"
    "\n\n"
    R"({"type":"MODIFIED","object":{"metadata":{"name":"b","resourceVersion":"2"}}})"
    "\r\n"
    R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"3"}}})"
    "\n"
    R"({"type":"DELETED","object":{"metadata":{"name":"b","resourceVersion":"4"}}})"
    "\n"
    R"({"type":"ERROR","object":{"code":410}})"
    "\n";

// "ADDED 1, MODIFIED 2, …", or "error".
std::string Decode(const std::vector<std::string_view>& pieces) {
  static constexpr const char* kNames[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
  WatchDecoder decoder;
  std::string out;
  for (const std::string_view piece : pieces) {
    auto events = decoder.Feed(piece);
    if (!events) return "error";
    for (const WatchEvent& event : *events) {
      out += kNames[static_cast<size_t>(event.type)];
      out += ' ';
      out += event.object["metadata"]["resourceVersion"].AsString();
      out += ", ";
    }
  }
  return decoder.Finish() ? out : out + "cut off";
}

const char* const kWhole = "ADDED 1, MODIFIED 2, BOOKMARK 3, DELETED 4, ERROR , ";

TEST(WatchDecoder, GivesTheEventsOfAStream) { EXPECT_EQ(Decode({kStream}), kWhole); }

TEST(WatchDecoder, GivesTheSameEventsForEverySplitPoint) {
  const std::string_view stream = kStream;
  for (size_t at = 0; at <= stream.size(); ++at) {
    EXPECT_EQ(Decode({stream.substr(0, at), stream.substr(at)}), kWhole) << at;
  }
}

TEST(WatchDecoder, GivesTheSameEventsByteByByte) {
  const std::string_view stream = kStream;
  std::vector<std::string_view> bytes;
  for (size_t at = 0; at < stream.size(); ++at) bytes.push_back(stream.substr(at, 1));
  EXPECT_EQ(Decode(bytes), kWhole);
}

TEST(WatchDecoder, TellsAStreamThatStopsWithinAnEvent) {
  EXPECT_EQ(Decode({kStream, R"({"type":"ADDED","obj)"}), std::string(kWhole) + "cut off");
}

TEST(WatchDecoder, RefusesWhatIsNoEvent) {
  for (const char* line : {"{}", "x", "[]", R"({"type":"ADDED"})", R"({"type":"NEW","object":{}})",
                           R"({"type":"ADDED","object":[]})", R"({"type":1,"object":{}})"}) {
    EXPECT_EQ(Decode({line, "\n"}), "error") << line;
  }
}

TEST(WatchDecoder, TakesALineOfTheGreatestSizeAndRefusesALongerOne) {
  auto line_of = [](size_t size) {
    const std::string head =
        R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"},"x":")";
    const std::string tail = "\"}}";
    return head + std::string(size - head.size() - tail.size(), 'x') + tail;
  };
  EXPECT_EQ(Decode({line_of(kMaxWatchLine), "\n"}), "BOOKMARK 7, ");
  EXPECT_EQ(Decode({line_of(kMaxWatchLine + 1), "\n"}), "error");
}

TEST(WatchDecoder, NeverHoldsMoreThanOneLineOfTheGreatestSize) {
  WatchDecoder decoder;
  const std::string piece(1 << 20, 'x');
  bool refused = false;
  size_t fed = 0;
  while (!refused && fed < 2 * kMaxWatchLine) {
    refused = !decoder.Feed(piece).has_value();
    fed += piece.size();
  }
  EXPECT_TRUE(refused);
  EXPECT_LE(fed, kMaxWatchLine + piece.size());
}

}  // namespace
}  // namespace certlatch
