#include "test/support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace certlatch::test {
namespace {

constexpr int kMinute = 60 * 1000;

std::string Skip(const char* what) { return std::string("skip: ") + what + ": " + strerror(errno); }

std::string Describe(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                           : "signal " + std::to_string(WTERMSIG(status));
}

}  // namespace

std::string RunInChild(const std::function<std::string()>& body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "pipe2";
  const pid_t child = fork();
  if (child < 0) return "fork";
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    const std::string wrong = body();
    const bool told = write(ends[1], wrong.data(), wrong.size()) >= 0;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  std::string wrong;
  char buffer[4096];
  pollfd readable{ends[0], POLLIN, 0};
  while (true) {
    if (poll(&readable, 1, kMinute) == 0) kill(child, SIGKILL);
    const ssize_t count = read(ends[0], buffer, sizeof buffer);
    if (count <= 0) break;
    wrong.append(buffer, static_cast<size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return wrong.empty() ? Describe(status) : wrong;
}

pid_t StartChild(const std::function<void()>& prepare) {
  int ready[2];
  const pid_t child = pipe2(ready, O_CLOEXEC) == 0 ? fork() : -1;
  if (child < 0) std::abort();  // kill() would take -1 for everybody
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prepare();
    if (write(ready[1], "r", 1) != 1) _exit(1);
    while (true) pause();
  }
  close(ready[1]);
  char none = 0;
  // A byte, or the end that an exec makes.
  while (read(ready[0], &none, 1) < 0 && errno == EINTR) {
  }
  close(ready[0]);
  return child;
}

std::string OwnMounts() {
  if (unshare(CLONE_NEWNS) != 0) return Skip("no mount namespace");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Skip("mount");
  return "";
}

std::string OwnUsers() {
  const uid_t uid = geteuid();
  if (unshare(CLONE_NEWUSER) != 0) return Skip("no user namespace");
  const std::string map = "0 " + std::to_string(uid) + " 1";
  const int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
  const bool done = fd >= 0 && write(fd, map.data(), map.size()) > 0;
  std::string wrong = done ? "" : Skip("uid_map");
  if (fd >= 0) close(fd);
  return wrong;
}

}  // namespace certlatch::test
