// Resource names one type of the Kubernetes API, in all the spellings that people and the API use.
// Pure: the table of well-known types spares the common cases a discovery request;
// GroupVersionsToAsk and FindInResourceList serve the rest. The caller owns the requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/json.h"

namespace certlatch {

struct Resource {
  std::string group;    // "" for the core group
  std::string version;  // "v1"
  std::string plural;   // "certificates"
  std::string kind;     // "Certificate"
  bool namespaced = true;
  // An older version that serves the same fields, for API servers that lack `version`; "" if none.
  std::string fallback_version;

  // "certificates.cert-manager.io", "pods": as in "Error from server (NotFound): … not found".
  std::string GroupResource() const;
  // "certificate.cert-manager.io", "pod": as in "… condition met".
  std::string GroupKind() const;
  // "/apis/cert-manager.io/v1/namespaces/default/certificates". No namespace where it has none.
  std::string CollectionPath(std::string_view ns) const;
};

// Letters, digits and '-' in parts between dots, none empty: what types, groups and versions are
// made of, and what may become part of a path.
bool IsDottedName(std::string_view text);

// TYPE as a user writes it: "secret", "Secrets", "cert", "certificate.cert-manager.io",
// "certificates.v1.cert-manager.io". Any case.
struct TypeName {
  std::string resource;  // lower case: singular, plural or short name, or kind
  std::string version;   // "" if not given
  std::string group;     // "" if not given
  bool qualified = false;
};

// All readings of `type`, the more specific first: "a.b.c" is version b of group c, or group "b.c".
std::vector<TypeName> ReadTypeName(std::string_view type);

// From the built-in table. nullopt: only API discovery can tell.
std::optional<Resource> FindWellKnown(const TypeName& name);
// The same of TYPE as a user writes it, in its first reading that the table has.
std::optional<Resource> FindWellKnownType(std::string_view type);

// The type of the table with this singular or plural name; it must be there.
Resource WellKnown(const char* name);

// Group versions worth asking about `name`, in kubectl's order, out of the answer to GET /apis:
// "" (the core group) first, then preferred versions before others. At most kMaxGroupVersions.
constexpr size_t kMaxGroupVersions = 200;
std::vector<std::string> GroupVersionsToAsk(const Json& api_group_list, const TypeName& name);

// "/api/v1" or "/apis/GROUP/VERSION".
std::string DiscoveryPath(std::string_view group_version);

// `name` in the APIResourceList of `group_version` (the answer to DiscoveryPath). nullopt: not
// there, or not in a form that a type can have.
std::optional<Resource> FindInResourceList(const Json& api_resource_list,
                                           std::string_view group_version, const TypeName& name);

}  // namespace certlatch
