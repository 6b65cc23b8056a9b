#include "domain/reload.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

using std::chrono::seconds;

constexpr size_t kShortHash = 12;  // digits, for people; debug lines have all
constexpr int kSettle = 10;        // a burst of changes is waited out for so many debounces
constexpr Duration kLongestResend = 10min;  // between signals to an app that ignores them
constexpr Duration kYear = 8760h;           // "never" for what is added up
constexpr Duration kShortestDefer = 100ms;
constexpr Duration kLongestDefer = 60s;
constexpr seconds kLongestWallSleep(3600);  // the wall clock may be set meanwhile

struct PhaseText {
  std::string_view name;
  LogLevel level;
  const char* event;
  const char* text;
};
constexpr PhaseText kPhases[] = {
    {"verifying", LogLevel::kWarning, "not_usable", "Certificate not usable"},
    {"behind", LogLevel::kInfo, "hash_mismatch",
     "Certificate hash mismatch, waiting for kubelet sync"},
    {"ahead", LogLevel::kInfo, "unexpected",
     "Certificate is not the expected one, waiting for it to be announced"},
    {"reloading", LogLevel::kDebug, "reloading", "Waiting for the app to be told"},
    {"proving", LogLevel::kDebug, "proving", "Waiting for the app to serve the certificate"},
    {"converged", LogLevel::kInfo, "converged", "App has the mounted certificate"},
    {"broken", LogLevel::kError, "broken", "App does not take the mounted certificate"},
};

constexpr std::string_view kAlarmNames[kAlarms] = {"volume", "pair",   "mismatch", "forced",
                                                   "broken", "ending", "expected"};

constexpr uint32_t kSaidAlarms = kAlarmMismatch | kAlarmEnding;  // others come with a line

constexpr const char* kNotWritten = "Certificate hash mismatch, waiting for it to be written";

std::string Short(const Digest& digest) { return HexLower(digest).substr(0, kShortHash); }

// When the wall clock will show `wall`, as far as one can tell now; kNever: it has.
Instant WhenWall(WallTime wall, Now now) {
  if (wall <= now.wall) return kNever;
  return SaturatingAdd(now.at, std::min(wall - now.wall, kLongestWallSleep));
}

Instant After(Instant at, Duration length) {
  return at == kNever ? kNever : SaturatingAdd(at, length);
}

}  // namespace

std::string_view PhaseName(ReloadPhase phase) { return kPhases[static_cast<size_t>(phase)].name; }
std::string_view AlarmName(size_t bit) { return kAlarmNames[bit]; }

bool HasOtherBundle(const Expected& expected, const Mounted& mounted) {
  return expected.bundle && mounted.all_files && *expected.bundle != mounted.digest &&
         *expected.bundle != mounted.pair_digest;
}

Reload::Reload(const ReloadOptions& options)
    : options_(options),
      ask_backoff_(4s, 60s, options.seed + 1),
      nudge_pace_(options.seed + 2),
      ask_app_first_(options.prove && options.methods > 0),
      retry_backoff_(2s, 60s, options.seed + 3),
      probe_backoff_(100ms, 2s, options.seed + 4) {
  options_.resync = std::clamp<Duration>(options_.resync, 1s, kYear);
  options_.debounce = std::min(options_.debounce, kYear);
  options_.mismatch_resync = std::clamp<Duration>(options_.mismatch_resync, 1s, options_.resync);
  options_.methods = std::min(options_.methods, kMaxMethods);
}

// --- facts ------------------------------------------------------------------------------------

void Reload::OnVolumeHint(Now now) { hint_at_ = std::min(hint_at_, now.at); }

void Reload::OnVolume(Mounted mounted, Now now) {
  reading_ = false;
  read_at_ = now.at;
  if (!mounted.readable) {
    mounted_.readable = false;
    mounted_.problem = mounted.problem.empty() ? "cannot be read" : std::move(mounted.problem);
    return;
  }
  const bool first = !seen_any_;
  const bool changed = first || mounted.digest != mounted_.digest;
  mounted_ = std::move(mounted);
  seen_any_ = true;
  Say(LogLevel::kDebug, "check", "Volume read", mounted_.problem);
  if (!changed) return;
  appeared_ = first ? std::min(mounted_.appeared.value_or(now.at), now.at) : now.at;
  OnNewDigest(now);
}

void Reload::OnNewDigest(Now now) {
  changed_at_ = now.at;
  relation_since_ = kNever;
  ask_at_ = now.at;
  asked_ = false;
  ask_backoff_.Reset();
  TellAgain();
  retry_at_ = now.at;
  retry_backoff_.Reset();
  failure_.clear();
  resends_ = 0;
  if (!told_) AdoptYoungApp(now);
}

void Reload::OnExpected(Expected expected, Now now) {
  if (heard_ && expected == expected_) return;
  heard_ = true;
  expected_ = std::move(expected);
  nudge_pace_.OnExpected(now.at);
  const bool is_lease = options_.expect == ReloadOptions::Source::kLease;
  Say(LogLevel::kInfo, "expected_changed",
      is_lease ? "Lease watch event received" : "Another certificate is expected",
      expected_.problem);
}

void Reload::OnReloaded(const ReloadOutcome& outcome, Now now) {
  using Kind = ReloadOutcome::Kind;
  const uint32_t bit = outcome.method < kMaxMethods ? 1U << outcome.method : 0;
  if ((in_flight_ & bit) == 0) return;
  in_flight_ &= ~bit;
  if (outcome.kind == Kind::kDone) {
    left_ &= ~bit;
  } else {
    failure_ = Printable(outcome.reason);
    const bool failed = outcome.kind == Kind::kFailed || outcome.retry_in <= Duration::zero();
    if (failed) flight_failed_ = true;
    flight_defer_ = std::max(flight_defer_, outcome.retry_in);
    const bool deferred = outcome.kind == Kind::kDeferred;
    Say(deferred ? LogLevel::kInfo : LogLevel::kWarning,
        deferred ? "reload_deferred" : "reload_failed",
        deferred ? "Telling the app is put off" : "Telling the app failed", failure_);
  }
  if (in_flight_ == 0) OnRoundOver(now);
}

void Reload::OnRoundOver(Now now) {
  // What the methods need is their own affair; from now on the app has no excuse.
  if (rounds_++ == 0 && work_since_ != kNever) work_since_ = now.at;
  if (flight_stale_) {
    left_ = 0;  // another generation, another round
  } else if (left_ != 0) {
    const bool failed = flight_failed_;
    retry_at_ = now.at + (failed ? retry_backoff_.Next()
                                 : std::clamp(flight_defer_, kShortestDefer, kLongestDefer));
    return;
  } else {
    told_ = flight_digest_;
  }
  if (flight_failed_ || flight_defer_ > Duration::zero()) return;
  told_at_ = now.at;
  told_leaf_ = flight_leaf_;
  failure_.clear();
}

void Reload::OnApp(std::optional<Instant> started, Now now) {
  if (started == app_started_) return;
  app_started_ = started;
  told_.reset();
  told_at_ = now.at;
  TellAgain();
  retry_at_ = std::min(retry_at_, now.at);
  AdoptYoungApp(now);
  Say(LogLevel::kInfo, "app", started ? "App found" : "App is not found any more", "");
}

// What started after this generation was there has read it, or nothing at all.
void Reload::AdoptYoungApp(Now now) {
  if (!mounted_.readable || !app_started_ || *app_started_ <= appeared_) return;
  told_ = mounted_.digest;
  told_at_ = now.at;
  ask_app_first_ = false;
  failure_.clear();
}

void Reload::OnProof(const ProofOutcome& outcome, Now /*now*/) {
  if (!probing_) return;
  probing_ = false;
  const bool was_proven = HasMounted() && IsProven();
  probe_problem_ = Printable(outcome.problem);
  if (!probe_problem_.empty()) return;
  served_ = outcome.leaf;
  served_began_ = probe_began_;
  if (!problem_.empty()) return;
  const bool same = served_->sha256 == mounted_.leaf.sha256;
  if (ask_app_first_) {
    ask_app_first_ = false;
    if (same) told_ = mounted_.digest;
  } else if (was_proven && !same) {
    TellAgain();  // it went back: restarted from a cache, restored from a backup
    if (options_.methods > 0) told_.reset();
  }
}

// By every method, whatever a round under way may have done.
void Reload::TellAgain() {
  left_ = 0;
  flight_stale_ = true;
}

// --- questions --------------------------------------------------------------------------------

Reload::Relation Reload::Compare() const {
  if (options_.expect == ReloadOptions::Source::kNone) return Relation::kMatch;
  if (!expected_.known) return Relation::kSilent;
  if (mounted_.readable && mounted_.cert_hash == expected_.cert_hash) {
    return HasOtherBundle(expected_, mounted_) ? Relation::kUnordered : Relation::kMatch;
  }
  // What is half there, or does not parse, cannot be what is expected.
  if (!mounted_.readable || !mounted_.problem.empty()) return Relation::kBehind;
  if (!expected_.valid_until || *expected_.valid_until == mounted_.leaf.not_after) {
    return Relation::kUnordered;
  }
  return mounted_.leaf.not_after < *expected_.valid_until ? Relation::kBehind : Relation::kAhead;
}

std::string Reload::ProblemAt(WallTime wall) const {
  if (!mounted_.readable || !mounted_.problem.empty()) return mounted_.problem;
  const LeafFacts& leaf = mounted_.leaf;
  if (wall > leaf.not_after) return "it expired at " + FormatWallTime(leaf.not_after);
  if (wall < leaf.not_before) {
    return "it is not valid before " + FormatWallTime(leaf.not_before);
  }
  return "";
}

// Less than a tenth of its life, or the minimum that was asked for, is left from then on.
WallTime Reload::NearEnd(const LeafFacts& leaf) const {
  const seconds tenth = (leaf.not_after - leaf.not_before) / 10;
  const seconds least = std::chrono::duration_cast<seconds>(options_.min_validity);
  return leaf.not_after - std::max({tenth, least, seconds(0)});
}

bool Reload::IsServedNearEnd(WallTime wall) const {
  return served().has_value() && wall > NearEnd(*served());
}

// Told, yet seen to serve another leaf.
bool Reload::ServesOther() const {
  return probe_problem_.empty() && served_ && served_began_ >= told_at_ &&
         served_->sha256 != mounted_.leaf.sha256;
}

bool Reload::IsProven() const {
  return mounted_.readable && mounted_.problem.empty() && probe_problem_.empty() && served_ &&
         served_began_ >= told_at_ && served_->sha256 == mounted_.leaf.sha256;
}

bool Reload::WantsTelling() const { return IsUsable() && !HasMounted() && !ask_app_first_; }

bool Reload::WantsProof() const {
  return options_.prove && IsUsable() && in_flight_ == 0 &&
         (ask_app_first_ || (HasMounted() && !IsProven()));
}

// No change is known that has not been read; bounded, since a storm may last.
bool Reload::IsSettled(Instant at) const {
  const bool quiet = hint_at_ == kNever && !reading_;
  return quiet || at >= After(changed_at_, kSettle * options_.debounce);
}

Duration Reload::ResyncInterval() const {
  const bool waits = relation_ != Relation::kMatch && accepted_ != mounted_.digest;
  // An app that is to be told may not have started yet: it is looked for with each reading.
  const bool soon = waits || Lags() || !problem_.empty() || WantsTelling();
  return soon ? options_.mismatch_resync : options_.resync;
}

Instant Reload::AcceptAt() const {
  if (!problem_.empty() || accepted_ == mounted_.digest) return kNever;
  if (relation_ == Relation::kBehind) return kNever;
  return After(relation_since_, options_.accept_newer_after);
}

Instant Reload::BrokenAt() const {
  if (broken_) return kNever;
  const Instant at = After(work_since_, options_.prove_within);
  if (in_flight_ == 0) return at;
  return std::max(at, After(flight_began_, options_.reload_within));
}

Instant Reload::ResendAt() const {
  if (!WantsProof() || !ServesOther() || options_.methods == 0) return kNever;
  Duration length = options_.prove_within;
  for (int i = 0; i < resends_ && length < kLongestResend; ++i) length *= 2;
  return After(told_at_, length);
}

Instant Reload::RetryAt() const {
  if (!WantsTelling() || in_flight_ != 0) return kNever;
  return retry_at_;
}

ReloadPhase Reload::PhaseNow() const {
  if (!problem_.empty()) return ReloadPhase::kVerifying;
  if (IsUsable() && broken_) return ReloadPhase::kBroken;
  if (Lags()) return ReloadPhase::kBehind;
  if (!IsUsable()) return ReloadPhase::kAhead;
  if (ask_app_first_) return ReloadPhase::kProving;
  if (!HasMounted() || in_flight_ != 0) return ReloadPhase::kReloading;
  return options_.prove && !IsProven() ? ReloadPhase::kProving : ReloadPhase::kConverged;
}

std::string Reload::Trouble(Instant at) const {
  if (!failure_.empty()) return failure_;
  if (in_flight_ != 0 && at >= After(flight_began_, options_.reload_within)) {
    return "the reload does not end";
  }
  if (!probe_problem_.empty()) return probe_problem_;
  if (options_.prove && served_ && served_->sha256 != mounted_.leaf.sha256) {
    return "app serves an old certificate";
  }
  return "";
}

std::string Reload::ReasonOf(ReloadPhase phase, Instant at) const {
  switch (phase) {
    case ReloadPhase::kVerifying:
      return Printable(problem_);
    case ReloadPhase::kBehind:
      return "expected " + Short(expected_.cert_hash) + ", mounted " + Short(mounted_.cert_hash);
    case ReloadPhase::kAhead:
      if (!heard_) return "what is expected is not known yet";
      if (!expected_.known) return Printable(expected_.problem);
      if (relation_ == Relation::kAhead) return "it lives longer than the expected one";
      return "it cannot be ordered against the expected one";
    case ReloadPhase::kConverged:
      if (options_.prove) return "proven";
      return options_.methods > 0 ? "told, not proven" : "nothing to tell, nothing to prove";
    default:
      return Trouble(at);
  }
}

// Of the phase.
const char* Reload::Text() const {
  if (options_.written && phase_ == ReloadPhase::kBehind) return kNotWritten;
  return kPhases[static_cast<size_t>(phase_)].text;
}

uint32_t Reload::AlarmsAt(Now now) const {
  uint32_t alarms = 0;
  const auto raise = [&alarms](bool on, ReloadAlarm alarm) { alarms |= on ? alarm : 0U; };
  raise(read_at_ != kNever && !mounted_.readable, kAlarmVolume);
  raise(mounted_.readable && !problem_.empty(), kAlarmPair);
  raise(now.at >= After(mismatch_since_, options_.accept_newer_after), kAlarmMismatch);
  raise(forced_, kAlarmForced);
  raise(broken_, kAlarmBroken);
  raise(IsServedNearEnd(now.wall), kAlarmEnding);
  raise(options_.expect != ReloadOptions::Source::kNone && !expected_.known, kAlarmExpected);
  return alarms;
}

bool Reload::IsReady(UnreadyWhen when, WallTime wall) const {
  if (!converged_once_ || when == UnreadyWhen::kNotAtAll) return converged_once_;
  if (!served() || wall > served()->not_after) return false;
  return when != UnreadyWhen::kBroken || !broken_;
}

// Only what lies ahead: what was due has had its turn in this Step.
Instant Reload::NextWake(Now now) const {
  Instant wake = resync_at_;
  const auto also = [&](Instant at) {
    if (at > now.at) wake = std::min(wake, at);
  };
  also(After(hint_at_, options_.debounce));
  also(start_by_);
  also(AcceptAt());
  also(After(mismatch_since_, options_.accept_newer_after));
  also(BrokenAt());
  also(ResendAt());
  also(RetryAt());
  if (WantsTelling()) also(After(changed_at_, kSettle * options_.debounce));
  if (!probing_) also(probe_at_);
  if (options_.expect_on_change) also(ask_at_);
  if (options_.nudge && Lags()) also(nudge_pace_.next());
  if (mounted_.readable && mounted_.problem.empty()) {
    also(WhenWall(mounted_.leaf.not_before, now));
    also(WhenWall(mounted_.leaf.not_after + seconds(1), now));
  }
  if (served()) {
    also(WhenWall(NearEnd(*served()) + seconds(1), now));
    also(WhenWall(served()->not_after + seconds(1), now));
  }
  return wake;
}

// --- one step ---------------------------------------------------------------------------------

[[gnu::noinline]] ReloadActions Reload::Step(Now now) {
  ReloadActions actions;
  if (!started_) Start(now);
  Judge(actions, now);
  Accept(now);
  Conclude(now);
  Look(actions, now);
  Ask(actions, now);
  Prove(actions, now);
  Tell(actions, now);
  Report(now);
  if (!verified_once_ && now.at >= start_by_) {
    start_by_ = kNever;
    actions.timed_out = Format("%s: %s", Text(), reason_.c_str());
  }
  actions.wake = NextWake(now);
  actions.log = std::exchange(log_, {});
  return actions;
}

void Reload::Start(Now now) {
  started_ = true;
  start_by_ = After(now.at, options_.timeout);
  behind_since_ = resync_at_ = ask_at_ = now.at;
  if (mounted_.problem.empty() && !seen_any_) mounted_.problem = "it has not been read yet";
}

void Reload::Judge(ReloadActions& actions, Now now) {
  problem_ = ProblemAt(now.wall);
  const Relation before = std::exchange(relation_, Compare());
  const bool matches = relation_ == Relation::kMatch;
  const bool began = (before == Relation::kMatch) != matches ||
                     (before == Relation::kBehind) != (relation_ == Relation::kBehind);
  if (began || relation_since_ == kNever) relation_since_ = now.at;
  if (matches && before == Relation::kBehind && changed_at_ >= mismatch_since_) {
    actions.kubelet_lag = now.at - mismatch_since_;
  }
  if (matches) {
    mismatch_since_ = kNever;
  } else if (mismatch_since_ == kNever) {
    mismatch_since_ = now.at;
  }
}

void Reload::Accept(Now now) {
  const bool matches = relation_ == Relation::kMatch;
  if (matches) forced_ = false;
  if (!problem_.empty() || accepted_ == mounted_.digest) return;
  if (!matches && now.at < AcceptAt()) {
    // A wrong Lease must not hold an app until it expires.
    const bool later = served() && mounted_.leaf.not_after > served()->not_after;
    if (!later || !IsServedNearEnd(now.wall)) return;
  }
  accepted_ = mounted_.digest;
  verified_once_ = true;
  forced_ = !matches;
  if (forced_) {
    Say(LogLevel::kWarning, "forced", "Certificate accepted although it is not the expected one",
        ReasonOf(Lags() ? ReloadPhase::kBehind : ReloadPhase::kAhead, now.at));
  }
  std::string which = Format("leaf %s, valid until %s", Short(mounted_.leaf.sha256).c_str(),
                             FormatWallTime(mounted_.leaf.not_after).c_str());
  if (!mounted_.warning.empty()) which += Format("; %s", Printable(mounted_.warning).c_str());
  Say(mounted_.warning.empty() ? LogLevel::kInfo : LogLevel::kWarning, "verified",
      "Certificate loaded and verified", which);
}

void Reload::Conclude(Now now) {
  const bool usable = IsUsable();
  if (usable && HasMounted() && in_flight_ == 0 && (!options_.prove || IsProven())) {
    converged_once_ = true;
    told_leaf_ = mounted_.leaf;
    work_since_ = kNever;
    broken_ = false;
    rounds_ = resends_ = 0;
  } else if (!usable) {
    work_since_ = kNever;  // nothing the app could be blamed for
    rounds_ = 0;
  } else {
    if (work_since_ == kNever) work_since_ = now.at;
    if (now.at >= BrokenAt()) broken_ = true;
  }
}

void Reload::Look(ReloadActions& actions, Now now) {
  resync_at_ = std::min(resync_at_, now.at + ResyncInterval());
  if (now.at >= resync_at_ || (!reading_ && now.at >= After(hint_at_, options_.debounce))) {
    Read(actions, now);
  }
}

void Reload::Read(ReloadActions& actions, Now now) {
  actions.read_volume = true;
  reading_ = true;
  hint_at_ = kNever;
  resync_at_ = now.at + ResyncInterval();
}

void Reload::Ask(ReloadActions& actions, Now now) {
  actions.nudge = options_.nudge && Lags() && nudge_pace_.Take(now.at);
  if (!options_.expect_on_change || options_.expect == ReloadOptions::Source::kNone) return;
  const bool matches = relation_ == Relation::kMatch;
  if (read_at_ == kNever) return;  // there is nothing to hold against it yet
  if (matches && asked_) {
    ask_at_ = kNever;
  } else if (now.at >= ask_at_) {
    actions.fetch_expected = asked_ = true;
    ask_at_ = now.at + ask_backoff_.Next();
  } else if (ask_at_ == kNever) {
    ask_at_ = now.at + ask_backoff_.Next();
  }
}

void Reload::Prove(ReloadActions& actions, Now now) {
  if (!options_.prove || !verified_once_) return;
  // An app that cannot be asked is told.
  if (now.at >= After(work_since_, options_.prove_within)) ask_app_first_ = false;
  if (now.at >= ResendAt()) {
    told_.reset();
    TellAgain();
    ++resends_;
  }
  const bool wants = WantsProof();
  if (wants && !wanted_proof_) {
    probe_at_ = now.at;
    probe_backoff_.Reset();
  } else if (wanted_proof_ && !wants) {
    probe_at_ = kNever;
  }
  wanted_proof_ = wants;
  if (probing_) return;
  if (probe_at_ == kNever) {
    probe_at_ = now.at + (wants ? probe_backoff_.Next() : options_.resync);
  }
  if (now.at < probe_at_) return;
  actions.probe = true;
  probing_ = true;
  probe_began_ = now.at;
  probe_at_ = kNever;
}

void Reload::Tell(ReloadActions& actions, Now now) {
  if (now.at < RetryAt() || !IsSettled(now.at)) return;
  if (now.at - read_at_ > kFresh) {
    if (!reading_) Read(actions, now);
    return;
  }
  if (left_ == 0) left_ = (1U << options_.methods) - 1;
  actions.reload = in_flight_ = left_;
  flight_digest_ = mounted_.digest;
  flight_leaf_ = mounted_.leaf;
  flight_stale_ = flight_failed_ = false;
  flight_defer_ = Duration::zero();
  flight_began_ = now.at;
  told_.reset();  // until it is known what the app did
  const bool first = failure_.empty() && resends_ == 0;
  Say(LogLevel::kInfo, "reload_sent",
      first ? "Telling the app to reload" : "Telling the app to reload again", "");
}

// Of those that are said.
std::string Reload::WhyAlarmed(ReloadAlarm alarm, Instant at) const {
  if (alarm == kAlarmEnding) {
    return "the app's certificate is valid only until " + FormatWallTime(served()->not_after);
  }
  if (!problem_.empty()) return Printable(problem_);
  return ReasonOf(Lags() ? ReloadPhase::kBehind : ReloadPhase::kAhead, at);
}

void Reload::Report(Now now) {
  const uint32_t before = std::exchange(alarms_, AlarmsAt(now));
  const uint32_t changed = before ^ alarms_;
  for (size_t bit = 0; bit < kAlarms; ++bit) {
    const uint32_t alarm = 1U << bit;
    if ((changed & alarm & kSaidAlarms) == 0) continue;
    const bool on = (alarms_ & alarm) != 0;
    Say(on ? LogLevel::kWarning : LogLevel::kInfo, on ? "alarm" : "alarm_over",
        on ? "Alarm" : "Alarm is over",
        Format("%s%s%s", kAlarmNames[bit].data(), on ? ": " : "",
               on ? WhyAlarmed(static_cast<ReloadAlarm>(alarm), now.at).c_str() : ""));
  }
  const ReloadPhase phase = PhaseNow();
  const bool converged = phase == ReloadPhase::kConverged;
  if (converged) {
    behind_since_ = kNever;
  } else if (behind_since_ == kNever) {
    behind_since_ = now.at;
  }
  std::string reason = ReasonOf(phase, now.at);
  if (phase == phase_ && reason == reason_) return;
  phase_ = phase;
  reason_ = std::move(reason);
  if (read_at_ == kNever) return;
  if (phase == ReloadPhase::kAhead && !heard_) {
    return Say(LogLevel::kInfo, "unheard", "Waiting to hear which certificate is expected", "");
  }
  const PhaseText& how = kPhases[static_cast<size_t>(phase)];
  Say(how.level, how.event, Text(), reason_);
}

void Reload::Say(LogLevel level, const char* event, std::string_view text,
                 std::string_view reason) {
  const size_t digits = level == LogLevel::kDebug ? std::string::npos : kShortHash;
  const auto hex = [digits](bool known, const Digest& digest) {
    return known ? HexLower(digest).substr(0, digits) : std::string();
  };
  log_.push_back({level, event,
                  Format("%.*s%s%.*s", Length(text), text.data(), reason.empty() ? "" : ": ",
                         Length(reason), reason.data()),
                  hex(expected_.known, expected_.cert_hash), hex(seen_any_, mounted_.cert_hash),
                  hex(seen_any_, mounted_.leaf.sha256),
                  hex(served_.has_value(), served_.value_or(LeafFacts()).sha256)});
}

}  // namespace certlatch
