// Under the name sh, certlatch does the wait loops of a script itself. Nothing is ever executed.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::unique_ptr<Subprocess> Sh(const std::string& script, Args env = {}) {
  return StartProgram({"/bin/sh", "-c", script}, std::move(env));
}

// A port that is taken, and refuses until Listen().
class Port {
 public:
  Port() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, any, size), 0);
    EXPECT_EQ(getsockname(fd_, any, &size), 0);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { close(fd_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  void Listen() const { EXPECT_EQ(listen(fd_, 8), 0); }
  std::string text() const { return std::to_string(number_); }

 private:
  int fd_;
  uint16_t number_ = 0;
};

TEST(AsShell, WaitsForAPortAsNcDoes) {
  const Port port;
  const auto sh = Sh("until nc -z -w 2 127.0.0.1 $PORT; do echo -n .; sleep 0.3; done; echo up",
                     {"PORT=" + port.text()});
  ASSERT_TRUE(sh->WaitForStdout("..", kHang)) << sh->Err();
  port.Listen();
  const Outcome outcome = sh->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(outcome.out, HasSubstr(".up\n"));
  EXPECT_EQ(CountOf(outcome.err, "certlatch: tcp://127.0.0.1:" + port.text()), 1U) << outcome.err;
}

TEST(AsShell, WaitsForAnAnswerAsCurlDoes) {
  int asked = 0;
  ScriptedServer server({}, [&asked](const HttpRequest&, Connection& connection) {
    SendStatus(connection, MakeError(++asked < 3 ? 503 : 404, "x", "not yet"));
  });
  const auto sh = Sh("until [ \"$(curl -s -o /dev/null -w '%{http_code}' " + server.url() +
                     "/)\" -eq 404 ]; do sleep 0.2; done; echo found; until curl -sf " +
                     server.url() + "/; do sleep 0.2; done");
  ASSERT_TRUE(sh->WaitForStdout("found\n", kHang)) << sh->Err();
  ASSERT_TRUE(sh->WaitForStderr("HTTP 404", kHang)) << sh->Err();
  EXPECT_EQ(sh->Out(), "found\n");
}

TEST(AsShell, WaitsForAFile) {
  const TempDir dir;
  const auto sh = Sh("while [ ! -f " + dir.File("ready") + " ]; do echo no; sleep 0.2; done");
  ASSERT_TRUE(sh->WaitForStdout("no\nno\n", kHang)) << sh->Err();
  ASSERT_TRUE(WriteFile(dir.File("ready"), ""));
  EXPECT_THAT(sh->Wait(kHang), ExitsWith(0));
}

TEST(AsShell, WaitsForAName) {
  EXPECT_THAT(Sh("until nslookup localhost; do sleep 0.2; done")->Wait(kHang), ExitsWith(0));
  const auto sh = Sh("until getent hosts no-such-name.invalid; do echo no; sleep 0.2; done");
  ASSERT_TRUE(sh->WaitForStdout("no\nno\n", kHang)) << sh->Err();
}

TEST(AsShell, EndsAtOnceWhenItsContainerIsStopped) {
  const Port port;
  const auto sh = Sh("until nc -z 127.0.0.1 " + port.text() + "; do sleep 1000; done; echo never");
  ASSERT_TRUE(sh->WaitForStderr("certlatch: tcp://", kHang)) << sh->Err();
  ASSERT_TRUE(sh->Signal(SIGTERM));
  const Outcome outcome = sh->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("interrupted by SIGTERM"));
  EXPECT_EQ(outcome.out, "");
}

TEST(AsShell, RefusesWhatIsNoWaitLoop) {
  const TempDir dir;
  const std::string file = dir.File("x");
  const Outcome outcome =
      Sh("echo before; touch " + file + "; until nc -z db 1; do sleep 1; done")->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.out, "");  // nothing is begun
  EXPECT_EQ(outcome.err,
            "error: sh -c: cannot do \"touch\"; for the rest: certlatch wait tcp://db:1\n");
  EXPECT_NE(access(file.c_str(), F_OK), 0);
}

TEST(AsShell, RefusesWhatIsNoScript) {
  for (const Args& argv : {Args{"bash"}, Args{"sh", "script.sh"}, Args{"sh", "-e", "-c"}}) {
    const Outcome outcome = StartProgram(argv)->Wait(kHang);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_THAT(outcome.err, HasSubstr("-c SCRIPT"));
  }
}

TEST(AsShell, TakesTheShellsOptions) {
  const std::string script = "echo $HOME";
  for (const Args& options :
       {Args{"-c"}, Args{"-ec"}, Args{"-euxc"}, Args{"-lc"}, Args{"-eu", "-o", "pipefail", "-c"},
        Args{"-euo", "pipefail", "-c"}}) {
    Args argv = {"bash"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {script, "name", "argument"});
    const Outcome outcome = StartProgram(argv, Args{"HOME=/h"})->Wait(kHang);
    EXPECT_THAT(outcome, ExitsWith(0));
    EXPECT_EQ(outcome.out, "/h\n");
  }
  const Outcome unset = StartProgram({"sh", "-uc", script}, Args{"X=1"})->Wait(kHang);
  EXPECT_EQ(unset.err, "error: sh -c: $HOME is not set\n");
}

class AsShellInCluster : public SystemTest {};

TEST_F(AsShellInCluster, ShowsNoTokenOfItsScript) {
  api().Put(CertificateJson("web", R"({"conditions":[{"type":"Ready","status":"False"}]})"));
  const auto sh = Sh("until kubectl get certificate web --server=" + api().url() +
                     " --certificate-authority=" + CaFile() + " --token=" + std::string(kToken) +
                     " -o jsonpath={.status.conditions[0].status} | grep True; do sleep 1; done");
  ASSERT_TRUE(sh->WaitForStderr("False", kHang)) << sh->Err();
  const auto arguments = ReadFile("/proc/" + std::to_string(sh->pid()) + "/cmdline");
  ASSERT_TRUE(arguments);
  EXPECT_THAT(*arguments, AllOf(HasSubstr("/bin/sh"), Not(HasSubstr(std::string(kToken)))));
  api().Put(CertificateJson("web", R"({"conditions":[{"type":"Ready","status":"True"}]})"));
  const Outcome outcome = sh->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(outcome.err, Not(HasSubstr(std::string(kToken))));
}

TEST_F(AsShellInCluster, LooksAtTheObjectsOfAManifest) {
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.File("web.json"), R"({"apiVersion":"cert-manager.io/v1",
      "kind":"Certificate","metadata":{"name":"web","namespace":"default"}})"));
  api().Put(CertificateJson("web", R"({"conditions":[{"type":"Ready","status":"True"}]})"));
  const std::string kubectl = "kubectl wait --server=" + api().url() +
                              " --certificate-authority=" + CaFile() +
                              " --token=" + std::string(kToken) + " -f " + dir.File("web.json");
  const Outcome gone = Sh(kubectl + " --for=delete --timeout=1s")->Wait(kHang);
  EXPECT_THAT(gone, ExitsWith(1));
  EXPECT_THAT(gone.err, HasSubstr("timed out waiting for the condition on certificates/web"));
  const Outcome ready = Sh(kubectl + " --for=condition=Ready --timeout=30s")->Wait(kHang);
  EXPECT_THAT(ready, ExitsWith(0));
  EXPECT_EQ(ready.out, "certificate.cert-manager.io/web condition met\n");
}

// What a script names is not run: the kernel sees one program start, and no process but threads of
// the sanitizers'.
TEST_F(AsShellInCluster, ExecutesNothing) {
  if (access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "NOT TESTED: no strace";
  api().Put(CertificateJson("web", R"({"conditions":[{"type":"Ready","status":"True"}]})"));
  const Port port;
  port.Listen();
  const std::string kubectl = "kubectl --server=" + api().url() +
                              " --certificate-authority=" + CaFile() +
                              " --token=" + std::string(kToken);
  const std::string script = "echo a; until nc -z 127.0.0.1 " + port.text() +
                             "; do sleep 1; done; until " + kubectl +
                             " get certificate web | : ; do sleep 1; done";
  const std::string fine = "echo a; date; until nc -z 127.0.0.1 " + port.text() +
                           "; do sleep 1; done; until " + kubectl +
                           " get certificate web; do sleep 1; done; " + kubectl +
                           " wait --for=condition=Ready certificate/web && echo b";
  for (const std::string& one : {script, fine}) {
    Command command;
    command.path = "/usr/bin/strace";
    // A name of its own for the program: strace gives its path as argv[0].
    const TempDir dir;
    ASSERT_EQ(symlink(CertlatchBinary().c_str(), dir.File("sh").c_str()), 0);
    command.argv = {
        "strace",          "-f",           "-qq", "-e", "trace=execve,execveat,fork,vfork", "-o",
        dir.File("trace"), dir.File("sh"), "-c",  one};
    command.env = BasicEnvironment();
    command.env.emplace_back("ASAN_OPTIONS=detect_leaks=0");  // it traces, too
    const auto outcome = RunProgram(std::move(command), kHang);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->exit_code, one.find("| :") != std::string::npos ? 1 : 0) << outcome->err;
    const auto trace = ReadFile(dir.File("trace"));
    ASSERT_TRUE(trace);
    EXPECT_EQ(CountOf(*trace, "execve"), 1U) << *trace;
    EXPECT_EQ(CountOf(*trace, "fork("), 0U) << *trace;
  }
}

}  // namespace
}  // namespace certlatch::test
