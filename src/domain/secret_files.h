// ReadSecretFiles turns a Secret of the API into the files that it stands for: a name and bytes
// each. Pure; what an API server sends is hostile input: no name leads out of a directory or hides
// in it, and all together are bounded. The caller owns the files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "domain/json.h"

namespace certlatch {

constexpr size_t kMaxSecretBytes = size_t{1024} * 1024;  // Kubernetes' bound of a Secret's data
constexpr size_t kMaxSecretFiles = 1000;                 // each is compared with all others

struct SecretFile {
  std::string name;
  Secret bytes;
};

// Adds them to `files`, in the order of the object. Error (kRetry): one line that names the key.
Status ReadSecretFiles(const Json& secret, std::vector<SecretFile>& files);

}  // namespace certlatch
