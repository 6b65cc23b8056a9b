// DryRunItem is a target dry-run:FILE: an object whose creation the API server is asked to try,
// again and again, until its admission chain says what is expected. Nothing is kept there.
#pragma once

#include <string>

#include "app/typed_item.h"
#include "domain/dry_run.h"

namespace certlatch {

class DryRunItem : public TypedItem {
 public:
  // `name` with its object.
  DryRunItem(Host& host, const WaitOptions& options, WaitBoard& board, const TargetName& name)
      : TypedItem(host, options, board, name), pause_(kPause, kLongestPause, options.watch.seed) {}

  void Close() override;
  std::string Label() const override;

 private:
  void OnType() override { Try(); }
  void Try();
  void OnAnswer(const ApiAnswer& answer);
  std::string ReasonToShow(const ApiAnswer& answer, const DryRunOutcome& outcome) const;
  void TryAgain(Duration least);

  // There is nothing to watch: what stands in the way may be a certificate that nobody sees.
  static constexpr Duration kPause = 2s;
  static constexpr Duration kLongestPause = 30s;  // where the API server itself is in trouble

  Backoff pause_;
  Handle request_;
};

}  // namespace certlatch
