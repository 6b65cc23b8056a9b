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
    "  certlatch wait dry-run:FILE[=denied:TEXT] [flags]: admission lets its object in, or denies\n"
    "  certlatch wait TYPE[,TYPE...] (--all | -l LABELS) [flags], or -f FILE [flags]\n"
    "\n"
    "Without --for a target is met when it is ready; any other by condition Ready, else "
    "Available:\n"
    "  certificate              issued for its current spec\n"
    "  secret                   has its --keys; of type TLS, a valid pair\n"
    "  endpoints, service       has ready addresses\n"
    "  pod, job, lease          Ready; complete; says that a certificate is published\n"
    "  deployment and the like  rolled out and available\n"
    "  crd, …webhookconfiguration: established, webhooks have Service, endpoint, valid caBundle\n"
    "\n"
    "Flags:\n";

constexpr const char* kWaitExamples =
    "\n"
    "Exit status: 0 met; 1 not met in time, refused or interrupted; 3 cannot be met any more.\n"
    "\n"
    "Examples:\n"
    "  certlatch wait certificate/web secret/web-tls --timeout=5m\n"
    "  certlatch wait --mounted /tls=secret/web-tls deployment/api\n";

// One more list of them. As the API server checks keys: letters, digits, '-', '_' and '.'.
Status SetKeys(void* place, std::string_view value) {
  for (const std::string_view key : Split(value, ',')) {
    if (!ConsistsOf(key, "-_.")) return Refuse("must be keys of a Secret, as in user,password");
    static_cast<std::vector<std::string>*>(place)->emplace_back(key);
  }
  return {};
}

// DIR=secret/NAME[@NS], DIR=lease/NAME[@NS] or DIR=pair, as one more target.
Status AddMounted(void* place, std::string_view value) {
  const size_t equals = std::min(value.rfind('='), value.size());
  const std::string_view object = value.substr(std::min(equals + 1, value.size()));
  const bool any = object == "pair";
  auto named = ParseTargets({any ? "lease/any" : object});
  if (!named || equals == 0 || IndexOf(named->front().type, "lease|secret") < 0) {
    return Refuse("must be DIR=secret/NAME, DIR=lease/NAME or DIR=pair");
  }
  TargetName& target = named->front();
  target.mounted = true;
  target.text = value.substr(0, equals);
  if (any) target.type.clear();
  static_cast<std::vector<TargetName>*>(place)->push_back(std::move(target));
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
    {"all", "", "all objects of the types; -A, --all-namespaces: everywhere", SetSwitch,
     CERTLATCH_GIVEN(all)},
    {"all-namespaces", "", "", SetSwitch, CERTLATCH_COMMAND(wait.all_namespaces), 'A'},
    {"filename", "FILE", "JSON manifests; a directory, -R=false: not what is below; -", AddFiles,
     CERTLATCH_COMMAND(wait.files), 'f'},
    {"recursive", "", "", SetSwitch, CERTLATCH_COMMAND(wait.recursive), 'R'},
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
    {"write", "DIR=secret/NAME", "put its files there when ready; --write-mode MODE: 0440",
     AddWrite, CERTLATCH_COMMAND(wait.writes)},
    {"write-mode", "MODE", "", SetWriteMode, CERTLATCH_COMMAND(wait.write_mode), 0, "write"},
    {"annotation-prefix", "P", "of a lease's annotations; default kubetemplater.io",
     SetAnnotationPrefix, CERTLATCH_COMMAND(wait.readiness.annotation_prefix)},
    {"retry-forbidden", "", "wait for missing rights instead of failing", SetSwitch,
     CERTLATCH_COMMAND(wait.watch.retry_forbidden)},
    {"output", "name", "print names only", SetText, CERTLATCH_GIVEN(output), 'o'},
};

// Not under the name of kubectl.
constexpr Flag kMountedFlags[] = {
    {"mounted", "DIR=OBJECT", "files are those of secret/N or lease/N, or any good pair",
     AddMounted, CERTLATCH_COMMAND(wait.targets)},
    {"cert-file", "NAME", "", SetFileName, CERTLATCH_COMMAND(wait.volume.cert_file), 0, "mounted"},
    {"key-file", "NAME", "", SetFileName, CERTLATCH_COMMAND(wait.volume.key_file), 0, "mounted"},
    {"ca-file", "NAME", kFileHelp, SetFileName, CERTLATCH_COMMAND(wait.volume.ca_file), 0,
     "mounted"},
    {"require-name", "NAME", "what the certificate must be valid for", SetFilled,
     CERTLATCH_COMMAND(wait.require_name), 0, "mounted"},
    {"nudge", "", kNudgeHelp, SetSwitch, CERTLATCH_COMMAND(wait.nudge.on), 0, "mounted"},
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
  if (words.empty() && parsed.given.all && wait.files.empty()) {
    return Refuse("--all needs a type: all objects of which?");
  }
  if (!wait.files.empty() || (words.empty() && !wait.writes.empty())) return {};
  const bool selects =
      parsed.given.all || !wait.label_selector.empty() || !wait.field_selector.empty();
  if (selects && words.size() == 1 && !names) return CompleteTypes(words[0], wait.types);
  if (words.empty() && !wait.targets.empty()) return {};
  Result<std::vector<TargetName>> targets = ParseTargets(words, !wait.as_kubectl);
  if (!targets) return std::move(targets).error();
  for (TargetName& mounted : wait.targets) targets->push_back(std::move(mounted));
  wait.targets = *std::move(targets);
  return {};
}

// What is no object of the API is there or not yet; nothing else can be asked of it.
Status CheckOutside(const WaitOptions& wait, bool has_objects) {
  for (const Goal& goal : wait.goals) {
    if (std::holds_alternative<ReadyGoal>(goal)) continue;
    if (has_objects && !std::holds_alternative<DeleteGoal>(goal)) continue;
    return Refuse(
        "--for is for objects of the API server, not for tcp, http(s), postgres, file, dry-run, "
        "--mounted or --write");
  }
  return {};
}

// The second would put away what the first has written.
Status CheckWrites(const std::vector<TargetName>& writes) {
  for (const TargetName& write : writes) {
    for (const TargetName* other = writes.data(); other != &write; ++other) {
      if (other->text != write.text) continue;
      return Refuse("--write: %s cannot hold two Secrets", Printable(write.text, 300).c_str());
    }
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
  if (wait.as_kubectl && !wait.writes.empty()) {
    return Refuse("--write is not kubectl's: call this program by its name, certlatch");
  }
  status = CheckWrites(wait.writes);
  const bool writes = !wait.writes.empty();
  bool has_objects =
      (wait.targets.empty() && !writes) || !wait.types.empty() || !wait.files.empty();
  bool asks_server = has_objects || writes;
  bool looks_outside = writes;
  bool may_nudge = false;
  for (const TargetName& target : wait.targets) {
    const bool typed = !target.type.empty();
    const bool is_object = typed && !target.mounted && target.object.empty();
    asks_server = asks_server || typed;
    has_objects = has_objects || is_object;
    looks_outside = looks_outside || !is_object;
    may_nudge = may_nudge || (typed && target.mounted);
    if (!wait.as_kubectl || target.goal.empty()) continue;
    return Refuse("target \"%s\": kubectl has no conditions of single targets",
                  Printable(target.text, 300).c_str());
  }
  if (status && looks_outside) status = CheckOutside(wait, has_objects);
  if (!status) return status;
  if (wait.nudge.on && !may_nudge) {
    return Refuse("--nudge needs --mounted DIR=secret/NAME or DIR=lease/NAME");
  }
  if (!asks_server) {
    parsed.command.connection = {};
    return {};
  }
  wait.ns_given = !parsed.given.ns.empty();
  status = CompleteConnection(surroundings, parsed, wait.watch, wait.ns);
  return status ? CompleteNudge(surroundings, wait.nudge) : std::move(status);
}

}  // namespace

Status CompleteDryRuns(const Surroundings& surroundings, std::vector<TargetName>& targets) {
  for (TargetName& target : targets) {
    if (target.mounted || !target.type.empty() || !IsDryRun(target.text)) continue;
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
    "wait", Command::Kind::kWait, kWaitUsage, kWaitExamples, {kWaitFlags, kMountedFlags}, 0, 0,
    0,      CompleteWait};

}  // namespace certlatch
