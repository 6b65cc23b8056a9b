// Rights are what a ServiceAccount must be allowed at the API server, collected one by one and
// printed as the least Role and RoleBinding (ClusterRole, where it must be one) that grant them.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/watch_session.h"

namespace certlatch {

// In RBAC's usual order.
enum Verb : uint8_t { kGet = 1, kList = 2, kWatch = 4, kCreate = 8, kPatch = 16 };

// The namespace of rights that are needed wherever another object says.
constexpr const char* kAnyNamespace = "*";

class Rights {
 public:
  // `verbs`: a sum of Verb. A name limits them to one object; never kCreate, which RBAC cannot
  // limit.
  void Add(const Selection& what, unsigned verbs);

  // One YAML document each, for the account `account` of the namespace `ns`; `name` is what they
  // are called. "" if nothing is needed.
  std::string ToYaml(const std::string& name, const std::string& account,
                     const std::string& ns) const;

 private:
  struct Right {
    std::string ns;                  // "": cluster-scoped
    std::string resource;            // as RBAC's rules name it: two lines
    std::vector<std::string> names;  // none: all
    unsigned verbs = 0;
  };

  bool HasEarlier(size_t index) const;
  std::string RulesOf(const std::string& ns) const;

  std::vector<Right> rights_;
};

}  // namespace certlatch
