// Readiness is what the users of a kind of object mean by "ready", where no --for says otherwise.
// One row a kind in readiness.cc: which objects to watch, and a pure judgement over them. A kind
// without a row is ready by its condition Ready, else Available. Texts never tell what a Secret
// holds.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "domain/goal.h"
#include "domain/lease_record.h"
#include "domain/reachable.h"
#include "domain/target.h"
#include "domain/watch_session.h"

namespace certlatch {

struct ReadinessSettings {
  int min_ready = 1;              // addresses or endpoints
  Duration min_validity{};        // how long a certificate must still be valid
  std::vector<std::string> keys;  // of a Secret: what must be there, and not empty
  std::string annotation_prefix{kDefaultAnnotationPrefix};  // of a Lease
};

// The collections that JudgeReady needs for `target`, in its order, as far as those already known
// tell: what an object names is needed, too. `known` are the first so many of them, none at the
// start; the same knowledge gives the same needs, and more of it only adds to their end.
std::vector<Selection> ReadinessNeeds(const Target& target,
                                      const std::vector<const Collection*>& known);

// `collections` as ReadinessNeeds ordered them, each known.
Verdict JudgeReady(const Target& target, const std::vector<const Collection*>& collections,
                   const ReadinessSettings& settings, WallTime now);

// The servers that a webhook is called at, each with the authorities that it has to be trusted by:
// which certificate they serve is not seen through the API. As far as their place can be told, each
// once, kMaxWebhookServices at most. For who has found the target met.
std::vector<Reachable> ReadinessServers(const Target& target,
                                        const std::vector<const Collection*>& collections);

// The same of one Secret; nullptr: there is none.
Verdict JudgeSecret(const Json* secret, const ReadinessSettings& settings, WallTime now);

}  // namespace certlatch
