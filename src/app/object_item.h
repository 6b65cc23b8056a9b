// ObjectItem is a target that is an object of the Kubernetes API: finds its type, watches it and
// what its readiness depends on, and judges its goals after each change. Owns its watches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/object_watcher.h"
#include "app/resource_finder.h"
#include "app/wait_item.h"
#include "domain/backoff.h"

namespace certlatch {

class ObjectItem : public WaitItem {
 public:
  ObjectItem(Host& host, const WaitOptions& options, WaitBoard& board, const TargetName& name);
  ~ObjectItem() override;

  void Start() override { Resolve(); }
  void Close() override;
  std::string Label() const override;
  std::string Name() const override;
  size_t lines() const override { return goals().size(); }
  bool Answered() const override { return seen_ || WaitItem::Answered(); }
  std::string KubectlTimeout() const override;

 private:
  void Resolve();
  void OnResolved(Result<Resource> resource);
  void RetryResolve(Duration pause, const std::string& reason);

  const std::vector<Goal>& goals() const;
  bool Plan();
  std::vector<Selection> Needs(const Goal& goal, const std::vector<const Collection*>& known) const;
  ObjectWatcher& WatcherOf(const Selection& selection);
  void OnChange();
  bool CheckTrouble();
  bool CheckExistence();
  bool IsAbsent() const;

  void Judge();
  bool HasChanged();
  Verdict JudgeGoals();
  const Json* SameObject(const Goal& goal, const Collection& collection);
  void ScheduleRecheck(const Verdict& verdict);
  std::string DeniedError(const Error& error) const;

  struct PlannedGoal;
  struct Watched;

  Target target_;
  std::vector<Goal> own_goals_;  // none: those of the command
  std::unique_ptr<ResourceFinder> finder_;
  std::vector<Watched> watched_;
  std::vector<PlannedGoal> planned_;
  bool judge_again_ = true;  // though no collection changed
  bool seen_ = false;        // all collections have been known once
  std::string uid_;          // of the object first seen: another one of its name is not it
  Backoff backoff_;
  Handle timer_;  // to resolve again, or to look again
  Handle namespace_request_;
};

}  // namespace certlatch
