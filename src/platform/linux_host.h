// LinuxHost is the real Host: the loop's clock and timers, the API server through KubeClient, lines
// to standard output and standard error.
// Writing never blocks for long: where nobody reads the pipe, lines are dropped, and only the first
// waits for a reader.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/host.h"
#include "app/options.h"
#include "base/function.h"
#include "platform/http.h"
#include "platform/kube_client.h"
#include "platform/loop.h"

namespace certlatch {

class LinuxHost : public Host {
 public:
  // Without a server in `connection` no request can be made.
  static Result<std::unique_ptr<LinuxHost>> Create(Loop& loop, ConnectionOptions connection,
                                                   const OutputOptions& output);

  HttpClient& http() { return *http_; }

  Instant Now() override;
  WallTime WallNow() override;
  Handle After(Duration length, Function<void()> then) override;
  Handle Fetch(const std::string& target, Function<void(const ApiAnswer&)> then) override;
  Handle Watch(const std::string& target, Function<void(std::string_view)> bytes,
               Function<void(const ApiAnswer&)> ended) override;
  Handle Change(const ApiChange& change, Function<void(const ApiAnswer&)> then) override;
  Handle Probe(const Reachable& what, Duration limit,
               Function<void(const ProbeOutcome&)> then) override;
  std::unique_ptr<Mount> OpenMount(const std::string& directory, const VolumeOptions& names,
                                   Function<void()> hint) override;
  Status WriteVolume(const std::string& directory, const Json& data, unsigned mode,
                     std::string& written) override;
  void Print(std::string_view line) override;
  void Say(std::string_view text, bool to_stderr) override;
  void Log(const LogLine& line) override;

 private:
  LinuxHost(Loop& loop, const OutputOptions& output)
      : loop_(loop), log_format_(output.format), verbose_(output.verbosity > 0) {}
  Function<void(const ApiAnswer&)> Telling(const char* verb, const std::string& target,
                                           Function<void(const ApiAnswer&)> then);
  void WriteTo(int fd, std::string_view text);

  Loop& loop_;
  LogFormat log_format_;
  bool verbose_;
  bool stuck_[3] = {};  // of each descriptor: nobody took the last line
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<KubeClient> kube_;
};

WallTime SystemWallTime();

// For jitter only; where the kernel has no random bytes yet, the process id.
uint64_t RandomSeed();

constexpr Duration kWriteWait = 100ms;

// In one write where it fits a pipe's page. Waits at most so long for a reader; false: dropped.
bool WriteText(int fd, std::string_view text, Duration wait = kWriteWait);

// `line` and a line break.
bool WriteLine(int fd, std::string_view line);

}  // namespace certlatch
