#include "domain/backoff.h"

#include <algorithm>

namespace certlatch {

Duration Backoff::Next() {
  Duration step = first_;
  for (int i = 0; i < attempt_ && step < most_; ++i) step *= 2;
  step = std::min(step, most_);
  ++attempt_;
  const auto half = static_cast<uint64_t>(step.count() / 2);
  return step / 2 + Duration(static_cast<int64_t>(Random() % (half + 1)));
}

Duration Backoff::Spread(Duration least) {
  const auto tenth = static_cast<uint64_t>(std::max<int64_t>(least.count() / 10, 0));
  return least + Duration(static_cast<int64_t>(Random() % (tenth + 1)));
}

uint64_t Backoff::Random() {
  random_ += 0x9e3779b97f4a7c15;
  uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace certlatch
