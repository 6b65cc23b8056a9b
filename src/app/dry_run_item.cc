#include "app/dry_run_item.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

// There is nothing to watch: what stands in the way may be a certificate that nobody sees.
constexpr Duration kPause = 2s;

}  // namespace

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
      return Fail(ErrorLine(outcome.reason));
    case State::kUnmet:
      record.trouble.clear();
      board_.OnUnmet(*this, outcome.reason);
      if (!record.pending()) return;
      timer_ = host_.After(kPause, [this] { Try(); });
      return;
    case State::kUnknown:
      break;
  }
  board_.OnTrouble(*this, outcome.reason);
  if (!record.pending()) return;
  timer_ = host_.After(std::max(kPause, answer.retry_after.value_or(kPause)), [this] { Try(); });
}

}  // namespace certlatch
