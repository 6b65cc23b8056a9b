#include "app/mounted_item.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/secret_pair.h"

namespace certlatch {
namespace {

// For what no event tells. Soon while it is known that something is to come.
constexpr Duration kResync = 10s;
constexpr Duration kMismatchResync = 2s;
constexpr Duration kNudgeAgain = 1s;  // at the soonest, whatever the object says

// Keys that only one of the two has are no difference: a volume may leave out some (`items:`), or
// have them from elsewhere (projected).
bool Differ(std::string_view mounted, std::string_view there) {
  return mounted.data() != nullptr && there.data() != nullptr && mounted != there;
}

bool IsOfSecret(const VolumeSnapshot& snapshot, const Json& secret) {
  const Result<SecretPair> pair = ReadSecretPair(secret);
  if (!pair) return false;
  const PairBytes there = pair->Bytes();
  const PairBytes mounted = BytesOf(snapshot);
  return !Differ(mounted.key, there.key) && !Differ(mounted.ca, there.ca);
}

}  // namespace

MountedItem::MountedItem(Host& host, const WaitOptions& options, WaitBoard& board,
                         const TargetName& name)
    : WaitItem(host, options, board),
      directory_(Printable(name.mount, 300)),
      nudge_(host, options.nudge),
      nudge_backoff_(kFirstNudgePause, kLongestNudgePause, options.watch.seed) {
  VolumeOptions volume = options.volume;
  volume.directory = name.mount;
  mount_ = host.OpenMount(volume, [this] { Look(); });
  if (name.type.empty()) return;
  using Source = ReloadOptions::Source;
  expect_ = {name.type == "lease" ? Source::kLease : Source::kSecret, name.name,
             name.ns.empty() ? options.ns : name.ns, options.readiness.annotation_prefix};
  watcher_ = std::make_unique<ObjectWatcher>(host, ExpectSelection(expect_), options.watch,
                                             [this] { Look(); });
}

void MountedItem::Start(Instant /*deadline*/) {
  if (watcher_) return watcher_->Start();
  timer_ = host_.After({}, [this] { Look(); });
}

void MountedItem::Close() {
  timer_.reset();
  if (watcher_) watcher_->Close();
  nudge_.Close();
  mount_.reset();
}

std::string MountedItem::Label() const { return Format("mounted %s", directory_.c_str()); }

// True: what is expected is not known now (and the reason has been said), or the item has failed.
bool MountedItem::CheckTrouble() {
  if (!watcher_) return false;
  const std::optional<Error>& trouble = watcher_->trouble();
  if (watcher_->stopped()) {
    Fail(ErrorLine(trouble->text));
    return true;
  }
  if (trouble) {
    board_.OnTrouble(*this, trouble->text);
    return true;
  }
  record.trouble.clear();
  return watcher_->collection().knowledge != Collection::Knowledge::kKnown;
}

void MountedItem::Look() {
  if (!record.pending() || CheckTrouble()) return;
  lack_ = Lack::kMount;
  std::string reason = Judge();
  if (reason.empty()) return TellMet();
  const Status& updates = mount_->updates();
  const bool for_good = !updates && lack_ != Lack::kElsewhere;
  if (for_good) {
    reason += Format("; %s", updates.error().text.c_str());
    if (options_.fail_fast) return Fail(ErrorLine(reason), WaitOutcome::kImpossible);
  } else if (lack_ == Lack::kKubelet) {
    reason += AskKubelet();
  }
  timer_ = host_.After(lack_ == Lack::kKubelet ? kMismatchResync : kResync, [this] { Look(); });
  board_.OnUnmet(*this, reason);  // may end everything
}

// Why it is not met; "": it is.
std::string MountedItem::Judge() {
  if (watcher_) {
    expected_ = ReadExpected(expect_, watcher_->collection().Only());
    if (!expected_.known) {
      lack_ = Lack::kElsewhere;
      return expected_.problem;
    }
  }
  const Result<VolumeSnapshot> snapshot = mount_->Look();
  if (!snapshot) return snapshot.error().text;
  const VolumeOptions& names = options_.volume;
  const Mounted mounted = ExamineFiles(*snapshot, RulesOf(names, options_.require_name)).mounted;
  std::string reason = Compare(*snapshot, mounted);
  if (!reason.empty()) return reason;
  if (mounted.problem.empty()) lack_ = Lack::kElsewhere;  // the dates, if anything
  return ProblemAt(mounted, host_.WallNow(), options_.readiness.min_validity);
}

// How the mount differs from what is expected; "": it does not.
std::string MountedItem::Compare(const VolumeSnapshot& snapshot, const Mounted& mounted) {
  const bool nothing = snapshot.holds == "nothing";
  if (!watcher_) return nothing ? "nothing is mounted yet" : "";
  const std::string label = ExpectLabel(expect_);
  lack_ = Lack::kKubelet;
  if (nothing) return Format("%s is not mounted yet", label.c_str());
  if (mounted.cert_hash == expected_.cert_hash) {
    const Json* const object = watcher_->collection().Only();
    if (expect_.source == ReloadOptions::Source::kSecret ? IsOfSecret(snapshot, *object)
                                                         : !HasOtherBundle(expected_, mounted)) {
      lack_ = Lack::kMount;
      return "";
    }
    return Format("the key or the CA is not that of %s", label.c_str());
  }
  const WallTime end = mounted.leaf.not_after;
  if (!mounted.problem.empty() || end == expected_.valid_until.value_or(end)) {
    return Format("not what %s says", label.c_str());
  }
  const bool newer = end > *expected_.valid_until;
  // A publisher follows; a Secret's mount that is newer than the Secret has to go back.
  if (newer && expect_.source == ReloadOptions::Source::kLease) lack_ = Lack::kElsewhere;
  return Format("%s than %s, valid until %s instead of %s", newer ? "newer" : "older",
                label.c_str(), FormatWallTime(end).c_str(),
                FormatWallTime(*expected_.valid_until).c_str());
}

// What is to be said of that.
const char* MountedItem::AskKubelet() {
  const Instant now = host_.Now();
  behind_since_ = std::min(behind_since_, now);
  if (!options_.nudge.on) {
    return "; the kubelet syncs it within a minute or so (--nudge: at once)";
  }
  if (std::exchange(nudged_for_, expected_.cert_hash) != expected_.cert_hash) {
    nudge_backoff_.Reset();
    nudge_at_ = std::min(nudge_at_, now + kNudgeAgain);
  }
  if (now >= nudge_at_) {
    nudge_.Send();
    nudge_at_ = now + nudge_backoff_.Next();
  }
  return "; the kubelet has been asked to sync it now";
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
