#include <cstdint>
#include <span>

#include "domain/diagnosis_words.h"
#include "domain/readiness_rows.h"
#include "domain/status_words.h"

namespace certlatch {
namespace {

long long Number(const Json& number, int64_t otherwise = 0) {
  return number.AsInt().value_or(otherwise);
}

// One number of the status that must have reached another.
struct Step {
  const char* have;
  const char* want;  // of the status, too; nullptr: spec.replicas
  const char* text;  // "2 of 3 TEXT"
  // Of a rolling update: the pods below its partition stay behind, and with OnDelete somebody
  // deletes pods by hand.
  bool rolling = false;
};

// The same steps as `kubectl rollout status`.
constexpr Step kDeploymentSteps[] = {
    {"updatedReplicas", nullptr, "replicas are updated"},
    {"updatedReplicas", "replicas", "replicas are new; the old ones have not gone yet"},
    {"availableReplicas", "updatedReplicas", "updated replicas are available"},
};
constexpr Step kStatefulSetSteps[] = {
    {"readyReplicas", nullptr, "pods are ready"},
    {"updatedReplicas", nullptr, "pods are updated", true},
};
constexpr Step kDaemonSetSteps[] = {
    {"updatedNumberScheduled", "desiredNumberScheduled", "pods are updated", true},
    {"numberAvailable", "desiredNumberScheduled", "pods are available"},
};
constexpr Step kReplicaSetSteps[] = {
    {"availableReplicas", nullptr, "replicas are available"},
};

// What else the object says against it; it may recover from all of that.
constexpr struct {
  const char* type;
  const char* status;
} kComplaints[] = {
    {"Progressing", "False"}, {"Progressing", "Unknown"}, {"ReplicaFailure", "True"}};

std::string Complaints(const Json& object) {
  std::string all;
  for (const auto& [type, status] : kComplaints) {
    if (!HasStatus(object, type, status)) continue;
    all += Fill("; {type} is {status}[ ({reason})][: {message}]", FindCondition(object, type));
  }
  return all;
}

Verdict RolledOut(const Json& object, std::span<const Step> steps) {
  const Json& spec = object["spec"];
  const Json& status = object["status"];
  const Json& rolling_update = spec.At("updateStrategy.rollingUpdate");
  const std::string_view strategy = spec.At("updateStrategy.type").AsString();
  if (Number(status["observedGeneration"]) < Number(object.At("metadata.generation"))) {
    return Verdict::Unmet("its controller has not seen the latest change yet");
  }
  for (const Step& step : steps) {
    if (step.rolling && strategy == "OnDelete") continue;
    const long long have = Number(status[step.have]);
    long long want = step.want == nullptr ? Number(spec["replicas"], 1) : Number(status[step.want]);
    if (step.rolling) want -= Number(rolling_update["partition"]);
    if (have >= want) continue;
    return Verdict::Unmet("%lld of %lld %s%s", have, want, step.text, Complaints(object).c_str());
  }
  // A StatefulSet without a partition.
  if (strategy == "RollingUpdate" && !rolling_update.is_object() &&
      status["currentRevision"].AsString() != status["updateRevision"].AsString()) {
    return Verdict::Unmet("its pods are not all of its latest revision yet");
  }
  return Verdict::Met();
}

// A StatefulSet makes a pod that has ended anew, under the same name.
bool IsMadeAnew(const Json& pod) {
  for (const Json& owner : pod["metadata"]["ownerReferences"].items()) {
    if (owner["kind"].AsString() == "StatefulSet") return true;
  }
  return false;
}

}  // namespace

Verdict DeploymentReady(const Question&, const Json& object) {
  return RolledOut(object, kDeploymentSteps);
}

Verdict DaemonSetReady(const Question&, const Json& object) {
  return RolledOut(object, kDaemonSetSteps);
}

Verdict ReplicaSetReady(const Question&, const Json& object) {
  return RolledOut(object, kReplicaSetSteps);
}

Verdict StatefulSetReady(const Question&, const Json& object) {
  return RolledOut(object, kStatefulSetSteps);
}

Verdict PodReady(const Question&, const Json& pod) {
  Verdict verdict = JudgeCondition(pod, "Ready");
  if (verdict.state == Verdict::State::kMet) return verdict;
  const std::string_view phase = pod.At("status.phase").AsString();
  const bool failed = phase == "Failed";
  if (failed || phase == "Succeeded") {
    if (!IsMadeAnew(pod)) verdict.state = Verdict::State::kImpossible;
    verdict.reason = failed ? "has failed" : "has completed, so it cannot become ready";
    verdict.reason += Because(pod["status"]);
  } else if (!HasStatus(pod, "Ready", "True")) {  // else it is of an earlier generation
    verdict.reason = DescribePod(pod);
  }
  return verdict;
}

Verdict JobReady(const Question&, const Json& job) {
  if (JudgeCondition(job, "Failed").state == Verdict::State::kMet) {
    return Verdict::Of(Verdict::State::kImpossible, "the Job failed%s",
                       Because(FindCondition(job, "Failed")).c_str());
  }
  if (JudgeCondition(job, "Complete").state == Verdict::State::kMet) return Verdict::Met();
  const Json& status = job["status"];
  const bool suspended = job.At("spec.suspend").AsBool() == true;
  return Verdict::Unmet(
      "%s (%lld active, %lld succeeded, %lld failed)",
      suspended ? "is suspended: nothing runs until spec.suspend is false" : "not complete",
      Number(status["active"]), Number(status["succeeded"]), Number(status["failed"]));
}

}  // namespace certlatch
