// The sidecar while the kubelet or the API server is away: these tests take them from everybody
// else, and so run alone.

#include "test/node/nginx_pod.h"

namespace certlatch::test {
namespace {

class Outage : public NginxPodTest {
 protected:
  void TearDown() override {
    if (!IsSkipped() && !access().run_dir.empty()) {
      if (api().Get("/readyz").status != 200) ApiServer("restart");
      if (kubelet_is_away_) Kubelet("restart");
    }
    NginxPodTest::TearDown();
  }
  void ApiServer(const std::string& action) {
    const Outcome outcome =
        InNode({CERTLATCH_CLUSTER_SCRIPTS "/restart-apiserver.sh", access().run_dir, action});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  void Kubelet(const std::string& action) {
    const Outcome outcome =
        InNode({CERTLATCH_NODE_SCRIPTS "/kubelet.sh", access().run_dir, action});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    kubelet_is_away_ = action == "stop";
  }

 private:
  bool kubelet_is_away_ = false;
};

TEST_F(Outage, OfTheKubeletDelaysARotationAndNoMore) {
  StartPod({.reload = kSignalNginx});
  const std::string before = ServedLeaf("web");
  Kubelet("stop");
  const PemPair pair = Rotate();
  EXPECT_TRUE(Measures("web", R"(certlatch_fingerprints_agree{between="expected_mounted"} 0)"));
  EXPECT_EQ(ServedLeaf("web"), before);
  Kubelet("start");
  EXPECT_TRUE(ServesAfterTouches("web", pair));
  EXPECT_TRUE(ServesAfterTouches("web", Rotate()));
  EXPECT_TRUE(Says("web", "certlatch", "Certificate hash mismatch, waiting for kubelet sync"));
  ExpectUndisturbed();
}

TEST_F(Outage, OfTheApiServerRestartsNothingAndMissesNothing) {
  StartPod({.reload = kSignalNginx});
  const std::string before = ServedLeaf("web");
  const PemPair pair = NewPair();
  ApiServer("stop");
  EXPECT_EQ(ServedLeaf("web"), before);
  ApiServer("start");
  PutTlsSecret(pair);
  EXPECT_TRUE(ServesAfterTouches("web", pair));
  ApiServer("restart");
  EXPECT_TRUE(ServesAfterTouches("web", Rotate()));
  EXPECT_TRUE(Says("web", "certlatch", "Secret watch closed, restarting watch"));
  ExpectUndisturbed();
}

}  // namespace
}  // namespace certlatch::test
