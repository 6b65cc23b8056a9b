// How pods start: what blocks them, what the init container waits for, and what the app then finds.

#include "test/node/node.h"

#include <algorithm>
#include <vector>

#include "domain/digest.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Start : public NodeTest {
 protected:
  static std::string Sha(std::string_view bytes) { return HexLower(Sha256(bytes)); }
};

// Why `optional: true` stands in all our manifests.
TEST_F(Start, APlainSecretVolumeHoldsBackTheInitContainerItself) {
  CreatePod(R"(
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - name: wait
    image: test.local/certlatch:1
    args: [wait, secret/web-tls]
  containers:
  - name: app
    image: test.local/busybox:1
    command: [sleep, infinity]
    volumeMounts: [{name: tls, mountPath: /etc/tls, readOnly: true}]
  volumes:
  - name: tls
    secret: {secretName: web-tls}
)");
  Grant({"wait", "secret/web-tls"});
  // The kubelet's fifth attempt, some ten seconds after the first: the init container was not started.
  EXPECT_TRUE(Eventually([&] { return CountOfEvents("FailedMount") >= 5; }));
  EXPECT_THAT(Events("FailedMount"), HasSubstr(R"(secret "web-tls" not found)"));
  EXPECT_EQ(State("plain", "wait").state, "waiting");
  EXPECT_EQ(State("plain", "wait").reason, "PodInitializing");
  EXPECT_EQ(Log("plain", "wait"), "");
  PutTlsSecret(NewPair());
  EXPECT_TRUE(Runs("plain", "app", kKubeletPatience));
}

// The init container that is copied everywhere: only the image is another, and the volume optional.
TEST_F(Start, APastedLoopRunsWithOnlyItsImageReplaced) {
  const std::string certificate =
      "/apis/cert-manager.io/v1/namespaces/default/certificates/ai-ops-agent-cert";
  api().Delete(certificate);  // what a run that was killed left
  CreatePod(R"(
apiVersion: v1
kind: Pod
metadata: {name: ai-ops-agent}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - name: wait-for-certificate
    image: test.local/certlatch:1
    command:
    - sh
    - -c
    - |
      echo "Waiting for certificate ai-ops-agent-cert to be ready..."
      until kubectl get certificate ai-ops-agent-cert -n default -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null | grep -q "True"; do
        echo "Certificate not ready yet, waiting 5 seconds..."
        sleep 5
      done
      echo "Certificate is ready! Proceeding with pod startup."
  containers:
  - name: ai-ops-agent
    image: test.local/busybox:1
    command: [sh, -c, "echo started; sleep infinity"]
    volumeMounts: [{name: tls, mountPath: /etc/tls, readOnly: true}]
  volumes:
  - name: tls
    secret: {secretName: ai-ops-agent-tls, optional: true}
)");
  Create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
         R"({"metadata":{"name":")" + ns() +
             R"("},"rules":[{"apiGroups":["cert-manager.io"],"resources":["certificates"],)"
             R"("resourceNames":["ai-ops-agent-cert"],"verbs":["get","list","watch"]}]})");
  Create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
         R"({"metadata":{"name":")" + ns() +
             R"("},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":")" +
             ns() + R"("},"subjects":[{"kind":"ServiceAccount","name":"default","namespace":")" +
             ns() + R"("}]})");
  Says("ai-ops-agent", "wait-for-certificate",
       "Waiting for certificate ai-ops-agent-cert to be ready...");
  Says("ai-ops-agent", "wait-for-certificate", "Certificate not ready yet, waiting 5 seconds...");
  CreateCertificate("ai-ops-agent-cert", "default");
  SetCertificateReady("ai-ops-agent-cert", "False", 1, "default");
  Says("ai-ops-agent", "wait-for-certificate", "Ready is False");
  EXPECT_THAT(Log("ai-ops-agent", "wait-for-certificate"), Not(HasSubstr("Certificate is ready!")));
  SetCertificateReady("ai-ops-agent-cert", "True", 1, "default");
  Says("ai-ops-agent", "wait-for-certificate", "Certificate is ready! Proceeding");
  EXPECT_TRUE(Ends("ai-ops-agent", "wait-for-certificate", 0));
  EXPECT_TRUE(Runs("ai-ops-agent", "ai-ops-agent"));
  Says("ai-ops-agent", "ai-ops-agent", "started");
  EXPECT_EQ(State("ai-ops-agent", "ai-ops-agent").restarts_of_all, 0);
  api().Delete(certificate);
  for (const char* plural : {"roles", "rolebindings"}) {
    api().Delete("/apis/rbac.authorization.k8s.io/v1/namespaces/default/" + std::string(plural) +
                 "/" + ns());
  }
}

}  // namespace
}  // namespace certlatch::test
