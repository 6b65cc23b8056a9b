// ObjectItem is a target that is an object of the Kubernetes API: finds its type, watches it and
// what its readiness depends on, and judges its goals after each change. Where they are met, the
// servers that it has called, if any, must not show another's certificate. While it is not met, it
// asks now and then what it hangs on, for a better reason. Owns its watches and one such walk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/diagnoser.h"
#include "app/object_watcher.h"
#include "app/server_proof.h"
#include "app/typed_item.h"

namespace certlatch {

class ObjectItem : public TypedItem {
 public:
  // `resource`: where it is known already.
  ObjectItem(Host& host, const WaitOptions& options, WaitBoard& board, const TargetName& name,
             const Resource& resource = {});
  ~ObjectItem() override;

  void Start(Instant deadline) override;
  void Close() override;
  std::string Name() const override;
  size_t lines() const override { return goals().size(); }
  bool Answered() const override;
  std::string KubectlTimeout() const override;

 protected:
  // All its goals are met.
  virtual void OnReady() { board_.OnMet(*this, /*silent=*/false); }
  const Json* Object() const;  // as last seen; nullptr: there is none
  void RecheckAfter(Duration length);

 private:
  void OnType() override { (void)Plan(); }

  const std::vector<Goal>& goals() const;
  bool Plan();
  std::vector<Selection> Needs(const Goal& goal, const std::vector<const Collection*>& known) const;
  ObjectWatcher* WatcherOf(const Selection& selection);
  void OnChange();
  bool KnowsAll();
  bool CheckExistence();
  bool IsAbsent() const;

  void Judge();
  bool HasChanged();
  Verdict JudgeGoals();
  bool AskServers(Verdict& verdict);
  const Json* SameObject(const Goal& goal, const Collection& collection);
  void ScheduleRecheck(const Verdict& verdict);
  bool HasNews(const Diagnosis& found);
  void DiagnoseAt(Instant due);
  void Diagnose();
  void OnDiagnosed();

  struct PlannedGoal;
  struct Watched;

  std::vector<Goal> own_goals_;  // none: those of the command
  std::vector<Watched> watched_;
  std::vector<PlannedGoal> planned_;
  bool judge_again_ = true;  // though no collection changed
  std::string uid_;          // of the object first seen: another one of its name is not it
  Handle namespace_request_;
  Instant deadline_{};
  std::unique_ptr<ServerProof> proof_;
  Handle ask_timer_;
  std::string verdict_;  // the reason without what a walk found
  std::string cause_;    // the reason with it, as last told; "": it adds nothing
  std::unique_ptr<Diagnoser> diagnoser_;
  Duration diagnosis_pause_{};
  Instant diagnosed_at_{};   // when the last walk began
  Instant diagnosis_due_{};  // when the planned one does
  Handle diagnosis_timer_;
  bool changed_since_walk_ = false;  // the object, since the last walk began
};

}  // namespace certlatch
