// Calendar time as text and back: RFC 3339, as Kubernetes and Go write it.
// Pure; years 0000 to 9999; to the second, a fraction is read and dropped.
// The caller owns the clock.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace certlatch {

// "2026-01-02T03:04:05Z", always UTC. A time outside the years 0000 to 9999 is shown as the first
// or the last second of them.
std::string FormatWallTime(WallTime time);

// "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789+01:00". Strict otherwise: capital T and
// Z, real dates only, no leap second (Go takes none either). Error: Code::kRetry.
Result<WallTime> ParseWallTime(std::string_view text);

}  // namespace certlatch
