// ApiUser is who a bearer token stands for and what RBAC lets them do.
// Pure values; a user without rules may do nothing, one with `all` everything.
// Empty lists in a rule mean "any", unlike in RBAC, where they mean "none".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certlatch::test {

struct ApiRule {
  std::vector<std::string> verbs = {};  // "get", "list", "watch", "create", "update", "patch", ...
  std::vector<std::string> resources = {};   // "secrets", "certificates.cert-manager.io/status"
  std::vector<std::string> names = {};       // RBAC's resourceNames
  std::vector<std::string> namespaces = {};  // where the RoleBindings are
};

struct ApiUser {
  std::string name = "system:serviceaccount:default:test";
  std::vector<ApiRule> rules;
  bool all = false;
};

struct ApiAction {
  std::string_view verb;
  std::string resource;  // with "/status" where that is asked for
  // Of a LIST or WATCH what fieldSelector=metadata.name=NAME says: so resourceNames can allow it.
  std::string_view name;
  std::string_view ns;
};

bool Allows(const ApiUser& user, const ApiAction& action);

}  // namespace certlatch::test
