#include "test/platform/loop_fixture.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace certlatch {

size_t OpenDescriptors() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  size_t count = 0;
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

void EventLoopTest::SetUp() {
  descriptors_ = OpenDescriptors();
  sigprocmask(SIG_SETMASK, nullptr, &mask_);
  sigaction(SIGPIPE, nullptr, &on_pipe_);
  sigaction(SIGCHLD, nullptr, &on_child_);
  auto loop = Loop::Create();
  ASSERT_TRUE(loop) << loop.error().text;
  loop_ = *std::move(loop);
}

void EventLoopTest::TearDown() {
  loop_.reset();
  EXPECT_EQ(OpenDescriptors(), descriptors_) << "descriptors leaked";
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  EXPECT_FALSE(HasChildren()) << "a child was left running";
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&handled, signal);
  const timespec none{};
  while (sigtimedwait(&handled, nullptr, &none) > 0) {
  }
  sigaction(SIGPIPE, &on_pipe_, nullptr);
  sigaction(SIGCHLD, &on_child_, nullptr);
  sigprocmask(SIG_SETMASK, &mask_, nullptr);
}

bool EventLoopTest::Run() {
  bool hung = false;
  const Handle guard = loop_->After(100s, [&] {
    hung = true;
    loop_->Stop();
  });
  loop_->Run();
  return !hung;
}

void EventLoopTest::RunDue() {
  const Handle end = loop_->After(20ms, [&] { loop_->Stop(); });
  loop_->Run();
}

pid_t EventLoopTest::StartChild(int status) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (status < 0 && getppid() == parent) pause();
  _exit(status);
}

bool EventLoopTest::HasChildren() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace certlatch
