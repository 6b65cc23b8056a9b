// CheckSecretFiles says whether the data of a Secret of the API can stand in a directory as files,
// one for each key. What an API server sends is hostile input: no name may lead out of the
// directory or hide in it, and all together are bounded. Pure.
#pragma once

#include "base/result.h"
#include "domain/json.h"

namespace certlatch {

constexpr size_t kMaxSecretBytes = size_t{1024} * 1024;  // Kubernetes' bound of a Secret's data
constexpr size_t kMaxSecretFiles = 1000;                 // each is compared with all others

// `data`: names, each with its bytes in base64. Error (kRetry): one line that names the key.
Status CheckSecretFiles(const Json& data);

}  // namespace certlatch
