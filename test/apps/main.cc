// Runs the tests in a PID namespace of their own, whose PID 1 only reaps, as a pod's pause
// container does with shareProcessNamespace: the names of the servers are theirs alone, and at the
// end of the tests, however it comes, the kernel ends all that they started. Where that is not
// allowed, in the machine's own namespace: its servers must not have the names.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace {

// In the new PID 1.
bool ShowOwnProcesses() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
}

// Until `child` has ended; reaps what else there is. Leaves as it did.
[[noreturn]] void EndWith(pid_t child) {
  int status = 0;
  pid_t ended = 0;
  while (ended != child && (ended = wait(&status)) > 0) {
  }
  _exit(ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

// Returns in the process that runs the tests.
void EnterPod() {
  if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) {
    std::perror("apps_test: no PID namespace of its own");
    return;
  }
  const pid_t init = fork();
  if (init != 0) EndWith(init);
  if (!ShowOwnProcesses()) {
    std::perror("apps_test: mount");
    _exit(1);
  }
  const pid_t tests = fork();
  if (tests != 0) EndWith(tests);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleMock(&argc, argv);
  EnterPod();
  return RUN_ALL_TESTS();
}
