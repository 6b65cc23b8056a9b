#include "app/reachable_item.h"

#include <utility>

namespace certlatch {

ReachableItem::ReachableItem(Host& host, const WaitOptions& options, WaitBoard& board,
                             Reachable what)
    : WaitItem(host, options, board),
      what_(std::move(what)),
      loop_(host, what_, [this](const ProbeOutcome& outcome) { OnOutcome(outcome); }) {
  what_.statuses = options.http_statuses;
  what_.ca_file = options.target_ca_file;
}

void ReachableItem::OnOutcome(const ProbeOutcome& outcome) {
  if (outcome.ready) return board_.OnMet(*this, /*silent=*/false);
  board_.OnUnmet(*this, outcome.reason);
}

}  // namespace certlatch
