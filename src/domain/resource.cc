#include "domain/resource.h"

#include "base/text.h"

namespace certlatch {
namespace {

// The types people wait for, as `kubectl api-resources` lists them: kind, plural, group, version,
// namespaced or cluster-scoped (n, c), fallback version, short names. A new one is a line.
constexpr char kWellKnown[] =
    "ConfigMap configmaps - v1 n - cm\n"
    "Endpoints endpoints - v1 n - ep\n"
    "Namespace namespaces - v1 c - ns\n"
    "Node nodes - v1 c - no\n"
    "PersistentVolumeClaim persistentvolumeclaims - v1 n - pvc\n"
    "Pod pods - v1 n - po\n"
    "Secret secrets - v1 n -\n"
    "Service services - v1 n - svc\n"
    "ServiceAccount serviceaccounts - v1 n - sa\n"
    "APIService apiservices apiregistration.k8s.io v1 c -\n"
    "DaemonSet daemonsets apps v1 n - ds\n"
    "Deployment deployments apps v1 n - deploy\n"
    "ReplicaSet replicasets apps v1 n - rs\n"
    "StatefulSet statefulsets apps v1 n - sts\n"
    "CronJob cronjobs batch v1 n - cj\n"
    "Job jobs batch v1 n -\n"
    "Lease leases coordination.k8s.io v1 n -\n"
    "Ingress ingresses networking.k8s.io v1 n - ing\n"
    "EndpointSlice endpointslices discovery.k8s.io v1 n v1beta1\n"
    "CustomResourceDefinition customresourcedefinitions apiextensions.k8s.io v1 c - crd crds\n"
    "MutatingWebhookConfiguration mutatingwebhookconfigurations"
    " admissionregistration.k8s.io v1 c -\n"
    "ValidatingWebhookConfiguration validatingwebhookconfigurations"
    " admissionregistration.k8s.io v1 c -\n"
    "Certificate certificates cert-manager.io v1 n - cert certs\n"
    "CertificateRequest certificaterequests cert-manager.io v1 n - cr crs\n"
    "ClusterIssuer clusterissuers cert-manager.io v1 c -\n"
    "Issuer issuers cert-manager.io v1 n -\n"
    "Challenge challenges acme.cert-manager.io v1 n -\n"
    "Order orders acme.cert-manager.io v1 n -\n"
    "ClusterSecretStore clustersecretstores external-secrets.io v1 c v1beta1 css\n"
    "ExternalSecret externalsecrets external-secrets.io v1 n v1beta1 es\n"
    "SecretStore secretstores external-secrets.io v1 n v1beta1 ss";

enum Column { kKind, kPlural, kGroup, kVersion, kScope, kFallback, kShortNames };
using Columns = std::vector<std::string_view>;

bool Matches(const Columns& row, const TypeName& name) {
  if (!name.group.empty() && name.group != row[kGroup]) return false;
  if (!name.version.empty() && name.version != row[kVersion]) return false;
  if (name.qualified && name.group.empty() && !row[kGroup].empty()) return false;
  for (size_t i = kShortNames; i < row.size(); ++i) {
    if (name.resource == row[i]) return true;
  }
  return name.resource == row[kPlural] || EqualIgnoringCase(name.resource, row[kKind]);
}

std::string WithGroup(std::string name, std::string_view group) {
  if (!group.empty()) {
    name += '.';
    name += group;
  }
  return name;
}

std::string_view GroupOf(std::string_view group_version) {
  const size_t slash = group_version.find('/');
  return group_version.substr(0, slash == std::string_view::npos ? 0 : slash);
}

std::string_view VersionOf(std::string_view group_version) {
  return group_version.substr(group_version.find('/') + 1);  // npos + 1 is 0
}

bool ResourceHasName(const Json& resource, std::string_view name) {
  if (resource["name"].AsString() == name || resource["singularName"].AsString() == name ||
      EqualIgnoringCase(resource["kind"].AsString(), name)) {
    return true;
  }
  for (const Json& short_name : resource["shortNames"].items()) {
    if (short_name.AsString() == name) return true;
  }
  return false;
}

Resource MakeResource(std::string_view group, std::string_view version, std::string_view plural,
                      std::string_view kind, bool namespaced, std::string_view fallback_version) {
  Resource resource;
  resource.group = group;
  resource.version = version;
  resource.plural = plural;
  resource.kind = kind;
  resource.namespaced = namespaced;
  resource.fallback_version = fallback_version;
  return resource;
}

}  // namespace

bool IsDottedName(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain && (c != '.' || before == '.')) return false;
    before = c;
  }
  return before != '.';
}

std::string Resource::GroupResource() const { return WithGroup(plural, group); }

std::string Resource::GroupKind() const { return WithGroup(ToLower(kind), group); }

std::string Resource::CollectionPath(std::string_view ns) const {
  const bool within = namespaced && !ns.empty();
  return Format("/%s%s/%s%s%.*s/%s", group.empty() ? "api" : "apis/", group.c_str(),
                version.c_str(), within ? "/namespaces/" : "", within ? Length(ns) : 0, ns.data(),
                plural.c_str());
}

std::vector<TypeName> ReadTypeName(std::string_view type) {
  const std::string text = ToLower(type);
  TypeName name;
  std::vector<TypeName> readings;
  const size_t first_dot = text.find('.');
  name.resource = text.substr(0, first_dot);
  if (first_dot != std::string::npos) {
    name.qualified = true;
    const size_t second_dot = text.find('.', first_dot + 1);
    if (second_dot != std::string::npos) {
      name.version = text.substr(first_dot + 1, second_dot - first_dot - 1);
      name.group = text.substr(second_dot + 1);
      readings.push_back(name);
      name.version.clear();
    }
    name.group = text.substr(first_dot + 1);
  }
  readings.push_back(name);
  return readings;
}

std::optional<Resource> FindWellKnown(const TypeName& name) {
  for (const std::string_view line : Split(kWellKnown, '\n')) {
    Columns row = Split(line, ' ');
    for (std::string_view& column : row) {
      if (column == "-") column = {};
    }
    if (!Matches(row, name)) continue;
    return MakeResource(row[kGroup], row[kVersion], row[kPlural], row[kKind], row[kScope] == "n",
                        row[kFallback]);
  }
  return std::nullopt;
}

std::optional<Resource> FindWellKnownType(std::string_view type) {
  for (const TypeName& name : ReadTypeName(type)) {
    if (auto known = FindWellKnown(name)) return known;
  }
  return std::nullopt;
}

Resource WellKnown(const char* name) {
  TypeName type;
  type.resource = name;
  return *FindWellKnown(type);
}

std::vector<std::string> GroupVersionsToAsk(const Json& api_group_list, const TypeName& name) {
  std::vector<std::string> all;
  if (name.group.empty()) all.emplace_back("v1");
  for (const bool preferred : {true, false}) {
    for (const Json& group : api_group_list["groups"].items()) {
      // "pods.v1." is of the core group alone.
      if ((name.qualified || !name.group.empty()) && group["name"].AsString() != name.group)
        continue;
      const std::string_view favourite = group["preferredVersion"]["groupVersion"].AsString();
      for (const Json& version : group["versions"].items()) {
        const std::string_view group_version = version["groupVersion"].AsString();
        if ((group_version == favourite) != preferred || all.size() >= kMaxGroupVersions) continue;
        if (!IsDottedName(GroupOf(group_version)) || !IsDottedName(VersionOf(group_version)))
          continue;
        if (!name.version.empty() && VersionOf(group_version) != name.version) continue;
        all.emplace_back(group_version);
      }
    }
  }
  return all;
}

std::string DiscoveryPath(std::string_view group_version) {
  std::string path = group_version.find('/') == std::string_view::npos ? "/api/" : "/apis/";
  return path.append(group_version);
}

std::optional<Resource> FindInResourceList(const Json& api_resource_list,
                                           std::string_view group_version, const TypeName& name) {
  for (const Json& resource : api_resource_list["resources"].items()) {
    const std::string_view plural = resource["name"].AsString();
    const std::string_view kind = resource["kind"].AsString();
    // "pods/status" and the like are subresources; IsDottedName refuses their slash.
    if (!IsDottedName(plural) || !IsDottedName(kind) || !ResourceHasName(resource, name.resource)) {
      continue;
    }
    return MakeResource(GroupOf(group_version), VersionOf(group_version), plural, kind,
                        resource["namespaced"].AsBool().value_or(true), "");
  }
  return std::nullopt;
}

}  // namespace certlatch
