#include "domain/json.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

Json Parsed(std::string_view text) {
  Result<Json> json = ParseJson(text);
  EXPECT_TRUE(json.has_value()) << text << ": " << (json ? "" : json.error().text);
  return json ? *json : Json();
}

TEST(Json, ReadsEveryKindOfValue) {
  const Json json = Parsed(R"({"s":"a\u00e9\n","i":-12,"f":1.50,"t":true,"n":null,"a":[1,[2]]})");
  EXPECT_EQ(json["s"].AsString(), "a\xc3\xa9\n");
  EXPECT_EQ(json["i"].AsInt(), -12);
  EXPECT_EQ(json["f"].NumberText(), "1.50");
  EXPECT_EQ(json["t"].AsBool(), true);
  EXPECT_TRUE(json["n"].is_null());
  EXPECT_NE(json.Find("n"), nullptr);
  EXPECT_EQ(json["a"][1][0].AsInt(), 2);
}

TEST(Json, ReadsWhatIsMissingAsNothing) {
  const Json json = Parsed(R"({"a":{"b":1}})");
  EXPECT_TRUE(json["x"]["y"][3]["z"].is_null());
  EXPECT_EQ(json["a"].AsString(), "");
  EXPECT_EQ(json["a"]["b"].AsString(), "");
  EXPECT_TRUE(json["a"]["b"].items().empty());
  EXPECT_EQ(json.Find("x"), nullptr);
}

TEST(Json, TakesTheLastOfDuplicateKeysAsGoDoes) {
  EXPECT_EQ(Parsed(R"({"a":1,"a":2})")["a"].AsInt(), 2);
}

TEST(Json, GivesIntegersOnlyWhenSpelledAsIntegersThatFit) {
  const Json json = Parsed(R"([9223372036854775807,9223372036854775808,1.0,1e2])");
  EXPECT_EQ(json[0].AsInt(), INT64_MAX);
  EXPECT_EQ(json[1].AsInt(), std::nullopt);
  EXPECT_EQ(json[1].NumberText(), "9223372036854775808");
  EXPECT_EQ(json[2].AsInt(), std::nullopt);
  EXPECT_EQ(json[3].AsInt(), std::nullopt);
}

TEST(Json, WritesWhatItRead) {
  for (const char* text : {R"({"a":[1,-2.5,"x\"\\\n\u0001",true,false,null],"b":{},"c":[]})", "[]",
                           "{}", R"([[{"":""}]])"}) {
    EXPECT_EQ(Parsed(text).Dump(), text);
  }
}

TEST(Json, RefusesMalformedText) {
  for (const char* text : {"",           " ",
                           "{",          "}",
                           "[1",         "[1,]",
                           "{\"a\"}",    "{\"a\":}",
                           "{a:1}",      "[01]",
                           "[+1]",       "[1.]",
                           "[.5]",       "[1e]",
                           "[--1]",      "[1x]",
                           "[tru]",      "[nul]",
                           "[nulll]",    "[\"\\x\"]",
                           "[\"",        "[\"\n\"]",
                           "{} {}",      "[] x",
                           "[1 2]",      "{\"a\":1 \"b\":2}",
                           "[\"\xff\"]", "[\"\\ud800\"]",
                           "1",          "\"a\"",
                           "null",       "[1}",
                           "{\"a\":[}",  "[\"\\u12\"]"}) {
    EXPECT_FALSE(ParseJson(text).has_value()) << text;
  }
}

TEST(Json, RefusesWhatIsNestedPastTheLimit) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(ParseJson(nested(kMaxJsonDepth)).has_value());
  EXPECT_FALSE(ParseJson(nested(kMaxJsonDepth + 1)).has_value());
  EXPECT_FALSE(ParseJson(nested(100000)).has_value());
}

TEST(Json, RefusesMoreValuesThanTheLimit) {
  auto many = [](size_t count) {
    std::string text = "[1";
    for (size_t i = 1; i < count; ++i) text += ",1";
    return text + "]";
  };
  EXPECT_TRUE(ParseJson(many(kMaxJsonNodes)).has_value());
  EXPECT_FALSE(ParseJson(many(kMaxJsonNodes + 1)).has_value());
}

TEST(Json, RefusesEveryTruncationOfAnObject) {
  const std::string text = R"({"kind":"Secret","data":{"a":"b"},"n":[1,2.5,true,null]})";
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ParseJson(text.substr(0, length)).has_value()) << text.substr(0, length);
  }
}

}  // namespace
}  // namespace certlatch
