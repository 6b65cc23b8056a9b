// Loop waits for everything at once: descriptors (epoll), timers, signals (signalfd), children.
// Single-threaded and level-triggered. Registrations are Handles; one that is destroyed inside the
// batch of events in which it would come next is not called any more.
// Owns the signal mask of the process from Create on; children must reset it.
#pragma once

#include <sys/epoll.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "app/host.h"
#include "base/function.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace certlatch {

class Loop {
 public:
  // Blocks SIGTERM, SIGINT and SIGCHLD, to be read from a signalfd; ignores SIGPIPE. Not to be
  // created while other threads run: they would take signals from it.
  static Result<std::unique_ptr<Loop>> Create();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  static Instant Now();

  // `events` are epoll's, e.g. EPOLLIN; the descriptor stays the caller's and must outlive the
  // handle.
  [[nodiscard]] Handle WatchFd(int fd, uint32_t events, Function<void(uint32_t)> then);
  // Not before `length` has passed; within a millisecond of it on an idle machine.
  [[nodiscard]] Handle After(Duration length, Function<void()> then);
  // SIGTERM or SIGINT has come.
  void OnTermination(Function<void(int signal)> then) { on_termination_ = std::move(then); }
  // The child `pid` has ended with `status` (as waitpid's) and has been reaped.
  [[nodiscard]] Handle OnChildExit(pid_t pid, Function<void(int status)> then);

  void Run();  // until Stop, also one that came before; may be called again
  void Stop() { stopped_ = true; }

 private:
  using TimerKey = std::pair<Instant, uint64_t>;
  using ChildCallback = std::shared_ptr<Function<void(int)>>;
  struct FdRegistration;
  struct TimerRegistration;
  struct ChildRegistration;

  Loop() = default;
  void RunDueTimers();
  int WaitForEvents(std::span<epoll_event> events);
  void ReadSignals();
  void ReapChildren();

  UniqueFd epoll_;
  UniqueFd signals_;
  uint64_t last_id_ = 0;  // ids are never used twice, so a stale event finds nothing
  std::map<uint64_t, std::shared_ptr<Function<void(uint32_t)>>> fds_;
  std::map<TimerKey, std::shared_ptr<Function<void()>>> timers_;
  std::map<pid_t, ChildCallback> children_;
  Function<void(int)> on_termination_;
  Handle signal_watch_;
  bool stopped_ = false;
  bool waits_precisely_ = true;
};

}  // namespace certlatch
