#include "domain/dry_run.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "domain/json.h"

namespace certlatch {
namespace {

using State = DryRunOutcome::State;

constexpr const char* kConfigMap =
    R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"probe","namespace":"ops"}})";

TEST(DryRun, TargetHoldsAFileAndWhatIsExpected) {
  EXPECT_TRUE(IsDryRun("dry-run:/a.json"));
  EXPECT_FALSE(IsDryRun("file:/a.json"));
  const DryRunText plain = ReadDryRunText("dry-run:/a=b.json");
  EXPECT_EQ(plain.file, "/a=b.json");
  EXPECT_FALSE(plain.denied);
  const DryRunText denied = ReadDryRunText("dry-run:/a.json=denied:x=denied:y");
  EXPECT_EQ(denied.file, "/a.json");
  EXPECT_TRUE(denied.denied);
  EXPECT_EQ(denied.denial, "x=denied:y");
  EXPECT_TRUE(ReadDryRunText("dry-run:/a.json=denied:").denied);
}

TEST(DryRun, TargetIsTheOneObjectOfItsFile) {
  TargetName target;
  target.text = "dry-run:/a.json=denied:owner";
  ASSERT_TRUE(ReadDryRunObject(kConfigMap, target));
  EXPECT_EQ(target.type, "ConfigMap.v1.");
  EXPECT_EQ(target.name, "probe");
  EXPECT_EQ(target.ns, "ops");
  EXPECT_EQ(target.object, kConfigMap);
  EXPECT_EQ(target.text, "dry-run:/a.json=denied:owner");
}

TEST(DryRun, TargetMayLeaveItsNameToTheApiServer) {
  TargetName target;
  target.text = "dry-run:/a.json";
  const std::string job =
      R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"generateName":"m-"}})";
  ASSERT_TRUE(ReadDryRunObject(job, target));
  EXPECT_EQ(target.type, "Job.v1.batch");
  EXPECT_EQ(target.object, job);
  for (const char* metadata : {"{}", R"({"generateName":""})", R"({"generateName":"a/b"})"}) {
    target.text = "dry-run:/a.json";
    EXPECT_FALSE(ReadDryRunObject(
        Format(R"({"apiVersion":"v1","kind":"Pod","metadata":%s})", metadata), target))
        << metadata;
  }
}

TEST(DryRun, RefusesFilesOfAnyOtherNumberOfObjects) {
  const std::string two = std::string(kConfigMap) + kConfigMap;
  // What would be sent is a List, and no server creates one.
  const std::string list = Format(R"({"kind":"List","apiVersion":"v1","items":[%s]})", kConfigMap);
  const std::string after = std::string(R"({"kind":"List","items":[]})") + kConfigMap;
  for (const std::string& text :
       {std::string(), two, list, after, std::string("kind: ConfigMap")}) {
    TargetName target;
    target.text = "dry-run:/a.json";
    const Status read = ReadDryRunObject(text, target);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().text.rfind("/a.json: ", 0), 0U) << read.error().text;
  }
}

struct Case {
  int status;
  const char* reason;
  const char* message;
  State plain;   // as dry-run:FILE
  State denied;  // as dry-run:FILE=denied:owner
};

std::string StatusObject(const Case& a) {
  return Format(R"({"kind":"Status","status":"Failure","reason":"%s","message":%s,"code":%d})",
                a.reason, JsonQuote(a.message).c_str(), a.status);
}

// The texts are those of Kubernetes 1.20 to 1.33.
constexpr Case kCases[] = {
    {201, "", "", State::kMet, State::kUnmet},
    {409, "AlreadyExists", "configmaps \"probe\" already exists", State::kMet, State::kUnmet},
    {409, "Conflict", "object is being deleted", State::kUnknown, State::kUnknown},
    {403, "Forbidden", "admission webhook \"v.example.com\" denied the request: wants an owner",
     State::kUnmet, State::kMet},
    {400, "", "admission webhook \"v.example.com\" denied the request: wants an owner",
     State::kUnmet, State::kMet},
    {404, "", "admission webhook \"v.example.com\" denied the request: wants an owner",
     State::kUnmet, State::kMet},
    {403, "Forbidden", "admission webhook \"v.example.com\" denied the request: no", State::kUnmet,
     State::kUnmet},
    {422, "Invalid",
     "configmaps \"probe\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied "
     "request: wants an owner",
     State::kUnmet, State::kMet},
    {403, "Forbidden", "pods \"probe\" is forbidden: violates PodSecurity: owner", State::kUnmet,
     State::kMet},
    {400, "BadRequest", "admission webhook \"v.example.com\" does not support dry run",
     State::kImpossible, State::kImpossible},
    {500, "InternalError",
     "Internal error occurred: failed calling webhook \"owner\": Post \"https://h\": x509: "
     "certificate signed by unknown authority",
     State::kUnmet, State::kUnmet},
    {403, "Forbidden",
     "configmaps is forbidden: User \"owner\" cannot create resource \"configmaps\" in API group "
     "\"\" in the namespace \"ops\"",
     State::kForbidden, State::kForbidden},
    {403, "Forbidden",
     "users \"owner\" is forbidden: User \"me\" cannot impersonate resource \"users\" in API group "
     "\"\" at the cluster scope",
     State::kForbidden, State::kForbidden},
    {403, "Forbidden", "pods \"probe\" is forbidden: who has no owner cannot create pods",
     State::kUnmet, State::kMet},
    {401, "Unauthorized", "Unauthorized", State::kForbidden, State::kForbidden},
    {404, "NotFound", "namespaces \"owner\" not found", State::kUnmet, State::kUnmet},
    {422, "Invalid", "ConfigMap \"probe\" is invalid: data[owner]: Invalid value", State::kInvalid,
     State::kInvalid},
    {400, "BadRequest", "the namespace of the provided object does not match", State::kInvalid,
     State::kInvalid},
    {429, "TooManyRequests", "try again later", State::kUnknown, State::kUnknown},
    {503, "", "owner", State::kUnknown, State::kUnknown},
};

TEST(DryRun, AnswerMeansWhatTheAdmissionChainSaid) {
  for (const Case& one : kCases) {
    const ApiAnswer answer{one.status, StatusObject(one), "", {}};
    const DryRunOutcome plain = JudgeDryRun(answer, ReadDryRunText("dry-run:/a"));
    const DryRunOutcome denied = JudgeDryRun(answer, ReadDryRunText("dry-run:/a=denied:owner"));
    EXPECT_EQ(plain.state, one.plain) << one.status << one.message << plain.reason;
    EXPECT_EQ(denied.state, one.denied) << one.status << one.message << denied.reason;
    EXPECT_EQ(plain.reason.empty(), one.plain == State::kMet);
    EXPECT_EQ(denied.reason.empty(), one.denied == State::kMet);
  }
}

// A login page, say. What it says is not repeated: it may be the object, with all that it holds.
TEST(DryRun, AnswerThatIsNotAboutACreationIsNoVerdict) {
  for (const int status : {200, 202, 204}) {
    const ApiAnswer answer{status, R"({"kind":"Secret","data":{"k":"aHVudGVyMg=="}})", "", {}};
    for (const char* target : {"dry-run:/a", "dry-run:/a=denied:"}) {
      const DryRunOutcome outcome = JudgeDryRun(answer, ReadDryRunText(target));
      EXPECT_EQ(outcome.state, State::kUnknown) << status << target;
      EXPECT_EQ(outcome.reason, Format("HTTP %d, not 201", status));
    }
  }
}

TEST(DryRun, NoAnswerIsNoVerdict) {
  const ApiAnswer answer{0, "", "connection refused", {}};
  const DryRunOutcome outcome = JudgeDryRun(answer, ReadDryRunText("dry-run:/a=denied:"));
  EXPECT_EQ(outcome.state, State::kUnknown);
  EXPECT_EQ(outcome.reason, "connection refused");
}

// A proxy's, or one whose body was cut off.
TEST(DryRun, RefusalOfSomebodyElseIsNoDenial) {
  for (const char* body : {"", "Forbidden by the firewall", R"({"kind":"Status","message":"adm)"}) {
    const ApiAnswer answer{403, body, "", {}};
    for (const char* target : {"dry-run:/a", "dry-run:/a=denied:"}) {
      EXPECT_EQ(JudgeDryRun(answer, ReadDryRunText(target)).state, State::kUnknown) << body;
    }
  }
}

TEST(DryRun, ReasonIsOnePrintableLine) {
  const ApiAnswer answer{
      403,
      R"({"kind":"Status","message":"admission webhook \"v\" denied the request: a\u001b\nb"})",
      "",
      {}};
  for (const char* target : {"dry-run:/a", "dry-run:/a=denied:x"}) {
    const std::string reason = JudgeDryRun(answer, ReadDryRunText(target)).reason;
    EXPECT_EQ(reason.find_first_of("\x1b\n"), std::string::npos) << reason;
    EXPECT_NE(reason.find("denied the request"), std::string::npos) << reason;
  }
}

}  // namespace
}  // namespace certlatch
