#include "domain/resource.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

struct WellKnown {
  std::string_view kind;
  std::string_view plural;
  std::string_view group;
  std::string_view version;
  bool namespaced;
  std::string_view short_names;  // separated by commas
  std::string_view fallback_version = "";
};

// The types people wait for, as `kubectl api-resources` lists them. A new one is a row.
constexpr WellKnown kWellKnown[] = {
    {"ConfigMap", "configmaps", "", "v1", true, "cm"},
    {"Endpoints", "endpoints", "", "v1", true, "ep"},
    {"Namespace", "namespaces", "", "v1", false, "ns"},
    {"Node", "nodes", "", "v1", false, "no"},
    {"PersistentVolumeClaim", "persistentvolumeclaims", "", "v1", true, "pvc"},
    {"Pod", "pods", "", "v1", true, "po"},
    {"Secret", "secrets", "", "v1", true, ""},
    {"Service", "services", "", "v1", true, "svc"},
    {"ServiceAccount", "serviceaccounts", "", "v1", true, "sa"},
    {"DaemonSet", "daemonsets", "apps", "v1", true, "ds"},
    {"Deployment", "deployments", "apps", "v1", true, "deploy"},
    {"ReplicaSet", "replicasets", "apps", "v1", true, "rs"},
    {"StatefulSet", "statefulsets", "apps", "v1", true, "sts"},
    {"Job", "jobs", "batch", "v1", true, ""},
    {"Lease", "leases", "coordination.k8s.io", "v1", true, ""},
    {"EndpointSlice", "endpointslices", "discovery.k8s.io", "v1", true, "", "v1beta1"},
    {"CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io", "v1", false,
     "crd,crds"},
    {"MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
     "admissionregistration.k8s.io", "v1", false, ""},
    {"ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
     "admissionregistration.k8s.io", "v1", false, ""},
    {"Certificate", "certificates", "cert-manager.io", "v1", true, "cert,certs"},
    {"CertificateRequest", "certificaterequests", "cert-manager.io", "v1", true, "cr,crs"},
    {"ClusterIssuer", "clusterissuers", "cert-manager.io", "v1", false, ""},
    {"Issuer", "issuers", "cert-manager.io", "v1", true, ""},
};

bool HasShortName(const WellKnown& row, std::string_view name) {
  if (row.short_names.empty()) return false;
  const auto names = Split(row.short_names, ',');
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Matches(const WellKnown& row, const TypeName& name) {
  if (!name.group.empty() && name.group != row.group) return false;
  if (!name.version.empty() && name.version != row.version) return false;
  if (name.qualified && name.group.empty() && !row.group.empty()) return false;
  return name.resource == row.plural || name.resource == ToLower(row.kind) ||
         HasShortName(row, name.resource);
}

std::string WithGroup(std::string name, std::string_view group) {
  if (!group.empty()) {
    name += '.';
    name += group;
  }
  return name;
}

std::string GroupOf(std::string_view group_version) {
  const size_t slash = group_version.find('/');
  return slash == std::string_view::npos ? "" : std::string(group_version.substr(0, slash));
}

std::string VersionOf(std::string_view group_version) {
  const size_t slash = group_version.find('/');
  return std::string(slash == std::string_view::npos ? group_version
                                                     : group_version.substr(slash + 1));
}

bool ResourceHasName(const Json& resource, std::string_view name) {
  if (resource["name"].AsString() == name || resource["singularName"].AsString() == name ||
      ToLower(resource["kind"].AsString()) == name) {
    return true;
  }
  for (const Json& short_name : resource["shortNames"].items()) {
    if (short_name.AsString() == name) return true;
  }
  return false;
}

}  // namespace

bool IsDottedName(std::string_view text) {
  const auto parts = Split(text, '.');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
  });
}

std::string Resource::GroupResource() const { return WithGroup(plural, group); }

std::string Resource::GroupKind() const { return WithGroup(ToLower(kind), group); }

std::string Resource::CollectionPath(std::string_view ns) const {
  std::string path = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
  if (namespaced && !ns.empty()) {
    path += "/namespaces/";
    path += ns;
  }
  return path + "/" + plural;
}

std::vector<TypeName> ReadTypeName(std::string_view type) {
  const std::string lower = ToLower(type);
  const std::string_view text = lower;
  const size_t first_dot = text.find('.');
  if (first_dot == std::string_view::npos) return {TypeName{lower, "", "", false}};
  const std::string resource(text.substr(0, first_dot));
  const std::string_view rest = text.substr(first_dot + 1);
  std::vector<TypeName> readings;
  const size_t second_dot = rest.find('.');
  if (second_dot != std::string_view::npos) {
    readings.push_back({resource, std::string(rest.substr(0, second_dot)),
                        std::string(rest.substr(second_dot + 1)), true});
  }
  readings.push_back({resource, "", std::string(rest), true});
  return readings;
}

std::optional<Resource> FindWellKnown(const TypeName& name) {
  for (const WellKnown& row : kWellKnown) {
    if (!Matches(row, name)) continue;
    return Resource{std::string(row.group),  std::string(row.version),
                    std::string(row.plural), std::string(row.kind),
                    row.namespaced,          std::string(row.fallback_version)};
  }
  return std::nullopt;
}

std::vector<std::string> GroupVersionsToAsk(const Json& api_group_list, const TypeName& name) {
  std::vector<std::string> preferred;
  std::vector<std::string> others;
  if (name.group.empty()) preferred.emplace_back("v1");
  for (const Json& group : api_group_list["groups"].items()) {
    if (!name.group.empty() && group["name"].AsString() != name.group) continue;
    const std::string_view favourite = group["preferredVersion"]["groupVersion"].AsString();
    for (const Json& version : group["versions"].items()) {
      const std::string_view group_version = version["groupVersion"].AsString();
      if (!IsDottedName(GroupOf(group_version)) || !IsDottedName(VersionOf(group_version)))
        continue;
      if (!name.version.empty() && VersionOf(group_version) != name.version) continue;
      (group_version == favourite ? preferred : others).emplace_back(group_version);
    }
  }
  preferred.insert(preferred.end(), others.begin(), others.end());
  if (preferred.size() > kMaxGroupVersions) preferred.resize(kMaxGroupVersions);
  return preferred;
}

std::string DiscoveryPath(std::string_view group_version) {
  const bool core = group_version.find('/') == std::string_view::npos;
  return (core ? "/api/" : "/apis/") + std::string(group_version);
}

std::optional<Resource> FindInResourceList(const Json& api_resource_list,
                                           std::string_view group_version, const TypeName& name) {
  for (const Json& resource : api_resource_list["resources"].items()) {
    const std::string_view plural = resource["name"].AsString();
    // "pods/status" and the like are subresources; IsPathPart refuses their slash.
    if (!IsDottedName(plural) || !IsDottedName(resource["kind"].AsString()) ||
        !ResourceHasName(resource, name.resource)) {
      continue;
    }
    return Resource{GroupOf(group_version),
                    VersionOf(group_version),
                    std::string(plural),
                    std::string(resource["kind"].AsString()),
                    resource["namespaced"].AsBool().value_or(true),
                    ""};
  }
  return std::nullopt;
}

}  // namespace certlatch
