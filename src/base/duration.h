// Durations as Go writes and reads them, since users know them from kubectl: "300ms", "1h30m".
// Pure. A parsed duration fits in 64 bits of nanoseconds (about 292 years).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace certlatch {

// Go's time.ParseDuration: an optional sign, then numbers with optional fractions, each with a unit
// of ns, us, µs, ms, s, m or h; "0" alone needs none. The error has Go's own words.
Result<Duration> ParseDuration(std::string_view text);

// Go's Duration.String: "1m30s", "1.5s", "0s", "300ms".
std::string FormatDuration(Duration duration);

// For people who watch a countdown: whole seconds from one second up ("41s", "2m5s"), else as
// above.
std::string RoughDuration(Duration duration);

}  // namespace certlatch
