// The sidecar's life: its start, its end, its duties as PID 1, what it says. Real servers that it
// reloads are in test/apps, a real API server in test/cluster.
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>

#include "base/text.h"
#include "base/unique_fd.h"
#include "test/support/atomic_writer.h"
#include "test/support/test_client.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";

class SidecarLife : public SystemTest {
 protected:
  SidecarLife() { pair_ = NewPair(); }

  PemPair NewPair() const {
    CertSpec spec;
    spec.dns_names = {"web.example"};
    return authority().Issue(spec);
  }
  void Mount(const PemPair& pair) {
    writer_.Write({{"tls.crt", pair.cert}, {"tls.key", pair.key}});
  }
  const PemPair& pair() const { return pair_; }
  std::string volume() const { return volume_.path(); }

  Args Argv(const Args& more, const std::string& listen = "off") const {
    Args argv = {"certlatch", "sidecar", "--volume=" + volume(), "--listen=" + listen};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  std::unique_ptr<Subprocess> StartSidecar(const Args& more) const {
    return StartProgram(Argv(more));
  }

 private:
  TempDir volume_;
  AtomicWriter writer_{volume_.path()};
  PemPair pair_;
};

TEST_F(SidecarLife, NeedsNoApiServerUnlessSomethingIsExpectedOfIt) {
  Mount(pair());
  const auto run = StartSidecar({});
  EXPECT_TRUE(run->WaitForStderr("nothing to tell, nothing to prove", kHang)) << run->Err();
  EXPECT_TRUE(run->WaitForStderr("leaf " + CertFingerprint(pair().cert).substr(0, 12), kHang));
  ASSERT_TRUE(run->Signal(SIGTERM));
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(SidecarLife, WaitsForAVolumeThatIsFilledLater) {
  const auto run = StartSidecar({});
  EXPECT_TRUE(run->WaitForStderr("tls.crt is missing", kHang)) << run->Err();
  Mount(pair());
  EXPECT_TRUE(run->WaitForStderr("Certificate loaded and verified", kHang)) << run->Err();
}

TEST_F(SidecarLife, EndsWithLastWordsWhenThereIsNoPairInTime) {
  Write("words", "");
  const Outcome outcome =
      StartSidecar({"--timeout=1s", "--termination-log=" + TempFile("words")})->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  const Result<std::string> words = ReadFile(TempFile("words"));
  ASSERT_TRUE(words.has_value());
  EXPECT_THAT(*words, HasSubstr("error: no verified certificate after 1s: Certificate not usable: "
                                "tls.crt is missing"));
}

TEST_F(SidecarLife, RefusesAPortThatIsTaken) {
  Mount(pair());
  const UniqueFd taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(taken.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(taken.get(), 1), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const Outcome outcome = StartProgram(Argv({}, where))->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("cannot listen on " + where + ": "));
  EXPECT_THAT(outcome.err, HasSubstr("in use"));  // C libraries say it in words of their own
}

TEST_F(SidecarLife, IsAnInitContainerFirst) {
  Mount(pair());
  Args argv = FlagsFor(api().url());
  argv.insert(argv.end(), {"--wait=certificate/web"});
  const auto run = StartSidecar(argv);
  EXPECT_TRUE(run->WaitForStderr("certificate/web: not found yet", kHang)) << run->Err();
  EXPECT_THAT(run->Err(), Not(HasSubstr("verified")));
  api().Put(CertificateJson("web", kReady));
  EXPECT_TRUE(run->WaitForStderr("Certificate loaded and verified", kHang)) << run->Err();
  EXPECT_EQ(run->Out(), "certificate.cert-manager.io/web condition met\n");
}

TEST_F(SidecarLife, IsInterruptedWithSuccessBeforeItsTargetsAreMet) {
  Args argv = FlagsFor(api().url());
  argv.insert(argv.end(), {"--wait=certificate/web"});
  const auto run = StartSidecar(argv);
  ASSERT_TRUE(run->WaitForStderr("certificate/web: not found yet", kHang)) << run->Err();
  ASSERT_TRUE(run->Signal(SIGTERM));
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

// In a container it is PID 1: what its commands leave behind becomes its child.
TEST_F(SidecarLife, ReapsWhatItsCommandsLeaveAsPid1) {
  Mount(pair());
  // The second one is an orphan at once, ends when it is told to, and is nobody's but PID 1's.
  const std::string script = "sleep 0 & exec sh -c '(exec cat " + TempFile("fifo") + ") & exit 0'";
  ASSERT_EQ(std::system(("mkfifo " + TempFile("fifo")).c_str()), 0);
  Args argv = Argv({"--exec", "--", "/bin/sh", "-c", script});
  argv.erase(argv.begin());
  const auto run = StartInShell(R"(exec unshare --pid --fork --mount-proc --kill-child "$0" "$@")",
                                std::move(argv));
  if (!run->WaitForStderr("told, not proven", kHang)) {
    if (run->Err().find("unshare") != std::string::npos) {
      GTEST_SKIP() << "NOT TESTED: this machine allows no PID namespaces";
    }
    FAIL() << run->Err();
  }
  // In its namespace there is nobody but it: whoever was left was killed and reaped.
  const auto children_of = [](const std::string& pid) {
    return ReadFile(Format("/proc/%s/task/%s/children", pid.c_str(), pid.c_str()));
  };
  const Result<std::string> pid = children_of(std::to_string(run->pid()));
  ASSERT_TRUE(pid.has_value());
  const std::string sidecar = pid->substr(0, pid->find(' '));
  std::string children = "?";
  for (int i = 0; i < 2000 && !children.empty(); ++i) {
    const auto read = children_of(sidecar);
    ASSERT_TRUE(read.has_value());
    children = *read;
    usleep(5000);  // the kernel tells nobody of it
  }
  EXPECT_EQ(children, "");
}

TEST_F(SidecarLife, NeverTellsWhatItsKeyOrItsHeadersAre) {
  Mount(pair());
  const auto run = StartSidecar({"--http=POST http://127.0.0.1:1/reload",
                                 "--http-header=Authorization: Bearer wAlrus-header",
                                 "--http-timeout=1s", "-v=1"});
  EXPECT_TRUE(run->WaitForStderr("Telling the app failed", kHang)) << run->Err();
  const Result<std::string> arguments =
      ReadFile("/proc/" + std::to_string(run->pid()) + "/cmdline");
  ASSERT_TRUE(arguments.has_value());
  EXPECT_THAT(*arguments, HasSubstr("--volume"));
  EXPECT_THAT(*arguments, Not(HasSubstr("wAlrus")));
  ASSERT_TRUE(run->Signal(SIGTERM));
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
  EXPECT_THAT(run->Err(), Not(HasSubstr("wAlrus")));
  EXPECT_THAT(run->Err(), Not(HasSubstr("PRIVATE")));
}

}  // namespace
}  // namespace certlatch::test
