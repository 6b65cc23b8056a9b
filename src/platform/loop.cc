#include "platform/loop.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string>

namespace certlatch {
namespace {

Error Failed(const char* call) { return Failure(Code::kBug, "%s: %s", call, std::strerror(errno)); }

}  // namespace

struct Loop::FdRegistration : Cancellable {
  FdRegistration(Loop& its_loop, int its_fd, uint64_t its_id)
      : loop(its_loop), fd(its_fd), id(its_id) {}
  ~FdRegistration() override {
    epoll_ctl(loop.epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    loop.fds_.erase(id);
  }
  Loop& loop;
  int fd;
  uint64_t id;
};

struct Loop::TimerRegistration : Cancellable {
  TimerRegistration(Loop& its_loop, TimerKey its_key) : loop(its_loop), key(its_key) {}
  ~TimerRegistration() override { loop.timers_.erase(key); }
  Loop& loop;
  TimerKey key;
};

struct Loop::ChildRegistration : Cancellable {
  ChildRegistration(Loop& its_loop, pid_t its_pid, ChildCallback its_then)
      : loop(its_loop), pid(its_pid), then(std::move(its_then)) {}
  ~ChildRegistration() override {
    // Once reaped, the pid may be that of another child, registered by another.
    const auto found = loop.children_.find(pid);
    if (found != loop.children_.end() && found->second == then) loop.children_.erase(found);
  }
  Loop& loop;
  pid_t pid;
  ChildCallback then;
};

Result<std::unique_ptr<Loop>> Loop::Create() {
  std::unique_ptr<Loop> loop(new Loop);
  loop->epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_.valid()) return Failed("epoll_create1");
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&handled, signal);
  if (sigprocmask(SIG_BLOCK, &handled, nullptr) != 0) return Failed("sigprocmask");
  std::signal(SIGPIPE, SIG_IGN);
  // Whoever started us may have it ignored: then the kernel would reap, and not tell us.
  std::signal(SIGCHLD, SIG_DFL);
  loop->signals_ = UniqueFd(signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!loop->signals_.valid()) return Failed("signalfd");
  Loop* raw = loop.get();
  loop->signal_watch_ =
      loop->WatchFd(loop->signals_.get(), EPOLLIN, [raw](uint32_t) { raw->ReadSignals(); });
  return loop;
}

Loop::~Loop() { signal_watch_.reset(); }

Instant Loop::Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

Handle Loop::WatchFd(int fd, uint32_t events, Function<void(uint32_t)> then) {
  const uint64_t id = ++last_id_;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  fds_[id] = std::make_shared<Function<void(uint32_t)>>(std::move(then));
  return std::make_unique<FdRegistration>(*this, fd, id);
}

Handle Loop::After(Duration length, Function<void()> then) {
  const TimerKey key(SaturatingAdd(Now(), length), ++last_id_);
  timers_[key] = std::make_shared<Function<void()>>(std::move(then));
  return std::make_unique<TimerRegistration>(*this, key);
}

Handle Loop::OnChildExit(pid_t pid, Function<void(int)> then) {
  auto shared = std::make_shared<Function<void(int)>>(std::move(then));
  children_[pid] = shared;
  return std::make_unique<ChildRegistration>(*this, pid, std::move(shared));
}

void Loop::Run() {
  std::array<epoll_event, 32> events;
  while (!stopped_) {
    RunDueTimers();
    if (stopped_) break;
    const int count = WaitForEvents(events);
    for (int i = 0; i < count && !stopped_; ++i) {
      const auto found = fds_.find(events[static_cast<size_t>(i)].data.u64);
      if (found == fds_.end()) continue;  // destroyed earlier in this batch
      const auto then = found->second;    // keeps it alive while it runs
      (*then)(events[static_cast<size_t>(i)].events);
    }
  }
  stopped_ = false;
}

// Only timers due when the round begins: one that always sets a next one must not starve the rest.
void Loop::RunDueTimers() {
  const TimerKey last(Now(), last_id_);
  while (!stopped_ && !timers_.empty() && timers_.begin()->first <= last) {
    const auto then = timers_.begin()->second;
    timers_.erase(timers_.begin());
    (*then)();
  }
}

// At the latest until the next timer is due. Linux 5.11 waits to the nanosecond; where the kernel,
// or a seccomp profile of an older runtime, does not know of that, it is whole milliseconds.
int Loop::WaitForEvents(std::span<epoll_event> events) {
  const auto most = static_cast<int>(events.size());
  const Duration left =
      timers_.empty() ? Duration::max()
                      : std::max<Duration>(timers_.begin()->first.first - Now(), Duration::zero());
  if (waits_precisely_) {
    timespec timeout{};
    timeout.tv_sec = left / 1s;
    timeout.tv_nsec = (left % 1s).count();
    const auto count =
        static_cast<int>(syscall(SYS_epoll_pwait2, epoll_.get(), events.data(), most,
                                 timers_.empty() ? nullptr : &timeout, nullptr, sizeof(uint64_t)));
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    waits_precisely_ = false;
  }
  // Rounded up: waking early would spin.
  const int64_t milliseconds =
      std::min<int64_t>((std::min<Duration>(left, 24h) + 1ms - Duration(1)) / 1ms, INT_MAX);
  return epoll_wait(epoll_.get(), events.data(), most,
                    timers_.empty() ? -1 : static_cast<int>(milliseconds));
}

void Loop::ReadSignals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) {
      ReapChildren();
    } else if (on_termination_) {
      on_termination_(signal);
    }
  }
}

// Signals are not queued: one SIGCHLD may stand for many. As PID 1 orphans are ours to reap, too.
void Loop::ReapChildren() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    const auto found = children_.find(pid);
    if (found == children_.end()) continue;
    const auto then = found->second;
    children_.erase(found);
    (*then)(status);
  }
}

}  // namespace certlatch
