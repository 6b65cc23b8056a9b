// Arguments from anywhere (a chart's values, a pasted script): any list of them gives a command or
// a refusal of printable lines, and a command has what its mode cannot do without: targets, a
// volume, a bound on its time, names that stay where they belong.
// The input is the program's name and its arguments, each ended by a line break.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/command_line.h"
#include "domain/http_method.h"
#include "domain/status_request.h"
#include "domain/target.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void RequirePrintable(std::string_view text) {
  for (const std::string_view line : Split(text, '\n')) {
    Require(Printable(line, SIZE_MAX) == line);
  }
}

void RequireTargets(const WaitOptions& wait) {
  for (const TargetName& target : wait.targets) {
    Require(target.name.find('/') == std::string::npos && target.name != "..");
  }
}

// Objects are named in one way; files of a container may be waited for, too, or alone.
void RequireWays(const WaitOptions& wait) {
  Require(wait.timeout >= Duration::zero());
  bool named = false;
  bool files = !wait.writes.empty();
  for (const TargetName& target : wait.targets) {
    named = named || !target.mounted;
    files = files || target.mounted;
  }
  const int ways = int{named} + int{!wait.types.empty()} + int{!wait.files.empty()};
  Require(ways == 1 || (ways == 0 && files));
}

void RequireVolume(const VolumeOptions& volume) {
  Require(!volume.directory.empty());
  for (const std::string* name : {&volume.cert_file, &volume.key_file, &volume.ca_file}) {
    Require(!name->empty() && !name->starts_with('/'));
    for (const std::string_view part : Split(*name, '/')) Require(part != "..");
  }
}

// Whether the API server is needed.
bool RequireSource(const ExpectOptions& expect) {
  if (expect.source == ReloadOptions::Source::kNone) return false;
  Require(IsObjectName(expect.name) && IsObjectName(expect.ns));
  return true;
}

void RequireSidecar(const SidecarOptions& sidecar, bool connected) {
  RequireVolume(sidecar.pod.volume);
  RequireTargets(sidecar.wait);
  Require(sidecar.wait.targets.size() <= kMaxTargets);
  const bool asks = RequireSource(sidecar.expect);
  Require(connected == (asks || !sidecar.wait.targets.empty()));
  const SignalMethod& signal = sidecar.pod.tell.signal;
  Require(signal.number >= 0 && signal.number <= 64 && signal.number != 9 && signal.number != 19);
  Require((signal.number == 0) == (signal.process.empty() && signal.pid_file.empty()));
  const HttpCall& http = sidecar.pod.tell.http;
  Require(http.request.empty() || ParseHttpMethod(http.request).has_value());
  Require(CheckHttpStatuses(http.statuses).has_value());
  Require(sidecar.listen.empty() || ParseListenAddress(sidecar.listen).has_value());
  Require(sidecar.reload.timeout > Duration::zero() && sidecar.reload.resync > Duration::zero());
  Require(sidecar.reload.accept_newer_after >= Duration::zero());
}

void RequirePublish(const PublishOptions& publish) {
  Require(IsObjectName(publish.lease) && IsObjectName(publish.ns));
  Require(publish.secret.empty() != publish.volume.directory.empty());
  if (publish.secret.empty()) return RequireVolume(publish.volume);
  Require(IsObjectName(publish.secret));
}

void RequireShell(const ShellOptions& shell) {
  Require(shell.kubectl.size() == shell.plan.tests.size());
  for (size_t i = 0; i < shell.kubectl.size(); ++i) {
    const bool reaches = shell.plan.tests[i]->probe.kind == LoopProbe::Kind::kReach;
    Require(reaches == (shell.kubectl[i] == nullptr));
    if (!reaches) RequireTargets(*shell.kubectl[i]);
  }
}

void RequireComplete(const Command& command) {
  const bool connected = !command.connection.server.empty();
  switch (command.kind) {
    case Command::Kind::kWait:
      RequireWays(command.wait);
      return RequireTargets(command.wait);
    case Command::Kind::kSidecar:
      return RequireSidecar(command.sidecar, connected);
    case Command::Kind::kPublish:
      Require(connected);
      return RequirePublish(command.publish);
    case Command::Kind::kCheck:
      RequireVolume(command.check.pod.volume);
      Require(connected == RequireSource(command.check.expect));
      return Require(command.check.timeout > Duration::zero());
    case Command::Kind::kShell:
      return RequireShell(command.shell);
    case Command::Kind::kInstall:
      return Require(!command.text.empty());
    case Command::Kind::kExplain:
    case Command::Kind::kPrint:
      return;
  }
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;  // NOLINT(google-build-using-namespace): the entry point is C
  std::vector<std::string_view> lines = Split({reinterpret_cast<const char*>(data), size}, '\n');
  const std::string_view program = lines[0];
  lines.erase(lines.begin());
  Surroundings surroundings;
  surroundings.environment = {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"};
  Command command;
  const Status status = ParseCommandLine(program, lines, surroundings, command);
  if (!status) {
    Require(!status.error().text.empty());
    RequirePrintable(status.error().text);
    return 0;
  }
  RequireComplete(command);
  return 0;
}
