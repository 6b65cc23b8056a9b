#include "domain/resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certlatch {
namespace {

using ::testing::ElementsAre;

std::string Known(std::string_view type) {
  for (const TypeName& name : ReadTypeName(type)) {
    const auto resource = FindWellKnown(name);
    if (resource) return resource->GroupResource();
  }
  return "";
}

TEST(Resource, IsKnownBySingularPluralShortAndFullNamesInAnyCase) {
  for (const char* type : {"certificate", "certificates", "cert", "certs", "Certificate", "CERTS",
                           "certificate.cert-manager.io", "certificates.cert-manager.io",
                           "certificates.v1.cert-manager.io", "cert.cert-manager.io"}) {
    EXPECT_EQ(Known(type), "certificates.cert-manager.io") << type;
  }
  EXPECT_EQ(Known("svc"), "services");
  EXPECT_EQ(Known("ep"), "endpoints");
  EXPECT_EQ(Known("deploy"), "deployments.apps");
  EXPECT_EQ(Known("deployment.v1.apps"), "deployments.apps");
  EXPECT_EQ(Known("po"), "pods");
}

TEST(Resource, OfTheKindsThatPeopleWaitForNeedsNoDiscovery) {
  const char* const kKnown[][2] = {
      {"no", "nodes"},
      {"cm", "configmaps"},
      {"pvc", "persistentvolumeclaims"},
      {"ns", "namespaces"},
      {"sa", "serviceaccounts"},
      {"sts", "statefulsets.apps"},
      {"ds", "daemonsets.apps"},
      {"rs", "replicasets.apps"},
      {"job", "jobs.batch"},
      {"cj", "cronjobs.batch"},
      {"ing", "ingresses.networking.k8s.io"},
      {"lease", "leases.coordination.k8s.io"},
      {"apiservice", "apiservices.apiregistration.k8s.io"},
      {"crd", "customresourcedefinitions.apiextensions.k8s.io"},
      {"crds", "customresourcedefinitions.apiextensions.k8s.io"},
      {"validatingwebhookconfiguration",
       "validatingwebhookconfigurations.admissionregistration.k8s.io"},
      {"mutatingwebhookconfigurations",
       "mutatingwebhookconfigurations.admissionregistration.k8s.io"},
      {"issuer", "issuers.cert-manager.io"},
      {"clusterissuer", "clusterissuers.cert-manager.io"},
      {"order", "orders.acme.cert-manager.io"},
      {"challenge", "challenges.acme.cert-manager.io"},
      {"es", "externalsecrets.external-secrets.io"},
      {"ss", "secretstores.external-secrets.io"},
      {"css", "clustersecretstores.external-secrets.io"},
  };
  for (const auto& [type, name] : kKnown) EXPECT_EQ(Known(type), name) << type;
}

TEST(Resource, OfExternalSecretsFallsBackToItsOlderVersion) {
  for (const char* type : {"externalsecret", "secretstore", "clustersecretstore"}) {
    const Resource resource = *FindWellKnown({type, "", "", false});
    EXPECT_EQ(resource.version, "v1") << type;
    EXPECT_EQ(resource.fallback_version, "v1beta1") << type;
  }
}

TEST(Resource, IsNotGuessed) {
  for (const char* type : {"", "certificat", "pods.apps", "certificates.v2.cert-manager.io",
                           "secret.example.com", "deployments.v1beta1.apps"}) {
    EXPECT_EQ(Known(type), "") << type;
  }
}

TEST(Resource, HasThePathsAndNamesOfTheApi) {
  const Resource pods = *FindWellKnown({"pod", "", "", false});
  EXPECT_EQ(pods.CollectionPath("prod"), "/api/v1/namespaces/prod/pods");
  EXPECT_EQ(pods.CollectionPath(""), "/api/v1/pods");
  EXPECT_EQ(pods.GroupKind(), "pod");
  const Resource issuers = *FindWellKnown({"clusterissuer", "", "", false});
  EXPECT_EQ(issuers.CollectionPath("prod"), "/apis/cert-manager.io/v1/clusterissuers");
  EXPECT_EQ(issuers.GroupKind(), "clusterissuer.cert-manager.io");
}

const char* const kGroups = R"({"kind":"APIGroupList","groups":[
  {"name":"apps","versions":[{"groupVersion":"apps/v1"},{"groupVersion":"apps/v1beta1"}],
   "preferredVersion":{"groupVersion":"apps/v1"}},
  {"name":"example.com","versions":[{"groupVersion":"example.com/v2"},{"groupVersion":"example.com/v1"}],
   "preferredVersion":{"groupVersion":"example.com/v2"}},
  {"name":"evil","versions":[{"groupVersion":"../x/v1"},{"groupVersion":"evil/v1?x"}]}]})";

TEST(Discovery, AsksPreferredVersionsFirstAndTheCoreGroupBeforeAll) {
  const Json groups = *ParseJson(kGroups);
  EXPECT_THAT(GroupVersionsToAsk(groups, {"widget", "", "", false}),
              ElementsAre("v1", "apps/v1", "example.com/v2", "apps/v1beta1", "example.com/v1"));
  EXPECT_THAT(GroupVersionsToAsk(groups, {"widget", "", "example.com", true}),
              ElementsAre("example.com/v2", "example.com/v1"));
  EXPECT_THAT(GroupVersionsToAsk(groups, {"widget", "v1", "example.com", true}),
              ElementsAre("example.com/v1"));
}

TEST(Discovery, FindsATypeByEveryNameAndNoSubresource) {
  const Json list = *ParseJson(R"({"groupVersion":"example.com/v2","resources":[
    {"name":"widgets/status","kind":"Widget","namespaced":true},
    {"name":"widgets","singularName":"","kind":"Widget","namespaced":false,"shortNames":["wi"]}]})");
  for (const char* name : {"widgets", "widget", "wi"}) {
    const auto found = FindInResourceList(list, "example.com/v2", {name, "", "", false});
    ASSERT_TRUE(found.has_value()) << name;
    EXPECT_EQ(found->CollectionPath("x"), "/apis/example.com/v2/widgets");
    EXPECT_EQ(found->GroupKind(), "widget.example.com");
  }
  EXPECT_FALSE(
      FindInResourceList(list, "example.com/v2", {"widgets/status", "", "", false}).has_value());
  EXPECT_FALSE(FindInResourceList(list, "example.com/v2", {"gadget", "", "", false}).has_value());
}

TEST(Discovery, TakesNoNamesThatCouldForgeALineOrAUrl) {
  for (const char* kind : {"Widget\\u001b[31m", "Widget/x", "", "a b"}) {
    const Json list = *ParseJson(R"({"resources":[{"name":"widgets","kind":")" + std::string(kind) +
                                 R"(","shortNames":["wi"]}]})");
    EXPECT_FALSE(FindInResourceList(list, "example.com/v2", {"wi", "", "", false}).has_value());
  }
  const Json lying = *ParseJson(
      R"({"groupVersion":"x/../../etc","resources":[{"name":"widgets","kind":"Widget"}]})");
  EXPECT_EQ(
      FindInResourceList(lying, "example.com/v2", {"widgets", "", "", false})->CollectionPath("ns"),
      "/apis/example.com/v2/namespaces/ns/widgets");
}

}  // namespace
}  // namespace certlatch
