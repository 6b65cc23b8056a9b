// A certificate's way from the Secret to the app: `publish` tells the Lease, kubelet brings the
// files (here: AtomicWriter), `sidecar` verifies them and has the app reload. Against the real API
// server, also while it goes away: these tests take it from everybody else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/base64.h"
#include "domain/digest.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/atomic_writer.h"
#include "test/support/files.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

class Rotation : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Renew();
    Create(Path("v1", "secrets"), SecretJson());
    Mount();
  }
  void TearDown() override {
    if (!IsSkipped() && !access().run_dir.empty() && api().Get("/readyz").status != 200) {
      EXPECT_EQ(RunScript("restart-apiserver.sh", {"restart"}).exit_code, 0);
    }
  }

  // What cert-manager does, then what kubelet does, some time later.
  void Renew() {
    CertSpec spec;
    spec.dns_names = {"web.example"};
    spec.not_after = 24h * ++generation_;
    pair_ = authority_.Issue(spec);
  }
  void UpdateSecret() { Patch(Path("v1", "secrets", "web-tls"), SecretJson()); }
  void Mount() {
    writer_.Write(
        {{"tls.crt", pair_.cert}, {"tls.key", pair_.key}, {"ca.crt", authority_.cert_pem()}});
  }

  std::string SecretJson() const {
    return R"({"metadata":{"name":"web-tls"},"type":"kubernetes.io/tls","data":{"tls.crt":")" +
           EncodeBase64(pair_.cert) + R"(","tls.key":")" + EncodeBase64(pair_.key) +
           R"(","ca.crt":")" + EncodeBase64(authority_.cert_pem()) + R"("}})";
  }
  std::string LeasePath(const std::string& name = "web") const {
    return Path("coordination.k8s.io/v1", "leases", name);
  }
  std::string Annotation(const std::string& name) {
    const Result<Json> lease = ParseJson(api().Get(LeasePath()).body);
    if (!lease) return "";
    return std::string((*lease)["metadata"]["annotations"]["kubetemplater.io/" + name].AsString());
  }
  bool IsAnnounced() { return Annotation("cert-hash") == HexLower(Sha256(pair_.cert)); }
  // What the app has read when it was told last.
  bool AppHasIt() const {
    const Result<std::string> read = ReadFile(dir_.File("read-by-app"));
    return read && *read == pair_.cert;
  }

  Process StartPublisher(std::vector<std::string> more = {"--create"}) const {
    more.insert(more.end(), {"--lease=web", "--secret=web-tls"});
    return StartMode("publish", more);
  }
  // Its app's reload is to read the certificate.
  std::vector<std::string> FollowerFlags() const {
    return {"--volume=" + volume(),
            "--expect=lease/web",
            "--listen=off",
            "--resync=2s",
            "--exec",
            "--",
            "/bin/cp",
            volume() + "/tls.crt",
            dir_.File("read-by-app")};
  }
  Process StartFollower() const { return StartMode("sidecar", FollowerFlags()); }
  std::string volume() const { return dir_.path(); }

 private:
  CertAuthority authority_;
  PemPair pair_;
  int generation_ = 0;
  TempDir dir_;
  AtomicWriter writer_{dir_.path()};
};

TEST_F(Rotation, GoesFromTheSecretByTheLeaseToTheApp) {
  const Process follower = StartFollower();
  ExpectSays(follower, "lease/web: does not exist");
  const Process publisher = StartPublisher();
  ExpectSays(follower, "Lease watch event received");
  EXPECT_TRUE(Eventually([&] { return AppHasIt(); })) << follower->Err();
  EXPECT_TRUE(IsAnnounced());
  EXPECT_EQ(Annotation("cert-ready"), "true");
  for (int i = 0; i < 3; ++i) {
    Renew();
    UpdateSecret();
    EXPECT_TRUE(Eventually([&] { return IsAnnounced(); })) << publisher->Err();
    ExpectSays(follower, "Certificate hash mismatch, waiting for kubelet sync");
    EXPECT_FALSE(AppHasIt());
    Mount();
    EXPECT_TRUE(Eventually([&] { return AppHasIt(); })) << follower->Err();
  }
  for (const Process* process : {&publisher, &follower}) {
    EXPECT_TRUE((*process)->Signal(SIGTERM));
    EXPECT_EQ((*process)->Wait(kPatience).exit_code, 0) << (*process)->Err();
    EXPECT_THAT((*process)->Err(), testing::Not(HasSubstr("PRIVATE")));
  }
}

TEST_F(Rotation, GoesOnAcrossARestartOfTheApiServer) {
  const Process publisher = StartPublisher();
  const Process follower = StartFollower();
  EXPECT_TRUE(Eventually([&] { return AppHasIt(); })) << follower->Err();
  EXPECT_EQ(RunScript("restart-apiserver.sh", {"stop"}, {"SIG=KILL"}).exit_code, 0);
  ExpectSays(follower, "Lease watch closed, restarting watch");
  EXPECT_EQ(RunScript("restart-apiserver.sh", {"start"}).exit_code, 0);
  Renew();
  UpdateSecret();
  EXPECT_TRUE(Eventually([&] { return IsAnnounced(); })) << publisher->Err();
  Mount();
  EXPECT_TRUE(Eventually([&] { return AppHasIt(); })) << follower->Err();
}

TEST_F(Rotation, InWhichTheMountIsFirstWaitsForTheLease) {
  const Process publisher = StartPublisher();
  const Process follower = StartFollower();
  EXPECT_TRUE(Eventually([&] { return AppHasIt(); })) << follower->Err();
  Renew();
  Mount();
  ExpectSays(follower, "Certificate is not the expected one, waiting for it to be announced");
  EXPECT_FALSE(AppHasIt());
  UpdateSecret();
  EXPECT_TRUE(Eventually([&] { return AppHasIt(); })) << follower->Err();
}

// A leader-election client that PUTs the whole Lease knows no annotations.
TEST_F(Rotation, IsAnnouncedAnewWhereALeaderElectionClientDroppedIt) {
  const Process publisher = StartPublisher();
  EXPECT_TRUE(Eventually([&] { return IsAnnounced(); })) << publisher->Err();
  Patch(LeasePath(), R"({"metadata":{"annotations":null},"spec":{"holderIdentity":"a"}})");
  EXPECT_TRUE(Eventually([&] { return IsAnnounced(); })) << publisher->Err();
}

TEST_F(Rotation, CanBePublishedOnceByAJob) {
  const Process job = StartPublisher({"--create", "--once"});
  EXPECT_EQ(job->Wait(kPatience).exit_code, 0) << job->Err();
  EXPECT_TRUE(IsAnnounced());
  const Process again = StartPublisher({"--once"});
  EXPECT_EQ(again->Wait(kPatience).exit_code, 0) << again->Err();
}

TEST_F(Rotation, IsCheckedByAProbe) {
  const std::vector<std::string> flags = {"--volume=" + volume(), "--expect=lease/web"};
  const Outcome before = StartMode("check", flags)->Wait(kPatience);
  EXPECT_EQ(before.exit_code, 1);
  EXPECT_THAT(before.err, HasSubstr("lease/web"));
  const Process publisher = StartPublisher();
  EXPECT_TRUE(Eventually([&] { return IsAnnounced(); })) << publisher->Err();
  const Outcome good = StartMode("check", flags)->Wait(kPatience);
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr(Annotation("cert-hash")));
  Renew();
  UpdateSecret();
  EXPECT_TRUE(Eventually([&] { return IsAnnounced(); })) << publisher->Err();
  const Outcome behind = StartMode("check", flags)->Wait(kPatience);
  EXPECT_EQ(behind.exit_code, 1);
  EXPECT_THAT(behind.err, HasSubstr("behind"));
}

TEST_F(Rotation, CanExpectTheSecretItself) {
  const Process follower = StartMode("sidecar", {"--volume=" + volume(), "--expect=secret/web-tls",
                                                 "--listen=off", "--resync=2s"});
  ExpectSays(follower, "Certificate loaded and verified");
  Renew();
  UpdateSecret();
  ExpectSays(follower, "Certificate hash mismatch, waiting for kubelet sync");
}

}  // namespace
}  // namespace certlatch::test
