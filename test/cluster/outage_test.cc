// The API server goes away and comes back while certlatch waits.
// These tests take it from everybody else: ctest runs them one at a time, on a cluster of their
// own.

#include <gtest/gtest.h>

#include "base/text.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

class Outage : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    CreateCertificate("web");
  }
  // Whatever a failed test left: the next one finds a server.
  void TearDown() override {
    if (!IsSkipped() && !access().run_dir.empty() && api().Get("/readyz").status != 200) {
      ApiServer("restart");
    }
  }

  void ApiServer(const std::string& action, const std::string& signal = "TERM",
                 const std::string& flag = "") {
    std::vector<std::string> arguments = {action};
    if (!flag.empty()) arguments.push_back(flag);
    const Outcome outcome =
        RunScript("restart-apiserver.sh", arguments, {"SIG=" + signal, "GRACE=1"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  std::string CurrentVersion() {
    const Result<Json> list = ParseJson(api().Get(CertificatePath("")).body);
    return list ? std::string((*list)["metadata"]["resourceVersion"].AsString()) : "";
  }
  // A write elsewhere: the certificates' watch hears nothing of it and falls behind.
  void WriteElsewhere(const std::string& name) {
    Create(Path("v1", "configmaps"), R"({"metadata":{"name":")" + name + R"("}})");
  }
  // The version is too old to watch from: one ERROR event of code 410.
  bool IsExpired(const std::string& version) {
    const std::string body =
        api()
            .Get(CertificatePath("") + "?watch=true&timeoutSeconds=1&resourceVersion=" + version)
            .body;
    return body.find("\"code\":410") != std::string::npos;
  }
  // Drops etcd's history up to now, through its own JSON gateway.
  void CompactEtcd();
};

void Outage::CompactEtcd() {
  const Result<std::string> flags = ReadFile(access().run_dir + "/apiserver.args");
  ASSERT_TRUE(flags);
  const std::string_view flag = "--etcd-servers=http://127.0.0.1:";
  const size_t at = flags->find(flag);
  ASSERT_NE(at, std::string::npos);
  const auto port = ParseUint(std::string_view(*flags).substr(at + flag.size()).substr(0, 5));
  ASSERT_TRUE(port);
  const auto etcd = TestClient::Connect(static_cast<uint16_t>(*port));
  ASSERT_NE(etcd, nullptr);
  const auto range = etcd->Request("POST", "/v3/kv/range", R"({"key":"AA=="})");
  ASSERT_TRUE(range);
  const Result<Json> answer = ParseJson(range->body);
  ASSERT_TRUE(answer) << range->body;
  const std::string revision((*answer)["header"]["revision"].AsString());
  const auto compacted = etcd->Request("POST", "/v3/kv/compaction",
                                       R"({"revision":")" + revision + R"(","physical":true})");
  ASSERT_TRUE(compacted);
  ASSERT_EQ(compacted->status, 200) << compacted->body;
}

constexpr char kMet[] = "certificate.cert-manager.io/web condition met\n";

TEST_F(Outage, AnApiServerThatIsKilledAndComesBackEndsTheWaitWell) {
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  ApiServer("stop", "KILL");
  ExpectSays(wait, "retrying");
  EXPECT_EQ(wait->Out(), "");
  ApiServer("start");
  SetCertificateReady("web", "True");
  ExpectMet(wait, kMet);
}

TEST_F(Outage, AnApiServerThatRestartsInOrderEndsTheWaitWell) {
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  ApiServer("restart");
  SetCertificateReady("web", "False");
  ExpectSays(wait, "Ready is False");
  SetCertificateReady("web", "True");
  ExpectMet(wait, kMet);
}

TEST_F(Outage, AVersionThatTheRestartedWatchCacheNoLongerKnowsIsReplacedByANewList) {
  const std::string version = CurrentVersion();
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  WriteElsewhere("later");
  ApiServer("restart", "KILL");
  EXPECT_TRUE(IsExpired(version));
  SetCertificateReady("web", "True");
  ExpectMet(wait, kMet);
}

TEST_F(Outage, AVersionThatEtcdHasCompactedIsReplacedByANewList) {
  const std::string version = CurrentVersion();
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  for (const char* name : {"a", "b", "c"}) WriteElsewhere(name);
  ApiServer("stop", "KILL");
  CompactEtcd();
  ApiServer("start", "TERM", "--watch-cache=false");  // watches go to etcd itself
  EXPECT_TRUE(IsExpired(version));
  SetCertificateReady("web", "True");
  ExpectMet(wait, kMet);
  ApiServer("restart");  // with its watch cache
}

TEST_F(Outage, AnApiServerThatIsNotThereYetIsWaitedFor) {
  SetCertificateReady("web", "True");
  ApiServer("stop", "KILL");
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "cannot connect to 127.0.0.1:");
  EXPECT_EQ(wait->Out(), "");
  ApiServer("start");
  ExpectMet(wait, kMet);
}

TEST_F(Outage, ATypeIsFoundByDiscoveryThoughTheApiServerComesLate) {
  ApiServer("stop", "KILL");
  const Process wait = StartWait({"clusterroles.rbac.authorization.k8s.io/admin", "--for=create"});
  ExpectSays(wait, "cannot connect to 127.0.0.1:");
  ApiServer("start");
  ExpectMet(wait, "clusterrole.rbac.authorization.k8s.io/admin condition met\n");
}

}  // namespace
}  // namespace certlatch::test
