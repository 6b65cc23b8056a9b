// ApiResource is one row of the API server's table of resources: names and traits of a kind.
// Plain values; DefaultResources() lists what every MiniApiserver knows from the start.
// A second version of a group is a second row; both show the same objects.
#pragma once

#include <string>
#include <vector>

namespace certlatch::test {

struct ApiResource {
  std::string group;  // "" is the core group
  std::string version;
  std::string plural;
  std::string kind;
  std::vector<std::string> short_names;
  bool namespaced = true;
  bool has_status =
      false;  // with a status subresource, and metadata.generation counts spec changes
  // As a CustomResourceDefinition would make it: its lists name kind and apiVersion in each item.
  bool custom = false;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  // As in messages: "secrets", "certificates.cert-manager.io".
  std::string qualified() const { return group.empty() ? plural : plural + "." + group; }
};

std::vector<ApiResource> DefaultResources();

}  // namespace certlatch::test
