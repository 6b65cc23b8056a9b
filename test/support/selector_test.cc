#include "test/support/selector.h"

#include <gtest/gtest.h>

namespace certlatch::test {
namespace {

bool Matches(std::string_view selector, std::string_view labels) {
  const Result<Selector> parsed = Selector::OfLabels(selector);
  const Result<Json> object = ParseJson(R"({"metadata":{"labels":)" + std::string(labels) + "}}");
  EXPECT_TRUE(parsed.has_value()) << selector;
  EXPECT_TRUE(object.has_value()) << labels;
  return parsed && object && parsed->Matches(*object);
}

TEST(Selector, MeansWhatKubernetesMeans) {
  EXPECT_TRUE(Matches("", "{}"));
  EXPECT_TRUE(Matches("a=1,b==2", R"({"a":"1","b":"2"})"));
  EXPECT_FALSE(Matches("a=1,b=2", R"({"a":"1"})"));
  EXPECT_TRUE(Matches("a!=1", R"({"a":"2"})"));
  EXPECT_TRUE(Matches("a!=1", "{}"));
  EXPECT_TRUE(Matches("a", R"({"a":""})"));
  EXPECT_FALSE(Matches("!a", R"({"a":""})"));
}

TEST(Selector, RefusesWhatItWouldHaveToIgnore) {
  EXPECT_FALSE(Selector::OfLabels("a in (1,2)").has_value());
  EXPECT_FALSE(Selector::OfFields("spec.nodeName=x").has_value());
}

TEST(Selector, KnowsTheNameThatAFieldSelectorRequires) {
  const Result<Selector> selector = Selector::OfFields("metadata.name=web");
  ASSERT_TRUE(selector.has_value());
  EXPECT_EQ(selector->Required("metadata.name"), "web");
}

}  // namespace
}  // namespace certlatch::test
