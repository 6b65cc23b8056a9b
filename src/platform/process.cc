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

// A pattern for the process's number and what is the matter with it.
constexpr const char* kProcess = "process %d%s";

Error HasEnded(pid_t pid) { return Failure(Code::kNotFound, kProcess, pid, " has ended"); }

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
  const ssize_t length =
      readlinkat(directory, Format("%sexe", process.c_str()).c_str(), link, sizeof link);
  if (length < 0 && errno == ENOENT) return false;  // a thread of the kernel's: it has neither
  std::string_view program(link, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  constexpr std::string_view kReplaced = " (deleted)";
  if (program.ends_with(kReplaced)) program.remove_suffix(kReplaced.size());
  if (BaseName(program) == name) return true;
  const std::string arguments = ReadStart(directory, Format("%scmdline", process.c_str()));
  return !arguments.empty() && BaseName(std::string_view(arguments.c_str())) == name;
}

// Why there may be one that we do not see.
const char* WhatHides() {
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
  const std::string path = Format("/proc/%d", pid);
  process.directory_ = UniqueFd(open(path.c_str(), kDirectory));
  const std::string text =
      process.directory_.valid() ? ReadStart(process.directory_.get(), "stat") : "";
  if (text.empty()) {
    return Failure(Code::kNotFound, kProcess, pid, " does not exist, or is hidden");
  }
  const auto stat = ParseProcStat(text);
  if (!stat) {
    return Failure(Code::kNotFound, "process %d: cannot read %s/stat", pid, path.c_str());
  }
  process.name_ = stat->name;
  process.state_ = stat->state;
  process.parent_ = stat->parent;
  process.start_ticks_ = stat->start_ticks;
  return process;
}

Result<std::string> Process::Read(const char* name) const {
  std::string text = ReadStart(directory_.get(), name);
  if (text.empty()) return HasEnded(pid_);
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
  if (entries == nullptr) return Failure(Code::kNotFound, "/proc: %s", std::strerror(errno));
  const pid_t self = getpid();
  while (const dirent* entry = readdir(entries)) {
    const auto pid = ParseUint(entry->d_name, INT_MAX);
    if (!pid || static_cast<pid_t>(*pid) == self) continue;
    const std::string directory = Format("%s/", entry->d_name);
    const std::string text = ReadStart(dirfd(entries), Format("%sstat", directory.c_str()));
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
      return Failure(Code::kConfig,
                     "several processes named %s: %d and %d; --pid-file can tell which",
                     Printable(name, 100).c_str(), master->pid, match.pid);
    }
    master = &match;
  }
  constexpr const char* kNone = "no process named %s%s";
  const std::string shown = Printable(name, 100);
  if (master == nullptr) return Failure(Code::kNotFound, kNone, shown.c_str(), WhatHides());
  auto process = Open(master->pid);
  if (!process || process->start_ticks_ != master->start_ticks) {
    return Failure(Code::kNotFound, kNone, shown.c_str(), "");
  }
  return process;
}

Result<Process> Process::FromPidFile(const std::string& file, std::string_view name) {
  const std::string path = Printable(file);
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return Failure(Code::kRetry, "%s: %s", path.c_str(), std::strerror(errno));
  const auto text = ReadOpenFile(fd.get(), path, 4096);
  if (!text) return text.error();
  struct stat info {};
  fstat(fd.get(), &info);
  const auto pid = ParseUint(Trim(Split(*text, '\n')[0]), INT_MAX);
  if (!pid || *pid == 0) return Failure(Code::kRetry, "%s: holds no PID", path.c_str());

  auto process = Open(static_cast<pid_t>(*pid));
  if (!process) return std::move(process).error().With(path);
  const std::string what = Format("%s: process %d", path.c_str(), process->pid_);
  const char* wrong = nullptr;
  if (process->pid_ == getpid()) {
    wrong = "is certlatch itself";
  } else if (process->state_ == 'Z') {
    wrong = "is a zombie";
  } else if (!name.empty()) {
    if (process->IsNamed(name)) return process;
    return Failure(Code::kNotFound, "%s is %s, not %s", what.c_str(),
                   Printable(process->name_).c_str(), Printable(name, 100).c_str());
  } else if (process->pid_ == 1) {
    wrong = "may be another's; --process can tell";
  } else if (process->started() > TimeOf(info.st_mtim) + kClockSlack) {
    wrong = "is younger than the file: another process has its PID now";
  }
  if (wrong == nullptr) return process;
  return Failure(Code::kNotFound, "%s %s", what.c_str(), wrong);
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
    return HasEnded(pid_);
  }
  return *masks;
}

Status Process::Signal(int number) const {
  if (SendSignal(directory_.get(), number) == 0) return {};
  if (errno == ESRCH) return HasEnded(pid_);
  return Denied(errno);
}

// The kernel says EPERM for another's process; so do seccomp filters, but for our own, too.
Error Process::Denied(int problem) const {
  const std::string what = Format("signal to process %d: %s", pid_, std::strerror(problem));
  const UniqueFd self(open("/proc/self", kDirectory));
  if (SendSignal(self.get(), 0) != 0) {
    return Failure(Code::kDenied, "%s; %s that allows pidfd_send_signal", what.c_str(),
                   errno == ENOSYS ? "needs Linux 5.1, and a seccomp profile"
                                   : "the seccomp profile must be one");
  }
  const auto masks = Look();
  if (!masks) return masks.error();
  if (masks->uid != geteuid()) {
    return Failure(Code::kDenied, "%s; set runAsUser: %u, the app's (certlatch has %u)",
                   what.c_str(), masks->uid, geteuid());
  }
  return Failure(Code::kDenied, "%s; a security module (AppArmor, SELinux) forbids it",
                 what.c_str());
}

}  // namespace certlatch
