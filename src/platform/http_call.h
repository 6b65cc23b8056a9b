// CallApp tells the app over HTTP, on TCP or a Unix socket, as its user wishes: one request, no
// redirects, nothing of what the API server is told. Credentials and trust are read from their
// files for each call. Owns a name look-up or a request; both end within the call's timeout.
#pragma once

#include "app/pod.h"
#include "base/function.h"
#include "platform/http.h"
#include "platform/loop.h"

namespace certlatch {

// kDone; kStatus, none that was asked for; kConnection; kTimeout; kOther, a file that is needed
// cannot be used. `call` and `http` must outlive the handle.
[[nodiscard]] Handle CallApp(Loop& loop, HttpClient& http, const HttpCall& call,
                             Function<void(const TellOutcome&)> then);

}  // namespace certlatch
