// Wait is `certlatch wait` and `kubectl wait`: it watches all targets at the same time, says why
// each is not met yet (once per change), and ends when all are met, one cannot be, or time is up.
// Owns its watches; tells its owner the outcome once. The owner must not destroy it from there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/host.h"
#include "app/mode.h"
#include "app/object_watcher.h"
#include "app/resource_finder.h"
#include "base/function.h"
#include "domain/goal.h"
#include "domain/readiness.h"
#include "domain/target.h"

namespace certlatch {

// More targets than any pod names; each costs a connection.
constexpr size_t kMaxTargets = 100;

struct WaitOptions {
  std::vector<TargetName> targets;
  std::vector<Goal> goals;  // of every target; none: ready
  Duration timeout = 180s;  // 0: look once. Bounds the whole command
  std::string ns = "default";
  bool as_kubectl = false;         // kubectl's rules and words where they differ
  bool wait_for_existence = true;  // false: an absent object is an error, as in kubectl
  bool name_only = false;          // -o name
  // Of targets outside the API server:
  std::string target_ca_file;  // whom to trust there, read for each attempt; "": the system's
  std::string http_statuses = "2xx";  // which of an http target mean that it is ready; checked
  ReadinessSettings readiness;
  WatchSettings watch;
};

class Wait : public Mode {
 public:
  // `options` are completed, and must outlive this.
  Wait(Host& host, WaitOptions& options, Function<void(WaitResult)> done);
  ~Wait() override;

  void Start() override;
  void Interrupt(const char* signal) override;  // not met

 private:
  struct Item;

  void Resolve(Item& item);
  void OnResolved(Item& item, Result<Resource> resource);
  void RetryResolve(Item& item, Duration pause, const std::string& reason);
  void WatchItem(Item& item);
  void OnChange(Item& item);
  bool CheckTrouble(Item& item);
  bool CheckExistence(Item& item);
  void Judge(Item& item);
  Verdict JudgeGoals(Item& item) const;
  static const Json* SameObject(Item& item, const Goal& goal, const Collection& collection);
  void ScheduleRecheck(Item& item, const Verdict& verdict);
  void Say(Item& item, const std::string& reason);
  void SayTrouble(Item& item, const std::string& trouble);
  void OnMet(Item& item, bool silent);
  void TellMet();
  void OnFailed(Item& item, std::string error, WaitOutcome outcome = WaitOutcome::kNotMet);
  void OnTimeout();
  void FinishIfDecided();
  void Finish(WaitOutcome outcome, std::vector<std::string> errors);

  std::string TimeoutError(const Item& item) const;
  std::string DeniedError(const Item& item, const Error& error) const;
  void Tell(const Item& item, LogLevel level, const char* event, const std::string& reason,
            const char* consequence);

  Host& host_;
  WaitOptions& options_;
  Function<void(WaitResult)> done_;
  std::vector<std::unique_ptr<Item>> items_;
  Instant deadline_{};
  Handle deadline_timer_;
  bool finished_ = false;
};

}  // namespace certlatch
