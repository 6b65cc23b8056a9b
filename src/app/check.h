// Check is `certlatch check`, the exec probe: it looks once at what is expected, mounted and
// served, prints the three fingerprints, and succeeds when those that were asked for agree.
#pragma once

#include <functional>
#include <string>

#include "app/expectation.h"
#include "app/host.h"
#include "app/pod.h"

namespace certlatch {

struct CheckOptions {
  PodOptions pod;  // its volume and `prove`
  ExpectOptions expect;
  std::string require_name;
  Duration min_validity{};
  Duration timeout = 10s;  // of the whole look
  bool json = false;
};

}  // namespace certlatch
