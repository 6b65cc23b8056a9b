// The manifests of deploy/examples, as they are handed out, but for the namespace and the images:
// applied before there is a certificate, then issued, then renewed.

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "test/node/node.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

struct Collection {
  const char* kind;
  const char* group_version;
  const char* plural;
};
constexpr Collection kCollections[] = {
    {"Certificate", "cert-manager.io/v1", "certificates"},
    {"ConfigMap", "v1", "configmaps"},
    {"Deployment", "apps/v1", "deployments"},
    {"Lease", "coordination.k8s.io/v1", "leases"},
    {"Role", "rbac.authorization.k8s.io/v1", "roles"},
    {"RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"},
    {"Service", "v1", "services"},
    {"ServiceAccount", "v1", "serviceaccounts"},
};

class Example : public NodeTest {
 protected:
  void Apply(const std::string& file) {
    const Result<std::string> text =
        ReadFile(std::string(CERTLATCH_EXAMPLES) + "/" + file + ".yaml");
    ASSERT_TRUE(text) << text.error().text;
    const std::string adapted = Fill(
        *text, {{"namespace: demo", "namespace: " + ns()},
                {"registry.example.com/certlatch:0.1.0", "test.local/certlatch:1"},
                {"registry.example.com/your-app:1.0.0", "test.local/nginx-unprivileged:1"},
                {"nginxinc/nginx-unprivileged:1.27-alpine", "test.local/nginx-unprivileged:1"}});
    ASSERT_THAT(adapted, testing::Not(HasSubstr("registry.example.com")));
    constexpr std::string_view kBetween = "\n---\n";
    for (size_t at = adapted.find(kBetween); at != std::string::npos;) {
      at += kBetween.size();
      const size_t end = adapted.find(kBetween, at);
      CreateDocument(adapted.substr(at, end == std::string::npos ? end : end - at));
      at = end;
    }
  }

  void CreateDocument(const std::string& document) {
    const size_t at = document.find("\nkind: ");
    ASSERT_NE(at, std::string::npos) << document;
    const size_t begin = at + 7;
    const std::string kind = document.substr(begin, document.find('\n', begin) - begin);
    if (kind == "Namespace") return;  // the scene's own
    for (const Collection& collection : kCollections) {
      if (kind != collection.kind) continue;
      return CreateYaml(Path(collection.group_version, collection.plural), document);
    }
    FAIL() << "no collection of " << kind;
  }

  // Those of the Deployment, once there are so many.
  std::vector<std::string> Pods(size_t count) {
    std::vector<std::string> names;
    EXPECT_TRUE(Eventually([&] {
      names.clear();
      const Json pods = Get(Path("v1", "pods") + "?labelSelector=app%3Dweb");
      for (const Json& pod : pods["items"].items()) {
        names.emplace_back(pod["metadata"]["name"].AsString());
      }
      return names.size() == count;
    }));
    return names;
  }

  // Applied before its certificate, it says so; issued, each pod serves it.
  void ExpectToStartWithItsCertificate(const std::string& file, Duration patience) {
    Apply(file);
    pods_ = Pods(2);
    for (const std::string& pod : pods_) {
      EXPECT_TRUE(Says(pod, "wait-for-certificate", "not found yet; still waiting"));
      EXPECT_TRUE(Runs(pod, "wait-for-certificate"));
    }
    ExpectToServeOnceIssued(patience);
  }

  void ExpectToServeOnceIssued(Duration patience) {
    const PemPair pair = NewPair();
    PutTlsSecret(pair);
    SetCertificateReady("web", "True");
    for (const std::string& pod : pods_) EXPECT_TRUE(Serves(pod, pair, patience));
  }

  // Renewed, each pod serves the new one, was told once, and nothing was restarted.
  void ExpectToServeARenewedOne(Duration patience) {
    const PemPair pair = NewPair();
    PutTlsSecret(pair);
    for (const std::string& pod : pods_) {
      EXPECT_TRUE(Serves(pod, pair, patience));
      EXPECT_TRUE(Says(pod, "certlatch", "Telling the app to reload"));
      EXPECT_TRUE(Says(pod, "certlatch", "App has the mounted certificate: proven"));
      EXPECT_EQ(State(pod, "certlatch").restarts_of_all, 0);
    }
  }

  std::vector<std::string> pods_;
};

TEST_F(Example, WaitHoldsTheAppUntilItsCertificateIsThere) {
  ExpectToStartWithItsCertificate("wait", kKubeletPatience);
}

TEST_F(Example, NginxServesEachNewCertificate) {
  ExpectToStartWithItsCertificate("nginx", kKubeletPatience);
  ExpectToServeARenewedOne(kKubeletPatience);
}

TEST_F(Example, NudgeMakesTheKubeletBringThem) {
  ExpectToStartWithItsCertificate("nudge", kPatience);
  ExpectToServeARenewedOne(kPatience);
}

TEST_F(Example, WriteNeedsNoKubelet) {
  ExpectToStartWithItsCertificate("write", kPatience);
  ExpectToServeARenewedOne(kPatience);
}

// The API server shows no log of a container whose hook runs. An app that is not held back ends
// without its certificate, and is restarted.
TEST_F(Example, WriteBehindAHookHoldsTheAppUntilTheFilesAreThere) {
  Apply("write-hook");
  pods_ = Pods(2);
  ASSERT_TRUE(Eventually([&] { return CountOfEvents("Started", "certlatch") >= 2; }));
  // What the kubelet says of it comes after its events.
  for (const std::string& pod : pods_) {
    EXPECT_TRUE(Eventually([&] { return State(pod, "nginx").reason == "ContainerCreating"; }));
  }
  ExpectToServeOnceIssued(kPatience);
  ExpectToServeARenewedOne(kPatience);
}

TEST_F(Example, FollowersOfALeaseWaitForWhatItsPublisherSaw) {
  Apply("leader-follower");
  pods_ = Pods(3);
  for (const std::string& pod : pods_) EXPECT_TRUE(Runs(pod, "wait-for-certificate"));
  ExpectToServeOnceIssued(kKubeletPatience);
  ExpectToServeARenewedOne(kKubeletPatience);
  for (const std::string& pod : pods_) {
    EXPECT_TRUE(Says(pod, "certlatch", "Certificate hash mismatch, waiting for kubelet sync"));
  }
}

}  // namespace
}  // namespace certlatch::test
