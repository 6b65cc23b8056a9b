#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "test/domain/readiness_case.h"

namespace certlatch {
namespace {

using ::testing::HasSubstr;

std::string Reason1(const std::string& target, const std::string& object) {
  return Reason(target, {Objects({object})});
}

State StateOf(const std::string& target, const std::string& object) {
  return Judge(target, {Objects({object})}).state;
}

// --- pod ---

std::string Pod(const std::string& ready, const std::string& more_status) {
  return Format(R"({"metadata":{"generation":2},"status":{%s"conditions":[
      {"type":"Ready","status":"%s","reason":"ContainersNotReady"}]}})",
                more_status.c_str(), ready.c_str());
}

TEST(PodReadiness, IsTheConditionReady) {
  EXPECT_EQ(StateOf("pod/a", Pod("True", R"("phase":"Running",)")), State::kMet);
  EXPECT_EQ(Reason1("pod/a", Pod("False", R"("phase":"Running",)")),
            "is not ready, Running (ContainersNotReady)");
  EXPECT_EQ(Reason1("pod/a", "{}"), "is not ready");
}

TEST(PodReadiness, OfAnEarlierGenerationDoesNotCount) {
  EXPECT_THAT(Reason1("pod/a", Pod("True", R"("observedGeneration":1,)")),
              HasSubstr("earlier generation"));
}

TEST(PodReadiness, NamesTheContainerThatWaitsAndWhy) {
  for (const char* reason : {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"}) {
    const std::string statuses = Format(
        R"("containerStatuses":[{"name":"ok","ready":true,"state":{"running":{}}},
            {"name":"app","ready":false,"state":{"waiting":{"reason":"%s","message":"back-off"}},
             "lastState":{"terminated":{"exitCode":1,"reason":"Error"}}}],)",
        reason);
    EXPECT_EQ(Reason1("pod/a", Pod("False", statuses)),
              Format("container app waits (%s): back-off; before: exit code 1 (Error)", reason));
  }
}

TEST(PodReadiness, NamesWhyItIsNotScheduled) {
  EXPECT_EQ(Reason1("pod/a", R"({"status":{"phase":"Pending","conditions":[{"type":"PodScheduled",
      "status":"False","reason":"Unschedulable","message":"0/3 nodes are available"}]}})"),
            "is not scheduled (Unschedulable): 0/3 nodes are available");
}

TEST(PodReadiness, IsImpossibleOnceThePodHasEnded) {
  const Verdict failed =
      Judge("pod/a",
            {Objects({Pod("False", R"("phase":"Failed","reason":"Evicted","message":"disk",)")})});
  EXPECT_EQ(failed.state, State::kImpossible);
  EXPECT_EQ(failed.reason, "has failed (Evicted): disk");
  const Verdict done = Judge("pod/a", {Objects({Pod("False", R"("phase":"Succeeded",)")})});
  EXPECT_EQ(done.state, State::kImpossible);
  EXPECT_EQ(done.reason, "has completed, so it cannot become ready");
}

TEST(PodReadiness, OfAStatefulSetMayComeBackUnderItsName) {
  EXPECT_EQ(Reason1("pod/db-0", R"({"metadata":{"ownerReferences":[{"kind":"StatefulSet"}]},
                                    "status":{"phase":"Failed","reason":"Evicted"}})"),
            "has failed (Evicted)");
}

// --- what rolls out ---

struct Rollout {
  const char* spec;
  const char* status;
  const char* reason;  // "": it is rolled out
};

void ExpectEach(const char* target, std::initializer_list<Rollout> rollouts) {
  for (const Rollout& rollout : rollouts) {
    const std::string object =
        Format(R"({"metadata":{"generation":2},"spec":{%s},"status":{"observedGeneration":2%s}})",
               rollout.spec, rollout.status);
    const Verdict verdict = Judge(target, {Objects({object})});
    EXPECT_EQ(verdict.reason, rollout.reason) << object;
    EXPECT_EQ(verdict.state, *rollout.reason == '\0' ? State::kMet : State::kUnmet) << object;
  }
}

TEST(RolloutReadiness, IsOfTheGenerationThatItsControllerHasSeen) {
  for (const char* target : {"deployment/a", "statefulset/a", "daemonset/a", "replicaset/a"}) {
    EXPECT_EQ(Reason1(target, R"({"metadata":{"generation":2},"spec":{"replicas":0},
                                  "status":{"observedGeneration":1}})"),
              "its controller has not seen the latest change yet");
    EXPECT_EQ(Reason1(target, R"({"metadata":{"generation":1},"spec":{"replicas":0}})"),
              "its controller has not seen the latest change yet");
  }
}

TEST(RolloutReadiness, OfADeploymentIsNewReplicasWithoutOldOnesAndAvailable) {
  ExpectEach("deployment/a",
             {{R"("replicas":3)", R"(,"replicas":3,"updatedReplicas":3,"availableReplicas":3)", ""},
              {R"("replicas":0)", "", ""},
              {"", "", "0 of 1 replicas are updated"},
              {R"("replicas":3)", R"(,"replicas":3,"updatedReplicas":1,"availableReplicas":3)",
               "1 of 3 replicas are updated"},
              {R"("replicas":3)", R"(,"replicas":4,"updatedReplicas":3,"availableReplicas":3)",
               "3 of 4 replicas are new; the old ones have not gone yet"},
              {R"("replicas":3)", R"(,"replicas":3,"updatedReplicas":3,"availableReplicas":2)",
               "2 of 3 updated replicas are available"}});
}

TEST(RolloutReadiness, OfADeploymentSaysWhatStopsItAndStillWaitsForIt) {
  ExpectEach(
      "deployment/a",
      {{"", R"(,"conditions":[{"type":"Progressing","status":"False",
                  "reason":"ProgressDeadlineExceeded","message":"timed out progressing"}])",
        "0 of 1 replicas are updated; Progressing is False (ProgressDeadlineExceeded): timed "
        "out progressing"},
       {"", R"(,"conditions":[{"type":"Progressing","status":"True"},
                  {"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
                   "message":"exceeded quota"}])",
        "0 of 1 replicas are updated; ReplicaFailure is True (FailedCreate): exceeded quota"},
       {"", R"(,"replicas":1,"updatedReplicas":1,"availableReplicas":1,"conditions":[
                  {"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}])",
        ""}});
}

TEST(RolloutReadiness, OfAStatefulSetIsReadyPodsOfTheNewRevision) {
  const char* const kRolling =
      R"("replicas":3,"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}})";
  ExpectEach("statefulset/a",
             {{kRolling, R"(,"readyReplicas":3,"updatedReplicas":3)", ""},
              {kRolling, R"(,"readyReplicas":2,"updatedReplicas":3)", "2 of 3 pods are ready"},
              {kRolling, R"(,"readyReplicas":3,"updatedReplicas":1)", "1 of 3 pods are updated"}});
}

TEST(RolloutReadiness, OfAStatefulSetLeavesThePodsBelowItsPartition) {
  const char* const kPartition =
      R"("replicas":3,"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}})";
  ExpectEach("statefulset/a", {{kPartition, R"(,"readyReplicas":3,"updatedReplicas":1)", ""},
                               {kPartition, R"(,"readyReplicas":3,"updatedReplicas":0)",
                                "0 of 1 pods are updated"}});
}

TEST(RolloutReadiness, OfAStatefulSetWithoutAPartitionGoesByItsRevisions) {
  const char* const kPlain = R"("replicas":1,"updateStrategy":{"type":"RollingUpdate"})";
  ExpectEach("statefulset/a", {{kPlain, R"(,"readyReplicas":1,"updatedReplicas":1,
                  "currentRevision":"a-1","updateRevision":"a-2")",
                                "its pods are not all of its latest revision yet"},
                               {kPlain, R"(,"readyReplicas":1,"updatedReplicas":1,
                  "currentRevision":"a-2","updateRevision":"a-2")",
                                ""}});
}

TEST(RolloutReadiness, OnDeleteLeavesTheUpdateToWhoDeletesPods) {
  const char* const kOnDelete = R"("replicas":1,"updateStrategy":{"type":"OnDelete"})";
  ExpectEach("statefulset/a", {{kOnDelete, R"(,"readyReplicas":1,"updatedReplicas":0,
                                  "currentRevision":"a-1","updateRevision":"a-2")",
                                ""},
                               {kOnDelete, "", "0 of 1 pods are ready"}});
  ExpectEach("daemonset/a", {{kOnDelete, R"(,"desiredNumberScheduled":2,"numberAvailable":2)", ""},
                             {kOnDelete, R"(,"desiredNumberScheduled":2,"numberAvailable":1)",
                              "1 of 2 pods are available"}});
}

TEST(RolloutReadiness, OfADaemonSetIsAnUpdatedAvailablePodOnEachOfItsNodes) {
  ExpectEach(
      "daemonset/a",
      {{"", R"(,"desiredNumberScheduled":2,"updatedNumberScheduled":2,"numberAvailable":2)", ""},
       {"", R"(,"desiredNumberScheduled":2,"updatedNumberScheduled":1,"numberAvailable":2)",
        "1 of 2 pods are updated"},
       {"", R"(,"desiredNumberScheduled":2,"updatedNumberScheduled":2,"numberAvailable":1)",
        "1 of 2 pods are available"},
       {"", R"(,"desiredNumberScheduled":0)", ""}});
}

TEST(RolloutReadiness, OfAReplicaSetIsAvailableReplicas) {
  ExpectEach("replicaset/a",
             {{R"("replicas":2)", R"(,"availableReplicas":2)", ""},
              {R"("replicas":2)", R"(,"availableReplicas":1)", "1 of 2 replicas are available"}});
}

// --- job ---

TEST(JobReadiness, IsCompleteAndImpossibleOnceItFailed) {
  auto job = [](const std::string& type) {
    return Objects({R"({"status":{"active":1,"conditions":[{"type":")" + type +
                    R"(","status":"True","message":"too many retries"}]}})"});
  };
  EXPECT_EQ(Judge("job/a", {job("Complete")}).state, State::kMet);
  const Verdict failed = Judge("job/a", {job("Failed")});
  EXPECT_EQ(failed.state, State::kImpossible);
  EXPECT_EQ(failed.reason, "the Job failed: too many retries");
  EXPECT_EQ(Reason("job/a", {job("Other")}), "not complete (1 active, 0 succeeded, 0 failed)");
}

TEST(JobReadiness, SaysThatTheJobIsSuspended) {
  EXPECT_EQ(Reason1("job/a", R"({"spec":{"suspend":true}})"),
            "is suspended: nothing runs until spec.suspend is false (0 active, 0 succeeded, 0 "
            "failed)");
}

}  // namespace
}  // namespace certlatch
