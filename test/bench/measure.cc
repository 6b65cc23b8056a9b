#include "test/bench/measure.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>

namespace certlatch::bench {
namespace {

Duration FromTimeval(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::vector<char*> Pointers(const Argv& argv) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int64_t HighWaterMark(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/status";
  FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return -1;
  char line[256];
  long kilobytes = -1;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "VmHWM: %ld kB", &kilobytes) == 1) break;
  }
  std::fclose(file);
  return kilobytes < 0 ? -1 : int64_t{kilobytes} * 1024;
}

pid_t StartTraced(const Argv& argv) {
  const std::vector<char*> pointers = Pointers(argv);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  execv(pointers[0], pointers.data());
  _exit(127);
}

bool IsExitStop(int status) { return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8); }

// What a thread that stopped is to receive when it goes on: its signals, but not the tracer's.
int SignalToPass(int status) {
  const int signal = WSTOPSIG(status);
  const bool of_tracer = signal == SIGTRAP || signal == SIGSTOP || status >> 16 != 0;
  return of_tracer ? 0 : signal;
}

}  // namespace

Instant Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

pid_t Start(const Argv& argv) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const std::vector<char*> pointers = Pointers(argv);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

Cost Await(pid_t pid, Instant started) {
  int status = 0;
  rusage usage{};
  if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) return {};
  Cost cost;
  cost.ended = Now();
  cost.wall = cost.ended - started;
  cost.cpu = FromTimeval(usage.ru_utime) + FromTimeval(usage.ru_stime);
  cost.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return cost;
}

Cost Run(const Argv& argv) {
  const Instant started = Now();
  return Await(Start(argv), started);
}

int64_t PeakMemory(const Argv& argv) {
  const pid_t pid = StartTraced(argv);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return -1;
  ptrace(PTRACE_SETOPTIONS, pid, nullptr,
         PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, pid, nullptr, nullptr);
  int64_t peak = -1;
  for (;;) {
    const pid_t stopped = waitpid(-1, &status, __WALL);
    if (stopped < 0) return -1;
    if (!WIFSTOPPED(status)) {
      if (stopped != pid) continue;
      return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? peak : -1;
    }
    // Whichever thread ends the process is stopped here while the memory is still there.
    if (IsExitStop(status)) peak = std::max(peak, HighWaterMark(pid));
    ptrace(PTRACE_CONT, stopped, nullptr, static_cast<long>(SignalToPass(status)));
  }
}

Summary Summarise(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

}  // namespace certlatch::bench
