// Backoff gives the delays between attempts: doubling from `first` to `most`, each drawn at random
// from the upper half of its step, so that a thousand pods do not come back in one moment.
// Pure and repeatable: the same seed gives the same delays.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace certlatch {

class Backoff {
 public:
  Backoff(Duration first, Duration most, uint64_t seed)
      : first_(first), most_(most), random_(seed) {}

  Duration Next();
  void Reset() { attempt_ = 0; }
  int attempt() const { return attempt_; }

  // `least` plus up to a tenth: for Retry-After, which all clients hear at the same moment.
  Duration Spread(Duration least);

 private:
  uint64_t Random();  // SplitMix64 (Steele, Lea, Flood 2014): tiny, and good enough to spread load

  Duration first_;
  Duration most_;
  uint64_t random_;
  int attempt_ = 0;
};

}  // namespace certlatch
