// ProbeLoop looks at something outside the API server again and again: at once, then kProbePause
// after each answer, until it is closed or its time is up. Owns one attempt or pause at a time.
// Tells its owner every outcome, ready or not; the owner may close it from there, not destroy it.
#pragma once

#include <utility>

#include "app/host.h"
#include "base/function.h"
#include "base/time.h"
#include "domain/reachable.h"

namespace certlatch {

// Soon enough for a person who watches, and no load for what is starting.
constexpr Duration kProbePause = 1s;
// What is ready answers within that; one packet that is lost costs 1 to 3 s (RFC 6298).
constexpr Duration kProbeLimit = 5s;

class ProbeLoop {
 public:
  // `host` and `what` outlive it.
  ProbeLoop(Host& host, const Reachable& what, Function<void(const ProbeOutcome&)> tell)
      : host_(host), what_(what), tell_(std::move(tell)) {}

  // Once. After `deadline` no attempt begins or goes on; the first is made even if that is now
  // (a command that is to look once), and then has its whole limit.
  void Start(Instant deadline);
  void Close() { under_way_.reset(); }  // nothing is told any more

 private:
  void Try(Duration left);

  Host& host_;
  const Reachable& what_;
  Function<void(const ProbeOutcome&)> tell_;
  Instant deadline_{};
  Handle under_way_;
};

}  // namespace certlatch
