// ReachableItem is a target outside the Kubernetes API: a TCP port, an HTTP answer, a PostgreSQL
// that accepts connections, a file. Attempts again and again; a state is an attempt's outcome.
#pragma once

#include <string>

#include "app/probe_loop.h"
#include "app/wait_item.h"
#include "domain/reachable.h"

namespace certlatch {

class ReachableItem : public WaitItem {
 public:
  // `what` as ParseReachable() took it.
  ReachableItem(Host& host, const WaitOptions& options, WaitBoard& board, Reachable what);

  void Start(Instant deadline) override { loop_.Start(deadline); }
  void Close() override { loop_.Close(); }
  std::string Label() const override { return what_.text; }

 private:
  void OnOutcome(const ProbeOutcome& outcome);

  Reachable what_;
  ProbeLoop loop_;
};

}  // namespace certlatch
