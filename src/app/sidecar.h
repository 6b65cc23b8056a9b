// Sidecar is `certlatch sidecar`: it keeps what is expected, mounted and served the same. It waits
// for its targets first, then runs the state machine (domain/reload) on Host and Pod until it is
// interrupted. Tells its owner the outcome once: an interrupt is success, a timeout before the
// first verified pair is not. The owner must not destroy it from there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/expectation.h"
#include "app/host.h"
#include "app/pod.h"
#include "app/wait.h"
#include "domain/metrics.h"
#include "domain/reload.h"
#include "domain/status_request.h"

namespace certlatch {

struct SidecarOptions {
  PodOptions pod;
  ExpectOptions expect;
  ReloadOptions reload;  // what is not said elsewhere: the bounds
  std::string require_name;
  UnreadyWhen unready_when = UnreadyWhen::kExpired;
  std::string listen = ":9847";  // checked by ParseListenAddress; "": no status pages
  WaitOptions wait;              // without targets: nothing to wait for
  WatchSettings watch;
};

}  // namespace certlatch
