// StartProbe makes one attempt at something outside the API server: a connection, an HTTP request,
// PostgreSQL's startup packet, a look at a file. Never blocks; nothing of what the API server is
// told is sent. Destroying the handle ends it.
#pragma once

#include "app/host.h"
#include "base/function.h"
#include "base/time.h"
#include "domain/reachable.h"
#include "platform/http.h"
#include "platform/loop.h"

namespace certlatch {

// `http` and `what` outlive the handle. The outcome comes from the loop, after `limit` at the
// latest (and a moment of rounding).
[[nodiscard]] Handle StartProbe(Loop& loop, HttpClient& http, const Reachable& what, Duration limit,
                                Function<void(const ProbeOutcome&)> then);

}  // namespace certlatch
