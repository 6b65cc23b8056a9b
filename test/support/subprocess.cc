#include "test/support/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

// A grandchild that left the process group may keep our pipes open after the end.
constexpr int kDrainMillis = 2000;

Instant Now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

void CloseFd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
  ~Pipe() {
    CloseFd(read_end);
    CloseFd(write_end);
  }
};

int OpenStdin(const std::string& bytes) {
  if (bytes.empty()) return open("/dev/null", O_RDONLY | O_CLOEXEC);
  int fd = memfd_create("stdin", MFD_CLOEXEC);
  if (fd < 0) return fd;
  if (pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) CloseFd(fd);
  return fd;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child needs, made before the fork: after it, in a program with threads, only
// async-signal-safe calls are allowed.
struct Exec {
  const char* path;
  const char* directory;  // nullptr: stay
  char* const* argv;
  char* const* env;
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int error_fd;
  pid_t parent;
};

[[noreturn]] void ReplaceChild(const Exec& exec) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < SIGRTMIN; ++number) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above took effect.
  if (getppid() == exec.parent && setpgid(0, 0) == 0 && dup2(exec.stdin_fd, 0) == 0 &&
      dup2(exec.stdout_fd, 1) == 1 && dup2(exec.stderr_fd, 2) == 2 &&
      (exec.directory == nullptr || chdir(exec.directory) == 0)) {
    execve(exec.path, exec.argv, exec.env);
  }
  const int number = errno;
  if (write(exec.error_fd, &number, sizeof number) < 0) _exit(126);
  _exit(127);
}

// Waits until execve closed the pipe: 0, or the errno that the child reported.
int ExecError(int fd) {
  int number = 0;
  ssize_t got = 0;
  do {
    got = read(fd, &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  return got == sizeof number ? number : 0;
}

Duration FromTimeval(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

std::string Outcome::Describe() const {
  std::string text =
      exit_code ? "exit code " + std::to_string(*exit_code) : "signal " + std::to_string(signal);
  return timed_out ? text + " (timed out)" : text;
}

Result<std::unique_ptr<Subprocess>> Subprocess::Start(Command command) {
  std::unique_ptr<Subprocess> process(new Subprocess);
  const std::string path = command.path;
  process->supervisor_ =
      std::thread([raw = process.get(), command = std::move(command)] { raw->Supervise(command); });
  std::unique_lock lock(process->mutex_);
  process->changed_.wait(lock, [&] { return process->state_ != State::kStarting; });
  if (!process->start_error_.empty()) {
    return Error{Code::kConfig, path + ": " + process->start_error_};
  }
  lock.unlock();
  return process;
}

Subprocess::~Subprocess() {
  Signal(SIGKILL);
  supervisor_.join();
  CloseFd(out_fd_);
  CloseFd(err_fd_);
  CloseFd(pid_fd_);
}

std::string Subprocess::Out() const {
  std::lock_guard lock(mutex_);
  return out_;
}

std::string Subprocess::Err() const {
  std::lock_guard lock(mutex_);
  return err_;
}

bool Subprocess::WaitForStdout(std::string_view text, Duration timeout) const {
  return WaitForText(out_, text, timeout);
}

bool Subprocess::WaitForStderr(std::string_view text, Duration timeout) const {
  return WaitForText(err_, text, timeout);
}

bool Subprocess::WaitForText(const std::string& in, std::string_view text, Duration timeout) const {
  std::unique_lock lock(mutex_);
  auto found = [&] { return in.find(text) != std::string::npos; };
  changed_.wait_for(lock, timeout, [&] { return found() || state_ == State::kEnded; });
  return found();
}

bool Subprocess::Signal(int number) {
  std::lock_guard lock(mutex_);  // under it the process cannot be reaped and its number reused
  return pid_ > 0 && !reaped_ && kill(pid_, number) == 0;
}

Outcome Subprocess::Wait(Duration timeout) {
  std::unique_lock lock(mutex_);
  auto ended = [&] { return state_ == State::kEnded; };
  if (!changed_.wait_for(lock, timeout, ended)) {
    if (!reaped_) {
      outcome_.timed_out = true;
      kill(pid_, SIGKILL);
    }
    changed_.wait(lock, ended);
  }
  return outcome_;
}

std::optional<int64_t> Subprocess::PeakRss() const {
  const Result<std::string> status = ReadFile("/proc/" + std::to_string(pid_) + "/status");
  if (!status) return std::nullopt;
  constexpr std::string_view kField = "VmHWM:";
  for (const std::string_view line : Split(*status, '\n')) {
    if (line.substr(0, kField.size()) != kField) continue;
    const std::string_view number = Split(Trim(line.substr(kField.size())), ' ')[0];
    const std::optional<uint64_t> kib = ParseUint(number, INT64_MAX / 1024);
    if (kib) return static_cast<int64_t>(*kib * 1024);
  }
  return std::nullopt;
}

void Subprocess::Supervise(const Command& command) {
  const bool launched = Launch(command);
  {
    std::lock_guard lock(mutex_);
    state_ = launched ? State::kRunning : State::kEnded;
    changed_.notify_all();
  }
  if (launched) CollectUntilEnd();
}

bool Subprocess::Launch(const Command& command) {
  Pipe out;
  Pipe err;
  Pipe failure;
  int stdin_fd = OpenStdin(command.stdin_bytes);
  if (stdin_fd < 0 || !out.Open() || !err.Open() || !failure.Open()) {
    start_error_ = std::strerror(errno);
    CloseFd(stdin_fd);
    return false;
  }
  const std::vector<char*> argv = Pointers(command.argv);
  const std::vector<char*> env = Pointers(command.env);
  const Exec exec{command.path.c_str(),
                  command.directory.empty() ? nullptr : command.directory.c_str(),
                  argv.data(),
                  env.data(),
                  stdin_fd,
                  out.write_end,
                  err.write_end,
                  failure.write_end,
                  getpid()};
  started_ = Now();
  const pid_t pid = fork();
  if (pid == 0) ReplaceChild(exec);
  const int fork_error = errno;
  CloseFd(stdin_fd);
  CloseFd(failure.write_end);
  const int problem = pid < 0 ? fork_error : ExecError(failure.read_end);
  if (problem != 0) {
    if (pid > 0) waitpid(pid, nullptr, 0);
    start_error_ = std::strerror(problem);
    return false;
  }
  pid_ = pid;
  // Not pidfd_open(): glibc 2.36 declares it without extern "C".
  pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pid_fd_ < 0) std::abort();  // Linux 5.3
  out_fd_ = std::exchange(out.read_end, -1);
  err_fd_ = std::exchange(err.read_end, -1);
  return true;
}

void Subprocess::CollectUntilEnd() {
  bool reaped = false;
  Instant drain_end = kNever;
  while (!reaped || out_fd_ >= 0 || err_fd_ >= 0) {
    pollfd fds[] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}, {reaped ? -1 : pid_fd_, POLLIN, 0}};
    const int ready = poll(fds, std::size(fds), reaped ? kDrainMillis : -1);
    if (ready < 0 && errno != EINTR) std::abort();
    if (ready == 0 || Now() > drain_end) break;
    if (ready < 0) continue;
    if (fds[0].revents != 0) ReadSome(out_fd_, out_);
    if (fds[1].revents != 0) ReadSome(err_fd_, err_);
    if (fds[2].revents != 0) {
      Reap();
      reaped = true;
      drain_end = Now() + std::chrono::milliseconds(kDrainMillis);
    }
  }
  std::lock_guard lock(mutex_);
  outcome_.out = out_;
  outcome_.err = err_;
  state_ = State::kEnded;
  changed_.notify_all();
}

void Subprocess::Reap() {
  std::lock_guard lock(mutex_);
  outcome_.wall = Now() - started_;
  // Before the reaping, while the number of the group cannot have gone to anyone else.
  kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  if (WIFEXITED(status)) outcome_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
  outcome_.user_cpu = FromTimeval(usage.ru_utime);
  outcome_.system_cpu = FromTimeval(usage.ru_stime);
  outcome_.max_rss_bytes = int64_t{usage.ru_maxrss} * 1024;
}

void Subprocess::ReadSome(int& fd, std::string& into) {
  char block[16 * 1024];
  const ssize_t got = read(fd, block, sizeof block);
  if (got < 0 && errno == EINTR) return;
  std::lock_guard lock(mutex_);
  if (got <= 0) {
    CloseFd(fd);
    return;
  }
  into.append(block, std::min(static_cast<size_t>(got), kMaxOutputBytes - into.size()));
  changed_.notify_all();
}

Result<Outcome> RunProgram(Command command, Duration timeout) {
  Result<std::unique_ptr<Subprocess>> process = Subprocess::Start(std::move(command));
  if (!process) return std::move(process).error();
  return (*process)->Wait(timeout);
}

}  // namespace certlatch::test
