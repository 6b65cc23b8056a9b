#include "app/probe_loop.h"

#include <algorithm>

namespace certlatch {

void ProbeLoop::Start(Instant deadline) {
  deadline_ = deadline;
  const Duration left = deadline - host_.Now();
  Try(left > Duration::zero() ? left : kProbeLimit);
}

void ProbeLoop::Try(Duration left) {
  if (left <= Duration::zero()) return;
  under_way_ = host_.Probe(what_, std::min(left, kProbeLimit), [this](const ProbeOutcome& outcome) {
    // Before its owner hears of it, who may close it.
    under_way_ = host_.After(kProbePause, [this] { Try(deadline_ - host_.Now()); });
    tell_(outcome);
  });
}

}  // namespace certlatch
