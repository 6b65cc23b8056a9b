// `certlatch sidecar` beside real servers: each rotation that the volume brings ends in the app
// serving the new leaf, or in a line that says why not.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "test/apps/apps_fixture.h"
#include "test/apps/haproxy.h"
#include "test/apps/nginx.h"
#include "test/apps/postgres.h"
#include "test/apps/stub.h"
#include "test/apps/stunnel.h"

namespace certlatch::test {
namespace {

const Args kHupNginx = {"--signal=HUP", "--process=nginx"};
const Args kHupStub = {"--signal=HUP", "--process=stub_app"};

Args With(Args arguments, const Args& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// An EC key as files had it before PKCS#8, with the public point of `other` at its end.
std::string KeyWithForeignPoint(const std::string& key, const std::string& other) {
  constexpr size_t kPoint = 64;  // P-256: X and Y
  std::string der = PemDer(TraditionalKeyPem(key));
  const std::string foreign = PemDer(TraditionalKeyPem(other));
  der.replace(der.size() - kPoint, kPoint, foreign, foreign.size() - kPoint, kPoint);
  return PemBlock("EC PRIVATE KEY", der);
}

class SidecarTest : public AppsTest {
 protected:
  // Starts where app and volume agree, then rotates.
  void ExpectRotations(const SidecarRun& sidecar, const App& app, TlsVolume& volume,
                       const PemPair& first) const {
    ExpectConverged(sidecar, app, first);
    EXPECT_EQ(sidecar.Metric(kTold), "0") << "it was told although it serves the mounted leaf";
    for (const char* times : {"1", "2"}) {
      const PemPair pair = NewPair();
      volume.Write(pair);
      ExpectConverged(sidecar, app, pair);
      EXPECT_EQ(sidecar.Metric(kTold), times) << sidecar.Log();
    }
    EXPECT_EQ(sidecar.CountLines({"level=warning"}), 0U) << sidecar.Log();
  }

  static constexpr char kTold[] = "certlatch_reload_successes_total{method=\"signal\"}";
  static constexpr char kNotFound[] =
      "certlatch_reload_failures_total{method=\"signal\",reason=\"not_found\"}";
};

// --- four servers -----------------------------------------------------------------------------

TEST_F(SidecarTest, NginxServesEachNewLeaf) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(*volume, nginx, kHupNginx));
  ExpectRotations(sidecar, nginx, *volume, first);
}

TEST_F(SidecarTest, HaproxyServesEachNewLeaf) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Haproxy haproxy(*volume);
  const SidecarRun sidecar(For(*volume, haproxy, {"--signal=USR2", "--process=haproxy"}));
  ExpectRotations(sidecar, haproxy, *volume, first);
}

TEST_F(SidecarTest, StunnelServesEachNewLeaf) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stunnel stunnel(*volume);
  const SidecarRun sidecar(For(*volume, stunnel, {"--signal=HUP", "--process=stunnel4"}));
  ExpectRotations(sidecar, stunnel, *volume, first);
}

// As in its pod: both containers have the same runAsUser and runAsGroup, which the key is given to.
TEST_F(SidecarTest, PostgresServesEachNewLeaf) {
  SKIP_UNLESS_ROOT();
  const PemPair first = NewPair();
  const auto volume = Mount(first, Postgres::Rules());
  const Postgres postgres(*volume);
  const SidecarRun sidecar(
      For(*volume, postgres, {"--signal=HUP", "--pid-file=" + postgres.PidFile()}),
      RunAs{Postgres::User(), Postgres::Group()});
  ExpectRotations(sidecar, postgres, *volume, first);
}

// Its workers have its name, too, and are its children.
TEST_F(SidecarTest, PostgresIsFoundByItsName) {
  SKIP_UNLESS_ROOT();
  const PemPair first = NewPair();
  const auto volume = Mount(first, Postgres::Rules());
  const Postgres postgres(*volume);
  const SidecarRun sidecar(For(*volume, postgres, {"--signal=HUP", "--process=postgres"}),
                           RunAs{Postgres::User(), Postgres::Group()});
  ExpectRotations(sidecar, postgres, *volume, first);
}

// --- nginx: what must not be lost ---------------------------------------------------------------

TEST_F(SidecarTest, RequestsInFlightEndOnTheConnectionsThatTheyBeganOn) {
  constexpr size_t kPage = size_t{32} << 20;  // more than the sockets' buffers hold
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  nginx.WritePage("page", kPage);
  const SidecarRun sidecar(For(*volume, nginx, kHupNginx));
  ExpectConverged(sidecar, nginx, first);

  const auto upload = TestClient::Connect(nginx.port(), authority().cert_pem());
  const auto download = TestClient::Connect(nginx.port(), authority().cert_pem());
  ASSERT_TRUE(upload && download);
  for (TestClient* client : {upload.get(), download.get()}) {  // established, and kept alive
    const std::optional<Response> page = client->Request("GET", "/");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->body, "served");
  }
  ASSERT_TRUE(upload->SendRequest("POST", "/upload", "", "Content-Length: 8\r\n"));
  ASSERT_TRUE(upload->Send("half"));
  ASSERT_TRUE(download->SendRequest("GET", "/page"));
  ASSERT_TRUE(download->ReadHead());

  const PemPair pair = NewPair();
  volume->Write(pair);
  ExpectConverged(sidecar, nginx, pair);

  ASSERT_TRUE(upload->Send("half"));
  const std::optional<Response> taken = upload->ReadResponse();
  ASSERT_TRUE(taken) << nginx.process().Err();
  EXPECT_EQ(taken->status, 200);
  EXPECT_EQ(taken->body, "taken");
  EXPECT_EQ(download->ReadExactly(kPage).value_or("").size(), kPage) << nginx.process().Err();
}

TEST_F(SidecarTest, NginxIsNotToldOfAKeyOfAnotherCertificate) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(*volume, nginx, kHupNginx));
  ExpectConverged(sidecar, nginx, first);

  const PemPair pair = NewPair();
  volume->Write({{"tls.crt", pair.cert}, {"tls.key", first.key}});
  EXPECT_TRUE(sidecar.Says({"event=not_usable", "tls.key"}));
  EXPECT_TRUE(sidecar.MetricBecomes("certlatch_alarm{alarm=\"pair\"}", "1"));
  EXPECT_EQ(nginx.ServedLeaf(), CertFingerprint(first.cert));
  EXPECT_EQ(sidecar.Get("/readyz")->status, 200) << "the old certificate is good";

  volume->Write(pair);
  ExpectConverged(sidecar, nginx, pair);
  EXPECT_EQ(nginx.Hups(), 1U);
  EXPECT_EQ(sidecar.Metric("certlatch_alarm{alarm=\"pair\"}"), "0");
}

// A key file may name another public key than its own, which nothing but a signature shows.
TEST_F(SidecarTest, NginxIsNotToldOfAKeyWhosePublicPointIsNotItsOwn) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(*volume, nginx, kHupNginx));
  ExpectConverged(sidecar, nginx, first);

  const PemPair pair = NewPair();
  volume->Write(
      {{"tls.crt", pair.cert}, {"tls.key", KeyWithForeignPoint(NewPair().key, pair.key)}});
  EXPECT_TRUE(sidecar.Says({"event=not_usable", "tls.key"}));
  EXPECT_EQ(nginx.Hups(), 0U);

  volume->Write(pair);
  ExpectConverged(sidecar, nginx, pair);
  EXPECT_EQ(nginx.Hups(), 1U);
}

TEST_F(SidecarTest, AReloadThatNginxRefusesIsSeenAndHealsWithItsConfiguration) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(*volume, nginx, With(kHupNginx, {"--prove-within=1s"})));
  ExpectConverged(sidecar, nginx, first);

  nginx.WriteInclude("this is no directive;");
  const PemPair pair = NewPair();
  volume->Write(pair);
  EXPECT_TRUE(sidecar.Says({"level=error", "event=broken", "app serves an old certificate"}));
  EXPECT_TRUE(sidecar.MetricBecomes("certlatch_alarm{alarm=\"broken\"}", "1"));
  EXPECT_EQ(nginx.ServedLeaf(), CertFingerprint(first.cert));
  EXPECT_EQ(sidecar.Get("/readyz")->status, 200) << "the old certificate is good";

  nginx.WriteInclude("");
  ExpectConverged(sidecar, nginx, pair);
  EXPECT_EQ(sidecar.Metric("certlatch_alarm{alarm=\"broken\"}"), "0");
}

TEST_F(SidecarTest, UnreadyWhenBrokenTakesThePodOut) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stub stub(*volume, "ignore");
  const SidecarRun sidecar(
      For(*volume, stub, With(kHupStub, {"--prove-within=1s", "--unready-when=broken"})));
  ExpectConverged(sidecar, stub, first);
  volume->Write(NewPair());
  EXPECT_TRUE(sidecar.Says({"event=broken"}));
  EXPECT_TRUE(Eventually([&] { return sidecar.Get("/readyz")->status == 503; }));
  EXPECT_EQ(sidecar.Get("/healthz")->status, 200);
}

// --- apps of their own mind ---------------------------------------------------------------------

TEST_F(SidecarTest, AnAppThatIgnoresTheSignalIsFoundOutByTheProof) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stub stub(*volume, "ignore");
  const SidecarRun sidecar(For(*volume, stub, With(kHupStub, {"--prove-within=1s"})));
  ExpectConverged(sidecar, stub, first);

  volume->Write(NewPair());
  EXPECT_TRUE(stub.GotHups(1));
  EXPECT_TRUE(sidecar.Says({"level=error", "event=broken", "app serves an old certificate"}));
  EXPECT_TRUE(sidecar.MetricBecomes("certlatch_state{state=\"broken\"}", "1"));
  EXPECT_EQ(sidecar.Metric("certlatch_fingerprints_agree{between=\"mounted_served\"}"), "0");
  EXPECT_TRUE(stub.GotHups(2)) << "it gave up";
}

TEST_F(SidecarTest, AnAppThatLoadsLateIsWaitedForAndToldOnce) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stub stub(*volume, "late");
  const SidecarRun sidecar(For(*volume, stub, With(kHupStub, {"--prove-within=60s"})));
  ExpectConverged(sidecar, stub, first);

  const PemPair pair = NewPair();
  volume->Write(pair);
  EXPECT_TRUE(stub.GotHups(1));
  EXPECT_TRUE(sidecar.MetricBecomes("certlatch_state{state=\"proving\"}", "1"));
  stub.LoadNow();
  ExpectConverged(sidecar, stub, pair);
  EXPECT_EQ(stub.Hups(), 1U);
}

// Its first signal could come before it has a handler.
TEST_F(SidecarTest, AnAppThatStartsAfterTheSidecarIsNotSignalledForWhatItHasRead) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const uint16_t port = FreePort();
  const SidecarRun sidecar(
      With({"--volume=" + volume->path(), "--prove=127.0.0.1:" + std::to_string(port)}, kHupStub));
  EXPECT_TRUE(sidecar.Says({"event=verified"}));
  const Stub stub(*volume, "reload", port);
  ExpectConverged(sidecar, stub, first);
  EXPECT_EQ(stub.Hups(), 0U);
}

TEST_F(SidecarTest, ANewPairMountedWhileTheSidecarWasAwayIsTold) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stub stub(*volume, "reload");
  const PemPair pair = NewPair();
  volume->Write(pair);
  const SidecarRun sidecar(For(*volume, stub, kHupStub));
  ExpectConverged(sidecar, stub, pair);
  EXPECT_EQ(stub.Hups(), 1U);
}

TEST_F(SidecarTest, AnAppThatRestartsIsServedAndProvenAgain) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const uint16_t port = FreePort();
  auto stub = std::make_unique<Stub>(*volume, "reload", port);
  const SidecarRun sidecar(For(*volume, *stub, kHupStub));
  ExpectConverged(sidecar, *stub, first);
  stub.reset();
  const PemPair pair = NewPair();
  volume->Write(pair);
  EXPECT_TRUE(sidecar.Says({"event=reload_failed", "no process named stub_app"}));
  // What starts in the same hundredth of a second, the kernel's unit of start times, may be older
  // than the files, and is told to be on the safe side.
  std::this_thread::sleep_for(20ms);
  stub = std::make_unique<Stub>(*volume, "reload", port);
  ExpectConverged(sidecar, *stub, pair);
  EXPECT_EQ(stub->Hups(), 0U) << "it started with the new files\n" << sidecar.Log();
}

// --- whom the signal must not reach -------------------------------------------------------------

TEST_F(SidecarTest, ARecycledPidIsNeverSignalled) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stub victim(*volume, "reload");
  const TempDir dir;
  const std::string pid_file = dir.File("app.pid");
  ASSERT_TRUE(WriteFile(pid_file, std::to_string(victim.pid()) + "\n", 0644));
  const timespec an_hour_ago[2] = {{time(nullptr) - 3600, 0}, {time(nullptr) - 3600, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, pid_file.c_str(), an_hour_ago, 0), 0);
  const SidecarRun sidecar(For(*volume, victim, {"--signal=HUP", "--pid-file=" + pid_file}));
  ExpectConverged(sidecar, victim, first);

  volume->Write(NewPair());
  EXPECT_TRUE(sidecar.Says({"event=reload_failed", "another process has its PID now"}));
  EXPECT_TRUE(sidecar.MetricBecomes(kNotFound, "2"));  // it has tried again
  EXPECT_EQ(victim.Hups(), 0U);
  EXPECT_TRUE(victim.IsAlive());
}

TEST_F(SidecarTest, OfTwoMastersNeitherIsSignalledAndBothAreNamed) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx one(*volume);
  auto two = std::make_unique<Nginx>(*volume);
  const SidecarRun sidecar(For(*volume, one, kHupNginx));
  ExpectConverged(sidecar, one, first);

  const PemPair pair = NewPair();
  volume->Write(pair);
  EXPECT_TRUE(sidecar.Says({"event=reload_failed", "several processes named nginx: ",
                            std::to_string(one.pid()), std::to_string(two->pid())}));
  EXPECT_TRUE(sidecar.MetricBecomes(
      "certlatch_reload_failures_total{method=\"signal\",reason=\"ambiguous\"}", "1"));
  EXPECT_EQ(one.Hups() + two->Hups(), 0U);
  two.reset();
  ExpectConverged(sidecar, one, pair);
}

TEST_F(SidecarTest, AnotherUsersAppNeedsRunAsUserAndTheLogSaysSo) {
  SKIP_UNLESS_ROOT();
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(*volume, nginx, kHupNginx), RunAs{65532, 65532});
  ExpectConverged(sidecar, nginx, first);
  volume->Write(NewPair());
  EXPECT_TRUE(
      sidecar.Says({"event=reload_failed", "set runAsUser: 0, the app's", "certlatch has 65532"}));
  EXPECT_TRUE(sidecar.MetricBecomes(
      "certlatch_reload_failures_total{method=\"signal\",reason=\"denied\"}", "1"));
  EXPECT_EQ(nginx.Hups(), 0U);
}

// --- the end ------------------------------------------------------------------------------------

TEST_F(SidecarTest, SigtermEndsItWithSuccess) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(*volume, nginx, kHupNginx));
  ExpectConverged(sidecar, nginx, first);
  sidecar.process().Signal(SIGTERM);
  EXPECT_THAT(sidecar.process().Wait(kPatience), ExitsWith(0));
  EXPECT_TRUE(nginx.IsAlive());
}

TEST_F(SidecarTest, SigtermEndsItInTheMiddleOfACommandThatHangs) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Stub stub(*volume, "ignore");
  const TempDir dir;
  ASSERT_EQ(mkfifo(dir.File("end").c_str(), 0600), 0);
  const SidecarRun sidecar(For(*volume, stub,
                               {"--exec-timeout=10m", "--exec", "--", "/bin/sh", "-c",
                                "echo began >$0/began; exec cat $0/end", dir.path()}));
  ExpectConverged(sidecar, stub, first);
  volume->Write(NewPair());
  EXPECT_TRUE(Eventually([&] { return ReadFile(dir.File("began")).has_value(); })) << sidecar.Log();
  sidecar.process().Signal(SIGTERM);
  EXPECT_THAT(sidecar.process().Wait(kPatience), ExitsWith(0));
}

// PID 1 of a container has no parent that would reap for it.
TEST_F(SidecarTest, ACommandMayReloadTheAppAndLeavesNoZombie) {
  const PemPair first = NewPair();
  const auto volume = Mount(first);
  const Nginx nginx(*volume);
  const SidecarRun sidecar(For(
      *volume, nginx, {"--exec", "--", "/bin/sh", "-c", "kill -HUP $(cat $0)", nginx.PidFile()}));
  ExpectConverged(sidecar, nginx, first);
  const PemPair pair = NewPair();
  volume->Write(pair);
  ExpectConverged(sidecar, nginx, pair);
  const std::string pid = std::to_string(sidecar.process().pid());
  const auto children = ReadFile("/proc/" + pid + "/task/" + pid + "/children");
  EXPECT_TRUE(children && children->empty()) << (children ? *children : children.error().text);
}

}  // namespace
}  // namespace certlatch::test
