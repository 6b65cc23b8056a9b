// ReadManifest finds out which objects a manifest is about: JSON documents one after the other,
// each an object or a List. Pure; only names are kept. The caller bounds the text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/json.h"
#include "domain/target.h"

namespace certlatch {

// Whether it stands for its items.
bool IsList(const Json& object);

// Adds a target for each object to `targets`, at most kMaxManifestObjects in all. Errors (kConfig)
// say nothing of what the objects hold; `file` is for these. `to_create`: what the API server is to
// name, by generateName, needs no name; then that is the target's.
constexpr size_t kMaxManifestObjects = 5000;
Status ReadManifest(std::string_view text, const std::string& file,
                    std::vector<TargetName>& targets, bool to_create = false);

}  // namespace certlatch
