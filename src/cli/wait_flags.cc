// `certlatch wait`, and `kubectl wait`.

#include <algorithm>

#include "base/text.h"
#include "cli/connection_flags.h"
#include "cli/pair_flags.h"
#include "domain/dry_run.h"
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
    "  certlatch wait tcp://HOST:PORT http(s)://... postgres://HOST[:PORT] file:PATH [flags]\n"
    "  certlatch wait TYPE[,TYPE...] (--all | -l LABELS) [flags]\n"
    "  certlatch wait (-f FILE | dry-run:FILE[=denied:TEXT]) [flags]\n"
    "\n"
    "Without --for a target is met when it is ready:\n"
    "  certificate              issued for its current spec\n"
    "  secret                   has its --keys; of type TLS, a valid pair\n"
    "  endpoints, service       has ready addresses\n"
    "  pod, job, lease          Ready; complete; says that a certificate is published\n"
    "  deployment and the like  rolled out and available\n"
    "  crd                      established, its conversion webhook as below\n"
    "  …webhookconfiguration    each webhook has a Service, an endpoint, a valid caBundle\n"
    "  any other                condition Ready, else Available\n"
    "  dry-run                  admission lets the object of FILE in, or denies it so\n"
    "\n"
    "Flags:\n";

constexpr const char* kWaitExamples =
    "\n"
    "Exit status: 0 met; 1 not met in time, refused or interrupted; 3 cannot be met any more.\n"
    "\n"
    "Examples:\n"
    "  certlatch wait certificate/web secret/web-tls --timeout=5m\n"
    "  certlatch wait deployment/api --for=condition=Available --timeout=2m\n";

// One more list of them. As the API server checks keys: letters, digits, '-', '_' and '.'.
Status SetKeys(void* place, std::string_view value) {
  for (const std::string_view key : Split(value, ',')) {
    if (!ConsistsOf(key, "-_.")) return Refuse("must be keys of a Secret, as in user,password");
    static_cast<std::vector<std::string>*>(place)->emplace_back(key);
  }
  return {};
}

// Commas part them, as in kubectl.
Status AddFiles(void* place, std::string_view value) {
  for (const std::string_view file : Split(value, ',')) {
    if (file.empty()) continue;
    Status added = AddText(place, file);
    if (!added) return added;
  }
  return {};
}

constexpr Flag kWaitFlags[] = {
    {"for", "GOAL", "ready, create, delete, condition=T[=V], jsonpath=P[=V]", AddText,
     CERTLATCH_GIVEN(fors)},
    {"timeout", "DURATION", "default 3m, with --for 30s; 0: look once", SetDuration,
     CERTLATCH_GIVEN(timeout)},
    {"selector", "LABELS", "all objects of the types that have them", SetText,
     CERTLATCH_COMMAND(wait.label_selector), 'l'},
    {"field-selector", "FIELDS", "likewise, such as status.phase=Running", SetText,
     CERTLATCH_COMMAND(wait.field_selector)},
    {"all", "", "all objects of the types", SetSwitch, CERTLATCH_GIVEN(all)},
    {"all-namespaces", "", "of all namespaces", SetSwitch, CERTLATCH_COMMAND(wait.all_namespaces),
     'A'},
    {"filename", "FILE", "the objects of manifests in JSON; a directory, or -", AddFiles,
     CERTLATCH_COMMAND(wait.files), 'f'},
    {"recursive", "", "=false: not what is in directories below", SetSwitch,
     CERTLATCH_COMMAND(wait.recursive), 'R'},
    {"any", "", "one target is enough", SetSwitch, CERTLATCH_COMMAND(wait.any)},
    {"fail-fast", "", "end, with status 3, when waiting cannot help in time", SetSwitch,
     CERTLATCH_COMMAND(wait.fail_fast)},
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
    {"keys", "A,B", "of a secret: must be there, and not empty", SetKeys,
     CERTLATCH_COMMAND(wait.readiness.keys)},
    {"annotation-prefix", "P", "of a lease's annotations; default kubetemplater.io",
     SetAnnotationPrefix, CERTLATCH_COMMAND(wait.readiness.annotation_prefix)},
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

[[gnu::noinline]] Status CompleteGoals(const Given& given, WaitOptions& wait) {
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

constexpr const char* kNothingGiven =
    "You must provide one or more resources by argument or filename.\n"
    "Example resource specifications include:\n"
    "   '-f rsrc.yaml'\n"
    "   '--filename=rsrc.json'\n"
    "   '<resource> <name>'\n"
    "   '<resource>'";

// What of the ways to say which objects does not go together, in kubectl's words; nullptr: nothing.
const char* WhatContradicts(const WaitOptions& wait, bool words, bool names, bool slashed) {
  const bool selects = !wait.label_selector.empty() || !wait.field_selector.empty();
  if (!wait.files.empty()) {
    if (slashed) return "resource/name arguments cannot be provided when a path is specified";
    if (words) {
      return "when paths, URLs, or stdin is provided as input, you may not specify resource "
             "arguments as well";
    }
    if (selects) return "selectors cannot be used with --filename";
    return nullptr;
  }
  if (!words) {
    if (selects) {
      return "at least one resource must be specified to use a selector";
    }
    return wait.as_kubectl ? kNothingGiven : nullptr;
  }
  if (slashed && selects) {
    return "selectors and the all flag cannot be used when passing resource/name arguments";
  }
  if (names && selects) return "name cannot be provided when a selector is specified";
  if (names && wait.all_namespaces) {
    return "a resource cannot be retrieved by name across all namespaces";
  }
  return nullptr;
}

Status CompleteTypes(std::string_view words, std::vector<std::string>& types) {
  for (const std::string_view type : Split(words, ',')) {
    if (!IsDottedName(type)) {
      return Refuse("the server doesn't have a resource type \"%s\"", Printable(type, 300).c_str());
    }
    if (std::find(types.begin(), types.end(), type) == types.end()) types.emplace_back(type);
  }
  return {};
}

[[gnu::noinline]] Status CompleteTargets(const Parsed& parsed, WaitOptions& wait) {
  const std::vector<std::string_view>& words = parsed.positional.words;
  bool slashed = false;
  for (const std::string_view word : words) {
    slashed = slashed || word.find('/') != std::string_view::npos;
  }
  const bool names = slashed || words.size() > 1;
  const char* wrong = WhatContradicts(wait, !words.empty(), names, slashed);
  if (wrong != nullptr) return Refuse("%s", wrong);
  if (!wait.files.empty()) return {};
  const bool selects =
      parsed.given.all || !wait.label_selector.empty() || !wait.field_selector.empty();
  if (selects && words.size() == 1 && !names) return CompleteTypes(words[0], wait.types);
  Result<std::vector<TargetName>> targets = ParseTargets(words, !wait.as_kubectl);
  if (!targets) return std::move(targets).error();
  wait.targets = *std::move(targets);
  return {};
}

// What is no object of the API is there or not yet; nothing else can be asked of it.
Status CheckOutside(const WaitOptions& wait, bool has_objects) {
  for (const Goal& goal : wait.goals) {
    if (std::holds_alternative<ReadyGoal>(goal)) continue;
    if (has_objects && !std::holds_alternative<DeleteGoal>(goal)) continue;
    return Refuse(
        "--for is for objects of the API server, not for tcp, http(s), postgres, file or dry-run");
  }
  return {};
}

Status CompleteWait(Parsed& parsed, const Surroundings& surroundings) {
  WaitOptions& wait = parsed.command.wait;
  Status status = CompleteGoals(parsed.given, wait);
  if (status) status = CompleteOutput(parsed.given, "name", wait.name_only);
  if (status) status = CompleteTargets(parsed, wait);
  if (status) status = CompleteDryRuns(surroundings, wait.targets);
  if (!status) return status;
  bool has_objects = wait.targets.empty();
  bool asks_server = has_objects;
  bool looks_outside = false;
  for (const TargetName& target : wait.targets) {
    const bool object = !target.type.empty() && target.object.empty();
    has_objects = has_objects || object;
    looks_outside = looks_outside || !object;
    asks_server = asks_server || !target.type.empty();
    if (!wait.as_kubectl || target.goal.empty()) continue;
    return Refuse("target \"%s\": kubectl has no conditions of single targets",
                  Printable(target.text, 300).c_str());
  }
  if (looks_outside) status = CheckOutside(wait, has_objects);
  if (!status) return status;
  if (!asks_server) {
    parsed.command.connection = {};
    return {};
  }
  return CompleteConnection(surroundings, parsed, wait.watch, wait.ns);
}

}  // namespace

Status CompleteDryRuns(const Surroundings& surroundings, std::vector<TargetName>& targets) {
  for (TargetName& target : targets) {
    if (!target.type.empty() || !IsDryRun(target.text)) continue;
    const std::string file(ReadDryRunText(target.text).file);
    if (file.empty()) return Refuse("dry-run:FILE needs a file");
    if (surroundings.read_file == nullptr) return Refuse("no file can be read");
    Result<std::string> text = surroundings.read_file(file);
    if (!text) return Error{Code::kConfig, Printable(text.error().text)};
    Status read = ReadDryRunObject(*text, target);
    if (!read) return read;
  }
  return {};
}

const ModeSyntax kWaitMode = {
    "wait", Command::Kind::kWait, kWaitUsage, kWaitExamples, {kWaitFlags}, 0, 0, 0, CompleteWait};

}  // namespace certlatch
