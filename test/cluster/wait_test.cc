// What people wait for, on a real API server.

#include <gtest/gtest.h>

#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

class ClusterWait : public ClusterTest {
 protected:
  static std::string TlsData(const std::string& cert, const std::string& key) {
    return R"("stringData":{"tls.crt":)" + JsonQuote(cert) + R"(,"tls.key":)" + JsonQuote(key) +
           "}";
  }
  void CreateTlsSecret(const std::string& name, const PemPair& pair, const std::string& in = "") {
    Create(Path("v1", "secrets", "", in), R"({"metadata":{"name":")" + name +
                                              R"("},"type":"kubernetes.io/tls",)" +
                                              TlsData(pair.cert, pair.key) + "}");
  }
  void SetTlsSecret(const std::string& name, const PemPair& pair) {
    Patch(Path("v1", "secrets", name), "{" + TlsData(pair.cert, pair.key) + "}");
  }
  void CreateConfigMap(const std::string& name, const std::string& in = "") {
    Create(Path("v1", "configmaps", "", in), R"({"metadata":{"name":")" + name + R"("}})");
  }
  void CreateService(const std::string& name) {
    Create(Path("v1", "services"), R"({"metadata":{"name":")" + name +
                                       R"("},"spec":{"ports":[{"name":"http","port":80},
                                           {"name":"https","port":443}]}})");
  }
  static std::string Slice(const std::string& service, const std::string& name,
                           const std::string& port, bool ready) {
    return R"({"metadata":{"name":")" + name + R"(","labels":{"kubernetes.io/service-name":")" +
           service + R"("}},"addressType":"IPv4","ports":[{"name":")" + port +
           R"(","port":8443}],"endpoints":[{"addresses":["10.1.2.3"],"conditions":{"ready":)" +
           (ready ? "true" : "false") + "}}]}";
  }
};

// --- certificate ---

TEST_F(ClusterWait, CertificateIsMetWhenItComesIntoBeingAndTurnsReady) {
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "certificate/web: not found yet");
  CreateCertificate("web");
  ExpectSays(wait, "certificate/web: has no condition Ready yet");
  SetCertificateReady("web", "False");
  ExpectSays(wait, "Ready is False (Testing: as the test says)");
  SetCertificateReady("web", "True");
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

TEST_F(ClusterWait, CertificateReadyForAnEarlierGenerationIsNotMet) {
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  Patch(CertificatePath("web"), R"({"spec":{"dnsNames":["other.example.com"]}})");
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "earlier generation");
  SetCertificateReady("web", "True", 2);
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

TEST_F(ClusterWait, CertificateDeletedInMidWaitIsMetByItsSuccessor) {
  CreateCertificate("web");
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  Delete(CertificatePath("web"));
  ExpectSays(wait, "certificate/web: not found yet");
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

// --- secret ---

TEST_F(ClusterWait, TlsSecretIsMetWhenKeyAndCertificateBelongTogether) {
  const CertAuthority ca;
  const PemPair mine = ca.Issue({});
  const PemPair other = ca.Issue({});
  CreateTlsSecret("web-tls", {mine.cert, other.key});
  const Process wait = StartWait({"secret/web-tls"});
  ExpectSays(wait, "secret/web-tls: ");
  EXPECT_EQ(wait->Out(), "");
  SetTlsSecret("web-tls", mine);
  ExpectMet(wait, "secret/web-tls condition met\n");
}

TEST_F(ClusterWait, ExpiredTlsSecretIsMetWhenItIsRenewed) {
  const CertAuthority ca;
  CertSpec past;
  past.not_before = -48h;
  past.not_after = -24h;
  CreateTlsSecret("web-tls", ca.Issue(past));
  const Process wait = StartWait({"secret/web-tls"});
  ExpectSays(wait, "the certificate expired at ");
  SetTlsSecret("web-tls", ca.Issue({}));
  ExpectMet(wait, "secret/web-tls condition met\n");
}

TEST_F(ClusterWait, TlsSecretIsMetAtItsNotBeforeThoughNothingChanges) {
  CertSpec soon;
  soon.not_before = 3s;
  const CertAuthority ca;
  CreateTlsSecret("web-tls", ca.Issue(soon));
  ExpectMet(StartWait({"secret/web-tls"}), "secret/web-tls condition met\n");
}

// --- endpoints and services ---

TEST_F(ClusterWait, EndpointsAreMetWhenTheyGetAnAddress) {
  Create(Path("v1", "endpoints"), R"({"metadata":{"name":"api"}})");
  const Process wait = StartWait({"endpoints/api"});
  ExpectSays(wait, "no ready address (0 ready, 0 not ready)");
  Patch(Path("v1", "endpoints", "api"),
        R"({"subsets":[{"notReadyAddresses":[{"ip":"10.1.2.3"}],"ports":[{"port":8443}]}]})");
  ExpectSays(wait, "no ready address (0 ready, 1 not ready)");
  Patch(Path("v1", "endpoints", "api"),
        R"({"subsets":[{"addresses":[{"ip":"10.1.2.3"}],"ports":[{"port":8443}]}]})");
  ExpectMet(wait, "endpoints/api condition met\n");
}

TEST_F(ClusterWait, ServiceIsMetByAReadyEndpointOnThePortItNames) {
  CreateService("web");
  const Process wait = StartWait({"service/web:https"});
  ExpectSays(wait, "no ready endpoint on port 443 (0 ready, 0 not ready)");
  const std::string slices = Path("discovery.k8s.io/v1beta1", "endpointslices");
  Create(slices, Slice("web", "plain", "http", true));
  Create(slices, Slice("other", "of-other", "https", true));
  Create(slices, Slice("web", "tls", "https", false));
  ExpectSays(wait, "no ready endpoint on port 443 (0 ready, 1 not ready)");
  EXPECT_EQ(wait->Out(), "");
  Patch(slices + "/tls", Slice("web", "tls", "https", true));
  ExpectMet(wait, "service/web condition met\n");
}

TEST_F(ClusterWait, EndpointSlicesOfAServiceAreMetInV1Beta1) {
  const Process wait = StartWait({"endpointslice/web"});
  ExpectSays(wait, "no ready endpoint");
  Create(Path("discovery.k8s.io/v1beta1", "endpointslices"), Slice("web", "tls", "https", true));
  ExpectMet(wait, "endpointslice.discovery.k8s.io/web condition met\n");
}

// --- --for ---

TEST_F(ClusterWait, DeploymentIsMetWhenItsConditionAvailableIsTrue) {
  Create(Path("apps/v1", "deployments"), R"({"metadata":{"name":"api"},"spec":{
      "selector":{"matchLabels":{"app":"api"}},"template":{"metadata":{"labels":{"app":"api"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
  const Process wait = StartWait({"deployment/api", "--for=condition=Available"});
  ExpectSays(wait, "has no condition Available yet");
  const auto status = [](const char* available) {
    return std::string(R"({"status":{"observedGeneration":1,"conditions":[{"type":"Available",)") +
           R"("status":")" + available + R"("}]}})";
  };
  Patch(Path("apps/v1", "deployments", "api") + "/status", status("False"));
  ExpectSays(wait, "Available is False");
  Patch(Path("apps/v1", "deployments", "api") + "/status", status("True"));
  ExpectMet(wait, "deployment.apps/api condition met\n");
}

TEST_F(ClusterWait, JsonPathIsMetWhenTheValueIsTheWantedOne) {
  CreateConfigMap("state");
  const Process wait = StartWait({"cm/state", "--for=jsonpath={.data['phase\\.now']}=done"});
  ExpectSays(wait, "is not there yet");
  Patch(Path("v1", "configmaps", "state"), R"({"data":{"phase.now":"started"}})");
  ExpectSays(wait, R"(is "started", not "done")");
  Patch(Path("v1", "configmaps", "state"), R"({"data":{"phase.now":"done"}})");
  ExpectMet(wait, "configmap/state condition met\n");
}

TEST_F(ClusterWait, DeleteIsMetWhenTheLastFinalizerIsGone) {
  Create(Path("v1", "configmaps"),
         R"({"metadata":{"name":"state","finalizers":["example.com/hold"]}})");
  const Process wait = StartWait({"configmap/state", "--for=delete"});
  ExpectSays(wait, "configmap/state: still exists");
  Delete(Path("v1", "configmaps", "state"));
  ExpectSays(wait, "being deleted since ");
  Patch(Path("v1", "configmaps", "state"), R"({"metadata":{"finalizers":null}})");
  ExpectMet(wait, "configmap/state condition met\n");
}

TEST_F(ClusterWait, CreateIsMetWhenTheObjectAppears) {
  const Process wait = StartWait({"configmap/state", "--for=create"});
  ExpectSays(wait, "configmap/state: not found yet");
  CreateConfigMap("another");
  CreateConfigMap("state");
  ExpectMet(wait, "configmap/state condition met\n");
}

// --- several targets, other types ---

TEST_F(ClusterWait, TargetsOfSeveralNamespacesAreMetInTheOrderInWhichTheyBecomeSo) {
  const std::string other = NewNamespace("-other");
  const CertAuthority ca;
  CreateCertificate("web");
  const Process wait =
      StartWait({"certificate/web", "secret/web-tls@" + other, "certificate/web@" + other});
  ExpectSays(wait, "certificate/web: has no condition Ready yet");
  ExpectSays(wait, "secret/web-tls: not found yet");
  CreateTlsSecret("web-tls", ca.Issue({}));  // in the wrong namespace: not what is waited for
  CreateTlsSecret("web-tls", ca.Issue({}), other);
  ASSERT_TRUE(wait->WaitForStdout("secret/web-tls condition met\n", kPatience)) << wait->Err();
  CreateCertificate("web", other);
  SetCertificateReady("web", "True", 1, other);
  const std::string met = "certificate.cert-manager.io/web condition met\n";
  ASSERT_TRUE(wait->WaitForStdout(met, kPatience)) << wait->Err();
  SetCertificateReady("web", "True");
  ExpectMet(wait, "secret/web-tls condition met\n" + met + met);
}

TEST_F(ClusterWait, ATypeThatIsDefinedInMidWaitIsFoundByDiscovery) {
  const std::string group = ns() + ".example.com";
  const Process wait = StartWait({"gadgets." + group + "/one", "--for=condition=Ready"});
  ExpectSays(wait, "the server doesn't have a resource type \"gadgets." + group + "\" (yet)");
  Apply(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"gadgets.)" +
        group + R"("},"spec":{"group":")" + group + R"(","scope":"Namespaced",
      "names":{"kind":"Gadget","plural":"gadgets","singular":"gadget"},
      "versions":[{"name":"v1alpha1","served":true,"storage":true,"schema":{"openAPIV3Schema":
      {"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})");
  ExpectSays(wait, "gadget/one: not found yet");
  Create(Path(group + "/v1alpha1", "gadgets"), R"({"apiVersion":")" + group +
                                                   R"(/v1alpha1","kind":"Gadget","metadata":
      {"name":"one"},"status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  ExpectMet(wait, "gadget." + group + "/one condition met\n");
}

TEST_F(ClusterWait, AnObjectOfAThousandKilobytesIsRead) {
  CreateCertificate("web");
  const Process wait = StartWait({"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  Patch(CertificatePath("web"),
        R"({"spec":{"padding":")" + std::string(1000 * 1024, 'x') + R"("}})");
  SetCertificateReady("web", "True", 2);
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

}  // namespace
}  // namespace certlatch::test
