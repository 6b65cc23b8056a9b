// ReadManifestFiles reads what -f names: files, directories and standard input, in kubectl's order.
// Blocks while standard input is open, so: before anything else is begun. Bounded by
// kMaxManifestFile bytes each and kMaxManifestObjects objects in all.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/target.h"

namespace certlatch {

constexpr size_t kMaxManifestFile = 4 << 20;

// Adds their objects to `targets`. `recursive`: of directories below directories, too.
Status ReadManifestFiles(const std::vector<std::string>& files, bool recursive,
                         std::vector<TargetName>& targets);

}  // namespace certlatch
