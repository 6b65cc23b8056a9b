// What tests put into a volume, and what a reader found there: three files that say of which
// generation they are, so that a mix of generations is seen.
#pragma once

#include <string>
#include <vector>

#include "platform/volume_snapshot.h"
#include "test/support/atomic_writer.h"

namespace certlatch {

inline const std::vector<std::string> kNames = {"tls.crt", "tls.key", "ca.crt"};

// All files of a generation say which one they are of, and are of different sizes.
test::Payload Generation(int serial);

// "7": all files are of generation 7; "7 8 missing": not; or the error.
std::string Describe(const Result<VolumeSnapshot>& read);

}  // namespace certlatch
