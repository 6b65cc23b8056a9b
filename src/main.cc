// Wiring only: surroundings -> command line -> host -> mode -> exit status. The sole owner of exit
// statuses: 0 met, 1 not met, refused or interrupted, 3 impossible (as kubectl: 0 and 1 only).

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/check.h"
#include "app/explain.h"
#include "app/publish.h"
#include "app/shell_run.h"
#include "app/sidecar.h"
#include "app/wait.h"
#include "base/function.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "platform/file.h"
#include "platform/hide_memory.h"
#include "platform/linux_host.h"
#include "platform/linux_pod.h"
#include "platform/loop.h"
#include "platform/manifest_files.h"
#include "platform/status_server.h"
#include "platform/version.h"
#include "platform/volume_writer.h"

namespace certlatch {
namespace {

constexpr int kExitMet = 0;
constexpr int kExitNotMet = 1;
constexpr int kExitImpossible = 3;
constexpr size_t kMaxKubeconfig = 1 << 20;
constexpr size_t kMaxLastWords = 4096;  // what the kubelet takes of a termination message

Result<std::string> ReadKubeconfig(const std::string& path) {
  Result<std::string> text = ReadSmallFile(path, kMaxKubeconfig);
  if (!text && access(path.c_str(), F_OK) != 0) text.error().code = Code::kNotFound;
  return text;
}

[[gnu::noinline]] Surroundings LookAround() {
  Surroundings surroundings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    surroundings.environment.emplace_back(*entry);
  }
  const auto ns = ReadSmallFile(Format("%s/namespace", kServiceAccountDir), 256);
  if (ns) surroundings.service_account_namespace = Trim(*ns);
  surroundings.version = VersionText();
  surroundings.version_json = VersionJson();
  surroundings.read_file = ReadKubeconfig;
  return surroundings;
}

void Blank(char* text) { std::memset(text, 'x', std::strlen(text)); }

// Arguments can be read by others (/proc/PID/cmdline): what may be secret does not stay there.
void BlankSecrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    // The second: a likely slip.
    for (const std::string_view flag : {"--token", "-token", "--http-header", "--http-body"}) {
      const std::string_view argument = argv[i];
      if (!argument.starts_with(flag)) continue;
      if (argument.size() == flag.size() && i + 1 < argc) Blank(argv[i + 1]);
      if (argument.substr(flag.size()).starts_with('=')) Blank(argv[i] + flag.size() + 1);
    }
  }
}

// A script may hold a token anywhere.
void BlankScript(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strstr(argv[i], "--token") != nullptr) Blank(argv[i]);
  }
}

// Each of its lines as it may be shown; kubectl gives some errors two.
void AddLines(std::string_view error, std::string& text) {
  for (const std::string_view line : Split(error, '\n')) {
    text += Printable(line, kMaxLastWords);
    text += '\n';
  }
}

int ExitStatus(WaitOutcome outcome, bool as_kubectl) {
  if (outcome == WaitOutcome::kMet) return kExitMet;
  if (outcome == WaitOutcome::kImpossible && !as_kubectl) return kExitImpossible;
  return kExitNotMet;
}

// kubectl gives one failure the prefix "error: ", several a line each without it.
void DropPrefixes(std::vector<std::string>& lines) {
  constexpr std::string_view kPrefix = "error: ";
  for (std::string& line : lines) {
    if (line.starts_with(kPrefix)) line.erase(0, kPrefix.size());
  }
}

void LastWords(const std::vector<std::string>& lines, const std::string& termination_log) {
  if (termination_log.empty()) return;
  std::string text;
  for (const std::string& line : lines) AddLines(line, text);
  text.resize(std::min(text.size(), kMaxLastWords));
  (void)OverwriteFile(termination_log, text).has_value();  // there is nobody left to tell
}

int FailBeforeStart(const Error& error, const OutputOptions& output) {
  std::string text;
  if (output.format == LogFormat::kText) {
    AddLines(error.text, text);
  } else {
    text = Render({LogLevel::kError, "failed", error.text}, output.format, SystemWallTime());
  }
  WriteLine(STDERR_FILENO, Trim(text));
  LastWords({error.text}, output.termination_log);
  return kExitNotMet;
}

// What every mode runs on. Whatever was begun on them must go before they do.
struct Stage {
  std::unique_ptr<Loop> loop;
  std::unique_ptr<LinuxHost> host;
};

[[gnu::noinline]] Status Build(Command& command, Stage& stage) {
  auto loop = Loop::Create();
  if (!loop) return loop.error();
  stage.loop = *std::move(loop);
  const bool insecure = command.connection.insecure_skip_tls_verify;
  auto host = LinuxHost::Create(*stage.loop, std::move(command.connection), command.output);
  if (!host) return std::move(host).error().With("error");
  stage.host = *std::move(host);
  if (insecure) {
    stage.host->Log(
        {LogLevel::kWarning, "insecure",
         "warning: --insecure-skip-tls-verify: whoever answers is taken for the API server"});
  }
  return {};
}

// Until the mode stops the loop.
void Run(const Stage& stage, Mode& mode) {
  stage.loop->OnTermination(
      [&mode](int signal) { mode.Interrupt(signal == SIGTERM ? "SIGTERM" : "SIGINT"); });
  mode.Start();
  stage.loop->Run();
}

int Conclude(const Stage& stage, WaitResult&& result, const Command& command) {
  const bool as_kubectl = command.wait.as_kubectl;
  if (result.outcome == WaitOutcome::kMet) return kExitMet;
  if (as_kubectl && result.errors.size() > 1) DropPrefixes(result.errors);
  for (const std::string& line : result.errors) {
    // One that kubectl gives two lines has them here, too.
    for (const std::string_view part : Split(line, '\n')) {
      stage.host->Log({LogLevel::kError, "failed", part});
    }
  }
  LastWords(result.errors, command.output.termination_log);
  return ExitStatus(result.outcome, as_kubectl);
}

// Keeps how a mode ended.
class Ending {
 public:
  explicit Ending(Loop& loop) : loop_(loop) {}
  Function<void(WaitResult&&)> Take() {
    return [this](WaitResult&& result) {
      result_ = std::move(result);
      loop_.Stop();
    };
  }
  WaitResult&& result() && { return std::move(result_); }

 private:
  Loop& loop_;
  WaitResult result_{WaitOutcome::kNotMet, {}};
};

int RunWait(const Stage& stage, Command& command) {
  command.wait.watch.seed = RandomSeed();
  Ending ending(*stage.loop);
  Wait wait(*stage.host, command.wait, ending.Take());
  Run(stage, wait);
  return Conclude(stage, std::move(ending).result(), command);
}

int RunSidecar(const Stage& stage, Command& command) {
  SidecarOptions& options = command.sidecar;
  options.watch.seed = options.wait.watch.seed = RandomSeed();
  LinuxPod pod(*stage.loop, stage.host->http(), options.pod);
  Ending ending(*stage.loop);
  Sidecar sidecar(*stage.host, pod, options, kBuildInfo, ending.Take());
  std::unique_ptr<StatusServer> server;
  if (!options.listen.empty()) {
    auto listening = Result<std::unique_ptr<StatusServer>>(Error{});
    if (const auto address = ParseListenAddress(options.listen)) {
      listening = StatusServer::Listen(
          *stage.loop, *address, [&sidecar](std::string_view path) { return sidecar.Page(path); });
    } else {
      listening = address.error();
    }
    if (!listening)
      return FailBeforeStart(std::move(listening).error().With("error"), command.output);
    server = *std::move(listening);
  }
  Run(stage, sidecar);
  return Conclude(stage, std::move(ending).result(), command);
}

int RunPublish(const Stage& stage, Command& command) {
  command.publish.watch.seed = RandomSeed();
  PodOptions mount;
  mount.volume = command.publish.volume;
  LinuxPod pod(*stage.loop, stage.host->http(), mount);
  Ending ending(*stage.loop);
  Publish publish(*stage.host, pod, command.publish, ending.Take());
  Run(stage, publish);
  return Conclude(stage, std::move(ending).result(), command);
}

int RunCheck(const Stage& stage, Command& command) {
  LinuxPod pod(*stage.loop, stage.host->http(), command.check.pod);
  Ending ending(*stage.loop);
  Check check(*stage.host, pod, command.check, ending.Take());
  Run(stage, check);
  return Conclude(stage, std::move(ending).result(), command);
}

int RunExplain(const Stage& stage, Command& command) {
  Ending ending(*stage.loop);
  Explain explain(*stage.host, command.explain, ending.Take());
  Run(stage, explain);
  return Conclude(stage, std::move(ending).result(), command);
}

int RunShell(const Stage& stage, Command& command) {
  for (const auto& options : command.shell.kubectl) {
    if (options != nullptr) options->watch.seed = RandomSeed();
  }
  Ending ending(*stage.loop);
  ShellRun shell(*stage.host, command.shell, ending.Take());
  Run(stage, shell);
  return Conclude(stage, std::move(ending).result(), command);
}

int RunInstall(const Stage& /*stage*/, Command& command) {
  Status installed = InstallProgram(command.text);
  if (installed) return kExitMet;
  return FailBeforeStart(std::move(installed).error().With("error"), command.output);
}

Status ReadManifestsOf(WaitOptions& wait) {
  const Instant begin = Loop::Now();
  Status read = ReadManifestFiles(wait.files, wait.recursive, wait.limit(), wait.targets);
  wait.spent = Loop::Now() - begin;
  return read;
}

// The objects of what the command, or a script's `kubectl wait`, names with -f.
Status ReadManifests(Command& command) {
  Status read = ReadManifestsOf(command.wait);
  for (const auto& wait : command.shell.kubectl) {
    if (read && wait != nullptr) read = ReadManifestsOf(*wait);
  }
  return read;
}

// As Command::Kind; kPrint runs nothing.
constexpr int (*kModes[])(const Stage&, Command&) = {RunWait,    RunSidecar, RunPublish, RunShell,
                                                     RunInstall, RunCheck,   RunExplain};
static_assert(std::size(kModes) == static_cast<size_t>(Command::Kind::kPrint));

int RunMode(Command& command) {
  Stage stage;
  Status built = ReadManifests(command);
  if (!built) return FailBeforeStart(std::move(built).error().With("error"), command.output);
  built = Build(command, stage);
  if (!built) return FailBeforeStart(built.error(), command.output);
  return kModes[static_cast<size_t>(command.kind)](stage, command);
}

int Main(int argc, char** argv) {
  HideMemory();
  const std::string program = argc > 0 ? argv[0] : "certlatch";
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  static Command& command = *new Command;  // as long as the process: never taken apart
  const Status parsed = ParseCommandLine(program, arguments, LookAround(), command);
  BlankSecrets(argc, argv);
  if (command.kind == Command::Kind::kShell) BlankScript(argc, argv);
  if (!parsed) return FailBeforeStart(parsed.error(), command.output);
  if (command.kind == Command::Kind::kPrint) {
    return WriteLine(STDOUT_FILENO, Trim(command.text)) ? kExitMet : kExitNotMet;
  }
  return RunMode(command);
}

}  // namespace
}  // namespace certlatch

int main(int argc, char** argv) { return certlatch::Main(argc, argv); }
