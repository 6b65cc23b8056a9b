// How pods start: what blocks them, what the init container waits for, and what the app then finds.

#include "test/node/node.h"

#include <algorithm>
#include <vector>

#include "test/support/files.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Start : public NodeTest {
 protected:
  ApiClient ConnectAs(const std::string& service_account) {
    return {ApiPort(), ReadFile(access().ca_file).value(), api().TokenFor(ns(), service_account)};
  }
  // Figures for the reader; nothing is expected of them.
  void Report(const char* what, const std::string& pods, int count, PreciseTime since) {
    std::vector<Duration> after;
    for (int i = 0; i < count; ++i) {
      const auto at = SaidAt(pods + std::to_string(i), "app", "mounted");
      if (at) after.push_back(*at - since);
    }
    PrintSeconds(what, after);
  }
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
  // The kubelet tried twice (a busy one fails for other reasons before, and tries ever more
  // rarely): the init container was not started.
  EXPECT_TRUE(EventuallyWithin(kKubeletPatience, [&] {
    return CountOfEvents("FailedMount", R"(secret "web-tls" not found)") >= 2;
  }));
  // What the kubelet says of it comes after its events.
  EXPECT_TRUE(Eventually([&] { return State("plain", "wait").reason == "PodInitializing"; }));
  EXPECT_EQ(State("plain", "wait").state, "waiting");
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

// What `--nudge` is made of: the kubelet syncs at once when an annotation of the pod changes, and
// the right to patch `pods/status` is enough to change it.
TEST_F(Start, AnAnnotationThroughPodsStatusMakesTheKubeletSyncAtOnce) {
  constexpr int kPods = 5;
  constexpr char kPod[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: $name}
spec:
  terminationGracePeriodSeconds: 1
  automountServiceAccountToken: false
  containers:
  - name: app
    image: test.local/busybox:1
    command: [sh, -c, "until [ -e /etc/tls/tls.crt ]; do sleep 0.05; done; echo mounted; sleep infinity"]
    volumeMounts: [{name: tls, mountPath: /etc/tls, readOnly: true}]
  volumes:
  - name: tls
    secret: {secretName: web-tls, optional: true}
)";
  const std::string rbac = "rbac.authorization.k8s.io/v1";
  Create(Path(rbac, "roles"),
         R"({"metadata":{"name":"nudge"},"rules":[{"apiGroups":[""],"resources":["pods/status"],)"
         R"("verbs":["patch"]}]})");
  Create(
      Path(rbac, "rolebindings"),
      R"({"metadata":{"name":"nudge"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io",)"
      R"("kind":"Role","name":"nudge"},"subjects":[{"kind":"ServiceAccount","name":"default"}]})");
  for (int i = 0; i < kPods; ++i) {
    for (const char* kind : {"nudged-", "left-"}) {
      CreatePod(kPod, {{"$name", kind + std::to_string(i)}});
    }
  }
  for (int i = 0; i < kPods; ++i) {
    for (const char* kind : {"nudged-", "left-"}) Runs(kind + std::to_string(i), "app");
  }
  ApiClient account = ConnectAs("default");
  const std::string patch = R"({"metadata":{"annotations":{"test/nudged":"now"}}})";
  EXPECT_EQ(account.MergePatch(Path("v1", "pods", "nudged-0"), patch).status, 403);
  PutTlsSecret(NewPair());
  const PreciseTime created = Now();
  for (int i = 0; i < kPods; ++i) {
    const std::string name = "nudged-" + std::to_string(i);
    EXPECT_EQ(account.MergePatch(Path("v1", "pods", name) + "/status", patch).status, 200);
  }
  for (int i = 0; i < kPods; ++i) Says("nudged-" + std::to_string(i), "app", "mounted");
  Report("nudged", "nudged-", kPods, created);
  int left = 0;
  for (int i = 0; i < kPods; ++i) {
    left += SaidAt("left-" + std::to_string(i), "app", "mounted") ? 0 : 1;
  }
  // One of them may have been due just now.
  EXPECT_GE(left, kPods - 1);
  for (int i = 0; i < kPods; ++i) {
    EXPECT_TRUE(Says("left-" + std::to_string(i), "app", "mounted", kKubeletPatience));
  }
  Report("left alone", "left-", kPods, created);
}

}  // namespace
}  // namespace certlatch::test
