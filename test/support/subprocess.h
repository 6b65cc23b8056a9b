// Subprocess runs a real program and lets a test watch it: output, end, cost.
// Owns the process, its process group and at most kMaxOutputBytes of each stream; destruction
// kills all of it, and so does the kernel when the test program itself dies.
// The caller gives the complete argv and environment and bounds every wait.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace certlatch::test {

constexpr size_t kMaxOutputBytes = size_t{16} * 1024 * 1024;  // more is read and dropped

struct Command {
  std::string path;                    // what is executed; no search
  std::vector<std::string> argv = {};  // with argv[0], which need not resemble the path
  std::vector<std::string> env = {};   // "NAME=value"; nothing is inherited
  std::string directory = {};          // "": the caller's
  std::string stdin_bytes = {};        // "": /dev/null
};

struct Outcome {
  std::optional<int> exit_code;  // nullopt: ended by `signal`
  int signal = 0;
  bool timed_out = false;  // we killed it at the deadline
  std::string out;
  std::string err;
  Duration wall{};  // from before the fork to the kernel's report of the end
  Duration user_cpu{};
  Duration system_cpu{};
  // The kernel counts what the child had of our own memory between fork and exec, so this is at
  // least the caller's anonymous memory: measure from a small program, or ask PeakRss().
  int64_t max_rss_bytes = 0;

  std::string Describe() const;  // "exit code 1", "signal 9 (timed out)": for messages
};

class Subprocess {
 public:
  // Error kConfig: it could not be executed.
  static Result<std::unique_ptr<Subprocess>> Start(Command command);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }
  std::string Out() const;  // what has come so far
  std::string Err() const;

  // False: the time is over, or the program ended without ever writing it.
  bool WaitForStdout(std::string_view text, Duration timeout) const;
  bool WaitForStderr(std::string_view text, Duration timeout) const;

  bool Signal(int number);         // false: it has ended already
  Outcome Wait(Duration timeout);  // kills it when the time is over; may be called again

  // The peak of the program's own resident memory so far (VmHWM, in bytes); nullopt: it has ended.
  std::optional<int64_t> PeakRss() const;

 private:
  enum class State { kStarting, kRunning, kEnded };

  Subprocess() = default;
  void Supervise(const Command& command);
  bool Launch(const Command& command);
  void CollectUntilEnd();
  void Reap();
  void ReadSome(int& fd, std::string& into);
  bool WaitForText(const std::string& in, std::string_view text, Duration timeout) const;

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  Instant started_{};

  mutable std::mutex mutex_;  // guards everything below
  mutable std::condition_variable changed_;
  State state_ = State::kStarting;
  bool reaped_ = false;
  std::string start_error_;
  std::string out_;
  std::string err_;
  Outcome outcome_;

  // Forks, and lives as long as the child does: PR_SET_PDEATHSIG fires when the *thread* that
  // forked ends, so it must not be one of the test's own short-lived threads.
  std::thread supervisor_;
};

// Start and Wait.
Result<Outcome> RunProgram(Command command, Duration timeout);

}  // namespace certlatch::test
