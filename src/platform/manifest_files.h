// ReadManifestFiles reads what -f names: files, directories and standard input, in kubectl's order.
// Waits while standard input is open, so: before anything else is begun, and for so long at most.
// Bounded by kMaxManifestFile bytes each and kMaxManifestObjects objects in all.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/target.h"

namespace certlatch {

constexpr size_t kMaxManifestFile = 4 << 20;

// Adds their objects to `targets`. `recursive`: of directories below directories, too. `limit`: of
// the wait for standard input, which SIGTERM and SIGINT end, too; it leaves them blocked.
Status ReadManifestFiles(const std::vector<std::string>& files, bool recursive, Duration limit,
                         std::vector<TargetName>& targets);

}  // namespace certlatch
