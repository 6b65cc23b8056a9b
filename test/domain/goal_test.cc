#include "domain/goal.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

using State = Verdict::State;

Json Object(const std::string& text) { return *ParseJson(text); }

// An object with one condition, written as its members.
Json WithCondition(const std::string& members) {
  return Object(R"({"metadata":{"generation":3},"status":{"conditions":[{)" + members + "}]}}");
}

State Judged(const std::string& object, const char* goal) {
  const Result<Goal> parsed = ParseGoal(goal, true);
  EXPECT_TRUE(parsed.has_value()) << goal;
  const Json json = object.empty() ? Json() : Object(object);
  return JudgeObject(object.empty() ? nullptr : &json, *parsed, Disclosure::kAll).state;
}

TEST(Goal, IsRefusedInKubectlsWords) {
  for (const char* text : {"", "foo", "condition", "Condition=Ready", "JSONPATH={.a}", "ready"}) {
    const Result<Goal> goal = ParseGoal(text, true);
    ASSERT_FALSE(goal.has_value()) << text;
    EXPECT_EQ(goal.error().text, "unrecognized condition: \"" + std::string(text) + "\"");
  }
  EXPECT_TRUE(ParseGoal("Ready", false).has_value());
}

TEST(Goal, ConditionsCompareTypeAndStatusIgnoringCase) {
  const std::string object = R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})";
  EXPECT_EQ(Judged(object, "condition=ready"), State::kMet);
  EXPECT_EQ(Judged(object, "condition=READY=TRUE"), State::kMet);
  EXPECT_EQ(Judged(object, "condition=Ready=False"), State::kUnmet);
  EXPECT_EQ(Judged(object, "condition=Ready="), State::kUnmet);
  EXPECT_EQ(Judged(object, "condition=Available"), State::kUnmet);
  EXPECT_EQ(Judged("{}", "condition=Ready"), State::kUnmet);
  EXPECT_EQ(Judged(R"({"status":{"conditions":{"type":"Ready"}}})", "condition=Ready"),
            State::kUnmet);
}

TEST(Goal, TheFirstConditionOfItsTypeWithAStatusDecides) {
  EXPECT_EQ(Judged(R"({"status":{"conditions":[{"type":"Ready"},{"type":"Ready","status":"False"},
                   {"type":"Ready","status":"True"}]}})",
                   "condition=Ready"),
            State::kUnmet);
}

TEST(Goal, AConditionOfAnEarlierGenerationIsNotMet) {
  const std::string fresh = R"("type":"Ready","status":"True","observedGeneration":3)";
  const std::string stale = R"("type":"Ready","status":"True","observedGeneration":2)";
  EXPECT_EQ(JudgeCondition(WithCondition(fresh), "Ready").state, State::kMet);
  const Verdict verdict = JudgeCondition(WithCondition(stale), "Ready");
  EXPECT_EQ(verdict.state, State::kUnmet);
  EXPECT_NE(verdict.reason.find("earlier generation"), std::string::npos);
}

TEST(Goal, TheStatussGenerationCountsWhereTheConditionHasNone) {
  auto object = [](const char* status_generation, const char* condition_generation) {
    return Object(R"({"metadata":{"generation":3},"status":{)" + std::string(status_generation) +
                  R"("conditions":[{"type":"Ready","status":"True")" + condition_generation +
                  "}]}}");
  };
  EXPECT_EQ(JudgeCondition(object(R"("observedGeneration":2,)", ""), "Ready").state, State::kUnmet);
  EXPECT_EQ(JudgeCondition(object(R"("observedGeneration":3,)", ""), "Ready").state, State::kMet);
  EXPECT_EQ(
      JudgeCondition(object(R"("observedGeneration":2,)", R"(,"observedGeneration":3)"), "Ready")
          .state,
      State::kMet);
  EXPECT_EQ(JudgeCondition(object("", ""), "Ready").state, State::kMet);
}

TEST(Goal, TellsWhatAConditionSaysInstead) {
  const Verdict verdict = JudgeCondition(
      WithCondition(R"("type":"Ready","status":"False","reason":"Failed","message":"no\nway")"),
      "ready");
  EXPECT_EQ(verdict.reason, "Ready is False (Failed: no\\x0away)");
}

TEST(Goal, CreateAndDeleteAskForExistence) {
  EXPECT_EQ(Judged("{}", "create"), State::kMet);
  EXPECT_EQ(Judged("", "create"), State::kUnmet);
  EXPECT_EQ(Judged("{}", "delete"), State::kUnmet);
  EXPECT_EQ(Judged("", "delete"), State::kMet);
}

TEST(Goal, AnAbsentObjectMeetsNoConditionAndNoPath) {
  EXPECT_EQ(Judged("", "condition=Ready=False"), State::kUnmet);
  EXPECT_EQ(Judged("", "jsonpath={.a}"), State::kUnmet);
}

TEST(Goal, TellsNoValuesWhereTheyAreSecret) {
  const Json secret = Object(R"({"data":{"tls.key":"czNjcmV0","list":["czNjcmV0","czNjcmV0"]}})");
  for (const char* goal : {"jsonpath={.data.tls\\.key}=x", "jsonpath={.data.list[*]}=x",
                           "jsonpath={.data[?(@.a>1)]}=x", "jsonpath={.data}=x"}) {
    const Verdict verdict = JudgeObject(&secret, *ParseGoal(goal, true), Disclosure::kNoValues);
    EXPECT_NE(verdict.state, State::kMet) << goal;
    EXPECT_EQ(verdict.reason.find("czNjcmV0"), std::string::npos) << verdict.reason;
  }
}

TEST(Goal, JsonPathsThatCannotBeComparedAreInvalidAndMissingOnesAreUnmet) {
  const std::string object = R"({"a":"x","list":["p","q"],"map":{"k":1}})";
  EXPECT_EQ(Judged(object, "jsonpath={.a}=x"), State::kMet);
  EXPECT_EQ(Judged(object, "jsonpath={.a}=y"), State::kUnmet);
  EXPECT_EQ(Judged(object, "jsonpath={.b}"), State::kUnmet);
  EXPECT_EQ(Judged(object, "jsonpath={.list[7]}"), State::kUnmet);
  EXPECT_EQ(Judged(object, "jsonpath={.list[*]}=p"), State::kInvalid);
  EXPECT_EQ(Judged(object, "jsonpath={.map}=1"), State::kInvalid);
}

}  // namespace
}  // namespace certlatch
