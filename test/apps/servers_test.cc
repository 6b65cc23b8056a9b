// The servers themselves, without certlatch: that they take a new certificate at their signal, and
// only then. What the tests of the sidecar build on.
#include <unistd.h>

#include <csignal>

#include "test/apps/apps_fixture.h"
#include "test/apps/haproxy.h"
#include "test/apps/nginx.h"
#include "test/apps/postgres.h"
#include "test/apps/stub.h"
#include "test/apps/stunnel.h"

namespace certlatch::test {
namespace {

class Servers : public AppsTest {
 protected:
  void ExpectNewLeafAt(int signal, App& app, TlsVolume& volume, const PemPair& old) const {
    const PemPair pair = NewPair();
    volume.Write(pair);
    EXPECT_EQ(app.ServedLeaf(), CertFingerprint(old.cert));
    // Again where it was not heard: HAProxy serves before its master listens to signals.
    EXPECT_TRUE(Eventually([&] { return !app.process().Signal(signal) || app.Serves(pair, 5s); }));
    EXPECT_TRUE(app.Serves(pair)) << app.process().Err();
  }
};

TEST_F(Servers, NginxTakesHup) {
  const PemPair old = NewPair();
  const auto volume = Mount(old);
  Nginx nginx(*volume);
  ExpectNewLeafAt(SIGHUP, nginx, *volume, old);
}

TEST_F(Servers, HaproxyTakesUsr2) {
  const PemPair old = NewPair();
  const auto volume = Mount(old);
  Haproxy haproxy(*volume);
  ExpectNewLeafAt(SIGUSR2, haproxy, *volume, old);
}

TEST_F(Servers, StunnelTakesHup) {
  const PemPair old = NewPair();
  const auto volume = Mount(old);
  Stunnel stunnel(*volume);
  ExpectNewLeafAt(SIGHUP, stunnel, *volume, old);
}

TEST_F(Servers, PostgresTakesHup) {
  SKIP_UNLESS_ROOT();
  const PemPair old = NewPair();
  const auto volume = Mount(old, Postgres::Rules());
  Postgres postgres(*volume);
  ExpectNewLeafAt(SIGHUP, postgres, *volume, old);
}

TEST_F(Servers, PostgresKeepsTheOldKeyWhereTheNewOneIsReadableForAll) {
  SKIP_UNLESS_ROOT();
  const PemPair old = NewPair();
  auto volume = Mount(old, Postgres::Rules());
  Postgres postgres(*volume);
  const PemPair pair = NewPair();
  volume->SetMode(0444);
  volume->Write(pair);
  postgres.process().Signal(SIGHUP);
  EXPECT_TRUE(postgres.process().WaitForStderr("has group or world access", kPatience));
  EXPECT_EQ(postgres.ServedLeaf(), CertFingerprint(old.cert));
}

TEST_F(Servers, AStubDoesWhatItsModeSays) {
  const PemPair old = NewPair();
  const auto volume = Mount(old);
  Stub reload(*volume, "reload");
  Stub ignore(*volume, "ignore");
  Stub late(*volume, "late");
  const PemPair pair = NewPair();
  volume->Write(pair);
  for (Stub* stub : {&reload, &ignore, &late}) {
    EXPECT_EQ(stub->ServedLeaf(), CertFingerprint(old.cert));
    stub->process().Signal(SIGHUP);
    EXPECT_TRUE(stub->GotHups(1));
  }
  EXPECT_TRUE(reload.Serves(pair));
  EXPECT_EQ(ignore.ServedLeaf(), CertFingerprint(old.cert));
  EXPECT_EQ(late.ServedLeaf(), CertFingerprint(old.cert));
  late.LoadNow();
  EXPECT_TRUE(late.Serves(pair));
}

}  // namespace
}  // namespace certlatch::test
