#include "domain/rights.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

Selection Of(const char* type, const std::string& ns, const std::string& name) {
  return {*FindWellKnown({type, "", "", false}), ns, name, ""};
}

TEST(Rights, AreOneRuleForAllNamesOfAType) {
  Rights rights;
  rights.Add(Of("secrets", "prod", "a"), kList | kWatch);
  rights.Add(Of("secrets", "prod", "b"), kList | kWatch);
  rights.Add(Of("secrets", "prod", "a"), kList | kWatch);
  rights.Add(Of("secrets", "prod", "c"), kGet);
  EXPECT_EQ(rights.ToYaml("waits", "pod", "prod"),
            R"(apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: waits
  namespace: prod
rules:
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: ["a", "b"]
  verbs: ["list", "watch"]
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: ["c"]
  verbs: ["get"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: waits
  namespace: prod
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: waits
subjects:
- kind: ServiceAccount
  name: pod
  namespace: prod
)");
}

TEST(Rights, AreOfTheClusterOnlyWhereTheyMustBe) {
  Rights rights;
  rights.Add(Of("nodes", "prod", "n1"), kList);
  rights.Add(Of("services", "", ""), kList);
  rights.Add(Of("secrets", "prod", "a"), kGet);
  const std::string yaml = rights.ToYaml("waits", "pod", "prod");
  EXPECT_EQ(yaml.substr(0, yaml.find("---")), R"(apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: prod-waits
rules:
- apiGroups: [""]
  resources: ["nodes"]
  resourceNames: ["n1"]
  verbs: ["list"]
- apiGroups: [""]
  resources: ["services"]
  verbs: ["list"]
)");
  EXPECT_NE(yaml.find("kind: Role\n"), std::string::npos);
  EXPECT_EQ(Rights().ToYaml("waits", "pod", "prod"), "");
}

TEST(Rights, QuoteNames) {
  Rights rights;
  rights.Add(Of("nodes", "", "a\"b"), kList);
  EXPECT_NE(rights.ToYaml("x", "y", "z").find(R"(resourceNames: ["a\"b"])"), std::string::npos);
}

}  // namespace
}  // namespace certlatch
