#include "app/wait.h"

#include <algorithm>
#include <utility>

#include "app/dry_run_item.h"
#include "app/mounted_item.h"
#include "app/object_item.h"
#include "app/reachable_item.h"
#include "app/selected_item.h"
#include "app/written_item.h"
#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

// An object must exist before anything else can be asked of it (kubectl 1.36 does the same).
void OrderGoals(std::vector<Goal>& goals) {
  std::vector<Goal> ordered;
  for (const bool creates : {true, false}) {
    for (Goal& goal : goals) {
      if (std::holds_alternative<CreateGoal>(goal) == creates) ordered.push_back(std::move(goal));
    }
  }
  if (ordered.empty()) ordered.emplace_back();
  goals = std::move(ordered);
}

}  // namespace

Wait::Wait(Host& host, WaitOptions& options, Function<void(WaitResult&&)> done)
    : host_(host), options_(options), done_(std::move(done)) {
  OrderGoals(options_.goals);
  WaitBoard& board = *this;
  for (const TargetName& name : options_.targets) {
    Reachable outside;
    if (!name.object.empty()) {
      items_.push_back(std::make_unique<DryRunItem>(host_, options_, board, name));
    } else if (name.mounted) {
      items_.push_back(std::make_unique<MountedItem>(host_, options_, board, name));
    } else if (!name.type.empty()) {
      items_.push_back(std::make_unique<ObjectItem>(host_, options_, board, name));
    } else if (ParseReachable(name.text, outside)) {
      items_.push_back(std::make_unique<ReachableItem>(host_, options_, board, std::move(outside)));
    }
  }
  for (const TargetName& name : options_.writes) {
    items_.push_back(std::make_unique<WrittenItem>(host_, options_, board, name));
  }
  for (const std::string& type : options_.types) {
    items_.push_back(std::make_unique<SelectedItem>(host_, options_, board, type));
  }
}

Wait::~Wait() = default;

void Wait::Start() {
  const Duration length = std::max<Duration>(options_.limit() - options_.spent, Duration::zero());
  deadline_ = SaturatingAdd(host_.Now(), length);
  deadline_timer_ = host_.After(length, [this] { OnTimeout(); });
  StartItems();
  // Manifests may be empty. Told from the loop, as everything is.
  if (items_.empty()) deadline_timer_ = host_.After({}, [this] { FinishIfDecided(); });
}

// As many as may be looked at at a time: the next when one is decided.
void Wait::StartItems() {
  size_t running = 0;
  for (size_t i = 0; i < items_.size() && running < kMaxTargets && !finished_; ++i) {
    WaitItem& item = *items_[i];
    if (!item.record.pending()) continue;
    ++running;
    if (!std::exchange(item.record.started, true)) item.Start(deadline_);
  }
}

void Wait::Interrupt(const char* signal) {
  if (finished_) return;
  std::vector<std::string> errors;
  for (const auto& item : items_) {
    if (item->record.state == WaitRecord::State::kMet) continue;
    errors.push_back(Format("error: interrupted by %s: %s: %s", signal, item->Label().c_str(),
                            item->WhyNot().c_str()));
  }
  Finish(WaitOutcome::kNotMet, std::move(errors));
}

// --- what the items say ---

void Wait::OnUnmet(WaitItem& item, const std::string& reason) {
  const bool changed = item.record.reason != reason;
  item.record.reason = reason;
  if (options_.timeout == Duration::zero()) {
    return OnFailed(item, TimeoutError(item), WaitOutcome::kNotMet);
  }
  if (changed) Tell(item, LogLevel::kInfo, "waiting", reason, "still waiting");
  TellMet();
}

// The same trouble usually meets all targets: it is said once.
void Wait::OnTrouble(WaitItem& item, const std::string& trouble) {
  bool said = false;
  for (const auto& other : items_) said = said || other->record.trouble == trouble;
  item.record.trouble = trouble;
  TellMet();
  if (options_.timeout == Duration::zero()) {
    return OnFailed(item, TimeoutError(item), WaitOutcome::kNotMet);
  }
  if (!said) Tell(item, LogLevel::kWarning, "trouble", trouble, "retrying");
}

void Wait::OnSelected(WaitItem& item, std::vector<std::unique_ptr<WaitItem>> found) {
  size_t place = 0;
  while (items_[place].get() != &item) ++place;
  items_.insert(items_.begin() + static_cast<ptrdiff_t>(place) + 1,
                std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  ++settled_;
  item.record.silent = true;
  Decide(item, WaitRecord::State::kMet);
  FinishIfDecided();
}

void Wait::OnMet(WaitItem& item, bool silent) {
  item.record.silent = silent;
  Decide(item, WaitRecord::State::kMet);
  if (options_.any) return Finish(WaitOutcome::kMet, {});
  FinishIfDecided();
}

void Wait::OnFailed(WaitItem& item, std::string error, WaitOutcome outcome) {
  item.record.error = std::move(error);
  item.record.outcome = outcome;
  Decide(item, WaitRecord::State::kFailed);
  // Under its own name one failure decides; kubectl goes on with the other targets.
  if (!options_.as_kubectl && !options_.any) return Finish(outcome, {item.record.error});
  FinishIfDecided();
}

void Wait::Decide(WaitItem& item, WaitRecord::State state) {
  item.record.state = state;
  item.Close();
  TellMet();
  StartItems();
}

// --- telling ---

// "secret/x: REASON; still waiting, 41s left"
void Wait::Tell(const WaitItem& item, LogLevel level, const char* event, const std::string& reason,
                const char* consequence) {
  const std::string label = item.Label();
  const Duration left = std::max<Duration>(deadline_ - host_.Now(), Duration::zero());
  host_.Log({level,
             event,
             Format("%s: %s; %s, %s left", label.c_str(), reason.c_str(), consequence,
                    RoughDuration(left).c_str()),
             {{"target", label}, {"reason", reason}}});
}

// What is met at the first look is told in the order of the command line, whoever answered first;
// what is met later at once.
void Wait::TellMet() {
  for (const auto& item : items_) {
    WaitRecord& record = item->record;
    if (record.pending() && !item->Answered() && !finished_) return;
    if (record.state != WaitRecord::State::kMet || std::exchange(record.told, true) ||
        record.silent) {
      continue;
    }
    const std::string line =
        Format("%s%s", item->Name().c_str(), options_.name_only ? "" : " condition met");
    for (size_t i = 0; i < item->lines(); ++i) host_.Print(line);
  }
}

// --- the end ---

std::string Wait::TimeoutError(const WaitItem& item) const {
  if (options_.as_kubectl) return item.KubectlTimeout();
  const std::string why = item.WhyNot();
  if (options_.timeout == Duration::zero()) return item.ErrorLine(why);
  return Format("error: timed out after %s: %s: %s", RoughDuration(options_.timeout).c_str(),
                item.Label().c_str(), why.c_str());
}

void Wait::OnTimeout() {
  for (const auto& item : items_) {
    if (!item->record.pending()) continue;
    item->record.state = WaitRecord::State::kFailed;
    item->record.error = TimeoutError(*item);
  }
  FinishIfDecided();
}

void Wait::FinishIfDecided() {
  std::vector<std::string> errors;
  WaitOutcome outcome = WaitOutcome::kMet;
  for (const auto& item : items_) {
    if (item->record.pending()) return;
    if (item->record.state == WaitRecord::State::kMet) continue;
    // Impossible is what no target can be met any more.
    const bool impossible = item->record.outcome == WaitOutcome::kImpossible &&
                            (errors.empty() || outcome == WaitOutcome::kImpossible);
    outcome = impossible ? WaitOutcome::kImpossible : WaitOutcome::kNotMet;
    errors.push_back(item->record.error);
  }
  if (items_.size() == settled_ && !AskForDeletion(options_.goals)) {
    outcome = WaitOutcome::kNotMet;
    errors.emplace_back("error: no matching resources found");
  }
  Finish(outcome, std::move(errors));
}

void Wait::Finish(WaitOutcome outcome, std::vector<std::string> errors) {
  if (std::exchange(finished_, true)) return;
  TellMet();  // nobody is waited for any more
  for (const auto& item : items_) item->Close();
  done_({outcome, std::move(errors)});
}

}  // namespace certlatch
