// What `--write` does with a Secret: its files are brought into a directory, all at once, where
// they are right. Nothing is kept; the caller watches the Secret and tries again.
#pragma once

#include <string>

#include "app/host.h"
#include "base/result.h"
#include "domain/json.h"
#include "domain/target.h"

namespace certlatch {

// Has the files of `secret` written into the directory `where.text`, and says so. Errors: as
// CheckSecretFiles and Host::WriteVolume.
Status WriteSecret(Host& host, const Json& secret, const TargetName& where, unsigned mode);

// The same of a Secret that a watch knows, if it is there and, of type TLS, its pair verifies; else
// what is in the directory stays. nullptr: there is none. `trouble`: why it has not been written;
// "": it has. Returns when to try again without any news; 0: never.
Duration WriteReady(Host& host, const Json* secret, const TargetName& where, unsigned mode,
                    std::string& trouble);

}  // namespace certlatch
