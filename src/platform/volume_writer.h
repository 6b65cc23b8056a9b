// WriteVolume fills a directory with a Secret's files as the kubelet fills a Secret's volume: each
// generation in a dated directory of its own, which one rename of the link `..data` puts in place.
// Whoever reads through `..data` has all files of one generation, also when this is killed at any
// instant; what that left behind goes with the next write. Touches nothing that it has not made.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "domain/json.h"

namespace certlatch {

// `data` of a Secret, as CheckSecretFiles lets it through. The files get `mode`, directories the
// same and the right to search where there is one to read. The name of the generation goes to
// `written`; "": it was there already, byte for byte. Errors, one line each with the next step:
// kRetry; kConfig where waiting alone cannot help.
Status WriteVolume(const std::string& directory, const Json& data, mode_t mode,
                   std::string& written);

// Copies the running program to `directory`/certlatch, over an older one. Errors as above.
Status InstallProgram(const std::string& directory);

}  // namespace certlatch
