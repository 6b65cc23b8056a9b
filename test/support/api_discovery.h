// The discovery documents of an API server, in the old unaggregated form that every client reads.
// Pure: from the table of resources. Null where the table has no such group or version.
// The caller asks with a path below "/api" or "/apis".
#pragma once

#include <string_view>
#include <vector>

#include "domain/json.h"
#include "test/support/api_resource.h"

namespace certlatch::test {

Json CoreVersions();                                                            // /api
Json GroupList(const std::vector<ApiResource>& resources);                      // /apis
Json Group(const std::vector<ApiResource>& resources, std::string_view group);  // /apis/GROUP
Json ResourceList(const std::vector<ApiResource>& resources, std::string_view group,
                  std::string_view version);  // /api/VERSION, /apis/GROUP/VERSION
Json VersionInfo();                           // /version

}  // namespace certlatch::test
