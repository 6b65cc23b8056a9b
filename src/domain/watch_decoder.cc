#include "domain/watch_decoder.h"

#include "base/text.h"

namespace certlatch {
namespace {

struct TypeText {
  char text[12];
  WatchEvent::Type type;
};

constexpr TypeText kTypes[] = {
    {"ADDED", WatchEvent::Type::kAdded},     {"MODIFIED", WatchEvent::Type::kModified},
    {"DELETED", WatchEvent::Type::kDeleted}, {"BOOKMARK", WatchEvent::Type::kBookmark},
    {"ERROR", WatchEvent::Type::kError},
};

Error Oversized() {
  return Failure(Code::kRetry, "a watch event is larger than %zu bytes", kMaxWatchLine);
}

Result<WatchEvent> DecodeLine(std::string_view line) {
  Result<Json> json = ParseJson(line);
  if (!json) return std::move(json).error().With("watch event");
  const std::string_view type = (*json)["type"].AsString();
  for (const TypeText& known : kTypes) {
    if (type != known.text || !(*json)["object"].is_object()) continue;
    return WatchEvent{known.type, json->Take("object")};
  }
  return Failure(Code::kRetry, "watch event of unknown type \"%s\" or without an object",
                 Printable(type, 40).c_str());
}

}  // namespace

Result<std::vector<WatchEvent>> WatchDecoder::Feed(std::string_view bytes) {
  std::vector<WatchEvent> events;
  while (true) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (unfinished_.size() + piece.size() > kMaxWatchLine) return Oversized();
    if (end == std::string_view::npos) {
      unfinished_ += piece;
      return events;
    }
    bytes.remove_prefix(end + 1);
    std::string_view line = piece;
    if (!unfinished_.empty()) {
      unfinished_ += piece;
      line = unfinished_;
    }
    if (!Trim(line).empty()) {
      Result<WatchEvent> event = DecodeLine(line);
      if (!event) return std::move(event).error();
      events.push_back(*std::move(event));
    }
    unfinished_.clear();
  }
}

Status WatchDecoder::Finish() const {
  if (Trim(unfinished_).empty()) return {};
  return Error{Code::kRetry, "the watch was cut off within an event"};
}

}  // namespace certlatch
