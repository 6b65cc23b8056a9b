// `certlatch wait`, and `kubectl wait`.

#include "base/text.h"
#include "cli/connection_flags.h"
#include "domain/goal.h"
#include "domain/http_method.h"
#include "domain/target.h"

namespace certlatch {
namespace {

constexpr Duration kWeek = 24h * 7;        // kubectl: a negative timeout means a week
constexpr Duration kDefaultWithFor = 30s;  // kubectl's
constexpr Duration kDefaultWithoutFor = 180s;

constexpr const char* kWaitUsage =
    "Wait until all targets are met; say why while they are not.\n"
    "\n"
    "Usage:\n"
    "  certlatch wait TYPE/NAME[:PORT][@NAMESPACE][=CONDITION]... [flags]\n"
    "\n"
    "Without --for a target is met when it is ready: a certificate issued for its current spec, a\n"
    "TLS secret whose key belongs to its certificate, endpoints or a service with a ready "
    "address,\n"
    "a job complete; of other kinds the condition Ready, else Available.\n"
    "\n"
    "Flags:\n";

constexpr const char* kWaitExamples =
    "\n"
    "Exit status: 0 met; 1 not met in time, refused or interrupted; 3 cannot be met any more.\n"
    "\n"
    "Examples:\n"
    "  certlatch wait certificate/web secret/web-tls --timeout=5m\n"
    "  certlatch wait deployment/api --for=condition=Available --timeout=2m\n";

constexpr Flag kWaitFlags[] = {
    {"for", "GOAL", "ready, create, delete, condition=T[=V], jsonpath=P[=V]", AddText,
     CERTLATCH_GIVEN(fors)},
    {"timeout", "DURATION", "default 3m, with --for 30s; 0: look once", SetDuration,
     CERTLATCH_GIVEN(timeout)},
    {"any", "", "one target is enough", SetSwitch, CERTLATCH_COMMAND(wait.any)},
    {"wait-for-existence", "", "=false: an absent object is an error", SetSwitch,
     CERTLATCH_COMMAND(wait.wait_for_existence)},
    {"min-ready", "N", "addresses or endpoints that make a service ready", SetPositive,
     CERTLATCH_COMMAND(wait.readiness.min_ready)},
    {"min-validity", "DURATION", "how long a certificate must still be valid", SetDuration,
     CERTLATCH_COMMAND(wait.readiness.min_validity)},
    {"http-status", "LIST", "of an http target when it is ready: 200,204; default 2xx", SetText,
     CERTLATCH_COMMAND(wait.http_statuses)},
    {"target-ca-file", "FILE", "whom to trust at an https target; default: the system's", SetFilled,
     CERTLATCH_COMMAND(wait.target_ca_file)},
    {"retry-forbidden", "", "wait for missing rights instead of failing", SetSwitch,
     CERTLATCH_COMMAND(wait.watch.retry_forbidden)},
    {"output", "name", "print names only", SetText, CERTLATCH_GIVEN(output), 'o'},
};

// kubectl's texts on JSONPath show the path as it is, and do not say which flag they are about.
Error RefuseGoal(const Error& error, std::string_view text) {
  Error refusal{error.code, Printable(error.text)};
  const std::string shown = Printable(text, 200);
  if (refusal.text.find(shown) != std::string::npos) return refusal;
  return std::move(refusal).With(Format("--for=%s", shown.c_str()));
}

Status CompleteGoals(const Given& given, WaitOptions& wait) {
  if (wait.as_kubectl && given.fors.empty()) return Refuse("unrecognized condition: \"\"");
  for (const std::string& text : given.fors) {
    Result<Goal> goal = ParseGoal(text, wait.as_kubectl);
    if (!goal) return RefuseGoal(goal.error(), wait.as_kubectl ? "" : text);
    wait.goals.push_back(*std::move(goal));
  }
  wait.timeout = given.timeout;
  if (wait.timeout == kNotGiven) {
    wait.timeout = given.fors.empty() ? kDefaultWithoutFor : kDefaultWithFor;
  }
  if (wait.timeout < Duration::zero()) wait.timeout = kWeek;
  if (wait.readiness.min_validity < Duration::zero()) {
    return Refuse("--min-validity cannot be negative");
  }
  return CheckHttpStatuses(wait.http_statuses);
}

Status CompleteWait(Parsed& parsed, const Surroundings& surroundings) {
  WaitOptions& wait = parsed.command.wait;
  Status goals = CompleteGoals(parsed.given, wait);
  if (!goals) return goals;
  Status output = CompleteOutput(parsed.given, "name", wait.name_only);
  if (!output) return output;
  Result<std::vector<TargetName>> targets = ParseTargets(parsed.positional.words);
  if (!targets) return std::move(targets).error();
  for (const TargetName& target : *targets) {
    if (!wait.as_kubectl || target.goal.empty()) continue;
    return Refuse("target \"%s\": kubectl has no conditions of single targets",
                  Printable(target.text, 300).c_str());
  }
  if (targets->size() > kMaxTargets) return Refuse("more than %zu targets", kMaxTargets);
  wait.targets = *std::move(targets);
  return CompleteConnection(surroundings, parsed, wait.watch, wait.ns);
}

}  // namespace

const ModeSyntax kWaitMode = {
    "wait", Command::Kind::kWait, kWaitUsage, kWaitExamples, {kWaitFlags}, 0, 0, 0, CompleteWait};

}  // namespace certlatch
