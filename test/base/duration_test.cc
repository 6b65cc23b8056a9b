#include "base/duration.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

TEST(Duration, IsReadAsGoReadsIt) {
  const struct {
    const char* text;
    Duration value;
  } cases[] = {
      {"0", 0s},
      {"5s", 5s},
      {"30s", 30s},
      {"1478s", 1478s},
      {"-5s", -5s},
      {"+5s", 5s},
      {"-0", 0s},
      {"+0", 0s},
      {"5.0s", 5s},
      {"5.6s", 5s + 600ms},
      {"5.s", 5s},
      {".5s", 500ms},
      {"1.0s", 1s},
      {"1.004s", 1s + 4ms},
      {"10ns", Duration(10)},
      {"11us", Duration(11000)},
      {"12\xc2\xb5s", Duration(12000)},
      {"12\xce\xbcs", Duration(12000)},
      {"13ms", 13ms},
      {"15m", 15min},
      {"16h", 16h},
      {"3h30m", 3h + 30min},
      {"10.5s4m", 4min + 10s + 500ms},
      {"-2m3.4s", -(2min + 3s + 400ms)},
      {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + Duration(5006)},
      {"39h9m14.425s", 39h + 9min + 14s + 425ms},
      {"0.3333333333333333333h", 20min},
      {"9223372036854775807ns", Duration(INT64_MAX)},
  };
  for (const auto& one : cases) {
    const Result<Duration> duration = ParseDuration(one.text);
    ASSERT_TRUE(duration.has_value()) << one.text;
    EXPECT_EQ(duration->count(), one.value.count()) << one.text;
  }
}

TEST(Duration, IsRefusedInGosWords) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"", "time: invalid duration \"\""},
      {"3", "time: missing unit in duration \"3\""},
      {"-", "time: invalid duration \"-\""},
      {"s", "time: invalid duration \"s\""},
      {".", "time: invalid duration \".\""},
      {"-.", "time: invalid duration \"-.\""},
      {".s", "time: invalid duration \".s\""},
      {"+.s", "time: invalid duration \"+.s\""},
      {"1d", "time: unknown unit \"d\" in duration \"1d\""},
      {"5 s", "time: unknown unit \" s\" in duration \"5 s\""},
      {"1h 2m", "time: unknown unit \"h \" in duration \"1h 2m\""},
      {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
      {"2562048h", "time: invalid duration \"2562048h\""},
      {"99999999999999999999h", "time: invalid duration \"99999999999999999999h\""},
      {"1\x01", "time: unknown unit \"\\x01\" in duration \"1\\x01\""},
  };
  for (const auto& one : cases) {
    const Result<Duration> duration = ParseDuration(one.text);
    ASSERT_FALSE(duration.has_value()) << one.text;
    EXPECT_EQ(duration.error().text, one.error);
    EXPECT_EQ(duration.error().code, Code::kConfig);
  }
}

TEST(Duration, IsWrittenAsGoWritesIt) {
  EXPECT_EQ(FormatDuration(0s), "0s");
  EXPECT_EQ(FormatDuration(Duration(1)), "1ns");
  EXPECT_EQ(FormatDuration(Duration(1100)), "1.1\xc2\xb5s");
  EXPECT_EQ(FormatDuration(2ms + Duration(200000)), "2.2ms");
  EXPECT_EQ(FormatDuration(3s + 300ms), "3.3s");
  EXPECT_EQ(FormatDuration(4min + 5s), "4m5s");
  EXPECT_EQ(FormatDuration(4min + 5s + 1ms), "4m5.001s");
  EXPECT_EQ(FormatDuration(5h + 6min + 7s + 1ms), "5h6m7.001s");
  EXPECT_EQ(FormatDuration(8min + Duration(1)), "8m0.000000001s");
  EXPECT_EQ(FormatDuration(-90s), "-1m30s");
  EXPECT_EQ(FormatDuration(Duration(INT64_MAX)), "2562047h47m16.854775807s");
  EXPECT_EQ(FormatDuration(Duration(INT64_MIN)), "-2562047h47m16.854775808s");
}

TEST(Duration, IsRoughForPeople) {
  EXPECT_EQ(RoughDuration(41s + 900ms), "41s");
  EXPECT_EQ(RoughDuration(125s), "2m5s");
  EXPECT_EQ(RoughDuration(180s), "3m");
  EXPECT_EQ(RoughDuration(1h), "1h");
  EXPECT_EQ(RoughDuration(10h + 5min), "10h5m");
  EXPECT_EQ(RoughDuration(250ms + Duration(999)), "250ms");
  EXPECT_EQ(RoughDuration(0s), "0s");
}

}  // namespace
}  // namespace certlatch
