// `certlatch sidecar`.

#include <iterator>
#include <utility>

#include "base/text.h"
#include "cli/pair_flags.h"
#include "domain/http_method.h"
#include "domain/status_request.h"
#include "domain/target.h"

namespace certlatch {
namespace {

constexpr const char* kSidecarUsage =
    "Watch a mounted certificate, have the app reload each new one, and prove that it serves it.\n"
    "Usage: certlatch sidecar --volume DIR [flags] [--exec -- COMMAND...]\n"
    "\n"
    "Flags:\n";

constexpr const char* kSidecarExamples =
    "\n"
    "Exit status: 0 interrupted; 1 refused, or no verified certificate within --timeout.\n"
    "\n"
    "Examples:\n"
    "  certlatch sidecar --volume /tls --signal HUP --process nginx --prove localhost:443\n"
    "  certlatch sidecar --volume /tls --expect lease/web --http \"POST "
    "http://localhost:9090/-/reload\"\n";

// Linux's numbers, alike on x86 and ARM.
constexpr struct {
  char name[6];
  uint8_t number;
} kSignals[] = {{"HUP", 1},   {"INT", 2},   {"USR1", 10}, {"USR2", 12},
                {"TERM", 15}, {"CONT", 18}, {"WINCH", 28}};
constexpr uint64_t kKill = 9;
constexpr uint64_t kStop = 19;
constexpr uint64_t kMaxSignal = 64;

Status SetSignal(void* place, std::string_view value) {
  std::string_view name = value;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  uint64_t number = ParseUint(value, kMaxSignal).value_or(0);
  for (const auto& signal : kSignals) {
    if (name == signal.name) number = signal.number;
  }
  if (number == 0 || number == kKill || number == kStop) {
    return Refuse(
        "must be HUP, INT, USR1, USR2, TERM, CONT, WINCH or a number from 1 to 64, but not KILL or "
        "STOP, which no app can handle");
  }
  *static_cast<int*>(place) = static_cast<int>(number);
  return {};
}

Status SetLeaseMode(void* place, std::string_view value) {
  return SetChoice(place, value, "watch|on-change", "watch or on-change");
}

Status SetUnreadyWhen(void* place, std::string_view value) {
  static_assert(sizeof(UnreadyWhen) == sizeof(int));
  return SetChoice(place, value, "expired|broken|never", "expired, broken or never");
}

Status SetListen(void* place, std::string_view value) {
  if (value == "off") return SetText(place, "");
  const auto address = ParseListenAddress(value);
  if (!address) return address.error();
  return SetText(place, value);
}

Status AddTarget(void* place, std::string_view value) {
  auto& targets = *static_cast<std::vector<TargetName>*>(place);
  Result<std::vector<TargetName>> more = ParseTargets({value}, /*outside=*/true);
  if (!more) return std::move(more).error();
  if (targets.size() == kMaxTargets) return Refuse("more than %zu targets", kMaxTargets);
  targets.push_back(std::move(more->front()));
  return {};
}

#define CERTLATCH_SIDECAR(member) CERTLATCH_COMMAND(sidecar.member)
#define CERTLATCH_TELL(member) CERTLATCH_COMMAND(sidecar.pod.tell.member)

constexpr Flag kSidecarFlags[] = {
    {"prove-within", "DURATION", "how long that may take; default 30s", SetLimit,
     CERTLATCH_SIDECAR(reload.prove_within), 0, "prove"},
    {"signal", "NAME", "reload by a signal: HUP, USR1, ... or a number", SetSignal,
     CERTLATCH_TELL(signal.number)},
    {"process", "NAME", "who gets it; needs shareProcessNamespace", SetFilled,
     CERTLATCH_TELL(signal.process), 0, "signal"},
    {"pid-file", "FILE", "who gets it; with --process both must agree", SetFilled,
     CERTLATCH_TELL(signal.pid_file), 0, "signal"},
    {"first-signal-after", "DURATION", "of the app's start; default 10s", SetDelay,
     CERTLATCH_TELL(signal.first_signal_after), 0, "signal"},
    {"http", "REQUEST", "reload by HTTP: \"POST http://localhost:9090/-/reload\"", SetFilled,
     CERTLATCH_TELL(http.request)},
    {"http-header", "HEADER", "\"Name: value\"; may be repeated", AddText,
     CERTLATCH_TELL(http.headers), 0, "http"},
    {"http-body", "TEXT", "of the request", SetText, CERTLATCH_TELL(http.body), 0, "http"},
    {"http-status", "LIST", "what is success: 200,204; default 2xx", SetText,
     CERTLATCH_TELL(http.statuses), 0, "http"},
    {"http-timeout", "DURATION", "of one request; default 10s", SetLimit,
     CERTLATCH_TELL(http.timeout), 0, "http"},
    {"http-auth-file", "FILE", "holds USER:PASSWORD", SetFilled, CERTLATCH_TELL(http.auth_file), 0,
     "http"},
    {"http-ca-file", "FILE", "whom to trust there; default: the system's", SetFilled,
     CERTLATCH_TELL(http.ca_file), 0, "http"},
    {"exec", "", "reload by the command that follows --", SetSwitch, CERTLATCH_GIVEN(exec)},
    {"exec-timeout", "DURATION", "of the command; default 30s", SetLimit,
     CERTLATCH_TELL(exec.timeout), 0, "exec"},
    {"touch", "FILE", "reload by the time of a file", SetFilled, CERTLATCH_TELL(touch)},
    {"wait", "TARGET", "first wait for TYPE/NAME[:PORT][@NS]; may be repeated", AddTarget,
     CERTLATCH_COMMAND(sidecar.wait.targets)},
    {"write", "DIR=secret/NAME", "keep its files there: no kubelet to wait for", AddWrite,
     CERTLATCH_SIDECAR(writes)},
    {"write-mode", "MODE", "of these files; default 0440", SetWriteMode,
     CERTLATCH_SIDECAR(wait.write_mode), 0, "write"},
    {"timeout", "DURATION", "until a pair is verified; default 3m", SetLimit,
     CERTLATCH_SIDECAR(reload.timeout)},
    {"lease-mode", "MODE", "watch (default) or on-change: read it then only", SetLeaseMode,
     CERTLATCH_GIVEN(lease_mode)},
    {"accept-newer-after", "DURATION", "if the mount is ahead of it; default 2m", SetDelay,
     CERTLATCH_SIDECAR(reload.accept_newer_after)},
    {"debounce", "DURATION", "how long changes gather; default 100ms", SetDelay,
     CERTLATCH_SIDECAR(reload.debounce)},
    {"resync", "DURATION", "look also without a change; default 60s", SetLimit,
     CERTLATCH_SIDECAR(reload.resync)},
    {"nudge", "", kNudgeHelp, SetSwitch, CERTLATCH_SIDECAR(wait.nudge.on), 0, "expect"},
    {"unready-when", "WHEN", "expired (default), broken or never: for /readyz", SetUnreadyWhen,
     CERTLATCH_SIDECAR(unready_when)},
    {"listen", "ADDR:PORT", "/healthz /readyz /startupz /metrics; default :9847; or off", SetListen,
     CERTLATCH_SIDECAR(listen)},
};

Status CompleteExec(const Parsed& parsed, ExecMethod& exec) {
  const std::vector<std::string_view>& words = parsed.positional.words;
  if (parsed.positional.before_dashes > 0) return RefuseWords(parsed.positional);
  if (parsed.given.exec && (words.empty() || words[0].empty())) {
    return Refuse("--exec needs a command: --exec -- COMMAND...");
  }
  if (!parsed.given.exec && !words.empty()) return Refuse("a command after -- needs --exec");
  for (const std::string_view word : words) exec.command.emplace_back(word);
  return {};
}

Status CheckHttp(const HttpCall& http) {
  if (http.request.empty()) return {};
  const auto method = ParseHttpMethod(http.request);
  if (!method) return method.error();
  for (const std::string& header : http.headers) {
    Status fits = CheckHttpHeader(header);
    if (!fits) return fits;
  }
  return CheckHttpStatuses(http.statuses);
}

// nullptr: nothing.
const char* WhatIsWrong(const SidecarOptions& options, const Given& given) {
  const SignalMethod& signal = options.pod.tell.signal;
  if (signal.number != 0 && signal.process.empty() && signal.pid_file.empty()) {
    return "--signal needs --process or --pid-file";
  }
  if (given.lease_mode != Given::LeaseMode::kUnsaid &&
      options.expect.source != ReloadOptions::Source::kLease) {
    return "--lease-mode needs --expect=lease/NAME";
  }
  if (options.wait.nudge.on && options.expect.source == ReloadOptions::Source::kNone) {
    return "--nudge needs --expect=lease/NAME or secret/NAME";
  }
  return nullptr;
}

// What is written is what is expected; and mounted, unless another directory is named.
Status CompleteWrite(SidecarOptions& sidecar) {
  if (sidecar.writes.empty()) return {};
  const TargetName& write = sidecar.writes[0];
  ExpectOptions& expect = sidecar.expect;
  if (sidecar.writes.size() > 1 || !expect.name.empty()) {
    return Refuse("--write says what is expected: give it once, and no --expect");
  }
  std::string& volume = sidecar.pod.volume.directory;
  if (volume.empty()) volume = write.text;
  expect.source = ReloadOptions::Source::kSecret;
  expect.name = write.name;
  expect.ns = write.ns;
  return {};
}

Status CompleteSidecar(Parsed& parsed, const Surroundings& surroundings) {
  SidecarOptions& sidecar = parsed.command.sidecar;
  Status status = CompleteWrite(sidecar);
  if (status) status = RequireVolume(sidecar.pod.volume);
  if (status) status = CompleteExec(parsed, sidecar.pod.tell.exec);
  if (status) status = CheckHttp(sidecar.pod.tell.http);
  if (status) status = CompleteDryRuns(surroundings, sidecar.wait.targets);
  if (!status) return status;
  if (const char* wrong = WhatIsWrong(sidecar, parsed.given)) return Refuse("%s", wrong);
  sidecar.reload.expect_on_change = parsed.given.lease_mode == Given::LeaseMode::kOnChange;
  sidecar.reload.min_validity = parsed.given.min_validity;
  sidecar.require_name = std::move(parsed.given.require_name);
  sidecar.wait.timeout = sidecar.reload.timeout;
  sidecar.wait.ns_given = !parsed.given.ns.empty();
  bool needs_api = sidecar.expect.source != ReloadOptions::Source::kNone;
  for (const TargetName& target : sidecar.wait.targets) needs_api |= !target.type.empty();
  status = CompleteExpect(surroundings, parsed, needs_api, sidecar.expect, sidecar.watch,
                          sidecar.wait.ns);
  if (status) status = CompleteNudge(surroundings, sidecar.wait.nudge);
  sidecar.reload.nudge = sidecar.wait.nudge.on;
  sidecar.wait.watch.retry_unauthorized = sidecar.watch.retry_unauthorized;
  return status;
}

}  // namespace

const ModeSyntax kSidecarMode = {"sidecar",
                                 Command::Kind::kSidecar,
                                 kSidecarUsage,
                                 kSidecarExamples,
                                 {kVolumeFlags, kExpectFlags, kSidecarFlags},
                                 offsetof(Command, sidecar.pod.volume),
                                 offsetof(Command, sidecar.pod),
                                 offsetof(Command, sidecar.expect),
                                 CompleteSidecar};

}  // namespace certlatch
