#include "domain/status_words.h"

#include "base/text.h"
#include "domain/diagnosis_words.h"

namespace certlatch {
namespace {

constexpr char kWaits[] = "{name} waits[ ({state.waiting.reason})][: {state.waiting.message}]";
constexpr char kEnded[] =
    "{name} ended with exit code {state.terminated.exitCode}[ ({state.terminated.reason})]"
    "[: {state.terminated.message}]";
constexpr char kBefore[] =
    "[; before: exit code {lastState.terminated.exitCode}][ ({lastState.terminated.reason})]"
    "[: {lastState.terminated.message}]";
constexpr char kRuns[] = "{name} still runs";
constexpr char kUnready[] = "{name} runs but is not ready: its readiness probe has not succeeded";

// What keeps one container from being ready, as a pattern for Fill; nullptr if nothing does.
const char* PatternFor(const Json& container, bool is_init, bool initialized) {
  const Json& state = container["state"];
  if (state["terminated"].is_object()) {
    return is_init && state.At("terminated.exitCode").AsInt() == 0 ? nullptr : kEnded;
  }
  if (state["waiting"].is_object()) {
    return state.At("waiting.reason").AsString() == "PodInitializing" ? nullptr : kWaits;
  }
  if (is_init) return initialized ? nullptr : kRuns;
  return container["ready"].AsBool() == false ? kUnready : nullptr;
}

}  // namespace

const Json& FindCondition(const Json& object, std::string_view type) {
  for (const Json& condition : object["status"]["conditions"].items()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return Json::Null();
}

bool HasStatus(const Json& object, std::string_view type, std::string_view status) {
  return FindCondition(object, type)["status"].AsString() == status;
}

bool IsStale(const Json& object, const Json& condition) {
  const auto generation = object["metadata"]["generation"].AsInt();
  auto observed = condition["observedGeneration"].AsInt();
  if (!observed) observed = object["status"]["observedGeneration"].AsInt();
  return generation && observed && *observed < *generation;
}

std::string Because(const Json& condition) { return Fill("[ ({reason})][: {message}]", condition); }

std::string DescribePod(const Json& pod) {
  const Json& status = pod["status"];
  const std::string_view phase = status["phase"].AsString();
  if (pod.At("metadata.deletionTimestamp").is_string()) return "is being deleted";
  if (phase == "Succeeded" || phase == "Failed") {
    return Fill("{phase}[ ({reason})][: {message}]", status);
  }
  if (HasStatus(pod, "PodScheduled", "False")) {
    return "is not scheduled" + Because(FindCondition(pod, "PodScheduled"));
  }
  const bool initialized = HasStatus(pod, "Initialized", "True");
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const Json& container : status[list].items()) {
      const bool is_init = *list == 'i';
      const char* pattern = PatternFor(container, is_init, initialized);
      if (pattern == nullptr) continue;
      return Format("%s %s%s", is_init ? "init container" : "container",
                    Fill(pattern, container).c_str(),
                    pattern == kEnded ? "" : Fill(kBefore, container).c_str());
    }
  }
  return Fill("is not ready[, {phase}]", status) + Because(FindCondition(pod, "Ready"));
}

}  // namespace certlatch
