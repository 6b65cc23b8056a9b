// Publish is `certlatch publish`, the leader's side: it watches a Secret (or a mounted volume),
// verifies the pair, and keeps the annotations of a Lease up to date for the followers.
#pragma once

#include <functional>
#include <string>

#include "app/host.h"
#include "app/pod.h"
#include "domain/lease_record.h"
#include "domain/watch_session.h"

namespace certlatch {

struct PublishOptions {
  std::string lease;
  std::string secret;    // or
  VolumeOptions volume;  // with a directory
  std::string ns = "default";
  std::string annotation_prefix{kDefaultAnnotationPrefix};
  bool create = false;      // the Lease, where there is none
  bool once = false;        // end after the first success
  Duration timeout = 180s;  // of --once; then it fails
  WatchSettings watch;
};

}  // namespace certlatch
