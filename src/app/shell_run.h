// ShellRun is `sh -c SCRIPT` where the script waits: it takes the steps of a LoopPlan one by one.
// What a loop asks kubectl for is watched, so that the loop ends when it becomes true and not at
// the next round; its echoes come at its own pace. Nothing is ever executed.
// Owns its watches; tells its owner the outcome once. The owner must not destroy it from there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/host.h"
#include "app/mode.h"
#include "app/wait_options.h"
#include "base/function.h"
#include "domain/resource.h"
#include "domain/shell_loop.h"

namespace certlatch {

struct ShellOptions {
  LoopPlan plan;
  // What the kubectl of each of the plan's tests was told; nullptr: it has none. A kGet has the
  // namespace and how to watch.
  std::vector<std::unique_ptr<WaitOptions>> kubectl;
};

class ShellRun : public Mode {
 public:
  // `options` must outlive this.
  ShellRun(Host& host, ShellOptions& options, Function<void(WaitResult&&)> done);
  ~ShellRun() override;

  void Start() override { Proceed(); }
  void Interrupt(const char* signal) override;  // not met

 private:
  struct Look;

  void Proceed();
  void BeginTests(const LoopStep& step);
  void StartRound();
  void Attempt(Look& look);
  void OnProbed(Look& look, const ProbeOutcome& outcome);
  void OnWaited(Look& look, WaitResult&& result);
  void Resolve(Look& look);
  void OnResolved(Look& look, Result<Resource>&& resource);
  void OnChange(Look& look);
  void Know(Look& look, bool holds, const std::string& why, LogLevel level);
  void CheckRound();
  void GoTo(size_t step);

  Host& host_;
  ShellOptions& options_;
  Function<void(WaitResult&&)> done_;
  size_t at_ = 0;                             // the step that is being taken, or comes next
  bool over_ = false;                         // it is done: nothing more is heard of its tests
  bool round_ = false;                        // nothing has been said in this round
  WaitResult result_{WaitOutcome::kMet, {}};  // of the last step
  std::vector<std::unique_ptr<Look>> looks_;
  Handle timer_;
};

}  // namespace certlatch
