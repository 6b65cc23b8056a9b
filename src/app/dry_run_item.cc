#include "app/dry_run_item.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {

void DryRunItem::Close() {
  TypedItem::Close();
  request_.reset();
}

std::string DryRunItem::Label() const { return Printable(target_.name.text, 300); }

void DryRunItem::Try() {
  const ApiChange create{
      "POST", "application/json",
      Format("%s?dryRun=All", target_.resource.CollectionPath(target_.ns).c_str()),
      target_.name.object};
  request_ = host_.Change(create, [this](const ApiAnswer& answer) { OnAnswer(answer); });
}

void DryRunItem::OnAnswer(const ApiAnswer& answer) {
  using State = DryRunOutcome::State;
  const DryRunOutcome outcome = JudgeDryRun(answer, ReadDryRunText(target_.name.text));
  const bool patient =
      answer.status == 401 ? options_.watch.retry_unauthorized : options_.watch.retry_forbidden;
  switch (outcome.state) {
    case State::kMet:
      return board_.OnMet(*this, /*silent=*/false);
    case State::kImpossible:
      return Fail(ErrorLine(outcome.reason), WaitOutcome::kImpossible);
    case State::kForbidden:
      if (patient) break;
      [[fallthrough]];
    case State::kInvalid:
      return Fail(ErrorLine(ReasonToShow(answer, outcome)));
    case State::kUnmet:
      record.trouble.clear();
      pause_.Reset();
      board_.OnUnmet(*this, outcome.reason);
      return TryAgain({});
    case State::kUnknown:
      break;
  }
  board_.OnTrouble(*this, outcome.reason);
  TryAgain(answer.retry_after.value_or(Duration()));
}

// Old API servers repeat what they could not read, and it may be a Secret's.
std::string DryRunItem::ReasonToShow(const ApiAnswer& answer, const DryRunOutcome& outcome) const {
  if (answer.status == 403 || target_.resource.GroupResource() != "secrets") return outcome.reason;
  return Format("HTTP %d: refused (what is said of a Secret is not repeated)", answer.status);
}

void DryRunItem::TryAgain(Duration least) {
  if (!record.pending()) return;
  timer_ = host_.After(std::max(least, pause_.Next()), [this] { Try(); });
}

}  // namespace certlatch
