#include "domain/status_words.h"

#include "domain/diagnosis_words.h"

namespace certlatch {
namespace {

std::string DescribeExit(const Json& terminated) {
  return Fill("exit code {exitCode}[ ({reason})][: {message}]", terminated);
}

// What keeps one container from being ready; "" if nothing does.
std::string DescribeContainer(const Json& container, bool is_init, bool initialized) {
  const Json& state = container["state"];
  const Json& waiting = state["waiting"];
  const Json& ended = state["terminated"];
  const Json& last = container["lastState"]["terminated"];
  std::string text = Fill(is_init ? "init container {name} " : "container {name} ", container);
  if (ended.is_object()) {
    if (is_init && ended["exitCode"].AsInt() == 0) return "";
    return text + "ended with " + DescribeExit(ended);
  }
  if (waiting.is_object()) {
    if (waiting["reason"].AsString() == "PodInitializing") return "";
    text += "waits" + Because(waiting);
  } else if (is_init) {
    if (initialized) return "";
    text += "still runs";
  } else {
    if (container["ready"].AsBool() != false) return "";
    text += "runs but is not ready: its readiness probe has not succeeded";
  }
  return last.is_object() ? text + "; before: " + DescribeExit(last) : text;
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

std::string Because(const Json& condition) { return Fill("[ ({reason})][: {message}]", condition); }

std::string DescribePod(const Json& pod) {
  const Json& status = pod["status"];
  const std::string_view phase = status["phase"].AsString();
  if (pod["metadata"]["deletionTimestamp"].is_string()) return "is being deleted";
  if (phase == "Succeeded" || phase == "Failed") return Fill("{phase}", status) + Because(status);
  if (HasStatus(pod, "PodScheduled", "False")) {
    return "is not scheduled" + Because(FindCondition(pod, "PodScheduled"));
  }
  const bool initialized = HasStatus(pod, "Initialized", "True");
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const Json& container : status[list].items()) {
      std::string text = DescribeContainer(container, *list == 'i', initialized);
      if (!text.empty()) return text;
    }
  }
  return Fill("is not ready[, {phase}]", status) + Because(FindCondition(pod, "Ready"));
}

}  // namespace certlatch
