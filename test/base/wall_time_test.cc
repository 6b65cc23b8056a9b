#include "base/wall_time.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

WallTime At(int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

std::optional<int64_t> Seconds(std::string_view text) {
  const Result<WallTime> time = ParseWallTime(text);
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

TEST(WallTimeText, IsRfc3339InUtc) {
  EXPECT_EQ(FormatWallTime(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatWallTime(At(-1)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(FormatWallTime(At(951782399)), "2000-02-28T23:59:59Z");
  EXPECT_EQ(FormatWallTime(At(951782400)), "2000-02-29T00:00:00Z");
  EXPECT_EQ(FormatWallTime(At(253402300799)), "9999-12-31T23:59:59Z");
}

TEST(WallTimeText, StaysWithinItsFourDigitsOfYear) {
  EXPECT_EQ(FormatWallTime(At(253402300800)), "9999-12-31T23:59:59Z");
  EXPECT_EQ(FormatWallTime(WallTime::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(FormatWallTime(WallTime::min()), "0000-01-01T00:00:00Z");
}

TEST(WallTimeText, ReadsWhatKubernetesWrites) {
  EXPECT_EQ(Seconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(Seconds("2000-02-29T00:00:00Z"), 951782400);
  EXPECT_EQ(Seconds("2024-05-06T07:08:09.123456Z"), 1714979289);  // MicroTime, of a Lease
}

TEST(WallTimeText, ReadsFractionsAndOffsets) {
  EXPECT_EQ(Seconds("1970-01-01T00:00:00.999999999Z"), 0);
  EXPECT_EQ(Seconds("1969-12-31T23:59:59.5Z"), -1);
  EXPECT_EQ(Seconds("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(Seconds("1969-12-31T18:30:00-05:30"), 0);
  EXPECT_EQ(Seconds("1970-01-01T00:00:00-00:00"), 0);
  EXPECT_EQ(Seconds("1970-01-01T00:00:01.25+00:00"), 1);
}

TEST(WallTimeText, ReadsTheFirstAndTheLastYear) {
  EXPECT_EQ(Seconds("0000-01-01T00:00:00Z"), -62167219200);
  EXPECT_EQ(Seconds("9999-12-31T23:59:59Z"), 253402300799);
}

TEST(WallTimeText, ReadsWhatItWrote) {
  for (int64_t seconds = -62167219200; seconds <= 253402300799; seconds += 7777777777) {
    EXPECT_EQ(Seconds(FormatWallTime(At(seconds))), seconds);
  }
}

TEST(WallTimeText, KnowsTheDaysOfEachMonth) {
  EXPECT_TRUE(Seconds("2024-02-29T00:00:00Z").has_value());
  EXPECT_FALSE(Seconds("2023-02-29T00:00:00Z").has_value());
  EXPECT_FALSE(Seconds("1900-02-29T00:00:00Z").has_value());
  EXPECT_FALSE(Seconds("2023-04-31T00:00:00Z").has_value());
  EXPECT_FALSE(Seconds("2023-00-01T00:00:00Z").has_value());
  EXPECT_FALSE(Seconds("2023-01-00T00:00:00Z").has_value());
}

TEST(WallTimeText, RefusesEverythingElse) {
  for (const char* text : {"",
                           "now",
                           "2024-05-06",
                           "2024-05-06T07:08:09",
                           "2024-05-06 07:08:09Z",
                           "2024-05-06t07:08:09z",
                           "2024-5-6T07:08:09Z",
                           "24-05-06T07:08:09Z",
                           "2024-13-06T07:08:09Z",
                           "2024-05-06T24:00:00Z",
                           "2024-05-06T07:60:09Z",
                           "2024-05-06T07:08:60Z",
                           "2024-05-06T07:08:09.Z",
                           "2024-05-06T07:08:09,5Z",
                           "2024-05-06T07:08:09.5",
                           "2024-05-06T07:08:09+0100",
                           "2024-05-06T07:08:09+24:00",
                           "2024-05-06T07:08:09+01:60",
                           "2024-05-06T07:08:09+01",
                           "2024-05-06T07:08:09ZZ",
                           " 2024-05-06T07:08:09Z",
                           "2024-05-06T07:08:09Z ",
                           "+024-05-06T07:08:09Z",
                           "-024-05-06T07:08:09Z",
                           "10000-05-06T07:08:09Z",
                           "2024/05/06T07:08:09Z",
                           "2024-05-06T07:08Z"}) {
    EXPECT_EQ(Seconds(text), std::nullopt) << text;
  }
}

TEST(WallTimeText, RefusesEveryCutOfATime) {
  const std::string_view whole = "2024-05-06T07:08:09.5+01:00";
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Seconds(whole.substr(0, size)), std::nullopt) << whole.substr(0, size);
  }
}

TEST(WallTimeText, QuotesWhatItRefusesAsOnePrintableLine) {
  EXPECT_EQ(ParseWallTime("a\nb").error().text, "not an RFC 3339 time: \"a\\x0ab\"");
}

}  // namespace
}  // namespace certlatch
