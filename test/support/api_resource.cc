#include "test/support/api_resource.h"

namespace certlatch::test {
namespace {

constexpr bool kNamespaced = true;
constexpr bool kClusterWide = false;
constexpr bool kWithStatus = true;
constexpr bool kPlain = false;
constexpr bool kCustom = true;

}  // namespace

std::vector<ApiResource> DefaultResources() {
  return {
      {"", "v1", "namespaces", "Namespace", {"ns"}, kClusterWide, kWithStatus},
      {"", "v1", "nodes", "Node", {"no"}, kClusterWide, kWithStatus},
      {"", "v1", "secrets", "Secret", {}, kNamespaced, kPlain},
      {"", "v1", "configmaps", "ConfigMap", {"cm"}, kNamespaced, kPlain},
      {"", "v1", "endpoints", "Endpoints", {"ep"}, kNamespaced, kPlain},
      {"", "v1", "services", "Service", {"svc"}, kNamespaced, kWithStatus},
      {"", "v1", "pods", "Pod", {"po"}, kNamespaced, kWithStatus},
      {"", "v1", "events", "Event", {"ev"}, kNamespaced, kPlain},
      {"", "v1", "serviceaccounts", "ServiceAccount", {"sa"}, kNamespaced, kPlain},
      {"apps", "v1", "deployments", "Deployment", {"deploy"}, kNamespaced, kWithStatus},
      {"apps", "v1", "statefulsets", "StatefulSet", {"sts"}, kNamespaced, kWithStatus},
      {"apps", "v1", "daemonsets", "DaemonSet", {"ds"}, kNamespaced, kWithStatus},
      {"batch", "v1", "jobs", "Job", {}, kNamespaced, kWithStatus},
      {"coordination.k8s.io", "v1", "leases", "Lease", {}, kNamespaced, kPlain},
      {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", {}, kNamespaced, kPlain},
      {"admissionregistration.k8s.io",
       "v1",
       "validatingwebhookconfigurations",
       "ValidatingWebhookConfiguration",
       {},
       kClusterWide,
       kPlain},
      {"admissionregistration.k8s.io",
       "v1",
       "mutatingwebhookconfigurations",
       "MutatingWebhookConfiguration",
       {},
       kClusterWide,
       kPlain},
      {"apiextensions.k8s.io",
       "v1",
       "customresourcedefinitions",
       "CustomResourceDefinition",
       {"crd", "crds"},
       kClusterWide,
       kWithStatus},
      {"cert-manager.io",
       "v1",
       "certificates",
       "Certificate",
       {"cert", "certs"},
       kNamespaced,
       kWithStatus,
       kCustom},
      {"cert-manager.io",
       "v1",
       "certificaterequests",
       "CertificateRequest",
       {"cr", "crs"},
       kNamespaced,
       kWithStatus,
       kCustom},
      {"cert-manager.io", "v1", "issuers", "Issuer", {}, kNamespaced, kWithStatus, kCustom},
      {"cert-manager.io",
       "v1",
       "clusterissuers",
       "ClusterIssuer",
       {},
       kClusterWide,
       kWithStatus,
       kCustom},
      {"acme.cert-manager.io", "v1", "orders", "Order", {}, kNamespaced, kWithStatus, kCustom},
      {"acme.cert-manager.io",
       "v1",
       "challenges",
       "Challenge",
       {},
       kNamespaced,
       kWithStatus,
       kCustom},
      {"external-secrets.io",
       "v1",
       "externalsecrets",
       "ExternalSecret",
       {"es"},
       kNamespaced,
       kWithStatus,
       kCustom},
  };
}

}  // namespace certlatch::test
