#include "domain/goal.h"

#include <cstdarg>
#include <utility>

#include "base/text.h"
#include "domain/status_words.h"

namespace certlatch {
namespace {

constexpr std::string_view kConditionPrefix = "condition=";
constexpr std::string_view kJsonPathPrefix = "jsonpath=";

std::string Text(const Json& value) { return Printable(value.AsString(), 500); }

// "Ready is False (DoesNotExist: Issuing certificate as Secret does not exist)".
Verdict DescribeCondition(const Json& condition) {
  const std::string reason = Text(condition["reason"]);
  const std::string message = Text(condition["message"]);
  const bool silent = reason.empty() && message.empty();
  return Verdict::Unmet("%s is %s%s%s%s%s%s", Text(condition["type"]).c_str(),
                        Text(condition["status"]).c_str(), silent ? "" : " (", reason.c_str(),
                        reason.empty() || message.empty() ? "" : ": ", message.c_str(),
                        silent ? "" : ")");
}

Verdict JudgeCreated(const Json* object) {
  return object != nullptr ? Verdict::Met() : Verdict::Unmet("not found yet");
}

Verdict JudgeDeleted(const Json* object) {
  if (object == nullptr) return Verdict::Met();
  const Json& since = (*object)["metadata"]["deletionTimestamp"];
  if (!since.is_string()) return Verdict::Unmet("still exists");
  return Verdict::Unmet("being deleted since %s", Text(since).c_str());
}

Verdict JudgeJsonPath(const Json& object, const JsonPathWait& goal, Disclosure disclosure) {
  const Result<JsonPathWait::Outcome> outcome = goal.Evaluate(object);
  const std::string path = Printable(goal.expression(), 200);
  const bool no_values = disclosure == Disclosure::kNoValues;
  if (!outcome) {
    const Error& error = outcome.error();
    // An index past the end of a list is what a longer list will have.
    const bool unmet = error.code == Code::kNotFound;
    Verdict verdict{unmet ? Verdict::State::kUnmet : Verdict::State::kInvalid, error.text, {}};
    // Other errors may quote what they could not compare.
    if (!unmet && no_values) verdict.reason = path + " does not lead to one value";
    return verdict;
  }
  if (outcome->met) return Verdict::Met();
  if (!outcome->present) return Verdict::Unmet("%s is not there yet", path.c_str());
  if (no_values) return Verdict::Unmet("%s is not what is waited for", path.c_str());
  return Verdict::Unmet("%s is \"%s\", not \"%s\"", path.c_str(),
                        Printable(*outcome->present, 200).c_str(),
                        Printable(goal.value(), 200).c_str());
}

Verdict FromList(Verdict::State state, const char* pattern, va_list arguments) {
  return {state, FormatList(pattern, arguments), {}};
}

// create, delete or ready, in any case.
bool ReadWord(std::string_view text, Goal& goal) {
  const std::string lower = ToLower(text);
  if (lower == "create") goal = CreateGoal{};
  if (lower == "delete") goal = DeleteGoal{};
  return !std::holds_alternative<ReadyGoal>(goal) || lower == "ready";
}

// T[=V]
ConditionGoal ReadConditionGoal(std::string_view text) {
  const size_t equals = text.find('=');
  ConditionGoal goal;
  goal.type = text.substr(0, equals);
  if (equals != std::string_view::npos) goal.status = text.substr(equals + 1);
  return goal;
}

}  // namespace

Verdict Verdict::MetUnless(std::string reason) {
  const State state = reason.empty() ? State::kMet : State::kUnmet;
  return {state, std::move(reason), {}};
}

Verdict Verdict::Unmet(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  Verdict verdict = FromList(State::kUnmet, pattern, arguments);
  va_end(arguments);
  return verdict;
}

Verdict Verdict::Of(State state, const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  Verdict verdict = FromList(state, pattern, arguments);
  va_end(arguments);
  return verdict;
}

Result<Goal> ParseGoal(std::string_view text, bool kubectl_only) {
  Goal word;
  if (ReadWord(text, word) && !(kubectl_only && std::holds_alternative<ReadyGoal>(word))) {
    return word;
  }
  if (text.starts_with(kConditionPrefix)) {
    return Goal(ReadConditionGoal(text.substr(kConditionPrefix.size())));
  }
  if (text.starts_with(kJsonPathPrefix)) {
    text.remove_prefix(kJsonPathPrefix.size());
    Result<JsonPathWait> wait = ParseJsonPathWait(text);
    if (!wait) return std::move(wait).error();
    return Goal(*std::move(wait));
  }
  return Failure(Code::kConfig, "unrecognized condition: \"%s\"", Printable(text, 200).c_str());
}

Goal GoalOfTarget(std::string_view text) {
  Goal word;
  if (ReadWord(text, word)) return word;
  return ReadConditionGoal(text);
}

Verdict JudgeCondition(const Json& object, std::string_view type, std::string_view status) {
  for (const Json& condition : object["status"]["conditions"].items()) {
    if (!EqualIgnoringCase(condition["type"].AsString(), type)) continue;
    if (!condition["status"].is_string()) continue;
    if (IsStale(object, condition)) {
      return Verdict::Unmet(
          "%s is of an earlier generation; its controller has not seen the latest change yet",
          Text(condition["type"]).c_str());
    }
    if (EqualIgnoringCase(condition["status"].AsString(), status)) return Verdict::Met();
    return DescribeCondition(condition);
  }
  return Verdict::Unmet("has no condition %s yet", Printable(type, 100).c_str());
}

Verdict JudgeObject(const Json* object, const Goal& goal, Disclosure disclosure) {
  if (std::holds_alternative<DeleteGoal>(goal)) return JudgeDeleted(object);
  if (object == nullptr || std::holds_alternative<CreateGoal>(goal)) return JudgeCreated(object);
  if (const auto* condition = std::get_if<ConditionGoal>(&goal)) {
    return JudgeCondition(*object, condition->type, condition->status);
  }
  if (const auto* path = std::get_if<JsonPathWait>(&goal))
    return JudgeJsonPath(*object, *path, disclosure);
  return Verdict::Unmet("%s", "");
}

}  // namespace certlatch
