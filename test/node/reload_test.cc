// The Secret changes, the kubelet swaps the files, and the app serves the new certificate: a real
// nginx and the sidecar in real pods.

#include "test/node/nginx_pod.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Reload : public NginxPodTest {};

TEST_F(Reload, ASignalAcrossTheSharedProcessNamespaceBringsTheNewCertificate) {
  StartPod({.reload = kSignalNginx});
  for (int i = 0; i < 3; ++i) {
    const PemPair pair = Rotate();
    EXPECT_TRUE(Serves("web", pair));
    EXPECT_TRUE(Says("web", "certlatch", CertFingerprint(pair.cert).substr(0, 12)));
  }
  EXPECT_TRUE(Measures("web", R"(certlatch_state{state="converged"} 1)"));
  EXPECT_THAT(SidecarLog(), HasSubstr("Telling the app to reload"));
  ExpectUndisturbed();
}

TEST_F(Reload, ARequestBringsTheNewCertificateWithoutASharedProcessNamespace) {
  StartPod(
      {.reload = R"("--http=POST http://127.0.0.1:8080/cgi-bin/reload")",
       .share_processes = false,
       .sidecar_uid = "2000",
       .command =
           R"([sh, -c, "mkdir -p /tmp/www/cgi-bin && cp /etc/nginx/reload /tmp/www/cgi-bin/reload && )"
           R"(httpd -p 127.0.0.1:8080 -h /tmp/www && exec nginx -e stderr -c /etc/nginx/nginx.conf"])"});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Serves("web", Rotate()));
  ExpectUndisturbed();
}

TEST_F(Reload, AnotherUidIsRefusedAndToldWhatToSet) {
  StartPod({.reload = kSignalNginx, .sidecar_uid = "2000"});
  const std::string before = ServedLeaf("web");
  Rotate();
  EXPECT_TRUE(Says("web", "certlatch", "set runAsUser: 1000, the app's (certlatch has 2000)"));
  EXPECT_EQ(ServedLeaf("web"), before);
  ExpectUndisturbed();
}

TEST_F(Reload, AnEmptiedVolumeLeavesTheAppAloneAndTheNextCertificateIsNotMissed) {
  StartPod({.reload = kSignalNginx});
  const std::string before = ServedLeaf("web");
  Delete(Path("v1", "secrets", "web-tls"));
  Touch("web");
  EXPECT_TRUE(Says("web", "certlatch", "the volume holds nothing"));
  EXPECT_EQ(ServedLeaf("web"), before);
  EXPECT_TRUE(Serves("web", Rotate()));
  ExpectUndisturbed();
}

// By the death of the pod's first process, which everything in it follows.
TEST_F(Reload, ARestartedPodComesUpWithTheMountedCertificateAndTheNextIsNotMissed) {
  StartPod({.reload = kSignalNginx});
  ASSERT_EQ(Kill("web", "pause", "KILL"), 1);
  EXPECT_TRUE(Eventually([&] { return State("web", "certlatch").restarts_of_all == 2; }));
  EXPECT_TRUE(Serves("web", Rotate()));
  EXPECT_TRUE(Serves("web", Rotate()));
}

TEST_F(Reload, ARestartedAppReadsTheFilesItselfAndTheNextIsNotMissed) {
  StartPod({.reload = kSignalNginx});
  ASSERT_GE(Kill("web", "nginx", "KILL"),
            1);  // the master, and its workers unless they were faster
  EXPECT_TRUE(Eventually([&] { return State("web", "nginx").restarts == 1; }));
  EXPECT_TRUE(Serves("web", Rotate()));
  EXPECT_EQ(State("web", "certlatch").restarts, 0);
}

TEST_F(Reload, ARestartedSidecarTellsNobodyWhoServesTheMountedCertificate) {
  StartPod({.reload = kSignalNginx});
  ASSERT_EQ(Kill("web", "certlatch", "KILL"), 1);
  EXPECT_TRUE(Eventually([&] { return State("web", "certlatch").restarts == 1; }));
  EXPECT_TRUE(Says("web", "certlatch", "App has the mounted certificate: proven"));
  EXPECT_THAT(SidecarLog(), Not(HasSubstr("Telling the app to reload")));
  EXPECT_TRUE(Serves("web", Rotate()));
}

}  // namespace
}  // namespace certlatch::test
