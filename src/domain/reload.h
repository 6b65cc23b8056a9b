// Reload is the sidecar's state machine: it turns facts (what is mounted, what is expected, what
// the app serves, how a reload went) into what to do next. Pure: no clock, no fd; bounded.
//
// On… only record a fact; Step then decides once, and its answer says when to call it again at the
// latest. The caller does what the answer asks, and brings back each result as a fact.
//
// What holds after every Step, whatever the order of the facts:
//  1. No reload begins for a pair that was not verified (it is its own, of its names, valid now),
//     that nobody expects or had the time to, or that was read longer than kFresh ago.
//  2. At most one round of reloads is under way.
//  3. The newest generation wins: what changed while a round was under way is told after it.
//  4. A digest that the app has is not told again, unless the app proves to serve something else.
//  5. Once the world is quiet, it is converged within the longest of its bounds, or an alarm stands
//     (accept_newer_after, prove_within, reload_within; each plus the resync it takes to look).
//  6. The next wake-up is always finite, at most `resync` away, and never at once.
//  7. Never ready on a served certificate that is known to have expired.
//  8. Deadlines are monotonic. The wall clock only judges certificates, and anew in each Step: a
//     jump can delay a reload or let a verified later pair win early, nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "domain/backoff.h"
#include "domain/digest.h"
#include "domain/lease_record.h"
#include "domain/nudge_pace.h"

namespace certlatch {

constexpr size_t kMaxMethods = 8;
constexpr Duration kFresh = 1s;  // a verdict on files is not older than that when it is acted on

struct ReloadOptions {
  enum class Source { kNone, kLease, kSecret };
  Source expect = Source::kNone;
  bool expect_on_change = false;  // ask for it (fetch_expected) instead of being told
  size_t methods = 0;             // how many ways to tell the app; at most kMaxMethods
  bool prove = false;
  bool nudge = false;
  bool written = false;  // by ourselves, upon a nudge: no kubelet brings what is expected
  Duration accept_newer_after = 2min;
  Duration prove_within = 30s;
  Duration reload_within = 60s;  // the caller's own bound on one round; longer is an alarm
  Duration debounce = 100ms;     // both: more than a year is a year
  Duration resync = 60s;
  Duration mismatch_resync = 2s;
  Duration min_validity{};  // an alarm, and when a later pair wins at once; never a refusal
  Duration timeout = 180s;  // until the first pair is verified and accepted
  uint64_t seed = 0;        // of the jitter
};

struct Now {
  Instant at;
  WallTime wall;
};

// --- facts ---

struct LeafFacts {
  Digest sha256 = {};  // of the DER
  WallTime not_before;
  WallTime not_after;
};

// One generation of the volume, read consistently.
struct Mounted {
  bool readable = false;  // without, only `problem` counts
  std::string problem;    // why this pair must not be used; "" is verified but for its dates
  std::string warning;    // what is odd, but no reason to refuse it
  Digest digest = {};     // BundleDigest of the configured files: decides "changed"
  Digest cert_hash = {};
  // The same without the CA, which may come from elsewhere than the pair (a projected volume).
  Digest pair_digest = {};
  bool all_files = false;  // certificate, key and CA are all there
  LeafFacts leaf;          // of a pair without a problem
  // When this generation was put there, or later than that; none: unknown. Only the first one is
  // looked at: of the others, the time when they are seen is a safe bound.
  std::optional<Instant> appeared;
};

struct ReloadOutcome {
  enum class Kind { kDone, kFailed, kDeferred };
  size_t method = 0;
  Kind kind = Kind::kDone;
  std::string reason;   // "" when done
  Duration retry_in{};  // deferred: when it may be possible; 0: unknown
};

struct ProofOutcome {
  std::string problem;  // "": `leaf` was served, and its signature verified
  LeafFacts leaf;
};

// Of equal certificates: whether the rest of the bundle is another, as far as one can tell. With
// fewer files in the mount than in the Secret the digests cannot be equal, and a CA that comes from
// elsewhere than the Secret is no difference.
bool HasOtherBundle(const Expected& expected, const Mounted& mounted);

// --- what to do ---

// A line for the log, with the hashes as they stood: in hex, short but at level debug; "" unknown.
struct ReloadNote {
  LogLevel level = LogLevel::kInfo;
  const char* event = "";
  std::string text;
  std::string expected;
  std::string mounted;
  std::string mounted_leaf;
  std::string served_leaf;
};

struct ReloadActions {
  bool read_volume = false;             // -> OnVolume
  bool fetch_expected = false;          // -> OnExpected
  bool probe = false;                   // -> OnProof
  bool nudge = false;                   // have it brought: only a refusal need be told
  uint32_t reload = 0;                  // methods to run, one bit each -> OnReloaded, once for each
  std::optional<Duration> kubelet_lag;  // the mount caught up after that long
  std::vector<ReloadNote> log;
  std::string timed_out;  // not empty: end, this is what was missing
  Instant wake;           // call Step again then, if nothing happens before
};

enum class ReloadPhase {
  kVerifying,  // there is no usable pair in the mount
  kBehind,     // what is expected has not been brought (by kubelet), or written
  kAhead,      // the mount is ahead of, or cannot be ordered against, what is expected
  kReloading,
  kProving,
  kConverged,
  kBroken,  // telling or proving took too long; it goes on
};
std::string_view PhaseName(ReloadPhase phase);  // for logs and metrics

enum ReloadAlarm : uint32_t {
  kAlarmVolume = 1,     // nothing can be read
  kAlarmPair = 2,       // what can be read must not be used
  kAlarmMismatch = 4,   // not what is expected, for longer than accept_newer_after
  kAlarmForced = 8,     // accepted against, or without, what is expected
  kAlarmBroken = 16,    // as ReloadPhase::kBroken
  kAlarmEnding = 32,    // the served certificate is near its end
  kAlarmExpected = 64,  // the source of what is expected has nothing to say
};
constexpr size_t kAlarms = 7;
std::string_view AlarmName(size_t bit);

enum class UnreadyWhen { kExpired, kBroken, kNotAtAll };

// There is one in a process; its members stand together by what they are about, not by size.
class Reload {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  explicit Reload(const ReloadOptions& options);

  void OnVolumeHint(Now now);  // something happened in the mount
  void OnVolume(Mounted mounted, Now now);
  // As often as it likes: what did not change costs nothing. Not for an outage; what was known then
  // stays known.
  void OnExpected(Expected expected, Now now);
  void OnNudgeRefused(Now now) { nudge_pace_.OnRefused(now.at); }
  void OnReloaded(const ReloadOutcome& outcome, Now now);
  // The app's process and when it started, where a method knows it; none: there is none.
  void OnApp(std::optional<Instant> started, Now now);
  void OnProof(const ProofOutcome& outcome, Now now);

  // Whether the next Step may ask for a reload: the moment to say OnApp() anew, since an app that
  // has started again meanwhile needs none.
  bool MayTell(Instant at) const { return at >= RetryAt(); }

  ReloadActions Step(Now now);

  ReloadPhase phase() const { return phase_; }
  const std::string& reason() const { return reason_; }  // of the phase; "" when converged
  uint32_t alarms() const { return alarms_; }
  bool verified_once() const { return verified_once_; }  // and accepted: /startupz
  bool converged_once() const { return converged_once_; }
  bool IsReady(UnreadyWhen when, WallTime wall) const;
  // Proven, else told; none yet.
  const std::optional<LeafFacts>& served() const { return options_.prove ? served_ : told_leaf_; }
  const Mounted& mounted() const { return mounted_; }
  const Expected& expected() const { return expected_; }
  bool ExpectedIsMounted() const { return relation_ == Relation::kMatch; }
  bool MountedIsServed() const { return HasMounted() && (!options_.prove || IsProven()); }
  // Since when it has not been converged; kNever: it is.
  Instant behind_since() const { return behind_since_; }

 private:
  enum class Relation { kMatch, kBehind, kAhead, kUnordered, kSilent };

  // Questions
  Relation Compare() const;
  std::string ProblemAt(WallTime wall) const;
  WallTime NearEnd(const LeafFacts& leaf) const;
  bool IsServedNearEnd(WallTime wall) const;
  bool Lags() const { return relation_ == Relation::kBehind; }
  bool IsUsable() const { return problem_.empty() && accepted_ == mounted_.digest; }
  bool HasMounted() const { return options_.methods == 0 || told_ == mounted_.digest; }
  bool ServesOther() const;
  bool IsProven() const;
  bool WantsTelling() const;
  bool WantsProof() const;
  bool IsSettled(Instant at) const;
  Duration ResyncInterval() const;
  Instant AcceptAt() const;
  Instant BrokenAt() const;
  Instant ResendAt() const;
  Instant RetryAt() const;
  ReloadPhase PhaseNow() const;
  std::string ReasonOf(ReloadPhase phase, Instant at) const;
  const char* Text() const;
  std::string Trouble(Instant at) const;
  uint32_t AlarmsAt(Now now) const;
  std::string WhyAlarmed(ReloadAlarm alarm, Instant at) const;
  Instant NextWake(Now now) const;

  // The parts of a Step, in their order
  void Start(Now now);
  void Judge(ReloadActions& actions, Now now);
  void Accept(Now now);
  void Conclude(Now now);
  void Look(ReloadActions& actions, Now now);
  void Ask(ReloadActions& actions, Now now);
  void Prove(ReloadActions& actions, Now now);
  void Tell(ReloadActions& actions, Now now);
  void Report(Now now);

  void OnNewDigest(Now now);
  void OnRoundOver(Now now);
  void AdoptYoungApp(Now now);
  void TellAgain();
  void Read(ReloadActions& actions, Now now);
  void Say(LogLevel level, const char* event, std::string_view text, std::string_view reason);

  ReloadOptions options_;
  bool started_ = false;
  Instant start_by_ = kNever;
  std::vector<ReloadNote> log_;

  // The volume
  Mounted mounted_;              // unreadable: what was there last, for it may come back
  bool seen_any_ = false;        // some generation has been read
  std::string problem_;          // of mounted_, with its dates; "" is a verified pair
  Instant appeared_ = kNever;    // its generation, at the latest
  Instant changed_at_ = kNever;  // when its digest was seen first
  Instant read_at_ = kNever;     // when it was read last
  bool reading_ = false;
  Instant hint_at_ = kNever;  // the first hint that no reading has followed
  Instant resync_at_ = kNever;

  // What is expected
  Expected expected_;
  bool heard_ = false;
  Relation relation_ = Relation::kSilent;
  Instant relation_since_ = kNever;  // of this generation
  Instant mismatch_since_ = kNever;  // of any; kNever: it matches
  Instant ask_at_ = kNever;
  bool asked_ = false;  // since this generation came
  Backoff ask_backoff_;
  NudgePace nudge_pace_;
  std::optional<Digest> accepted_;
  bool forced_ = false;

  // Telling
  std::optional<Digest> told_;  // what the app has read, for certain
  Instant told_at_{};
  std::optional<LeafFacts> told_leaf_;
  bool ask_app_first_;  // at the start: what the app serves decides whether it is told
  std::optional<Instant> app_started_;
  uint32_t left_ = 0;       // of a round that failed in part: the methods to repeat; 0: all
  uint32_t in_flight_ = 0;  // methods whose outcome is not known yet
  Digest flight_digest_ = {};
  LeafFacts flight_leaf_;
  bool flight_stale_ = false;  // another generation was seen during it
  bool flight_failed_ = false;
  Duration flight_defer_{};
  Instant flight_began_{};
  Instant retry_at_{};
  Backoff retry_backoff_;
  std::string failure_;  // of the last round, "" once one succeeds

  // Proving
  std::optional<LeafFacts> served_;
  Instant served_began_{};  // when the probe that saw it was sent
  std::string probe_problem_;
  bool probing_ = false;
  bool wanted_proof_ = false;
  Instant probe_began_ = kNever;
  Instant probe_at_ = kNever;
  Backoff probe_backoff_;
  int resends_ = 0;
  Instant work_since_ = kNever;  // since when the app should have had it; kNever: no such wish
  int rounds_ = 0;               // over since then
  bool broken_ = false;

  // What is said of it all
  ReloadPhase phase_ = ReloadPhase::kVerifying;
  std::string reason_;
  uint32_t alarms_ = 0;
  bool verified_once_ = false;
  bool converged_once_ = false;
  Instant behind_since_{};
};

}  // namespace certlatch
