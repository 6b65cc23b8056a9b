#include "app/shell_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "domain/goal.h"
#include "domain/target.h"
#include "test/support/api_json.h"
#include "test/support/fake_host.h"

namespace certlatch {
namespace {

using test::Event;
using test::FakeHost;
using test::List;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Certificate(const std::string& ready, int version) {
  return R"({"metadata":{"namespace":"default","name":"web","resourceVersion":")" +
         std::to_string(version) + R"("},"status":{"conditions":[{"type":"Ready","status":")" +
         ready + R"(","reason":"Issuing","message":"not yet"}]}})";
}

std::string Named(const std::string& name, const std::string& rest = "") {
  return R"({"metadata":{"namespace":"default","name":")" + name + R"(","resourceVersion":"3"})" +
         rest + "}";
}

// One run of a script on a FakeHost.
struct Running {
  explicit Running(std::string_view script) {
    const Status status = ParseShellLoop(script, {}, options.plan);
    EXPECT_TRUE(status) << status.error().text;
    for (const auto& test : options.plan.tests) {
      options.kubectl.push_back(std::make_unique<WaitOptions>());
      WaitOptions& wait = *options.kubectl.back();
      wait.as_kubectl = true;
      if (test->probe.kind != LoopProbe::Kind::kWait) continue;
      wait.timeout = 30s;
      wait.goals.push_back(*ParseGoal("condition=Ready", true));
      wait.targets = *ParseTargets({"certificate/" + std::string(test->probe.arguments.back())});
    }
    run = std::make_unique<ShellRun>(host, options,
                                     [this](WaitResult outcome) { result = std::move(outcome); });
    run->Start();
  }
  ~Running() { run.reset(); }

  // What has been said so far, once what is due has happened.
  std::string Said() {
    host.Advance(0s);
    return host.said;
  }
  // As main does: the mode is left when it has ended.
  bool Ended() {
    host.Advance(0s);
    return result.has_value();
  }
  void AnswerProbe(bool ready, int http_status = 0) {
    host.AnswerProbe(host.Find(""), {ready, http_status, ready ? "" : "connection refused"});
  }

  ShellOptions options;
  FakeHost host;
  std::unique_ptr<ShellRun> run;
  std::optional<WaitResult> result;
};

constexpr const char* kSeed =
    "echo Waiting…; until kubectl get certificate web -n default -o "
    "jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}' 2>/dev/null | grep -q \"True\"; "
    "do echo \"not ready\"; sleep 5; done; echo ready";

TEST(ShellRun, EndsTheLoopAtTheMomentItsConditionIsTrue) {
  Running run(kSeed);
  EXPECT_EQ(run.Said(), "Waiting…\n");
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  EXPECT_EQ(run.Said(), "Waiting…\nnot ready\n");
  EXPECT_THAT(run.host.logged, ElementsAre(HasSubstr("certificate/web@default: ")));
  run.host.Advance(11s);
  EXPECT_EQ(run.Said(), "Waiting…\nnot ready\nnot ready\nnot ready\n");
  run.host.Send(run.host.Find("watch=true"), Event("MODIFIED", Certificate("True", 11)));
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_EQ(run.host.said, "Waiting…\nnot ready\nnot ready\nnot ready\nready\n");
  EXPECT_THAT(run.host.Open(), IsEmpty());
}

TEST(ShellRun, SaysWhyNotOncePerChange) {
  Running run(
      "until [ \"$(kubectl get po web -o jsonpath={.status.phase})\" = Running ]; do sleep "
      "1; done");
  run.host.Answer(run.host.Find("pods?"), 200, List(""));
  run.host.Advance(5s);
  const int watch = run.host.Find("watch=true");
  run.host.Send(watch, Event("ADDED", Named("web", R"(,"status":{"phase":"Pending"})")));
  run.host.Advance(5s);
  EXPECT_THAT(run.host.logged, ElementsAre("certlatch: po/web: not found yet",
                                           "certlatch: po/web: kubectl would print \"Pending\""));
  run.host.Send(watch, Event("MODIFIED", Named("web", R"(,"status":{"phase":"Running"})")));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, SaysWhatKubectlFindsWrongWithAJsonPath) {
  Running run(
      "until kubectl get certificate web -o "
      "jsonpath='{.status.conditions[?(@.type==Ready)].status}' "
      "| grep True; do sleep 1; done");
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("True", 3)));
  EXPECT_THAT(run.host.logged, ElementsAre("certlatch: certificate/web: kubectl get fails: "
                                           "unrecognized identifier Ready"));
  EXPECT_FALSE(run.Ended());
}

TEST(ShellRun, NeverTellsWhatASecretHolds) {
  Running run("until kubectl get secret s -o jsonpath={.data.key} | grep -q YQ; do sleep 1; done");
  run.host.Answer(run.host.Find("secrets?"), 200,
                  List(Named("s", R"(,"data":{"key":"c2VjcmV0"})")));
  run.host.Advance(3s);
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("c2VjcmV0")));
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/s"));
  EXPECT_FALSE(run.Ended());
}

TEST(ShellRun, AListSucceedsWithNothingInIt) {
  Running run("until kubectl get nodes; do sleep 1; done");
  EXPECT_FALSE(run.Ended());
  run.host.Answer(run.host.Find("/nodes"), 200, List(""));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, AListIsSelectedAndPrintedAsAList) {
  Running run(
      "until kubectl get pods -n prod -l app=db --field-selector a=b -o "
      "jsonpath='{.items[*].status.phase}' | grep -qx 'Running Running'; do sleep 1; done");
  const std::string target = run.host.Open().at(0).target;
  EXPECT_THAT(target, HasSubstr("labelSelector=app%3Ddb"));
  EXPECT_THAT(target, HasSubstr("fieldSelector=a%3Db"));
  const std::string running = R"(,"status":{"phase":"Running"})";
  run.host.Answer(run.host.Find("/pods"), 200, List(Named("a", running)));
  EXPECT_FALSE(run.Ended());
  run.host.Send(run.host.Find("watch=true"), Event("ADDED", Named("b", running)));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, NamesAreLinesOfTypeAndName) {
  Running run("until kubectl get deploy -o name | grep -qx deployment.apps/api; do sleep 1; done");
  run.host.Answer(run.host.Find("/deployments"), 200, List(Named("web")));
  EXPECT_FALSE(run.Ended());
  run.host.Send(run.host.Find("watch=true"), Event("ADDED", Named("api")));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, WhatIsToGoIsGoneOnlyWhenTheServerSaysSo) {
  Running run("while kubectl get pod old; do echo there; sleep 2; done");
  ApiAnswer none;
  none.problem = "cannot connect: refused";
  run.host.Answer(run.host.Find("pods?"), none);
  EXPECT_FALSE(run.Ended());
  EXPECT_THAT(run.host.Log(), HasSubstr("pod/old: "));
  run.host.Advance(3s);
  run.host.Answer(run.host.Find("pods?"), 200, List(Named("old")));
  EXPECT_FALSE(run.Ended());
  EXPECT_THAT(run.host.logged.back(), HasSubstr("still there"));
  run.host.Send(run.host.Find("watch=true"), Event("DELETED", Named("old")));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, ARightThatIsMissingIsWaitedFor) {
  Running run("until kubectl get secret s; do sleep 1; done");
  for (int i = 0; i < 4; ++i) {
    run.host.Answer(run.host.Find("secrets"), 403, R"({"message":"secrets is forbidden"})");
    EXPECT_FALSE(run.Ended());
    run.host.Advance(10s);
  }
  EXPECT_THAT(run.host.Log(), HasSubstr("forbidden"));
  run.host.Answer(run.host.Find("secrets"), 200, List(Named("s")));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, AllTestsHoldAtTheSameTime) {
  Running run("until kubectl get secret a && nc -z db 1; do echo no; sleep 2; done");
  run.host.Answer(run.host.Find("secrets?"), 200, List(Named("a")));
  EXPECT_EQ(run.Said(), "");
  run.host.AnswerProbe(run.host.Find("tcp://db:1"), {false, 0, "connection refused"});
  EXPECT_EQ(run.Said(), "no\n");
  run.host.Send(run.host.Find("watch=true"), Event("DELETED", Named("a")));
  run.host.Advance(2s);
  run.host.AnswerProbe(run.host.Find("tcp://db:1"), {true, 0, ""});
  EXPECT_FALSE(run.Ended());
  run.host.Send(run.host.Find("watch=true"), Event("ADDED", Named("a")));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, ProbesOnceARound) {
  Running run("until nc -z db 5432; do echo -n . >&2; sleep 3; done; echo up");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(run.host.Open().size(), 1U);
    run.AnswerProbe(false);
    EXPECT_THAT(run.host.Open(), IsEmpty());
    run.host.Advance(3s);
  }
  EXPECT_EQ(run.host.said, "!.!.!.");
  EXPECT_THAT(run.host.logged, ElementsAre("certlatch: tcp://db:5432: connection refused"));
  run.AnswerProbe(true);
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.host.said, "!.!.!.up\n");
}

TEST(ShellRun, ALoopWithoutSleepDoesNotSpin) {
  Running run("until nc -z db 1; do :; done");
  run.AnswerProbe(false);
  run.host.Advance(0s);
  EXPECT_THAT(run.host.Open(), IsEmpty());
  run.host.Advance(1s);
  EXPECT_EQ(run.host.Open().size(), 1U);
}

TEST(ShellRun, ASlowServerIsLeftItsTimeToAnswer) {
  Running run("until kubectl get certificate web; do :; done");
  run.host.Answer(run.host.Find("certificates?"), 400, "no");
  run.host.Advance(1s);
  const int asked = run.host.Find("certificates?");
  ASSERT_NE(asked, 0);
  run.host.Advance(10s);
  EXPECT_EQ(run.host.Find("certificates?"), asked) << "not dropped for another of its kind";
  run.host.Answer(asked, 200, List(Certificate("True", 3)));
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, JudgesTheStatusOfAnAnswer) {
  Running run(
      "until [ \"$(curl -s -o /dev/null -w '%{http_code}' http://a/)\" = 200 ]; do sleep 1; "
      "done");
  for (const int status : {0, 503}) {
    run.AnswerProbe(status != 0, status);
    EXPECT_FALSE(run.Ended());
    run.host.Advance(1s);
  }
  EXPECT_THAT(run.host.logged, ElementsAre("certlatch: http://a/: connection refused",
                                           "certlatch: http://a/: HTTP 503"));
  run.AnswerProbe(true, 200);
  EXPECT_TRUE(run.Ended());
}

TEST(ShellRun, ATypeThatNobodyKnowsIsLookedForAgain) {
  Running run("until kubectl get widget x; do echo no; sleep 1; done");
  run.host.Answer(run.host.Find("/apis"), 200, R"({"groups":[]})");
  run.host.Answer(run.host.Find("/api/v1"), 200, R"({"resources":[]})");
  EXPECT_EQ(run.Said(), "no\n");
  EXPECT_THAT(run.host.Log(), HasSubstr("doesn't have a resource type"));
  run.host.Advance(3s);
  EXPECT_NE(run.host.Find("/apis"), 0);
  EXPECT_FALSE(run.Ended());
}

TEST(ShellRun, RunsKubectlWaitsOneAfterTheOther) {
  Running run("kubectl wait a && kubectl wait web && echo both; echo end");
  EXPECT_EQ(run.host.Find("name%3Dweb"), 0);
  const auto answer = [&run](const char* name, const char* ready) {
    run.host.Answer(run.host.Find(std::string("name%3D") + name), 200,
                    List(Named(name, std::string(R"(,"status":{"conditions":[{"type":"Ready",)") +
                                         R"("status":")" + ready + R"("}]})")));
    run.host.Advance(0s);
  };
  answer("a", "True");
  ASSERT_NE(run.host.Find("name%3Dweb"), 0);
  answer("web", "False");
  EXPECT_FALSE(run.Ended());
  run.host.Advance(31s);
  ASSERT_TRUE(run.Ended());
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/a condition met"));
  EXPECT_EQ(run.host.said, "end\n");
  EXPECT_EQ(run.host.logged.back(),
            "error: timed out waiting for the condition on certificates/web");
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(ShellRun, TheLastKubectlWaitIsTheExitStatus) {
  Running run("echo a; set -e; kubectl wait web; echo b");
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(""));
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.result->errors, ElementsAre(HasSubstr("\"web\" not found")));
  EXPECT_EQ(run.host.said, "a\n");
  EXPECT_THAT(run.host.logged, IsEmpty());  // the owner says it
}

TEST(ShellRun, TriesKubectlWaitAgainInALoop) {
  Running run("until kubectl wait web; do echo again; sleep 2; done; echo met");
  for (int i = 0; i < 2; ++i) {
    run.host.Answer(run.host.Find("name%3Dweb"), 200, List(""));
    run.host.Advance(2s);
  }
  EXPECT_EQ(run.host.said, "again\nagain\n");
  EXPECT_EQ(run.host.logged.size(), 1U);
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(Certificate("True", 3)));
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.host.said, "again\nagain\nmet\n");
}

TEST(ShellRun, PausesAndEndsAtExit) {
  Running run("echo a; sleep 3; echo b; exit 0; echo c");
  run.host.Advance(2s);
  EXPECT_EQ(run.Said(), "a\n");
  run.host.Advance(1s);
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.host.said, "a\nb\n");
}

TEST(ShellRun, WhatIsMetInTheMomentOfAnInterruptionIsNotHeard) {
  Running run("kubectl wait web && kubectl wait a; echo never");
  run.run->Interrupt("SIGTERM");
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(Certificate("True", 3)));
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_EQ(run.host.said, "");
}

TEST(ShellRun, EndsAtOnceWhenInterrupted) {
  Running run("until nc -z db 1; do sleep 100; done; echo never");
  run.AnswerProbe(false);
  run.run->Interrupt("SIGTERM");
  ASSERT_TRUE(run.Ended());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.result->errors,
              ElementsAre("error: interrupted by SIGTERM: tcp://db:1: connection refused"));
  EXPECT_EQ(run.host.said, "");
}

}  // namespace
}  // namespace certlatch
