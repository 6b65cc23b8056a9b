#include "domain/rights.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr const char* kVerbs[] = {"get", "list", "watch", "create", "patch"};

bool IsOfCluster(const std::string& ns) { return ns.empty() || ns == kAnyNamespace; }

std::string NamesOfVerbs(unsigned verbs) {
  std::string text;
  for (size_t i = 0; i < std::size(kVerbs); ++i) {
    if ((verbs >> i & 1U) == 0) continue;
    text += Format("%s\"%s\"", text.empty() ? "" : ", ", kVerbs[i]);
  }
  return text;
}

}  // namespace

void Rights::Add(const Selection& what, unsigned verbs) {
  const Resource& resource = what.resource;
  const std::string ns = !resource.namespaced ? "" : what.ns.empty() ? kAnyNamespace : what.ns;
  const std::string rule = Format("- apiGroups: [\"%s\"]\n  resources: [\"%s\"]\n",
                                  resource.group.c_str(), resource.plural.c_str());
  for (Right& right : rights_) {
    if (right.ns != ns || right.resource != rule || right.verbs != verbs) continue;
    if (right.names.empty() != what.name.empty()) continue;
    if (std::find(right.names.begin(), right.names.end(), what.name) != right.names.end()) return;
    if (!what.name.empty()) right.names.push_back(what.name);
    return;
  }
  rights_.push_back({ns, rule, {}, verbs});
  if (!what.name.empty()) rights_.back().names.push_back(what.name);
}

bool Rights::HasEarlier(size_t index) const {
  for (size_t i = 0; i < index; ++i) {
    const bool same = rights_[i].ns == rights_[index].ns ||
                      (IsOfCluster(rights_[i].ns) && IsOfCluster(rights_[index].ns));
    if (same) return true;
  }
  return false;
}

std::string Rights::RulesOf(const std::string& ns) const {
  std::string text;
  for (const Right& right : rights_) {
    if (right.ns != ns && !(IsOfCluster(ns) && IsOfCluster(right.ns))) continue;
    text += right.resource;
    if (!right.names.empty()) {
      text += "  resourceNames: [";
      for (const std::string& name : right.names) {
        text += Format("%s%s", &name == right.names.data() ? "" : ", ", JsonQuote(name).c_str());
      }
      text += "]\n";
    }
    text += Format("  verbs: [%s]\n", NamesOfVerbs(right.verbs).c_str());
  }
  return text;
}

std::string Rights::ToYaml(const std::string& name, const std::string& account,
                           const std::string& ns) const {
  std::string text;
  for (size_t i = 0; i < rights_.size(); ++i) {
    if (HasEarlier(i)) continue;
    const bool of_cluster = IsOfCluster(rights_[i].ns);
    const char* const prefix = of_cluster ? "Cluster" : "";
    // A cluster-wide name is shared by all namespaces.
    const std::string full = of_cluster ? Format("%s-%s", ns.c_str(), name.c_str()) : name;
    const std::string meta =
        Format("metadata:\n  name: %s\n%s%s%s", full.c_str(),
               of_cluster ? "" : "  namespace: ", of_cluster ? "" : rights_[i].ns.c_str(),
               of_cluster ? "" : "\n");
    text += Format(
        "%sapiVersion: rbac.authorization.k8s.io/v1\nkind: %sRole\n%srules:\n%s"
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %sRoleBinding\n%s"
        "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %sRole\n  name: %s\n"
        "subjects:\n- kind: ServiceAccount\n  name: %s\n  namespace: %s\n",
        text.empty() ? "" : "---\n", prefix, meta.c_str(), RulesOf(rights_[i].ns).c_str(), prefix,
        meta.c_str(), prefix, full.c_str(), account.c_str(), ns.c_str());
  }
  return text;
}

}  // namespace certlatch
