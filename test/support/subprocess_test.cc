#include "test/support/subprocess.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "base/text.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

constexpr Duration kLong = 30s;

Command Shell(const std::string& script) { return {"/bin/sh", {"sh", "-c", script}, {}}; }

Outcome RunShell(const std::string& script) {
  const Result<Outcome> outcome = RunProgram(Shell(script), kLong);
  EXPECT_TRUE(outcome.has_value()) << script;
  return outcome ? *outcome : Outcome();
}

bool IsAlive(pid_t pid) { return kill(pid, 0) == 0; }

TEST(Subprocess, GivesExitCodeAndBothOutputs) {
  const Outcome outcome = RunShell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_GT(outcome.wall, Duration::zero());
  EXPECT_GT(outcome.max_rss_bytes, 0);
  EXPECT_EQ(outcome.Describe(), "exit code 3");
}

TEST(Subprocess, NamesTheSignalThatEndedIt) {
  const Outcome outcome = RunShell("kill -TERM $$");
  EXPECT_EQ(outcome.exit_code, std::nullopt);
  EXPECT_EQ(outcome.signal, SIGTERM);
}

TEST(Subprocess, InheritsNothingOfTheEnvironment) {
  Command command{"/usr/bin/env", {"env"}, {"ONLY=this"}};
  const Result<Outcome> outcome = RunProgram(command, kLong);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->out, "ONLY=this\n");
}

TEST(Subprocess, ChoosesArgvZeroDirectoryAndStdin) {
  const TempDir dir;
  Command command{"/bin/sh",
                  {"kubectl", "-c", "echo $0; pwd; cat"},
                  {"PATH=/usr/bin:/bin"},
                  dir.path(),
                  "typed"};
  const Result<Outcome> outcome = RunProgram(command, kLong);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->out, "kubectl\n" + dir.path() + "\ntyped");
}

TEST(Subprocess, SaysThatAProgramCannotBeExecuted) {
  const Result<Outcome> outcome = RunProgram({"/no/such/program", {"x"}, {}}, kLong);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().text, "/no/such/program: No such file or directory");
}

TEST(Subprocess, KillsWhatOutlivesItsDeadline) {
  const Result<Outcome> outcome = RunProgram(Shell("echo begun; exec sleep 600"), 200ms);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->signal, SIGKILL);
}

TEST(Subprocess, WaitsForWhatItSaysAndPassesSignalsOn) {
  Result<std::unique_ptr<Subprocess>> process = Subprocess::Start(
      Shell("trap 'echo bye >&2; exit 7' TERM; sleep 600 & echo ready >&2; wait"));
  ASSERT_TRUE(process.has_value());
  ASSERT_TRUE((*process)->WaitForStderr("ready", kLong));
  EXPECT_TRUE((*process)->PeakRss().has_value());
  EXPECT_TRUE((*process)->Signal(SIGTERM));
  const Outcome outcome = (*process)->Wait(kLong);
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.err, "ready\nbye\n");
  EXPECT_FALSE((*process)->Signal(SIGTERM));
}

TEST(Subprocess, StopsWaitingForATextOnceTheProgramHasEnded) {
  Result<std::unique_ptr<Subprocess>> process = Subprocess::Start(Shell("echo something"));
  ASSERT_TRUE(process.has_value());
  EXPECT_FALSE((*process)->WaitForStderr("something", kLong));
  EXPECT_TRUE((*process)->WaitForStdout("something", kLong));
}

// Readable once the process has ended.
pollfd WatchedProcess(const std::string& number) {
  const pid_t pid = static_cast<pid_t>(ParseUint(number, INT32_MAX).value_or(0));
  return {static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0};
}

TEST(Subprocess, LeavesNoProcessBehind) {
  pid_t pid = 0;
  pollfd grandchild{};
  {
    Result<std::unique_ptr<Subprocess>> process =
        Subprocess::Start(Shell("sleep 600 & echo $!.; wait"));
    ASSERT_TRUE(process.has_value());
    ASSERT_TRUE((*process)->WaitForStdout(".", kLong));
    pid = (*process)->pid();
    const std::string out = (*process)->Out();
    grandchild = WatchedProcess(out.substr(0, out.find('.')));
    ASSERT_GE(grandchild.fd, 0);
    ASSERT_TRUE(IsAlive(pid));
  }
  EXPECT_FALSE(IsAlive(pid));
  EXPECT_EQ(poll(&grandchild, 1, 30000), 1);
  close(grandchild.fd);
}

TEST(Subprocess, ReadsLargeOutputWithoutBlockingTheProgram) {
  const Outcome outcome = RunShell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2");
  EXPECT_EQ(outcome.out.size(), 1000000U);
  EXPECT_EQ(outcome.err.size(), 1000000U);
}

TEST(Files, AreReplacedAsAWholeAndVanishWithTheirDirectory) {
  std::string path;
  {
    const TempDir dir;
    path = dir.File("token");
    ASSERT_TRUE(WriteFile(path, "one").has_value());
    ASSERT_TRUE(WriteFile(path, "two", 0640).has_value());
    EXPECT_EQ(ReadFile(path).value(), "two");
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0640U);
  }
  EXPECT_EQ(ReadFile(path).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace certlatch::test
