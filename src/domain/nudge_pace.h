// NudgePace says when the kubelet may be asked to sync: at once for what is new, ever more rarely
// while that does not help (the kubelet may look at a Secret that it still has in its own cache),
// and rarely where we have not the right to. Pure: the caller asks, and reports what came of it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "domain/backoff.h"

namespace certlatch {

constexpr Duration kFirstNudgePause = 2s;
constexpr Duration kLongestNudgePause = 5min;  // what lasts so long, no sync will mend
constexpr Duration kNudgeAgain = 1s;           // at the soonest, whatever the source says
constexpr Duration kRefusedNudgePause = 5min;  // after a 403: rights come rarely

class NudgePace {
 public:
  explicit NudgePace(uint64_t seed) : backoff_(kFirstNudgePause, kLongestNudgePause, seed) {}

  // Something else is to be brought from now on.
  void OnExpected(Instant now) {
    backoff_.Reset();
    next_ = std::min(next_, now + kNudgeAgain);
  }
  // The API server says that we may not; that holds for what comes later, too.
  void OnRefused(Instant now) { allowed_ = now + kRefusedNudgePause; }

  Instant next() const { return std::max(next_, allowed_); }
  // True: it is time. The next one is planned then.
  bool Take(Instant now) {
    if (now < next()) return false;
    next_ = now + backoff_.Next();
    return true;
  }

 private:
  Backoff backoff_;
  Instant next_{};
  Instant allowed_{};
};

}  // namespace certlatch
