#include "domain/goal.h"

#include "base/text.h"

namespace certlatch {
namespace {

constexpr std::string_view kConditionPrefix = "condition=";
constexpr std::string_view kJsonPathPrefix = "jsonpath=";

std::string Text(const Json& value) { return Printable(value.AsString(), 500); }

bool IsStale(const Json& object, const Json& condition) {
  const auto generation = object["metadata"]["generation"].AsInt();
  auto observed = condition["observedGeneration"].AsInt();
  if (!observed) observed = object["status"]["observedGeneration"].AsInt();
  return generation && observed && *observed < *generation;
}

// "Ready is False (DoesNotExist: Issuing certificate as Secret does not exist)".
std::string DescribeCondition(const Json& condition) {
  std::string text = Text(condition["type"]) + " is " + Text(condition["status"]);
  std::string detail = Text(condition["reason"]);
  const std::string message = Text(condition["message"]);
  if (!detail.empty() && !message.empty()) detail += ": ";
  detail += message;
  if (!detail.empty()) text += " (" + detail + ")";
  return text;
}

Verdict JudgeCreated(const Json* object) {
  return object != nullptr ? Verdict::Met() : Verdict::Unmet("not found yet");
}

Verdict JudgeDeleted(const Json* object) {
  if (object == nullptr) return Verdict::Met();
  const Json& since = (*object)["metadata"]["deletionTimestamp"];
  if (!since.is_string()) return Verdict::Unmet("still exists");
  return Verdict::Unmet("being deleted since " + Text(since));
}

Verdict JudgeJsonPath(const Json& object, const JsonPathWait& goal, Disclosure disclosure) {
  const Result<JsonPathWait::Outcome> outcome = goal.Evaluate(object);
  const std::string path = Printable(goal.expression(), 200);
  const bool no_values = disclosure == Disclosure::kNoValues;
  if (!outcome) {
    // An index past the end of a list is what a longer list will have.
    if (outcome.error().code == Code::kNotFound) return Verdict::Unmet(outcome.error().text);
    // Other errors may quote what they could not compare.
    if (no_values) return Verdict::Invalid(path + " does not lead to one value");
    return Verdict::Invalid(outcome.error().text);
  }
  if (outcome->met) return Verdict::Met();
  if (!outcome->present) return Verdict::Unmet(path + " is not there yet");
  if (no_values) return Verdict::Unmet(path + " is not what is waited for");
  return Verdict::Unmet(path + " is \"" + Printable(*outcome->present, 200) + "\", not \"" +
                        Printable(goal.value(), 200) + "\"");
}

}  // namespace

Result<Goal> ParseGoal(std::string_view text, bool kubectl_only) {
  const std::string lower = ToLower(text);
  if (lower == "create") return Goal(CreateGoal{});
  if (lower == "delete") return Goal(DeleteGoal{});
  if (!kubectl_only && lower == "ready") return Goal(ReadyGoal{});
  if (text.starts_with(kConditionPrefix)) {
    text.remove_prefix(kConditionPrefix.size());
    const size_t equals = text.find('=');
    ConditionGoal goal{std::string(text.substr(0, equals)), "true"};
    if (equals != std::string_view::npos) goal.status = std::string(text.substr(equals + 1));
    return Goal(std::move(goal));
  }
  if (text.starts_with(kJsonPathPrefix)) {
    text.remove_prefix(kJsonPathPrefix.size());
    Result<JsonPathWait> wait = ParseJsonPathWait(text);
    if (!wait) return std::move(wait).error();
    return Goal(*std::move(wait));
  }
  return Error{Code::kConfig, "unrecognized condition: \"" + Printable(text, 200) + "\""};
}

Verdict JudgeCondition(const Json& object, const ConditionGoal& goal) {
  for (const Json& condition : object["status"]["conditions"].items()) {
    if (!EqualIgnoringCase(condition["type"].AsString(), goal.type)) continue;
    if (!condition["status"].is_string()) continue;
    if (IsStale(object, condition)) {
      return Verdict::Unmet(Text(condition["type"]) +
                            " is of an earlier generation; its controller has not seen the "
                            "latest change yet");
    }
    if (EqualIgnoringCase(condition["status"].AsString(), goal.status)) return Verdict::Met();
    return Verdict::Unmet(DescribeCondition(condition));
  }
  return Verdict::Unmet("has no condition " + Printable(goal.type, 100) + " yet");
}

Verdict JudgeObject(const Json* object, const Goal& goal, Disclosure disclosure) {
  if (std::holds_alternative<DeleteGoal>(goal)) return JudgeDeleted(object);
  if (object == nullptr || std::holds_alternative<CreateGoal>(goal)) return JudgeCreated(object);
  if (const auto* condition = std::get_if<ConditionGoal>(&goal)) {
    return JudgeCondition(*object, *condition);
  }
  if (const auto* path = std::get_if<JsonPathWait>(&goal))
    return JudgeJsonPath(*object, *path, disclosure);
  return Verdict::Unmet("");
}

}  // namespace certlatch
