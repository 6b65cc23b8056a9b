// Beginning and end: bad input, signals, last words, and standard output that nobody reads.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

#include "base/unique_fd.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kNotReady = R"({"conditions":[{"type":"Ready","status":"False"}]})";

// --- bad input ---

struct BadInput {
  Args arguments;
  std::string culprit;
};
void PrintTo(const BadInput& bad, std::ostream* out) {
  for (const std::string& argument : bad.arguments) *out << argument << " ";
}

class BadInputs : public SystemTest, public testing::WithParamInterface<BadInput> {};

TEST_P(BadInputs, AreRefusedInOneLineThatNamesThem) {
  const Outcome outcome = Run(GetParam().arguments);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.out, "");
  ASSERT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("error: "), HasSubstr(GetParam().culprit)));
  EXPECT_EQ(api().requests().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Every, BadInputs,
    testing::Values(BadInput{{"certificate/web", "--nope"}, "unknown flag: --nope"},
                    BadInput{{"certificate/web", "-x"}, "'x' in -x"},
                    BadInput{{"certificate/web", "--timeout"}, "needs an argument: --timeout"},
                    BadInput{{"certificate/web", "--timeout=5"}, "--timeout"},
                    BadInput{{"certificate/web", "--timeout=soon"}, "\"soon\""},
                    BadInput{{"certificate/web", "--min-ready=0"}, "--min-ready"},
                    BadInput{{"certificate/web", "--for=nice"}, "\"nice\""},
                    BadInput{{"certificate/web", "--for=jsonpath={.a"}, "jsonpath"},
                    BadInput{{"certificate/web", "--log-format=xml"}, "--log-format"},
                    BadInput{{"certificate/web", "-o", "yaml"}, "yaml"},
                    BadInput{{"certificate/../web"}, "more than one slash"},
                    BadInput{{"certificate/web@"}, "no namespace"},
                    BadInput{{"secret"}, "no name was specified"},
                    BadInput{{"certificate/web", "--server=ftp://x"}, "ftp://x"},
                    BadInput{{"certificate/web", "--server=https://127.0.0.1:99999"}, "99999"},
                    BadInput{{"certificate/web", "--client-key=/k"}, "--client-certificate"},
                    BadInput{{}, "nothing to wait for"}));

TEST(NoServer, IsSaidInOneLine) {
  const Outcome outcome = StartProgram({"certlatch", "wait", "certificate/web"})->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("no API server"));
}

// --- signals ---

class Lifecycle : public SystemTest {
 protected:
  // As PID 1 of a PID namespace of its own, which is what it is in a container.
  std::unique_ptr<Subprocess> StartAsInit(const Args& arguments) {
    Args argv = WaitAt(api().url(), arguments);
    argv.erase(argv.begin());
    // The program tells its outer PID by what sh writes: unshare's only child.
    return StartInShell(R"(exec unshare --pid --fork --mount-proc --kill-child "$0" "$@")",
                        std::move(argv));
  }
  static bool NamespacesPossible() {
    Command command;
    command.path = "/bin/sh";
    command.argv = {"sh", "-c", "exec unshare --pid --fork --mount-proc true"};
    command.env = BasicEnvironment();
    const auto outcome = RunProgram(std::move(command), kHang);
    return outcome.has_value() && outcome->exit_code == 0;
  }
};

// The first child of `parent`, by the kernel's own list; 0: none.
pid_t ChildOf(pid_t parent) {
  const std::string pid = std::to_string(parent);
  const Result<std::string> children = ReadFile("/proc/" + pid + "/task/" + pid + "/children");
  return children ? static_cast<pid_t>(std::strtol(children->c_str(), nullptr, 10)) : 0;
}

TEST_F(Lifecycle, EndsAtOnceOnSigtermAndSigint) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto run = Start({"certificate/web", "--timeout=1h"});
    ASSERT_TRUE(run->WaitForStderr("not found yet", kHang)) << run->Err();
    ASSERT_TRUE(run->Signal(signal));
    const Outcome outcome = run->Wait(kHang);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_EQ(Lines(outcome.err).back(), std::string("error: interrupted by ") +
                                             (signal == SIGTERM ? "SIGTERM" : "SIGINT") +
                                             ": certificate/web: not found yet");
  }
}

TEST_F(Lifecycle, EndsAtOnceOnSigtermAsPid1) {
  if (!NamespacesPossible()) GTEST_SKIP() << "NOT TESTED: this machine allows no PID namespaces";
  for (const int signal : {SIGTERM, SIGINT}) {
    const auto run = StartAsInit({"certificate/web", "--timeout=1h"});
    ASSERT_TRUE(run->WaitForStderr("not found yet", kHang)) << run->Err();
    const pid_t init = ChildOf(run->pid());
    ASSERT_GT(init, 0);
    ASSERT_EQ(kill(init, signal), 0);
    const Outcome outcome = run->Wait(kHang);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_THAT(outcome.err, HasSubstr("error: interrupted by SIG"));
  }
}

TEST_F(Lifecycle, EndsAtOnceOnSigtermWhileTheServerIsSilent) {
  api().server().SetMode(Mode::kSilent);
  const auto run = Start({"certificate/web", "--timeout=1h"});
  ASSERT_TRUE(api().server().WaitUntil(
      [](const ServerCounts& counts) { return counts.accepted > 0; }, kHang));
  ASSERT_TRUE(run->Signal(SIGTERM));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("error: interrupted by SIGTERM"));
}

// --- input that does not end ---

class OpenInput : public Lifecycle {
 protected:
  // Standard input is a pipe that stays open.
  std::unique_ptr<Subprocess> StartWithOpenInput(const Args& arguments) {
    const std::string pipe = TempFile("pipe");
    EXPECT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    Args argv = WaitAt(api().url(), arguments);
    argv.erase(argv.begin());
    return StartInShell("exec 0<>" + pipe + R"(; exec "$0" "$@")", std::move(argv));
  }
  // False: it has ended, or never did.
  static bool WaitUntilBlocks(const Subprocess& run, int signal) {
    const std::string path = "/proc/" + std::to_string(run.pid()) + "/status";
    const auto hang = std::chrono::steady_clock::now() + kHang;
    while (std::chrono::steady_clock::now() < hang) {
      const Result<std::string> status = ReadFile(path);
      const size_t mask = status ? status->find("SigBlk:") : std::string::npos;
      if (mask == std::string::npos) return false;
      if (std::strtoull(&(*status)[mask + 7], nullptr, 16) >> (signal - 1) & 1U) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }
};

TEST_F(OpenInput, EndsOnSigterm) {
  const auto run = StartWithOpenInput({"-f", "-", "--timeout=1h"});
  // As PID 1 it would not even notice, were the signal not asked for.
  ASSERT_TRUE(WaitUntilBlocks(*run, SIGTERM)) << run->Err();
  ASSERT_TRUE(run->Signal(SIGTERM));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.err,
            "error: interrupted by SIGTERM: standard input has not ended; close it, or name a "
            "file\n");
}

TEST_F(OpenInput, EndsByTheTimeout) {
  const Outcome outcome = StartWithOpenInput({"-f", "-", "--timeout=100ms"})->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.err,
            "error: timed out: standard input has not ended; close it, or name a file\n");
}

TEST_F(Lifecycle, ReadsNoPipeThatIsNamedAsAFile) {
  const std::string pipe = TempFile("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const Args& arguments :
       {Args{"--filename=" + pipe}, Args{"dry-run:" + pipe}, Args{"pod/a", "--kubeconfig=" + pipe},
        Args{"pod/a", "--token-file=" + pipe}, Args{"pod/a", "--certificate-authority=" + pipe}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_THAT(outcome, ExitsWith(1)) << arguments.back();
    EXPECT_THAT(outcome.err, HasSubstr("pipe: not a regular file")) << arguments.back();
  }
}

// What comes from the command line must not move a terminal's cursor.
TEST(Errors, ShowWhatIsNoTextAsText) {
  const Outcome outcome =
      StartProgram({"certlatch", "install", "/no\033[2J\nerror: x"})->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("error: /no\\x1b[2J\\x0aerror: x: No such file"));
  EXPECT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
}

// --- last words ---

TEST_F(Lifecycle, LeavesItsLastWordsInTheTerminationMessage) {
  Write("words", "of an earlier and much longer life, which must not show through at the end " +
                     std::string(200, '.'));
  const Outcome outcome =
      Run({"certificate/web", "--timeout=1s", "--termination-log=" + TempFile("words")});
  EXPECT_THAT(outcome, ExitsWith(1));
  const Result<std::string> words = ReadFile(TempFile("words"));
  ASSERT_TRUE(words.has_value());
  EXPECT_EQ(*words, "error: timed out after 1s: certificate/web: not found yet\n");
}

TEST_F(Lifecycle, LeavesNoMoreThanTheKubeletTakes) {
  Write("words", "");
  Args arguments = {"--timeout=1s", "--termination-log=" + TempFile("words")};
  for (int i = 0; i < 60; ++i) {
    arguments.push_back("certificate/" + std::string(60, 'x') + std::to_string(i));
  }
  EXPECT_THAT(Run(arguments), ExitsWith(1));
  const Result<std::string> words = ReadFile(TempFile("words"));
  ASSERT_TRUE(words.has_value());
  EXPECT_EQ(words->size(), 4096U);
}

TEST_F(Lifecycle, MakesNoTerminationMessageFile) {
  EXPECT_THAT(Run({"certificate/web", "--timeout=0", "--termination-log=" + TempFile("words")}),
              ExitsWith(1));
  EXPECT_NE(access(TempFile("words").c_str(), F_OK), 0);
}

TEST_F(Lifecycle, LeavesTheTerminationMessageAloneOnSuccess) {
  Write("words", "as it was");
  api().Put(CertificateJson("web", kReady));
  EXPECT_THAT(Run({"certificate/web", "--termination-log=" + TempFile("words")}), ExitsWith(0));
  const Result<std::string> words = ReadFile(TempFile("words"));
  ASSERT_TRUE(words.has_value());
  EXPECT_EQ(*words, "as it was");
}

TEST_F(Lifecycle, LeavesItsLastWordsWhenAFileCannotBeUsed) {
  Write("words", "");
  EXPECT_THAT(
      Run({"certificate/web", "--token-file=/nowhere", "--termination-log=" + TempFile("words")}),
      ExitsWith(1));
  const Result<std::string> words = ReadFile(TempFile("words"));
  ASSERT_TRUE(words.has_value());
  EXPECT_THAT(*words, HasSubstr("/nowhere"));
}

// --- output that nobody reads ---

class FullPipe {
 public:
  explicit FullPipe(const std::string& path) {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    fd_ = UniqueFd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    const std::string page(4096, '.');
    while (write(fd_.get(), page.data(), page.size()) > 0) continue;
  }

 private:
  UniqueFd fd_;
};

TEST_F(Lifecycle, EndsByTheTimeoutThoughNobodyReadsItsOutput) {
  const FullPipe pipe(TempFile("pipe"));
  api().Put(CertificateJson("web", kNotReady));
  api().Put(EndpointsJson("db", true));
  Args argv = WaitAt(api().url(), {"certificate/web", "endpoints/db", "--timeout=2s"});
  argv.erase(argv.begin());
  const std::string to = " >" + TempFile("pipe") + " 2>&1";
  EXPECT_THAT(StartInShell("exec \"$0\" \"$@\"" + to, argv)->Wait(kHang), ExitsWith(1));
}

TEST_F(Lifecycle, EndsWellThoughNobodyReadsItsOutput) {
  const FullPipe pipe(TempFile("pipe"));
  api().Put(EndpointsJson("db", true));
  Args argv = WaitAt(api().url(), {"endpoints/db"});
  argv.erase(argv.begin());
  const std::string to = " >" + TempFile("pipe") + " 2>&1";
  EXPECT_THAT(StartInShell("exec \"$0\" \"$@\"" + to, argv)->Wait(kHang), ExitsWith(0));
}

TEST_F(Lifecycle, EndsWellWithItsOutputClosed) {
  api().Put(EndpointsJson("db", true));
  Args argv = WaitAt(api().url(), {"endpoints/db", "configmap/c", "--for=create"});
  argv.erase(argv.begin());
  api().Put(ConfigMapJson("c", "1"));
  EXPECT_THAT(StartInShell("exec \"$0\" \"$@\" <&- >&- 2>&-", argv)->Wait(kHang), ExitsWith(0));
}

}  // namespace
}  // namespace certlatch::test
