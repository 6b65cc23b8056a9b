#include "platform/linux_host.h"

#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "app/pod.h"
#include "base/text.h"
#include "platform/probe.h"
#include "platform/volume.h"
#include "platform/volume_writer.h"

namespace certlatch {

WallTime SystemWallTime() { return WallTime(std::chrono::seconds(std::time(nullptr))); }

uint64_t RandomSeed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed)) {
    seed = static_cast<uint64_t>(getpid());
  }
  return seed;
}

bool WriteText(int fd, std::string_view rest, Duration wait) {
  while (!rest.empty()) {
    // A pipe that polls as writable takes 4,096 bytes (PIPE_BUF) without blocking.
    pollfd ready{fd, POLLOUT, 0};
    if (poll(&ready, 1, static_cast<int>(wait / 1ms)) <= 0 || (ready.revents & POLLOUT) == 0)
      return false;
    const ssize_t count = write(fd, rest.data(), std::min<size_t>(rest.size(), 4096));
    if (count <= 0) return false;
    rest.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool WriteLine(int fd, std::string_view line) {
  return WriteText(fd, Format("%.*s\n", Length(line), line.data()));
}

Result<std::unique_ptr<LinuxHost>> LinuxHost::Create(Loop& loop, ConnectionOptions connection,
                                                     const OutputOptions& output) {
  std::unique_ptr<LinuxHost> host(new LinuxHost(loop, output));
  auto http = HttpClient::Create(loop);
  if (!http) return std::move(http).error();
  host->http_ = *std::move(http);
  if (connection.server.empty()) return host;
  auto kube = KubeClient::Create(loop, *host->http_, std::move(connection));
  if (!kube) return std::move(kube).error();
  host->kube_ = *std::move(kube);
  return host;
}

Instant LinuxHost::Now() { return Loop::Now(); }

WallTime LinuxHost::WallNow() { return SystemWallTime(); }

Handle LinuxHost::After(Duration length, Function<void()> then) {
  return loop_.After(length, std::move(then));
}

Handle LinuxHost::Fetch(const std::string& target, Function<void(const ApiAnswer&)> then) {
  return kube_->Fetch(target, Telling("GET", target, std::move(then)));
}

Handle LinuxHost::Watch(const std::string& target, Function<void(std::string_view)> bytes,
                        Function<void(const ApiAnswer&)> ended) {
  return kube_->Watch(target, std::move(bytes), Telling("watch", target, std::move(ended)));
}

Handle LinuxHost::Change(const ApiChange& change, Function<void(const ApiAnswer&)> then) {
  return kube_->Change(change, Telling(change.method, change.target, std::move(then)));
}

// With -v: a line when the request is made and one when it ended.
Function<void(const ApiAnswer&)> LinuxHost::Telling(const char* verb, const std::string& target,
                                                    Function<void(const ApiAnswer&)> then) {
  if (!verbose_) return then;
  const std::string request = Format("%s %s", verb, target.c_str());
  Log({LogLevel::kDebug, "request", request, {{"target", target}}});
  return [this, request, then = std::move(then)](const ApiAnswer& answer) {
    const std::string outcome =
        answer.problem.empty() ? Format("HTTP %d", answer.status) : answer.problem;
    Log({LogLevel::kDebug,
         "answer",
         Format("%s: %s", request.c_str(), outcome.c_str()),
         {{"outcome", outcome}}});
    then(answer);
  };
}

Handle LinuxHost::Probe(const Reachable& what, Duration limit,
                        Function<void(const ProbeOutcome&)> then) {
  return StartProbe(loop_, *http_, what, limit, std::move(then));
}

std::unique_ptr<Mount> LinuxHost::OpenMount(const std::string& directory,
                                            const VolumeOptions& names, Function<void()> hint) {
  return MakeVolume(loop_, directory, names, std::move(hint));
}

Status LinuxHost::WriteVolume(const std::string& directory, const Json& data, unsigned mode,
                              std::string& written) {
  return certlatch::WriteVolume(directory, data, mode, written);
}

void LinuxHost::Print(std::string_view line) {
  // More than any mode prints in a line: JSON that is cut is none.
  constexpr size_t kMaxPrinted = size_t{256} * 1024;
  WriteTo(STDOUT_FILENO, Printable(line, kMaxPrinted) + '\n');
}

void LinuxHost::Say(std::string_view text, bool to_stderr) {
  WriteTo(to_stderr ? STDERR_FILENO : STDOUT_FILENO, text);
}

void LinuxHost::Log(const LogLine& line) {
  if (line.level == LogLevel::kDebug && !verbose_) return;
  WriteTo(STDERR_FILENO, Render(line, log_format_, WallNow()) + '\n');
}

// Waiting for each line of a burst would hold up the loop, and deadlines with it.
void LinuxHost::WriteTo(int fd, std::string_view text) {
  stuck_[fd] = !WriteText(fd, text, stuck_[fd] ? Duration::zero() : kWriteWait);
}

}  // namespace certlatch
