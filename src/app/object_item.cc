#include "app/object_item.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

// What an object names may change for ever, and each name costs a watch.
constexpr size_t kMaxWatches = 100;

// Most waits end sooner, and need no walk along what the object hangs on.
constexpr Duration kFirstDiagnosis = 1s;
// What it hangs on changes unseen; where nothing changes, it is looked at ever more rarely.
constexpr Duration kNextDiagnosis = 15s;
constexpr Duration kRarestDiagnosis = 2min;
// An object may change for ever and be unmet for the same reason.
constexpr Duration kLeastDiagnosisPause = 5s;
// No event tells that a server has a new certificate.
constexpr Duration kAskServersAgain = 5s;

std::string NotFound(const std::string& group_resource, const std::string& name) {
  return Format("Error from server (NotFound): %s \"%s\" not found", group_resource.c_str(),
                name.c_str());
}

// What a Secret holds is never told, not even as what it is not.
Disclosure DisclosureOf(const Target& target) {
  return target.resource.GroupResource() == "secrets" ? Disclosure::kNoValues : Disclosure::kAll;
}

bool IsReady(const Goal& goal) { return std::holds_alternative<ReadyGoal>(goal); }
bool IsCreate(const Goal& goal) { return std::holds_alternative<CreateGoal>(goal); }
bool IsDelete(const Goal& goal) { return std::holds_alternative<DeleteGoal>(goal); }

// Whether what keeps an object from being ready may keep it from the goals.
bool MayHang(const std::vector<Goal>& goals) {
  for (const Goal& goal : goals) {
    const auto* const condition = std::get_if<ConditionGoal>(&goal);
    if (IsDelete(goal) || (condition != nullptr && !EqualIgnoringCase(condition->status, "true"))) {
      return false;
    }
  }
  return true;
}

// Whether what can no longer become ready cannot meet them.
bool NeedReadiness(const std::vector<Goal>& goals) {
  for (const Goal& goal : goals) {
    const auto* const condition = std::get_if<ConditionGoal>(&goal);
    const bool ready = condition != nullptr && EqualIgnoringCase(condition->type, "ready");
    if (!ready && !IsReady(goal)) return false;
  }
  return true;
}

}  // namespace

// A goal and which collections it is judged by.
struct ObjectItem::PlannedGoal {
  const Goal* goal;
  std::vector<const Collection*> collections;
};

struct ObjectItem::Watched {
  std::unique_ptr<ObjectWatcher> watcher;
  uint64_t judged = 0;  // the collection's revision at the last judgement
  bool needed = true;
};

ObjectItem::ObjectItem(Host& host, const WaitOptions& options, WaitBoard& board,
                       const TargetName& name, const Resource& resource)
    : TypedItem(host, options, board, name) {
  target_.resource = resource;
  if (!name.goal.empty()) own_goals_.push_back(GoalOfTarget(name.goal));
}

ObjectItem::~ObjectItem() = default;

void ObjectItem::Start(Instant deadline) {
  deadline_ = deadline;
  TypedItem::Start(deadline);
}

void ObjectItem::Close() {
  TypedItem::Close();
  diagnosis_timer_.reset();
  if (diagnoser_) diagnoser_->Close();
  namespace_request_.reset();
  if (proof_) proof_->Forget();
  ask_timer_.reset();
  for (const Watched& one : watched_) one.watcher->Close();
}

std::string ObjectItem::Name() const {
  return Format("%s/%s", target_.resource.GroupKind().c_str(), target_.name.name.c_str());
}

// Of the object that the target names (of endpointslices, of all that belong to it).
const Json* ObjectItem::Object() const { return watched_[0].watcher->collection().Only(); }

bool ObjectItem::Answered() const {
  return (seen_ && !(proof_ && proof_->under_way())) || WaitItem::Answered();
}

bool ObjectItem::IsAbsent() const { return Object() == nullptr; }

std::string ObjectItem::KubectlTimeout() const {
  // Nothing was ever seen of it: that is no condition which is not met.
  if (!seen_ && !record.trouble.empty()) return "error: " + record.trouble;
  if (IsCreate(goals()[0]) && seen_ && IsAbsent()) {
    return "error: timed out waiting for the condition";
  }
  const std::string& plural = target_.resource.plural;
  return Format("error: %s %s/%s", KubectlComplaint(),
                (plural.empty() ? target_.name.type : plural).c_str(), target_.name.name.c_str());
}

// --- watching ---

const std::vector<Goal>& ObjectItem::goals() const {
  return own_goals_.empty() ? options_.goals : own_goals_;
}

std::vector<Selection> ObjectItem::Needs(const Goal& goal,
                                         const std::vector<const Collection*>& known) const {
  if (IsReady(goal)) return ReadinessNeeds(target_, known);
  return {{target_.resource, target_.ns, target_.name.name, ""}};
}

// The one that watches it already, or a new one; nullptr: that would be one too many.
ObjectWatcher* ObjectItem::WatcherOf(const Selection& selection) {
  for (Watched& one : watched_) {
    if (!(one.watcher->selection() == selection)) continue;
    one.needed = true;
    return one.watcher.get();
  }
  if (watched_.size() == kMaxWatches) return nullptr;
  WatchSettings settings = options_.watch;
  settings.seed += watched_.size() + 1;
  watched_.push_back(
      {std::make_unique<ObjectWatcher>(host_, selection, settings, [this] { OnChange(); })});
  watched_.back().watcher->Start();
  return watched_.back().watcher.get();
}

// What is needed now: an object may name others, and others tomorrow. False: too many.
bool ObjectItem::Plan() {
  for (Watched& one : watched_) one.needed = false;
  planned_.clear();
  for (const Goal& goal : goals()) {
    std::vector<const Collection*> all;
    std::vector<const Collection*> known;
    std::vector<Selection> needs = Needs(goal, known);
    while (all.size() < needs.size()) {
      while (all.size() < needs.size()) {
        const ObjectWatcher* const watcher = WatcherOf(needs[all.size()]);
        if (watcher == nullptr) return false;
        all.push_back(&watcher->collection());
      }
      while (known.size() < all.size() &&
             all[known.size()]->knowledge == Collection::Knowledge::kKnown) {
        known.push_back(all[known.size()]);
      }
      needs = Needs(goal, known);
    }
    planned_.push_back({&goal, std::move(all)});
  }
  return true;
}

void ObjectItem::OnChange() {
  if (!record.pending()) return;
  if (!Plan()) return Fail(ErrorLine("names too many other objects to watch"));
  if (!KnowsAll() || CheckExistence()) return;
  Judge();
}

// Whether there is something to judge.
bool ObjectItem::KnowsAll() {
  Sight sight;
  for (const Watched& one : watched_) {
    if (one.needed && !Consult(*one.watcher, sight)) return false;
  }
  return MayJudge(sight);
}

// True: the target is absent at the first look, and that decides it.
bool ObjectItem::CheckExistence() {
  if (std::exchange(seen_, true)) return false;
  const bool waits_for_creation = IsCreate(goals()[0]);
  if (!options_.must_exist() || !IsAbsent() || waits_for_creation) return RefuseNamespace();
  if (AskForDeletion(goals())) {
    board_.OnMet(*this, /*silent=*/true);  // as kubectl: nothing to delete, nothing to say
    return true;
  }
  std::string missing = NotFound(target_.resource.GroupResource(), target_.name.name);
  if (!options_.as_kubectl || target_.ns.empty() || target_.ns == "default") {
    Fail(std::move(missing));
    return true;
  }
  // kubectl tells a namespace that does not exist from an object that does not.
  record.error = std::move(missing);
  namespace_request_ =
      host_.Fetch("/api/v1/namespaces/" + UrlEncode(target_.ns), [this](const ApiAnswer& answer) {
        Fail(answer.status == 404 ? NotFound("namespaces", target_.ns) : record.error);
      });
  return true;
}

// --- judging ---

bool ObjectItem::HasChanged() {
  bool changed = std::exchange(judge_again_, false);
  for (Watched& one : watched_) {
    const uint64_t revision = one.watcher->collection().revision;
    changed = changed || one.judged != revision;
    one.judged = revision;
  }
  return changed;
}

void ObjectItem::Judge() {
  if (!HasChanged()) return;
  Verdict verdict = JudgeGoals();
  if (!AskServers(verdict)) return;
  switch (verdict.state) {
    case Verdict::State::kMet:
      // A walk under way would tell why it was not.
      diagnosis_timer_.reset();
      if (diagnoser_) diagnoser_->Close();
      return OnReady();
    case Verdict::State::kImpossible:
      return Fail(ErrorLine(verdict.reason), WaitOutcome::kImpossible);
    case Verdict::State::kInvalid:
      return Fail("error: " + verdict.reason);
    case Verdict::State::kUnmet:
      break;
  }
  const bool other = std::exchange(verdict_, verdict.reason) != verdict_;
  if (other) cause_.clear();
  board_.OnUnmet(*this, cause_.empty() ? verdict_ : cause_);
  if (!record.pending()) return;
  ScheduleRecheck(verdict);
  if (!MayHang(goals())) return;
  // A walk from what the object was may end where the reason is still the same: else none would
  // while the object changes faster than the walk's questions are answered.
  if (other && diagnoser_) diagnoser_->Close();
  changed_since_walk_ = true;
  diagnosis_pause_ = kNextDiagnosis;
  Instant due = host_.Now() + kFirstDiagnosis;
  if (!other) due = std::max(due, diagnosed_at_ + kLeastDiagnosisPause);
  if (!diagnosis_timer_ || due < diagnosis_due_) DiagnoseAt(due);
}

// The object as `goal` sees it: to --for=delete, one that was created anew under the same name is
// not the one that was to go (kubectl compares uids, too).
const Json* ObjectItem::SameObject(const Goal& goal, const Collection& collection) {
  const Json* object = collection.Only();
  if (object == nullptr) return nullptr;
  const std::string_view uid = (*object)["metadata"]["uid"].AsString();
  if (uid_.empty()) uid_ = std::string(uid);
  return IsDelete(goal) && uid != uid_ ? nullptr : object;
}

// All goals of the target hold of the same state, or the first that does not.
Verdict ObjectItem::JudgeGoals() {
  for (const PlannedGoal& planned : planned_) {
    const Goal& goal = *planned.goal;
    Verdict verdict =
        IsReady(goal)
            ? JudgeReady(target_, planned.collections, options_.readiness, host_.WallNow())
            : JudgeObject(SameObject(goal, *planned.collections[0]), goal, DisclosureOf(target_));
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  return Verdict::Met();
}

// What the servers show of an object whose goals are met. False: that is being asked.
bool ObjectItem::AskServers(Verdict& verdict) {
  std::vector<Reachable> servers;
  for (const PlannedGoal& planned : planned_) {
    if (!IsReady(*planned.goal) || verdict.state != Verdict::State::kMet) continue;
    servers = ReadinessServers(target_, planned.collections);
  }
  if (!proof_ && servers.empty()) return true;
  const auto judge_again = [this] {
    judge_again_ = true;
    OnChange();
  };
  if (!proof_) proof_ = std::make_unique<ServerProof>(host_, judge_again);
  ask_timer_.reset();
  if (!proof_->Asked(std::move(servers))) return false;
  if (proof_->complaint().empty()) return true;
  verdict = Verdict::Unmet("%s", proof_->complaint().c_str());
  proof_->Forget();
  ask_timer_ = host_.After(kAskServersAgain, judge_again);
  return true;
}

void ObjectItem::ScheduleRecheck(const Verdict& verdict) {
  timer_.reset();
  if (!verdict.recheck) return;
  // Wall time has whole seconds: a full one more, so that the moment has surely come.
  const std::chrono::seconds length = *verdict.recheck - host_.WallNow() + 1s;
  // At most a day: nanoseconds cannot count to the year 9999, which certificates reach.
  RecheckAfter(std::clamp<std::chrono::seconds>(length, 1s, 24h));
}

void ObjectItem::RecheckAfter(Duration length) {
  timer_ = host_.After(length, [this] {
    // The answer depends on the clock, and on an object that may have changed unseen.
    judge_again_ = true;
    for (const Watched& one : watched_) one.watcher->Refresh();
  });
}

// --- what it hangs on ---

void ObjectItem::DiagnoseAt(Instant due) {
  diagnosis_due_ = due;
  diagnosis_timer_ = host_.After(due - host_.Now(), [this] { Diagnose(); });
}

void ObjectItem::Diagnose() {
  diagnosis_timer_.reset();
  diagnosed_at_ = host_.Now();
  changed_since_walk_ = false;
  if (!diagnoser_) {
    diagnoser_ = std::make_unique<Diagnoser>(host_, target_, [this] { OnDiagnosed(); });
  }
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(deadline_ - host_.Now());
  diagnoser_->Start(planned_[0].collections[0]->Only(), host_.WallNow() + left);
}

void ObjectItem::OnDiagnosed() {
  const Diagnosis& found = *diagnoser_->latest();
  if (diagnoser_->changed()) {
    diagnosis_pause_ = kNextDiagnosis;
  } else {
    diagnosis_pause_ = std::min(2 * diagnosis_pause_, kRarestDiagnosis);
  }
  // The next walk is planned already where the object has changed; only that one may give up.
  if (!changed_since_walk_) DiagnoseAt(host_.Now() + diagnosis_pause_);
  if (options_.fail_fast && !changed_since_walk_ && !found.hopeless().empty() &&
      NeedReadiness(goals())) {
    diagnosis_timer_.reset();
    return Fail(ErrorLine(found.hopeless()), WaitOutcome::kImpossible);
  }
  if (HasNews(found)) board_.OnUnmet(*this, cause_.empty() ? verdict_ : cause_);
}

// Whether the walk found another cause than was told last, or the first since the verdict changed.
bool ObjectItem::HasNews(const Diagnosis& found) {
  if (!diagnoser_->changed() && !cause_.empty()) return false;
  std::string cause;
  // The verdict has its condition's own message.
  if (found.HasCause() && !found.HasOwnConditionOnly()) cause = found.Summary(host_.WallNow());
  // Its own words are in the verdict already, if less clearly.
  if (!cause.empty() && !found.HasOwnCause()) {
    cause = Format("%s; %s", verdict_.c_str(), cause.c_str());
  }
  return std::exchange(cause_, std::move(cause)) != cause_;
}

}  // namespace certlatch
