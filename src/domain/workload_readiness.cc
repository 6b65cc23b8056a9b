#include <cstdint>
#include <span>

#include "base/text.h"
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

// What else the object says against it; a deployment may recover from all of that.
struct Complaint {
  const char* type;
  const char* wanted;
};
constexpr Complaint kComplaints[] = {{"Progressing", "True"}, {"ReplicaFailure", "False"}};

void AddComplaints(const Json& object, std::string& reason) {
  for (const Complaint& complaint : kComplaints) {
    if (!FindCondition(object, complaint.type).is_object()) continue;
    const Verdict verdict = JudgeCondition(object, complaint.type, complaint.wanted);
    if (verdict.state != Verdict::State::kMet) reason.append("; ").append(verdict.reason);
  }
}

Verdict RolledOut(const Json& object, std::span<const Step> steps) {
  const Json& spec = object["spec"];
  const Json& status = object["status"];
  const Json& strategy = spec["updateStrategy"];
  if (Number(status["observedGeneration"]) < Number(object["metadata"]["generation"])) {
    return Verdict::Unmet("its controller has not seen the latest change yet");
  }
  for (const Step& step : steps) {
    if (step.rolling && strategy["type"].AsString() == "OnDelete") continue;
    const long long have = Number(status[step.have]);
    long long want = step.want == nullptr ? Number(spec["replicas"], 1) : Number(status[step.want]);
    if (step.rolling) want -= Number(strategy["rollingUpdate"]["partition"]);
    if (have >= want) continue;
    Verdict verdict = Verdict::Unmet("%lld of %lld %s", have, want, step.text);
    AddComplaints(object, verdict.reason);
    return verdict;
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
  Verdict verdict = RolledOut(object, kStatefulSetSteps);
  const Json& status = object["status"];
  const Json& strategy = object["spec"]["updateStrategy"];
  if (verdict.state != Verdict::State::kMet || strategy["type"].AsString() == "OnDelete" ||
      strategy["rollingUpdate"].is_object() ||
      status["currentRevision"].AsString() == status["updateRevision"].AsString()) {
    return verdict;
  }
  return Verdict::Unmet("its pods are not all of its latest revision yet");
}

Verdict PodReady(const Question&, const Json& pod) {
  Verdict verdict = JudgeCondition(pod, "Ready");
  if (verdict.state == Verdict::State::kMet) return verdict;
  const Json& status = pod["status"];
  const std::string_view phase = status["phase"].AsString();
  if (phase == "Failed" || phase == "Succeeded") {
    verdict = Verdict::Of(IsMadeAnew(pod) ? Verdict::State::kUnmet : Verdict::State::kImpossible,
                          "has %s%s",
                          phase == "Failed" ? "failed" : "completed, so it cannot become ready",
                          Because(status).c_str());
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
  return Verdict::Unmet("%s (%lld active, %lld succeeded, %lld failed)",
                        job["spec"]["suspend"].AsBool() == true
                            ? "is suspended: nothing runs until spec.suspend is false"
                            : "not complete",
                        Number(status["active"]), Number(status["succeeded"]),
                        Number(status["failed"]));
}

}  // namespace certlatch
