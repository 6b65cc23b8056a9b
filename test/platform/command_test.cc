#include "platform/command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "domain/proc_text.h"
#include "test/platform/loop_fixture.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What commands write goes to a pipe, whose end tells that no process of theirs is left.
class CommandTest : public EventLoopTest {
 protected:
  void SetUp() override {
    EventLoopTest::SetUp();
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    output_ = UniqueFd(ends[0]);
    saved_ = UniqueFd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    ASSERT_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
  }
  void TearDown() override {
    if (saved_.valid()) dup2(saved_.get(), STDERR_FILENO);
    saved_.Reset();
    output_.Reset();
    EventLoopTest::TearDown();
  }

  TellOutcome Run(std::vector<std::string> command, Duration timeout = 50s) {
    ExecMethod method;
    method.command = std::move(command);
    method.timeout = timeout;
    std::optional<TellOutcome> outcome;
    const Handle run = RunCommand(*loop_, method, [&](const TellOutcome& its_outcome) {
      outcome = its_outcome;
      loop_->Stop();
    });
    EXPECT_FALSE(outcome) << "from within the call";
    EXPECT_TRUE(EventLoopTest::Run());
    return outcome.value_or(TellOutcome{ReloadResult::kOther, "none", {}});
  }
  TellOutcome Shell(const std::string& script, Duration timeout = 50s) {
    return Run({"/bin/sh", "-c", script}, timeout);
  }
  // All that was written until everyone who could write has ended; "hangs": not all have.
  std::string Output() {
    dup2(saved_.get(), STDERR_FILENO);
    std::string text;
    char buffer[4096];
    pollfd readable{output_.get(), POLLIN, 0};
    while (poll(&readable, 1, 20'000) > 0) {
      const ssize_t count = read(output_.get(), buffer, sizeof buffer);
      if (count <= 0) return text;
      text.append(buffer, static_cast<size_t>(count));
    }
    return text + "hangs";
  }

  UniqueFd output_;
  UniqueFd saved_;
};

TEST_F(CommandTest, TellsHowItEnded) {
  EXPECT_EQ(Shell("exit 0").result, ReloadResult::kDone);
  TellOutcome outcome = Shell("exit 3");
  EXPECT_EQ(outcome.result, ReloadResult::kStatus);
  EXPECT_EQ(outcome.reason, "--exec /bin/sh: exited with 3");
  outcome = Shell("kill -SEGV $$");
  EXPECT_EQ(outcome.result, ReloadResult::kStatus);
  EXPECT_EQ(outcome.reason, "--exec /bin/sh: was killed by SIGSEGV");
  EXPECT_EQ(Run({"true"}).result, ReloadResult::kDone) << "found by PATH";
  EXPECT_EQ(Output(), "");
}

TEST_F(CommandTest, NoShellSplitsOrExpands) {
  EXPECT_EQ(Run({"/bin/echo", "a b", "$HOME", "*", "", ";x"}).result, ReloadResult::kDone);
  EXPECT_EQ(Output(), "a b $HOME *  ;x\n");
}

TEST_F(CommandTest, SaysWhyItCannotBeStarted) {
  const test::TempDir directory;
  const std::string path = directory.File("tool");
  TellOutcome outcome = Run({path});
  EXPECT_EQ(outcome.result, ReloadResult::kNotFound);
  EXPECT_EQ(outcome.reason, "--exec " + path +
                                ": cannot start: No such file or directory; the program and its "
                                "interpreter must be in this container");
  ASSERT_TRUE(test::WriteFile(path, "#!/no/such/shell\n", 0600));
  outcome = Run({path});
  EXPECT_EQ(outcome.result, ReloadResult::kDenied);
  EXPECT_EQ(outcome.reason, "--exec " + path + ": cannot start: Permission denied");
  chmod(path.c_str(), 0700);
  EXPECT_EQ(Run({path}).result, ReloadResult::kNotFound) << "of its interpreter";
  EXPECT_EQ(Output(), "");
}

TEST_F(CommandTest, ReadsNothingAndWritesWhereWeLog) {
  EXPECT_EQ(Shell("cat; echo out; echo err >&2").result, ReloadResult::kDone);
  EXPECT_EQ(Output(), "out\nerr\n");
}

TEST_F(CommandTest, HasNoOtherDescriptorOfOursNotEvenOneThatWouldStay) {
  const int stays = dup(output_.get());  // NOLINT(android-cloexec-dup): the point
  EXPECT_EQ(Shell("exec 9>&2; exec ls /proc/self/fd").result, ReloadResult::kDone);
  close(stays);
  // 9 is the script's own, and shows that one would be seen; 3 is the directory that ls reads.
  EXPECT_EQ(Output(), "0\n1\n2\n3\n9\n");
}

TEST_F(CommandTest, HasTheDefaultsOfAllSignals) {
  std::signal(SIGHUP, SIG_IGN);  // as nohup does
  EXPECT_EQ(Run({"cat", "/proc/self/status"}).result, ReloadResult::kDone);
  std::signal(SIGHUP, SIG_DFL);
  const std::string status = Output();
  for (const char* mask : {"SigBlk", "SigIgn", "SigCgt"}) {
    EXPECT_EQ(ProcField(status, mask), "0000000000000000") << mask;
  }
}

TEST_F(CommandTest, HasAProcessGroupOfItsOwn) {
  EXPECT_EQ(Shell("[ $(cut -d' ' -f5 /proc/self/stat) = $$ ]").result, ReloadResult::kDone);
  EXPECT_EQ(Output(), "");
}

TEST_F(CommandTest, HasOurEnvironment) {
  setenv("CERTLATCH_TEST_VALUE", "kept", 1);
  EXPECT_EQ(Shell("echo $CERTLATCH_TEST_VALUE").result, ReloadResult::kDone);
  unsetenv("CERTLATCH_TEST_VALUE");
  EXPECT_EQ(Output(), "kept\n");
}

TEST_F(CommandTest, KillsItsWholeGroupAtTheTimeout) {
  const TellOutcome outcome = Shell("(trap '' TERM; exec sleep 600) & wait", 300ms);
  EXPECT_EQ(outcome.result, ReloadResult::kTimeout);
  EXPECT_EQ(outcome.reason, "--exec /bin/sh: did not end within 300ms (see --exec-timeout)");
  EXPECT_EQ(Output(), "");
}

TEST_F(CommandTest, KillsAlsoThoseWhoIgnoreTheRequestToEnd) {
  const TellOutcome outcome = Shell("trap '' TERM; sleep 600 & wait", 300ms);
  EXPECT_EQ(outcome.result, ReloadResult::kTimeout);
  EXPECT_EQ(Output(), "");
}

TEST_F(CommandTest, MayEndInOrderAtTheTimeoutButIsLateAllTheSame) {
  const TellOutcome outcome =
      Shell("trap 'echo cleaned up; exit 0' TERM; while :; do sleep 0.05; done", 300ms);
  EXPECT_EQ(outcome.result, ReloadResult::kTimeout);
  EXPECT_THAT(Output(), HasSubstr("cleaned up\n"));
}

TEST_F(CommandTest, WhomItLeavesBehindIsKilled) {
  EXPECT_EQ(Shell("sleep 600 & exit 0").result, ReloadResult::kDone);
  EXPECT_EQ(Output(), "");
}

TEST_F(CommandTest, DestroyingTheHandleKillsTheGroup) {
  ExecMethod method;
  method.command = {"/bin/sh", "-c", "trap '' TERM; sleep 600 & echo ready; wait"};
  Handle run = RunCommand(*loop_, method, [](const TellOutcome&) { FAIL() << "called"; });
  const Handle ready = loop_->WatchFd(output_.get(), EPOLLIN, [&](uint32_t) {
    if (run == nullptr) return;
    run.reset();
    loop_->Stop();
  });
  EXPECT_TRUE(EventLoopTest::Run());
  EXPECT_EQ(Output(), "ready\n");
  while (HasChildren()) RunDue();
}

TEST_F(CommandTest, TheCallbackMayDestroyTheHandle) {
  ExecMethod method;
  method.command = {"true"};
  Handle run;
  run = RunCommand(*loop_, method, [&](const TellOutcome&) {
    run.reset();
    loop_->Stop();
  });
  EXPECT_TRUE(EventLoopTest::Run());
}

}  // namespace
}  // namespace certlatch
