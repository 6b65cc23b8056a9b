#include "app/mounted_item.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "domain/reload.h"

namespace certlatch {
namespace {

// For what no event tells. Soon while it is known that something is to come.
constexpr Duration kResync = 10s;
constexpr Duration kMismatchResync = 2s;
constexpr Duration kSettle = 100ms;  // kubelet's swaps come in bursts of events

}  // namespace

MountedItem::MountedItem(Host& host, const WaitOptions& options, WaitBoard& board,
                         const TargetName& name)
    : WaitItem(host, options, board),
      directory_(Printable(name.text, 300)),
      mount_(host.OpenMount(name.text, options.volume, [this] { OnHint(); })),
      nudge_(host, options.nudge, [this] { pace_.OnRefused(host_.Now()); }),
      pace_(options.watch.seed) {
  if (name.type.empty()) return;
  using Source = ReloadOptions::Source;
  expect_.source = name.type == "lease" ? Source::kLease : Source::kSecret;
  expect_.name = name.name;
  expect_.ns = name.ns.empty() ? options.ns : name.ns;
  expect_.annotation_prefix = options.readiness.annotation_prefix;
  watcher_ =
      std::make_unique<ObjectWatcher>(host, ExpectSelection(expect_), options.watch, Looking());
}

Function<void()> MountedItem::Looking() {
  return [this] { Look(); };
}

void MountedItem::Start(Instant /*deadline*/) {
  if (watcher_) return watcher_->Start();
  timer_ = host_.After({}, Looking());
}

void MountedItem::Close() {
  timer_.reset();
  if (watcher_) watcher_->Close();
  nudge_.Close();
  mount_.reset();
}

std::string MountedItem::Label() const { return Format("mounted %s", directory_.c_str()); }

// Whether what is expected, if anything, is known now.
bool MountedItem::KnowsExpected() {
  Sight sight;
  return watcher_ == nullptr || (Consult(*watcher_, sight) && MayJudge(sight));
}

// The first of a burst is looked at at once, for it may be all that is waited for; what comes after
// that is looked at together.
void MountedItem::OnHint() {
  const Instant now = host_.Now();
  if (now < settled_at_) {
    timer_ = host_.After(settled_at_ - now, Looking());
    return;
  }
  settled_at_ = now + kSettle;
  Look();
}

void MountedItem::Look() {
  if (!record.pending() || !KnowsExpected()) return;
  lack_ = Lack::kMount;
  std::string reason = Judge();
  if (reason.empty()) return TellMet();
  const Status& updates = mount_->updates();
  const char* tail = "";
  if (!updates && lack_ != Lack::kElsewhere) {
    tail = updates.error().text.c_str();
  } else if (lack_ == Lack::kKubelet) {
    tail = AskKubelet();
  }
  if (*tail != '\0') reason.append("; ").append(tail);
  if (options_.fail_fast && !updates && lack_ != Lack::kElsewhere) {
    return Fail(ErrorLine(reason), WaitOutcome::kImpossible);
  }
  timer_ = host_.After(lack_ == Lack::kKubelet ? kMismatchResync : kResync, Looking());
  board_.OnUnmet(*this, reason);  // may end everything
}

// Why it is not met; "": it is.
std::string MountedItem::Judge() {
  if (watcher_) {
    Expected expected = ReadExpected(expect_, watcher_->collection().Only());
    if (!(expected == expected_)) pace_.OnExpected(host_.Now());
    expected_ = std::move(expected);
    if (!expected_.known) {
      lack_ = Lack::kElsewhere;
      return expected_.problem;
    }
  }
  const Result<VolumeSnapshot> snapshot = mount_->Look();
  if (!snapshot) return snapshot.error().text;
  pair_ = ExamineFiles(*snapshot, RulesOf(options_.volume, options_.require_name), {&pair_});
  const Mounted& mounted = pair_.mounted;
  const bool nothing = snapshot->holds == "nothing";
  if (const char* const difference = Compare(nothing, mounted)) {
    return Format(difference, watcher_ ? ExpectLabel(expect_).c_str() : "a pair");
  }
  if (mounted.problem.empty()) lack_ = Lack::kElsewhere;  // the dates, if anything
  return ProblemAt(mounted, host_.WallNow(), options_.readiness.min_validity);
}

// How the mount differs from what is expected, as a pattern for its name; nullptr: it does not.
const char* MountedItem::Compare(bool nothing, const Mounted& mounted) {
  if (watcher_) lack_ = Lack::kKubelet;
  if (nothing) return "%s is not mounted yet";
  const bool same = mounted.cert_hash == expected_.cert_hash;
  if (!watcher_ || (same && !HasOtherBundle(expected_, mounted))) {
    lack_ = Lack::kMount;
    return nullptr;
  }
  if (same) return "the key or the CA is not that of %s";
  const WallTime end = mounted.leaf.not_after;
  const WallTime expected_end = expected_.valid_until.value_or(end);
  if (!mounted.problem.empty() || end == expected_end) return "not what %s says";
  if (end < expected_end) return "older than %s";
  // A publisher follows; a mount that is newer than its Secret has to go back.
  if (expect_.source == ReloadOptions::Source::kLease) lack_ = Lack::kElsewhere;
  return "newer than %s";
}

// What is to be said of that.
const char* MountedItem::AskKubelet() {
  const Instant now = host_.Now();
  behind_since_ = std::min(behind_since_, now);
  if (!options_.nudge.on) {
    return "the kubelet syncs it within a minute or so (--nudge: at once)";
  }
  if (pace_.Take(now)) nudge_.Send();
  if (nudge_.failed()) return "the kubelet syncs it within a minute or so (--nudge failed)";
  return "the kubelet has been asked to sync it now";
}

void MountedItem::TellMet() {
  if (behind_since_ != kNever) {
    host_.Log(
        {LogLevel::kInfo, "mounted",
         Format("%s: the kubelet brought what %s says, %s after it was seen there", Label().c_str(),
                ExpectLabel(expect_).c_str(), RoughDuration(host_.Now() - behind_since_).c_str())});
  }
  board_.OnMet(*this, /*silent=*/false);
}

}  // namespace certlatch
