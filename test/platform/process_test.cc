#include "platform/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "test/support/child.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

namespace fs = std::filesystem;
using test::RunInChild;
using test::StartChild;
using ::testing::HasSubstr;

void Rename(const std::string& name) { prctl(PR_SET_NAME, name.c_str()); }

void OnSignal(int) {}

bool HasEnded(pid_t child) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid != 0;
}

// A child that has become another program.
pid_t StartProgram(const std::string& path, const std::string& argv0) {
  const pid_t child = StartChild([&] {
    execl(path.c_str(), argv0.c_str(), "600", nullptr);
    _exit(127);
  });
  // The exec closes its end of the pipe before its arguments can be seen.
  const std::string arguments = "/proc/" + std::to_string(child) + "/cmdline";
  for (std::string seen; seen != argv0 && !HasEnded(child); sched_yield()) {
    std::getline(std::ifstream(arguments), seen, '\0');
  }
  return child;
}

std::string Text(const Result<Process>& found) {
  return found ? std::to_string(found->pid()) : found.error().text;
}

// Of one test alone: workers of an earlier one may have just begun to end.
std::string NewName() {
  static int names = 0;
  return "app" + std::to_string(getpid()) + "." + std::to_string(++names);
}

class ProcessTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
  pid_t Child(const std::function<void()>& prepare) {
    children_.push_back(StartChild(prepare));
    return children_.back();
  }
  pid_t Program(const std::string& path, const std::string& argv0) {
    children_.push_back(StartProgram(path, argv0));
    return children_.back();
  }
  // By a sibling of our children: a process's own children never count.
  std::string Find(const std::string& name) {
    return RunInChild([&] { return Text(Process::FindByName(name)); });
  }
  std::string WritePidFile(const std::string& text) {
    std::ofstream(directory_.File("pid")) << text;
    return directory_.File("pid");
  }
  Result<Process> Open(pid_t pid) {
    return Process::FromPidFile(WritePidFile(std::to_string(pid) + "\n"));
  }
  static bool IsAlive(pid_t child) { return waitpid(child, nullptr, WNOHANG) == 0; }

  const test::TempDir directory_;
  const std::string name_ = NewName();
  std::vector<pid_t> children_;
};

// --- finding ------------------------------------------------------------------------------------

TEST_F(ProcessTest, IsFoundByItsCommandName) {
  const pid_t child = Child([&] { Rename(name_); });
  Child([&] { Rename(name_ + "x"); });
  EXPECT_EQ(Find(name_), std::to_string(child));
  EXPECT_EQ(Find(name_.substr(1)), "no process named " + name_.substr(1));
}

TEST_F(ProcessTest, IsFoundByTheNameOfItsProgramAlsoOfOneReplacedSince) {
  const std::string program = directory_.File(name_ + "-with-a-long-name");
  fs::copy_file("/bin/sleep", program);
  const pid_t child = Program(program, "another");
  EXPECT_EQ(Find(name_ + "-with-a-long-name"), std::to_string(child));
  fs::remove(program);
  EXPECT_EQ(Find(name_ + "-with-a-long-name"), std::to_string(child));
}

TEST_F(ProcessTest, IsFoundByItsFirstArgument) {
  const pid_t child = Program("/bin/sleep", "/opt/of-" + name_ + "/" + name_);
  EXPECT_EQ(Find(name_), std::to_string(child));
  EXPECT_EQ(Find("of-" + name_), "no process named of-" + name_);
}

TEST_F(ProcessTest, AHostileNameIsJustAName) {
  const std::string hostile = ") S 1(\n" + std::to_string(getpid());
  const pid_t child = Child([&] { Rename(hostile); });
  EXPECT_EQ(Find(hostile), std::to_string(child));
}

TEST_F(ProcessTest, TheMasterIsFoundNotItsWorkers) {
  const pid_t master = Child([&] {
    Rename(name_);
    for (int i = 0; i < 3; ++i) StartChild([] {});  // they have its name
  });
  EXPECT_EQ(Find(name_), std::to_string(master));
}

TEST_F(ProcessTest, TwoMastersAreRefusedAndNamed) {
  const pid_t one = Child([&] { Rename(name_); });
  const pid_t other = Child([&] { Rename(name_); });
  const std::string both =
      std::to_string(std::min(one, other)) + " and " + std::to_string(std::max(one, other));
  EXPECT_EQ(Find(name_),
            "several processes named " + name_ + ": " + both + "; --pid-file can tell which");
}

TEST_F(ProcessTest, OwnChildrenAndZombiesAreNotFound) {
  const pid_t child = Child([&] { Rename(name_); });
  EXPECT_EQ(Text(Process::FindByName(name_)), "no process named " + name_);
  kill(child, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(Find(name_), "no process named " + name_);
}

TEST_F(ProcessTest, SaysThatOthersAreHidden) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = test::OwnMounts();
    if (!wrong.empty()) return wrong;
    if (mount("proc", "/proc", "proc", 0, "hidepid=2") != 0) return "skip: cannot mount /proc";
    // Members of group 0 see all.
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) {
      return "skip: cannot become another user";
    }
    const std::string text = Text(Process::FindByName(name_));
    return text.find("hidepid") != std::string::npos ? "" : text;
  });
}

// --- pid files ----------------------------------------------------------------------------------

TEST_F(ProcessTest, IsFoundByItsPidFile) {
  const pid_t child = Child([&] { Rename(name_); });
  const std::string pid = std::to_string(child);
  for (const std::string& text : {pid, pid + "\n", "  " + pid + "\r\nmore\n"}) {
    EXPECT_EQ(Text(Process::FromPidFile(WritePidFile(text))), pid);
    EXPECT_EQ(Text(Process::FromPidFile(WritePidFile(text), name_)), pid);
  }
}

TEST_F(ProcessTest, SaysWhatIsWrongWithAPidFile) {
  const std::string path = directory_.File("pid");
  EXPECT_EQ(Text(Process::FromPidFile(path)), path + ": No such file or directory");
  for (const std::string text : {"", "\n", "0", "-1", "x", "1 2", "99999999999", "0x1"}) {
    EXPECT_EQ(Text(Process::FromPidFile(WritePidFile(text))), path + ": holds no PID") << text;
  }
  WritePidFile(std::string(5000, '1'));
  EXPECT_EQ(Text(Process::FromPidFile(path)), path + ": larger than 4096 bytes");
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(Text(Process::FromPidFile(path)), path + ": not a regular file");
}

TEST_F(ProcessTest, ShowsThePathOfAPidFileAsText) {
  const std::string path = directory_.File("a\nb");
  const std::string shown = directory_.File("a\\x0ab");
  EXPECT_EQ(Text(Process::FromPidFile(path)), shown + ": No such file or directory");
  for (const std::string text : {"x", "1", "2147483647"}) {
    std::ofstream(path) << text;
    EXPECT_THAT(Text(Process::FromPidFile(path)), ::testing::StartsWith(shown + ": ")) << text;
  }
}

TEST_F(ProcessTest, APidFileMayNameNobodyOrUsOrAZombieOrPid1) {
  const std::string path = directory_.File("pid");
  const std::string self = std::to_string(getpid());
  EXPECT_EQ(Text(Open(getpid())), path + ": process " + self + " is certlatch itself");
  EXPECT_EQ(Text(Open(1)), path + ": process 1 may be another's; --process can tell");
  const pid_t child = Child([] {});
  const std::string pid = std::to_string(child);
  kill(child, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(Text(Open(child)), path + ": process " + pid + " is a zombie");
  waitpid(child, nullptr, 0);
  EXPECT_EQ(Text(Open(child)), path + ": process " + pid + " does not exist, or is hidden");
  children_.clear();
}

TEST_F(ProcessTest, APidFileOlderThanTheProcessNamesAnother) {
  const pid_t child = Child([&] { Rename(name_); });
  const std::string path = WritePidFile(std::to_string(child));
  const timespec old[2] = {{std::time(nullptr) - 10, 0}, {std::time(nullptr) - 10, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), old, 0), 0);
  const auto found = Process::FromPidFile(path);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kNotFound);
  EXPECT_THAT(found.error().text, HasSubstr("younger than the file"));
  EXPECT_EQ(Text(Process::FromPidFile(path, name_)), std::to_string(child));
  EXPECT_THAT(Text(Process::FromPidFile(path, "nginx")), HasSubstr(" is " + name_ + ", not nginx"));
}

// --- looking ------------------------------------------------------------------------------------

SignalFate FateOfHup(const Result<Process>& process) {
  EXPECT_TRUE(process) << process.error().text;
  const auto masks = process->Look();
  EXPECT_TRUE(masks) << masks.error().text;
  return FateOf(SIGHUP, *masks);
}

TEST_F(ProcessTest, TellsWhetherASignalWouldKill) {
  EXPECT_EQ(FateOfHup(Open(Child([] {}))), SignalFate::kDefault);
  EXPECT_EQ(FateOfHup(Open(Child([] { std::signal(SIGHUP, OnSignal); }))), SignalFate::kHandled);
  EXPECT_EQ(FateOfHup(Open(Child([] { std::signal(SIGHUP, SIG_IGN); }))), SignalFate::kIgnored);
  EXPECT_EQ(FateOfHup(Open(Child([] {  // as one who reads a signalfd
              sigset_t blocked;
              sigemptyset(&blocked);
              sigaddset(&blocked, SIGHUP);
              sigprocmask(SIG_BLOCK, &blocked, nullptr);
            }))),
            SignalFate::kHandled);
}

TEST_F(ProcessTest, SeesAHandlerThatComesLate) {
  const pid_t child =
      Child([] { std::signal(SIGUSR1, [](int) { std::signal(SIGHUP, OnSignal); }); });
  const auto process = Open(child);
  EXPECT_EQ(FateOfHup(process), SignalFate::kDefault);
  ASSERT_TRUE(process->Signal(SIGUSR1));
  while (FateOfHup(process) != SignalFate::kHandled) sched_yield();
}

TEST_F(ProcessTest, TellsWhenItStarted) {
  timespec before{};
  clock_gettime(CLOCK_REALTIME, &before);
  const auto process = Open(Child([] {}));
  timespec after{};
  clock_gettime(CLOCK_REALTIME, &after);
  ASSERT_TRUE(process);
  const auto at = [](const timespec& time) {
    return PreciseTime(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
  };
  EXPECT_GE(process->started(), at(before) - 11ms);
  EXPECT_LE(process->started(), at(after));
}

TEST_F(ProcessTest, AZombieAndAReapedProcessHaveEnded) {
  const pid_t child = Child([] {});
  const auto process = Open(child);
  ASSERT_TRUE(process);
  kill(child, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const auto zombie = process->Look();
  ASSERT_FALSE(zombie);
  EXPECT_EQ(zombie.error().code, Code::kNotFound);
  waitpid(child, nullptr, 0);
  children_.clear();
  EXPECT_FALSE(process->Look());
  const Status signalled = process->Signal(SIGHUP);
  ASSERT_FALSE(signalled);
  EXPECT_EQ(signalled.error().code, Code::kNotFound);
  EXPECT_EQ(signalled.error().text, "process " + std::to_string(child) + " has ended");
}

// --- signalling ---------------------------------------------------------------------------------

TEST_F(ProcessTest, TakesTheSignal) {
  int told[2];
  ASSERT_EQ(pipe2(told, O_CLOEXEC), 0);
  static int out = -1;
  out = told[1];
  const pid_t child = Child([] {
    std::signal(SIGHUP, [](int) {
      if (write(out, "h", 1) != 1) _exit(1);
    });
  });
  const auto process = Open(child);
  ASSERT_TRUE(process);
  ASSERT_TRUE(process->Signal(SIGHUP));
  pollfd readable{told[0], POLLIN, 0};
  EXPECT_EQ(poll(&readable, 1, 20'000), 1);
  close(told[0]);
  close(told[1]);
}

TEST_F(ProcessTest, AStoppedProcessTakesTheSignalWhenItGoesOn) {
  const pid_t child = Child([] { std::signal(SIGHUP, [](int) { _exit(42); }); });
  const auto process = Open(child);
  ASSERT_TRUE(process);
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);
  EXPECT_EQ(FateOfHup(process), SignalFate::kHandled);
  ASSERT_TRUE(process->Signal(SIGHUP));
  EXPECT_TRUE(IsAlive(child));
  kill(child, SIGCONT);
  int status = 0;
  waitpid(child, &status, 0);
  children_.clear();
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_F(ProcessTest, SaysWhichUserToBe) {
  const pid_t child = Child([] {
    if (setuid(1234) != 0) _exit(1);
  });
  EXPECT_IN_CHILD([&]() -> std::string {
    const auto process = Open(child);
    if (setuid(65534) != 0) return "skip: cannot become another user";
    const Status status = process->Signal(SIGHUP);
    if (status) return "signalled";
    if (status.error().code != Code::kDenied) return "another code";
    const std::string expected = "signal to process " + std::to_string(child) +
                                 ": Operation not permitted; set runAsUser: 1234, the app's "
                                 "(certlatch has 65534)";
    return status.error().text == expected ? "" : status.error().text;
  });
  EXPECT_TRUE(IsAlive(child));
}

TEST_F(ProcessTest, TheSameUserMaySignalWithoutAnyCapability) {
  const pid_t child = Child([] {
    if (setuid(1234) != 0) _exit(1);
    std::signal(SIGHUP, OnSignal);
  });
  EXPECT_IN_CHILD([&]() -> std::string {
    const auto process = Open(child);
    if (setuid(1234) != 0) return "skip: cannot become another user";
    if (!process) return process.error().text;
    const Status status = process->Signal(SIGHUP);
    return status ? "" : status.error().text;
  });
  EXPECT_TRUE(IsAlive(child));
}

bool RefusePidfdSendSignal(int problem) {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(problem)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{4, rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(ProcessTest, ASeccompProfileIsToldApartFromAnotherUser) {
  const pid_t child = Child([] { std::signal(SIGHUP, OnSignal); });
  for (const int problem : {EPERM, ENOSYS}) {
    EXPECT_IN_CHILD([&]() -> std::string {
      const auto process = Open(child);
      if (!RefusePidfdSendSignal(problem)) return "skip: no seccomp";
      const Status status = process->Signal(SIGHUP);
      if (status) return "signalled";
      if (status.error().code != Code::kDenied) return "another code";
      return status.error().text.find("seccomp profile") != std::string::npos ? ""
                                                                              : status.error().text;
    });
  }
}

// --- in a PID namespace -------------------------------------------------------------------------

// Runs `body` as PID 1 of a namespace with a /proc of its own.
std::string AsPid1(const std::function<std::string()>& body) {
  return RunInChild([&]() -> std::string {
    std::string wrong = test::OwnMounts();
    if (!wrong.empty()) return wrong;
    if (unshare(CLONE_NEWPID) != 0) return "skip: no PID namespace";
    return RunInChild([&]() -> std::string {
      if (mount("proc", "/proc", "proc", 0, nullptr) != 0) return "skip: cannot mount /proc";
      return body();
    });
  });
}

TEST_F(ProcessTest, SaysThatTheProcessNamespaceIsNotShared) {
  const std::string wrong =
      AsPid1([&]() -> std::string { return Text(Process::FindByName(name_)); });
  if (wrong.starts_with("skip: ")) GTEST_SKIP() << wrong;
  EXPECT_EQ(wrong, "no process named " + name_ +
                       "; only this container's are visible: set shareProcessNamespace: true");
}

TEST_F(ProcessTest, AProcessThatGotThePidLaterIsNeverHit) {
  const std::string wrong = AsPid1([&]() -> std::string {
    const pid_t first = StartChild([] { std::signal(SIGHUP, OnSignal); });
    const auto process = Open(first);
    if (!process) return process.error().text;
    kill(first, SIGKILL);
    waitpid(first, nullptr, 0);
    std::ofstream("/proc/sys/kernel/ns_last_pid") << first - 1;
    const pid_t second = StartChild([] {});  // SIGHUP would end it
    if (second != first) return "skip: the PID is " + std::to_string(second);
    const auto masks = process->Look();
    if (masks) return "looked at the second";
    const Status status = process->Signal(SIGHUP);
    if (status) return "signalled";
    if (status.error().code != Code::kNotFound) return status.error().text;
    if (!IsAlive(second)) return "killed the second";
    return "";
  });
  if (wrong.starts_with("skip: ")) GTEST_SKIP() << wrong;
  EXPECT_EQ(wrong, "");
}

TEST_F(ProcessTest, TellsThatItIsPid1OfItsNamespace) {
  const pid_t outer = Child([] {
    if (unshare(CLONE_NEWPID) != 0) return;
    StartChild([] {});
  });
  // The only child of `outer`.
  std::ifstream children("/proc/" + std::to_string(outer) + "/task/" + std::to_string(outer) +
                         "/children");
  pid_t init = 0;
  if (!(children >> init)) GTEST_SKIP() << "no PID namespace";
  const auto process = Open(init);
  ASSERT_TRUE(process) << process.error().text;
  EXPECT_TRUE(process->Look()->is_init);
  EXPECT_FALSE(Open(outer)->Look()->is_init);
}

}  // namespace
}  // namespace certlatch
