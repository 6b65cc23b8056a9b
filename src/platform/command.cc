#include "platform/command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "domain/signal_name.h"
#include "platform/descriptors.h"

namespace certlatch {
namespace {

// In the child: returns only if it cannot become the program, and then says why.
int Become(char* const* arguments, int kept) {
  setpgid(0, 0);
  CloseAllBut(kept);
  // What is ignored stays so in a new program: SIGPIPE by us, others perhaps by who started us.
  for (int number = 1; number <= SIGSYS; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) return errno;
  fcntl(STDIN_FILENO, F_SETFD, 0);  // where it was closed before, `null` has its number
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return errno;
  execvp(arguments[0], arguments);
  return errno;
}

class CommandRun : public Cancellable {
 public:
  CommandRun(Loop& loop, const ExecMethod& method, Function<void(const TellOutcome&)> then)
      : loop_(loop), method_(method), then_(std::move(then)) {}

  ~CommandRun() override { End(); }

  void Start() {
    const int problem = Fork();
    if (problem != 0) {
      // Not from within the call that asked.
      timer_ = loop_.After(Duration::zero(), [this, problem] { Finish(NotStarted(problem)); });
      return;
    }
    exit_ = loop_.OnChildExit(child_, [this](int status) { Finish(Outcome(status)); });
    timer_ = loop_.After(method_.timeout, [this] { OnTimeout(); });
  }

 private:
  // Not vfork: what a program leaves of a page is all that is copied, and the child may do as it
  // likes.
  int Fork() {
    std::vector<char*> arguments;
    for (const std::string& argument : method_.command) {
      arguments.push_back(const_cast<char*>(argument.c_str()));  // exec does not write to it
    }
    arguments.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    pipe_ = UniqueFd(ends[0]);
    const UniqueFd out(ends[1]);
    fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    child_ = fork();
    if (child_ < 0) return errno;
    if (child_ == 0) {
      const int problem = Become(arguments.data(), out.get());
      const ssize_t written = write(out.get(), &problem, sizeof problem);
      _exit(written > 0 ? 127 : 126);
    }
    // Here, too: the group must exist before it is first signalled.
    setpgid(child_, child_);
    return 0;
  }

  void OnTimeout() {
    constexpr int kSignals[] = {SIGTERM, SIGKILL};
    if (signals_ == std::size(kSignals)) {
      return Finish(Timeout());  // not even killed: it hangs in the kernel
    }
    kill(-child_, kSignals[signals_++]);
    timer_ = loop_.After(kCommandGrace, [this] { OnTimeout(); });
  }

  TellOutcome Timeout() const {
    return {ReloadResult::kTimeout,
            Format("--exec %s: did not end within %s (see --exec-timeout)", Name().c_str(),
                   FormatDuration(method_.timeout).c_str()),
            {}};
  }

  TellOutcome Outcome(int status) const {
    if (signals_ > 0) return Timeout();
    int problem = 0;
    if (read(pipe_.get(), &problem, sizeof problem) == static_cast<ssize_t>(sizeof problem)) {
      return NotStarted(problem);
    }
    if (WIFSIGNALED(status)) {
      return {ReloadResult::kStatus,
              Format("--exec %s: was killed by %s", Name().c_str(),
                     SignalName(WTERMSIG(status)).c_str()),
              {}};
    }
    if (WEXITSTATUS(status) == 0) return {};
    return {ReloadResult::kStatus,
            Format("--exec %s: exited with %d", Name().c_str(), WEXITSTATUS(status)),
            {}};
  }

  TellOutcome NotStarted(int problem) const {
    TellOutcome outcome;
    outcome.result = ReloadResult::kOther;
    const char* hint = "";
    if (problem == ENOENT) {
      outcome.result = ReloadResult::kNotFound;
      hint = "; the program and its interpreter must be in this container";
    } else if (problem == EACCES || problem == EPERM) {
      outcome.result = ReloadResult::kDenied;
    }
    outcome.reason =
        Format("--exec %s: cannot start: %s%s", Name().c_str(), std::strerror(problem), hint);
    return outcome;
  }

  std::string Name() const { return Printable(method_.command[0], 200); }

  // The loop has reaped the child, but its group keeps the number while there is anyone in it; and
  // numbers are not given out again at once.
  void End() {
    if (child_ > 0) kill(-child_, SIGKILL);
    child_ = 0;
    exit_.reset();
    timer_.reset();
  }

  void Finish(const TellOutcome& outcome) {
    End();
    const auto then = std::move(then_);
    then(outcome);  // last: may destroy this
  }

  Loop& loop_;
  const ExecMethod& method_;
  Function<void(const TellOutcome&)> then_;
  pid_t child_ = 0;
  UniqueFd pipe_;       // says why the program could not be started
  size_t signals_ = 0;  // that it got for being late
  Handle exit_;
  Handle timer_;
};

}  // namespace

Handle RunCommand(Loop& loop, const ExecMethod& method, Function<void(const TellOutcome&)> then) {
  auto run = std::make_unique<CommandRun>(loop, method, std::move(then));
  run->Start();
  return run;
}

}  // namespace certlatch
