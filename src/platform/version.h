// What this binary is: its version, the commit it was built from, the libraries inside.
#pragma once

#include <string>

#include "domain/metrics.h"

namespace certlatch {

// "certlatch 0.1.0 (commit 0123abc)\nlibcurl 8.14.1, OpenSSL 3.5.1, simdjson 3.0.1".
std::string VersionText();
// {"version":"0.1.0","commit":"0123abc","libraries":{"libcurl":"8.14.1",…}}
std::string VersionJson();

extern const BuildInfo kBuildInfo;

}  // namespace certlatch
