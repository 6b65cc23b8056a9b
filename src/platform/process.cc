#include "platform/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "base/text.h"
#include "platform/file.h"

namespace certlatch {
namespace {

constexpr size_t kMaxProcFile = 8192;  // status takes 1.5 KB; of cmdline only the start counts
// Between the clocks of a file system and of processes: ticks and rounding.
constexpr Duration kClockSlack = 100ms;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// By number: glibc and musl have no function for it. A directory of /proc counts as a pidfd.
int SendSignal(int directory, int number) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, directory, number, nullptr, 0U));
}

Duration Clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return TimeOf(now).time_since_epoch();
}

std::string Called(pid_t pid) { return "process " + std::to_string(pid); }

Error NotFound(std::string text) { return Error{Code::kNotFound, std::move(text)}; }

// The first bytes of a file that may be longer; "": not readable, or empty.
std::string ReadStart(int directory, const std::string& path) {
  const UniqueFd fd(openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(kMaxProcFile, '\0');
  const ssize_t length = fd.valid() ? read(fd.get(), text.data(), text.size()) : -1;
  text.resize(static_cast<size_t>(std::max<ssize_t>(length, 0)));
  return text;
}

// Whether the program or argv[0] has that file name. `process` is the way from `directory` to the
// process's own: "" or "41/".
bool RunsProgram(int directory, const std::string& process, std::string_view name) {
  char link[PATH_MAX];
  const ssize_t length = readlinkat(directory, (process + "exe").c_str(), link, sizeof link);
  if (length < 0 && errno == ENOENT) return false;  // a thread of the kernel's: it has neither
  std::string_view program(link, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  constexpr std::string_view kReplaced = " (deleted)";
  if (program.ends_with(kReplaced)) program.remove_suffix(kReplaced.size());
  if (BaseName(program) == name) return true;
  const std::string arguments = ReadStart(directory, process + "cmdline");
  return !arguments.empty() && BaseName(std::string_view(arguments.c_str())) == name;
}

// Why there may be one that we do not see.
std::string WhatHides() {
  if (getpid() == 1) return "; only this container's are visible: set shareProcessNamespace: true";
  if (access("/proc/1/stat", R_OK) != 0) {
    return "; those of other users are hidden (hidepid): set runAsUser to the app's uid";
  }
  return "";
}

}  // namespace

Result<Process> Process::Open(pid_t pid) {
  Process process;
  process.pid_ = pid;
  const std::string path = "/proc/" + std::to_string(pid);
  process.directory_ = UniqueFd(open(path.c_str(), kDirectory));
  auto text = process.directory_.valid() ? process.Read("stat") : NotFound("");
  if (!text) return NotFound(Called(pid) + " does not exist, or is hidden");
  const auto stat = ParseProcStat(*text);
  if (!stat) return NotFound(Called(pid) + ": cannot read " + path + "/stat");
  process.name_ = stat->name;
  process.state_ = stat->state;
  process.parent_ = stat->parent;
  process.start_ticks_ = stat->start_ticks;
  return process;
}

Result<std::string> Process::Read(const char* name) const {
  std::string text = ReadStart(directory_.get(), name);
  if (text.empty()) return NotFound(Called(pid_) + " has ended");
  return text;
}

bool Process::IsNamed(std::string_view name) const {
  return name_ == name || RunsProgram(directory_.get(), "", name);
}

Result<Process> Process::FindByName(std::string_view name) {
  struct Match {
    pid_t pid;
    pid_t parent;
    uint64_t start_ticks;
  };
  std::vector<Match> matches;  // at most as many as the kernel has
  DIR* entries = opendir("/proc");
  if (entries == nullptr) return NotFound(std::string("/proc: ") + std::strerror(errno));
  const pid_t self = getpid();
  while (const dirent* entry = readdir(entries)) {
    const auto pid = ParseUint(entry->d_name, INT_MAX);
    if (!pid || static_cast<pid_t>(*pid) == self) continue;
    const std::string directory = Format("%s/", entry->d_name);
    const std::string text = ReadStart(dirfd(entries), directory + "stat");
    const auto stat = ParseProcStat(text);
    if (!stat || stat->state == 'Z' || stat->parent == self) continue;
    if (stat->name == name || RunsProgram(dirfd(entries), directory, name)) {
      matches.push_back({static_cast<pid_t>(*pid), stat->parent, stat->start_ticks});
    }
  }
  closedir(entries);

  const Match* master = nullptr;
  for (const Match& match : matches) {
    bool is_worker = false;
    for (const Match& other : matches) is_worker |= other.pid == match.parent;
    if (is_worker) continue;
    if (master != nullptr) {
      return Error{Code::kConfig, "several processes named " + Printable(name, 100) + ": " +
                                      std::to_string(master->pid) + " and " +
                                      std::to_string(match.pid) + "; --pid-file can tell which"};
    }
    master = &match;
  }
  const std::string none = "no process named " + Printable(name, 100);
  if (master == nullptr) return NotFound(none + WhatHides());
  auto process = Open(master->pid);
  if (!process || process->start_ticks_ != master->start_ticks) return NotFound(none);
  return process;
}

Result<Process> Process::FromPidFile(const std::string& path, std::string_view name) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return Error{Code::kRetry, path + ": " + std::strerror(errno)};
  const auto text = ReadOpenFile(fd.get(), path, 4096);
  if (!text) return text.error();
  struct stat info {};
  fstat(fd.get(), &info);
  const auto pid = ParseUint(Trim(Split(*text, '\n')[0]), INT_MAX);
  if (!pid || *pid == 0) return Error{Code::kRetry, path + ": holds no PID"};

  auto process = Open(static_cast<pid_t>(*pid));
  if (!process) return std::move(process).error().With(path);
  const std::string what = path + ": " + Called(process->pid_);
  if (process->pid_ == getpid()) return NotFound(what + " is certlatch itself");
  if (process->state_ == 'Z') return NotFound(what + " is a zombie");
  if (!name.empty()) {
    if (process->IsNamed(name)) return process;
    return NotFound(what + " is " + Printable(process->name_) + ", not " + Printable(name, 100));
  }
  if (process->pid_ == 1) return NotFound(what + " may be another's; --process can tell");
  if (process->started() > TimeOf(info.st_mtim) + kClockSlack) {
    return NotFound(what + " is younger than the file: another process has its PID now");
  }
  return process;
}

Duration Process::Age() const {
  const auto per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  const std::chrono::seconds whole(start_ticks_ / per_second);
  const Duration rest(start_ticks_ % per_second * (1'000'000'000 / per_second));
  return Clock(CLOCK_BOOTTIME) - whole - rest;
}

PreciseTime Process::started() const { return PreciseTime(Clock(CLOCK_REALTIME) - Age()); }

Result<SignalMasks> Process::Look() const {
  const auto text = Read("status");
  if (!text) return text.error();
  const auto masks = ParseSignalMasks(*text);
  if (!masks || ProcField(*text, "State").starts_with('Z')) {
    return NotFound(Called(pid_) + " has ended");
  }
  return *masks;
}

Status Process::Signal(int number) const {
  if (SendSignal(directory_.get(), number) == 0) return {};
  if (errno == ESRCH) return NotFound(Called(pid_) + " has ended");
  return Denied(errno);
}

// The kernel says EPERM for another's process; so do seccomp filters, but for our own, too.
Error Process::Denied(int problem) const {
  const std::string what = "signal to " + Called(pid_) + ": " + std::strerror(problem);
  const UniqueFd self(open("/proc/self", kDirectory));
  if (SendSignal(self.get(), 0) != 0) {
    return Error{Code::kDenied, what +
                                    (errno == ENOSYS ? "; needs Linux 5.1, and a seccomp profile"
                                                     : "; the seccomp profile must be one") +
                                    " that allows pidfd_send_signal"};
  }
  const auto masks = Look();
  if (!masks) return masks.error();
  if (masks->uid != geteuid()) {
    return Error{Code::kDenied, what + "; set runAsUser: " + std::to_string(masks->uid) +
                                    ", the app's (certlatch has " + std::to_string(geteuid()) +
                                    ")"};
  }
  return Error{Code::kDenied, what + "; a security module (AppArmor, SELinux) forbids it"};
}

}  // namespace certlatch
