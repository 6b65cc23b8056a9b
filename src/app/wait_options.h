// WaitOptions is what a Wait and its items are told by the command line.
#pragma once

#include <string>
#include <vector>

#include "app/nudge.h"
#include "app/pod.h"
#include "base/time.h"
#include "domain/goal.h"
#include "domain/readiness.h"
#include "domain/target.h"
#include "domain/watch_session.h"

namespace certlatch {

// More targets than any pod names; each costs a connection. Of more than that, which selections can
// have, so many are looked at at a time.
constexpr size_t kMaxTargets = 100;

// --timeout=0 asks for one look; an API server that does not answer must not make it a long one.
constexpr Duration kOneLook = 30s;

struct WaitOptions {
  std::vector<TargetName> targets;
  std::vector<TargetName> writes;  // Secrets to be written, each into the directory of its text
  unsigned write_mode = 0440;      // of their files
  std::vector<std::string> files;  // manifests whose objects are targets, too
  bool recursive = true;           // directories among them, with what is below
  std::vector<std::string> types;  // all objects of them that these choose:
  std::string label_selector;      // "": all
  std::string field_selector;      // "": all
  bool all_namespaces = false;
  std::vector<Goal> goals;  // of every target without one of its own; none: ready
  Duration timeout = 180s;  // 0: look once. Bounds the whole command
  Duration spent{};         // of that, before the wait begins
  std::string ns = "default";
  bool ns_given = false;           // by a flag: objects of manifests must not be of another
  bool as_kubectl = false;         // kubectl's rules and words where they differ
  bool wait_for_existence = true;  // false: an absent object is an error, as in kubectl
  bool name_only = false;          // -o name
  bool any = false;                // one target is enough
  bool fail_fast = false;          // end where waiting until the timeout cannot help
  // Of targets outside the API server:
  std::string target_ca_file;  // whom to trust there, read for each attempt; "": the system's
  std::string http_statuses = "2xx";  // which of an http target mean that it is ready; checked
  // Of targets that are mounts:
  VolumeOptions volume;      // the names of its files, without a directory
  std::string require_name;  // what the certificate must be valid for; "": any
  NudgeOptions nudge;
  ReadinessSettings readiness;
  WatchSettings watch;

  Duration limit() const { return timeout == Duration::zero() ? kOneLook : timeout; }

  // Whether it is an error that a target does not exist at the first look.
  bool must_exist() const { return as_kubectl || !wait_for_existence; }
};

}  // namespace certlatch
