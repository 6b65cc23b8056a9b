#include "domain/wait_jsonpath.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/domain/jsonpath_object.h"

namespace certlatch {
namespace {

constexpr const char* kMet = "met";
constexpr const char* kUnmet = "unmet";
constexpr const char* kPathText =
    "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
    "'{.name1.name2}'";
constexpr const char* kFormatText =
    "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
    "--for=jsonpath='{.status.readyReplicas}'";
constexpr const char* kValueText =
    "jsonpath wait has to have a value after equal sign, like "
    "--for=jsonpath='{.status.readyReplicas}'=3";
constexpr const char* kManyText = "given jsonpath expression matches more than one value";
constexpr const char* kNestedText =
    "jsonpath leads to a nested object or list which is not supported";

// Every row is what kubectl 1.32 said to `kubectl wait cm/x --timeout=0 --for=jsonpath=ARGUMENT`
// when a server gave it the object in jsonpath_object.h.
struct Row {
  const char* argument;
  const char* outcome;
};

Json Object() {
  const Result<Json> object = ParseJson(kJsonPathObject);
  EXPECT_TRUE(object.has_value());
  return object ? *object : Json();
}

std::string Outcome(std::string_view argument, const Json& object) {
  const Result<JsonPathWait> wait = ParseJsonPathWait(argument);
  if (!wait) return wait.error().text;
  const auto outcome = wait->Evaluate(object);
  if (!outcome) return outcome.error().text;
  return outcome->met ? kMet : kUnmet;
}

void Check(const std::vector<Row>& rows) {
  const Json object = Object();
  for (const Row& row : rows) {
    EXPECT_EQ(Outcome(row.argument, object), row.outcome) << row.argument;
  }
}

TEST(JsonPathWait, RefusesArgumentsWithKubectlsTexts) {
  Check({
      {"", "jsonpath expression cannot be empty"},
      {"{.kind}=''", kValueText},
      {R"({.kind}="")", kValueText},
      {"{.kind}=", kValueText},
      {"{.kind}==ConfigMap", kPathText},
      {"{.kind}=Config=Map", kFormatText},
      {"{.kind}===ConfigMap", kPathText},
      {R"({.conditions[?(@.type="Ready")].status}=True)", kFormatText},
      {R"({.conditions[?(@.type!="Ready")].status}=False)", kFormatText},
      {"=", kValueText},
      {"=3", "jsonpath expression cannot be empty"},
      {"{}", kPathText},
      {"{}=x", kPathText},
      {"{.kind}{.kind}=x", kPathText},
      {"{range .list[*]}{.name}{end}=x", kPathText},
      {"{.kind}x", kPathText},
      {"x{.kind}", kPathText},
      {"{.kind", kPathText},
      {".kind}", kPathText},
      {"{{.kind}}", kPathText},
      {"{.nums[a]}=1", "invalid array index a"},
  });
}

TEST(JsonPathWait, IsMetByOneValue) {
  Check({
      {"{.kind}=ConfigMap", kMet},
      {"{.kind}", kMet},
      {"{kind}=ConfigMap", kMet},
      {".kind=ConfigMap", kMet},
      {"kind=ConfigMap", kMet},
      {R"({.kind}="ConfigMap")", kMet},
      {"{.kind}='ConfigMap'", kMet},
      {"{.kind}= ConfigMap ", kMet},
      {"{.kind}=' ConfigMap '", kMet},
      {"{.metadata.generation}=7", kMet},
      {"{.floats[0]}=1", kMet},
      {"{.floats[2]}=1000", kMet},
      {"{.floats[3]}=1e+06", kMet},
      {"{.floats[15]}=-0", kMet},
      {"{.t}=true", kMet},
      {"{.null}", kMet},
      {"{.null}=<nil>", kMet},
      {"{.estr}", kMet},
      {"{.empty}", kMet},
      {"{.nums}", kMet},
      {"{.nums[-1]}=5", kMet},
      {"{.list[*].f}=1.5", kMet},
      {R"({.conditions[?(@.type=="Ready")].status}=True)", kMet},
      {"{.conditions[?(@.type=='Ready')].status}=True", kMet},
      {R"({.conditions[?(@.type=="Ready")].status})", kMet},
      {R"(conditions[?(@.type=="Ready")].status=True)", kMet},
      {R"({.metadata.annotations.kubetemplater\.io/cert-hash}=h1)", kMet},
      {R"({.metadata.annotations['kubetemplater\.io/cert-hash']}=h1)", kMet},
      {R"({.kind "q"}=q)", kMet},
      {"{.kind 5}=5", kMet},
      {"kind =ConfigMap", kMet},
      {"{.big}=9.223372036854776e+18", kMet},
      {"{.floats[18]}=9223372036854775807", kMet},
  });
}

TEST(JsonPathWait, KeepsWaitingForWhatIsMissingOrDifferent) {
  Check({
      {"{.kind}=configmap", kUnmet},
      {R"({.kind}=Config"Map)", kUnmet},
      {"{.kind}=a==b", kUnmet},
      {"{.nope}", kUnmet},
      {"{.nope}=x", kUnmet},
      {"{.nope.deep[0].x}=x", kUnmet},
      {"{.metadata.generation}=7.0", kUnmet},
      {"{.metadata.generation}=07", kUnmet},
      {"{.floats[0]}=1.0", kUnmet},
      {"{.floats[2]}=1e3", kUnmet},
      {"{.floats[3]}=1000000", kUnmet},
      {"{.t}=True", kUnmet},
      {"{.null}=null", kUnmet},
      {"{.estr}=x", kUnmet},
      {R"({.conditions[?(@.type=="Nope")].status}=True)", kUnmet},
      {"==", kUnmet},
      {"range .list[*]", kUnmet},
      {"{range .list[*]}", kUnmet},
      {"{.list[*] range}=1", kUnmet},
      {"{['kind']}=ConfigMap", kUnmet},
      {"['kind']=ConfigMap", kUnmet},
      {"{@.kind}=ConfigMap", kUnmet},
      {"{$.kind}=ConfigMap", kUnmet},
      {"$.kind=ConfigMap", kUnmet},
      {"{.esc.s}=<a>", kUnmet},
      {"{ .kind }=ConfigMap", kUnmet},
      {"{.big}=9223372036854775808", kUnmet},
  });
}

TEST(JsonPathWait, EndsWithKubectlsTextsWhereTheValueCannotBeCompared) {
  Check({
      {"{.empty}={}", kNestedText},
      {"{.empty}=x", kNestedText},
      {"{.nums}=x", kNestedText},
      {"{.nums[*]}", kManyText},
      {"{.nums[*]}=1", kManyText},
      {"{.nums[9]}", "array index out of bounds: index 9, length 6"},
      {"{.nums[9]}=1", "array index out of bounds: index 9, length 6"},
      {"{.conditions[?(@.type==Ready)].status}=True", "unrecognized identifier Ready"},
      {"{.}", kManyText},
      {".", kManyText},
      {"..", kManyText},
      {"{..}", kManyText},
      {"{..z}=q", kManyText},
      {"..z", kManyText},
      {"{.kind end}", "not in range, nothing to end"},
      {"{.list[0][?(@.a)]}=1",
       "map[kind:A meta:map[color:blue z:q] n:1 name:a1 ready:true tags:[x y]] is not array or "
       "slice and cannot be filtered"},
      {R"({.list[?(@.n=="2")].name}=b2)", "incompatible types for comparison"},
      {"{.str.*}=1", kManyText},
      {"{.nested.a}=1", kNestedText},
  });
}

TEST(JsonPathWait, TellsTheValueThatIsThereInstead) {
  const Json object = Object();
  auto present = [&](std::string_view argument) {
    return ParseJsonPathWait(argument)->Evaluate(object)->present;
  };
  EXPECT_EQ(present("{.kind}=Pod"), "ConfigMap");
  EXPECT_EQ(present("{.metadata.generation}=8"), "7");
  EXPECT_EQ(present("{.t}=false"), "true");
  EXPECT_EQ(present("{.estr}=x"), "");
  EXPECT_EQ(present("{.nope}=x"), std::nullopt);
  EXPECT_EQ(present("{.nope}"), std::nullopt);
}

TEST(JsonPathWait, KnowsItsExpressionAndValue) {
  const Result<JsonPathWait> wait = ParseJsonPathWait(R"(status.phase="Running")");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->expression(), "{.status.phase}");
  EXPECT_EQ(wait->value(), "Running");
  EXPECT_EQ(ParseJsonPathWait("{.a}")->value(), "");
}

TEST(JsonPathWait, RefusesSeveralListsWhereverThePathCameFrom) {
  const JsonPathWait wait(*JsonPath::Parse("{.kind}{.str}"), "", "ConfigMap");
  const auto outcome = wait.Evaluate(Object());
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().text, "given jsonpath expression matches more than one list");
}

TEST(JsonPathWait, TellsAnIndexThatMayStillComeFromAWrongPath) {
  const Json object = Object();
  EXPECT_EQ(ParseJsonPathWait("{.nums[9]}")->Evaluate(object).error().code, Code::kNotFound);
  EXPECT_EQ(ParseJsonPathWait("{.nums[*]}")->Evaluate(object).error().code, Code::kConfig);
  EXPECT_EQ(ParseJsonPathWait("{.a}=").error().code, Code::kConfig);
}

}  // namespace
}  // namespace certlatch
