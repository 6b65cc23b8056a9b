// Wait is `certlatch wait` and `kubectl wait`: it watches all targets at the same time, says why
// each is not met yet (once per change), and ends when all are met (--any: one), one cannot be, or
// time is up. Owns its items; tells its owner the outcome once. The owner must not destroy it from
// there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/host.h"
#include "app/mode.h"
#include "app/wait_item.h"
#include "app/wait_options.h"
#include "base/function.h"

namespace certlatch {

class Wait : public Mode, private WaitBoard {
 public:
  // `options` are completed, and must outlive this.
  Wait(Host& host, WaitOptions& options, Function<void(WaitResult&&)> done);
  ~Wait() override;

  void Start() override;
  void Interrupt(const char* signal) override;  // not met

 private:
  void OnMet(WaitItem& item, bool silent) override;
  void OnFailed(WaitItem& item, std::string error, WaitOutcome outcome) override;
  void OnUnmet(WaitItem& item, const std::string& reason) override;
  void OnTrouble(WaitItem& item, const std::string& trouble) override;
  void OnSelected(WaitItem& item, std::vector<std::unique_ptr<WaitItem>> found) override;

  void StartItems();
  void Decide(WaitItem& item, WaitRecord::State state);
  void TellMet();
  void Tell(const WaitItem& item, LogLevel level, const char* event, const std::string& reason,
            const char* consequence);
  std::string TimeoutError(const WaitItem& item) const;
  void OnTimeout();
  void FinishIfDecided();
  void Finish(WaitOutcome outcome, std::vector<std::string> errors);

  Host& host_;
  WaitOptions& options_;
  Function<void(WaitResult&&)> done_;
  std::vector<std::unique_ptr<WaitItem>> items_;
  size_t settled_ = 0;  // items that stood for others
  Instant deadline_{};
  Handle deadline_timer_;
  bool finished_ = false;
};

}  // namespace certlatch
