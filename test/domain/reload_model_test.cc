// The sidecar's state machine in a simulated world: kubelet, a leader, an app, a clock that is set
// by hand, all of them at their worst, in random schedules. What reload.h promises is checked after
// every step. A failure prints its seed; CERTLATCH_SEED=N runs that one alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "base/duration.h"
#include "domain/reload.h"

namespace certlatch {
namespace {

using std::chrono::seconds;

constexpr seconds kWallStart(1'800'000'000);
constexpr Duration kChaos = 4min;

struct Pair {
  Mounted mounted;
  bool good = true;
};

// Its members stand together by what they are about, not by size.
class World {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  World(uint64_t seed, bool tells)
      : random_(seed), options_(RandomOptions(seed)), reload_(options_), tells_(tells) {}

  // Chaos, then peace; true if all promises were kept.
  bool Run();
  const std::string& broken_promise() const { return broken_promise_; }
  const std::string& story() const { return story_; }
  int steps() const { return steps_; }
  int most_timer_steps() const { return most_timer_steps_; }
  bool healthy() const { return healthy_; }
  int reloads() const { return reloads_; }
  int forced() const { return forced_; }

 private:
  // --- chance ---
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }
  Duration Up(Duration most) {
    return Duration(static_cast<int64_t>(random_() % static_cast<uint64_t>(most.count() + 1)));
  }
  static ReloadOptions RandomOptions(uint64_t seed);

  // --- time ---
  Now Time() const {
    return {now_, WallTime(kWallStart + std::chrono::floor<seconds>(now_ - Instant() + wall_))};
  }
  void At(Duration delay, std::function<void()> what) {
    queue_.emplace(now_ + delay, std::move(what));
  }
  void RunUntil(Instant end);

  // --- the world ---
  void Plan();
  void Rotate();
  void LeaderWrites(size_t pair);
  void KubeletSyncs();
  void Mount(size_t pair, bool readable);
  void StartApp();
  void AppLoads();
  void FindApp(std::optional<Instant> started);
  void MakePeace();
  size_t NewPair(bool good);

  // --- the sidecar's driver ---
  void Step(bool by_timer);
  void Do(const ReloadActions& actions);
  void RunMethods(uint32_t methods);
  void ReadVolume();
  void HearLease();
  void Probe();

  // --- promises ---
  void Check(bool kept, const std::string& promise) {
    if (kept || !broken_promise_.empty()) return;
    broken_promise_ = promise + " at " + FormatDuration(now_ - Instant());
  }
  void CheckReload();
  void CheckStep(const ReloadActions& actions);
  void CheckEnd();
  bool IsExpected(const Mounted& mounted) const;
  void Tell(const std::string& line) {
    if (tells_ && story_.size() < 20'000)
      story_ += FormatDuration(now_ - Instant()) + " " + line + "\n";
  }

  std::mt19937_64 random_;
  ReloadOptions options_;
  Reload reload_;
  bool tells_;
  Instant now_{};
  Duration wall_{};
  std::multimap<Instant, std::function<void()>> queue_;
  Instant wake_{};
  bool peace_ = false;

  std::vector<Pair> pairs_;
  WallTime longest_;
  size_t secret_ = 0;
  Expected lease_;
  size_t volume_ = 0;
  bool readable_ = false;
  Instant volume_since_{};
  bool sees_process_ = false;
  bool app_runs_ = false;
  Instant app_started_{};
  std::optional<Instant> known_app_;
  std::optional<size_t> app_has_;
  bool app_obeys_ = true;
  bool app_answers_ = true;
  bool hooks_work_ = true;
  bool ever_deaf_ = false;

  // What the sidecar was told, and did
  std::optional<Mounted> seen_;
  Instant seen_at_{};
  Instant seen_first_{};
  Expected seen_expected_;
  bool heard_ = false;
  std::set<Digest> matched_;
  std::optional<LeafFacts> seen_served_;
  uint32_t running_ = 0;
  uint32_t asked_ = 0;
  Digest round_digest_{};
  Digest round_leaf_{};
  bool round_good_ = true;
  bool round_stale_ = false;
  std::optional<Digest> app_told_;

  int steps_ = 0;
  int timer_steps_ = 0;
  int most_timer_steps_ = 0;
  int reloads_ = 0;
  int forced_ = 0;
  Instant minute_{};
  bool healthy_ = false;
  std::string broken_promise_;
  std::string story_;
};

ReloadOptions World::RandomOptions(uint64_t seed) {
  std::mt19937_64 random(seed * 7919 + 1);
  ReloadOptions options;
  options.expect = static_cast<ReloadOptions::Source>(random() % 3);
  options.expect_on_change = random() % 4 == 0;
  options.methods = random() % 4 == 0 ? 0 : 1 + random() % 3;
  options.prove = random() % 3 != 0;
  options.nudge = random() % 2 == 0;
  options.accept_newer_after = random() % 2 == 0 ? 20s : 60s;
  options.prove_within = random() % 2 == 0 ? 5s : 20s;
  options.reload_within = 20s;
  options.resync = random() % 2 == 0 ? 20s : 60s;
  options.min_validity = random() % 2 == 0 ? 0s : 60s;
  options.seed = seed;
  return options;
}

size_t World::NewPair(bool good) {
  Pair pair;
  Mounted& mounted = pair.mounted;
  const std::string name = "pair " + std::to_string(pairs_.size());
  mounted.readable = true;
  mounted.digest = Sha256(name + " all");
  mounted.cert_hash = Sha256(name + " cert");
  mounted.all_files = Chance(50);
  pair.good = good;
  if (!good) {
    mounted.problem = "tls.key and tls.crt do not belong together";
  } else {
    mounted.leaf.sha256 = Sha256(name + " leaf");
    mounted.leaf.not_before = Time().wall - seconds(Below(60));
    if (Chance(5)) mounted.leaf.not_before += seconds(90);
    const seconds life(Chance(20) ? 60 + Below(300) : 3600 * (1 + Below(48)));
    mounted.leaf.not_after = Time().wall + life;
    // As a rule a renewal lives longer; some do not, some end in the same second.
    if (Chance(80)) mounted.leaf.not_after = std::max(mounted.leaf.not_after, longest_);
    longest_ = std::max(longest_, mounted.leaf.not_after);
  }
  pairs_.push_back(pair);
  return pairs_.size() - 1;
}

// --- the world ------------------------------------------------------------------------------

void World::Plan() {
  sees_process_ = options_.methods > 0 && Chance(60);
  const auto sometime = [this] { return Up(kChaos); };
  secret_ = NewPair(true);
  if (Chance(70)) LeaderWrites(secret_);
  if (Chance(70)) Mount(secret_, true);
  if (Chance(50)) StartApp();
  for (int i = Below(5); i > 0; --i) At(sometime(), [this] { Rotate(); });
  for (int i = Below(3); i > 0; --i) At(sometime(), [this] { StartApp(); });
  for (int i = Below(3); i > 0; --i) {
    At(sometime(), [this] {
      wall_ += (Chance(50) ? 1 : -1) * Up(Chance(50) ? 2min : 2h);
      Tell("the clock jumps");
    });
  }
  for (int i = Below(3); i > 0; --i) {
    At(sometime(), [this] {
      lease_ = Expected();  // deleted, or its annotation is gone
      lease_.problem = "does not exist";
      Tell("the Lease is gone");
      if (Chance(50)) return;
      const size_t old = static_cast<size_t>(Below(static_cast<int>(pairs_.size())));
      LeaderWrites(old);  // rolled back
    });
  }
  for (int i = Below(3); i > 0; --i) {
    At(sometime(), [this] {
      app_obeys_ = Chance(50);
      ever_deaf_ = ever_deaf_ || !app_obeys_;
      app_answers_ = Chance(60);
      hooks_work_ = Chance(50);
    });
  }
  for (int i = Below(2); i > 0; --i) {
    At(sometime(), [this] {
      Mount(volume_, false);
      At(Up(30s), [this] { KubeletSyncs(); });
    });
  }
}

void World::Rotate() {
  const bool good = Chance(90);
  secret_ = Chance(90) || !good ? NewPair(good)
                                : static_cast<size_t>(Below(static_cast<int>(pairs_.size())));
  Tell("Secret holds pair " + std::to_string(secret_) + (pairs_[secret_].good ? "" : " (bad)"));
  const size_t pair = secret_;
  if (Chance(30)) {
    LeaderWrites(pair);
  } else if (Chance(80)) {
    At(Up(10s), [this, pair] {
      if (!peace_) LeaderWrites(pair);
    });
  }
  if (Chance(20)) At(Up(1s), [this] { Mount(NewPair(false), true); });  // half written
  At(Chance(50) ? Up(90s) : Up(50ms), [this] { KubeletSyncs(); });
}

void World::LeaderWrites(size_t pair) {
  const Mounted& mounted = pairs_[pair].mounted;
  lease_ = Expected();
  lease_.known = true;
  lease_.cert_hash = mounted.cert_hash;
  if (Chance(50)) lease_.bundle = mounted.digest;
  if (Chance(90) || peace_) lease_.valid_until = mounted.leaf.not_after;
  if (!peace_ && Chance(5)) lease_.valid_until = WallTime(kWallStart + std::chrono::hours(1 << 20));
  Tell("Lease says pair " + std::to_string(pair));
  if (options_.expect_on_change) return;
  At(Up(50ms), [this] { HearLease(); });
}

void World::KubeletSyncs() {
  if (readable_ && volume_ == secret_) return;
  Mount(secret_, true);
}

void World::Mount(size_t pair, bool readable) {
  volume_ = pair;
  readable_ = readable;
  volume_since_ = now_;
  Tell("volume holds " + (readable ? "pair " + std::to_string(pair) : "nothing"));
  if (!peace_ && Chance(3)) return;  // inotify is only a hint
  At(Up(5ms), [this] {
    reload_.OnVolumeHint(Time());
    Step(false);
  });
}

void World::StartApp() {
  app_runs_ = true;
  app_started_ = now_;
  app_has_.reset();
  Tell("app starts");
  AppLoads();
  if (sees_process_) {
    At(Up(5ms), [this] {  // the old one's pidfd
      if (known_app_ == app_started_) return;
      FindApp(std::nullopt);
      Step(false);
    });
  }
}

void World::FindApp(std::optional<Instant> started) {
  if (started != known_app_) {
    app_told_.reset();
    round_stale_ = true;
  }
  known_app_ = started;
  reload_.OnApp(started, Time());
}

void World::AppLoads() {
  if (!app_runs_ || !readable_ || !pairs_[volume_].good) return;
  app_has_ = volume_;
  Tell("app loads pair " + std::to_string(volume_));
}

void World::MakePeace() {
  peace_ = true;
  wall_ = Duration();
  const bool good_pair = Chance(85);
  const bool good_lease = Chance(75);
  app_obeys_ = Chance(80);
  ever_deaf_ = ever_deaf_ || !app_obeys_;
  app_answers_ = Chance(85);
  hooks_work_ = Chance(85);
  secret_ = NewPair(good_pair);
  if (good_pair) {
    LeafFacts& leaf = pairs_[secret_].mounted.leaf;
    leaf.not_before = Time().wall;
    leaf.not_after = std::max(longest_, Time().wall) + std::chrono::hours(24);
  }
  if (good_lease) LeaderWrites(secret_);
  if (!app_runs_) StartApp();
  At(5s, [this] { KubeletSyncs(); });
  healthy_ = good_pair && good_lease && app_obeys_ && app_answers_ && hooks_work_;
  Tell("peace");
}

// --- the driver -----------------------------------------------------------------------------

void World::RunUntil(Instant end) {
  while (broken_promise_.empty()) {
    const bool has_event = !queue_.empty() && queue_.begin()->first <= wake_;
    const Instant next = has_event ? queue_.begin()->first : wake_;
    if (next > end) break;
    now_ = std::max(now_, next);
    if (!has_event) {
      Step(true);
      continue;
    }
    const auto what = std::move(queue_.begin()->second);
    queue_.erase(queue_.begin());
    what();
  }
  now_ = std::max(now_, end);
}

void World::Step(bool by_timer) {
  if (seen_ && IsExpected(*seen_)) matched_.insert(seen_->digest);
  const ReloadActions actions = reload_.Step(Time());
  ++steps_;
  if (now_ - minute_ >= 1min) minute_ = now_, timer_steps_ = 0;
  timer_steps_ += by_timer ? 1 : 0;
  most_timer_steps_ = std::max(most_timer_steps_, timer_steps_);
  for (const ReloadNote& line : actions.log) {
    if (line.level != LogLevel::kDebug) Tell("  > " + line.text);
    forced_ += std::string_view(line.event) == "forced" ? 1 : 0;
  }
  CheckStep(actions);
  wake_ = actions.wake;
  Do(actions);
}

void World::Do(const ReloadActions& actions) {
  if (actions.reload != 0) {
    CheckReload();
    RunMethods(actions.reload);
  }
  if (actions.read_volume) At(Up(5ms), [this] { ReadVolume(); });
  if (actions.fetch_expected) At(Up(100ms), [this] { HearLease(); });
  if (actions.probe) At(Up(50ms), [this] { Probe(); });
  if (actions.nudge) At(Up(200ms), [this] { KubeletSyncs(); });
}

void World::HearLease() {
  seen_expected_ = lease_;
  heard_ = true;
  reload_.OnExpected(lease_, Time());
  Step(false);
}

void World::ReadVolume() {
  Mounted mounted;
  mounted.problem = "gone";
  if (readable_) {
    mounted = pairs_[volume_].mounted;
    if (Chance(70)) mounted.appeared = volume_since_ + Up(10ms);
  }
  if (sees_process_ && app_runs_) FindApp(app_started_);
  if (!seen_ || (mounted.readable && mounted.digest != seen_->digest)) seen_first_ = now_;
  if (mounted.readable && seen_ && mounted.digest != seen_->digest) round_stale_ = true;
  if (mounted.readable || !seen_) {
    seen_ = mounted;
  } else {
    seen_->readable = false;
  }
  seen_at_ = now_;
  reload_.OnVolume(mounted, Time());
  Step(false);
}

void World::RunMethods(uint32_t methods) {
  ++reloads_;
  running_ = asked_ = methods;
  round_digest_ = seen_->digest;
  round_leaf_ = seen_->leaf.sha256;
  round_good_ = true;
  round_stale_ = false;
  app_told_.reset();
  Tell("reload by " + std::to_string(methods));
  for (size_t method = 0; method < options_.methods; ++method) {
    if ((methods >> method & 1) == 0) continue;
    ReloadOutcome outcome{method, ReloadOutcome::Kind::kDone, "", {}};
    Duration length = Up(100ms);
    const bool works = app_runs_ && (hooks_work_ || (!peace_ && Chance(30)));
    if (!works) {
      outcome.kind = Chance(70) ? ReloadOutcome::Kind::kFailed : ReloadOutcome::Kind::kDeferred;
      outcome.reason = "it hangs";
      if (Chance(50)) outcome.retry_in = Up(10s);
      if (Chance(30)) length = Up(15s);
    }
    if (method == 0 && app_obeys_ && works) At(length / 2, [this] { AppLoads(); });
    At(length, [this, outcome] {
      running_ &= ~(1U << outcome.method);
      if (outcome.kind != ReloadOutcome::Kind::kDone) round_good_ = false;
      if (running_ == 0 && round_good_ && !round_stale_) app_told_ = round_digest_;
      reload_.OnReloaded(outcome, Time());
      Step(false);
    });
  }
}

void World::Probe() {
  ProofOutcome outcome;
  if (!app_runs_ || !app_has_ || !app_answers_ || (!peace_ && Chance(10))) {
    outcome.problem = "connection refused";
  } else {
    outcome.leaf = pairs_[*app_has_].mounted.leaf;
    seen_served_ = outcome.leaf;
    if (outcome.leaf.sha256 != round_leaf_) app_told_.reset();
  }
  reload_.OnProof(outcome, Time());
  Step(false);
}

// --- the promises ---------------------------------------------------------------------------

bool World::IsExpected(const Mounted& mounted) const {
  if (options_.expect == ReloadOptions::Source::kNone) return true;
  if (!heard_ || !seen_expected_.known || seen_expected_.cert_hash != mounted.cert_hash) {
    return false;
  }
  return !seen_expected_.bundle || !mounted.all_files || *seen_expected_.bundle == mounted.digest;
}

void World::CheckReload() {
  Check(running_ == 0, "one round at a time");
  Check(seen_ && seen_->readable && seen_->problem.empty(), "only verified pairs");
  const WallTime wall = Time().wall;
  Check(seen_->leaf.not_before <= wall && wall <= seen_->leaf.not_after, "only valid pairs");
  Check(now_ - seen_at_ <= kFresh, "only what has just been read");
  Check(app_told_ != seen_->digest, "not what the app has");
  const bool waited = now_ - seen_first_ >= options_.accept_newer_after;
  if (!matched_.insert(seen_->digest).second || waited) return;
  const std::optional<LeafFacts>& served = options_.prove ? seen_served_ : reload_.served();
  Check(
      (reload_.alarms() & kAlarmForced) != 0 && served && served->not_after < seen_->leaf.not_after,
      "not what nobody expects");
}

void World::CheckStep(const ReloadActions& actions) {
  Check(actions.wake != kNever && actions.wake > now_, "wakes later");
  Check(actions.wake <= now_ + options_.resync, "wakes within resync");
  Check(timer_steps_ <= 150, "no busy loop");
  if (reload_.phase() == ReloadPhase::kConverged) {
    Check(seen_->readable && seen_->problem.empty(), "converged on a verified pair");
    if (options_.prove) {
      Check(seen_served_ && seen_served_->sha256 == seen_->leaf.sha256, "converged is proven");
    }
    Check(running_ == 0, "converged with nothing under way");
  }
  const WallTime wall = Time().wall;
  if (options_.prove && reload_.IsReady(UnreadyWhen::kExpired, wall)) {
    Check(seen_served_ && wall <= seen_served_->not_after, "not ready on an expired certificate");
  }
  Check(actions.timed_out.empty() || !reload_.verified_once(), "no timeout once verified");
}

void World::CheckEnd() {
  Check(reload_.phase() == ReloadPhase::kConverged || reload_.alarms() != 0,
        "converged or alarmed");
  if (!healthy_) return;
  Check(reload_.phase() == ReloadPhase::kConverged, "a healthy world converges");
  const uint32_t bad = reload_.alarms() & ~uint32_t{kAlarmForced};
  Check(bad == 0, "a healthy world has no alarms: " + std::to_string(bad));
  // Without a proof it is only known what the app was told.
  if (!options_.prove && (ever_deaf_ || options_.methods == 0)) return;
  if (options_.prove && options_.methods == 0) {
    return;  // nothing makes this app load what came after its start
  }
  Check(app_has_ == secret_, "the newest generation wins");
}

bool World::Run() {
  Plan();
  wake_ = now_ + Up(10s);  // the sidecar starts into a world that is under way
  RunUntil(Instant() + kChaos);
  MakePeace();
  if (options_.prove && options_.methods == 0) At(10s, [this] { StartApp(); });
  // kubelet, the wait for the Lease, two windows of proof around a round, the longest pause between
  // two tries, and the time until a resync sees it
  const Instant end = now_ + 10s + options_.accept_newer_after + 2 * options_.prove_within +
                      options_.reload_within + 5min + 2 * options_.resync;
  // Healthy, it is done when it has converged, and stays so for two looks.
  while (now_ < end && broken_promise_.empty()) {
    RunUntil(now_ + 15s);
    if (healthy_ && volume_ == secret_ && reload_.phase() == ReloadPhase::kConverged) break;
  }
  if (healthy_) RunUntil(now_ + 2 * options_.resync);
  if (broken_promise_.empty()) CheckEnd();
  return broken_promise_.empty();
}

#ifndef CERTLATCH_MODEL_SCHEDULES  // of each part; the parts run side by side
#define CERTLATCH_MODEL_SCHEDULES 500
#endif
constexpr uint64_t kSchedules = CERTLATCH_MODEL_SCHEDULES;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

void RunSchedules(uint64_t first) {
  const bool alone = std::getenv("CERTLATCH_SEED") != nullptr;
  first = FromEnvironment("CERTLATCH_SEED", first);
  const uint64_t count = alone ? 1 : FromEnvironment("CERTLATCH_SCHEDULES", kSchedules);
  int steps = 0;
  int most = 0;
  int reloads = 0;
  int healthy = 0;
  int forced = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    World world(seed, alone);
    if (!world.Run()) {
      World again(seed, true);
      again.Run();
      FAIL() << "CERTLATCH_SEED=" << seed << ": " << again.broken_promise() << "\n"
             << again.story();
    }
    if (alone) std::fputs(world.story().c_str(), stderr);
    steps += world.steps();
    most = std::max(most, world.most_timer_steps());
    reloads += world.reloads();
    healthy += world.healthy() ? 1 : 0;
    forced += world.forced();
  }
  std::printf("%d steps, %d reloads, %d forced, %d healthy ends, at most %d wake-ups a minute\n",
              steps, reloads, forced, healthy, most);
  if (alone) return;
  EXPECT_GT(healthy, static_cast<int>(count / 8)) << "the world is hardly ever well";
  EXPECT_GT(forced, static_cast<int>(count / 40)) << "hardly anything is accepted by force";
  EXPECT_GT(reloads, static_cast<int>(count)) << "hardly any reloads";
}

TEST(ReloadModel, KeepsItsPromisesInRandomSchedulesPart1) { RunSchedules(0); }
TEST(ReloadModel, KeepsItsPromisesInRandomSchedulesPart2) { RunSchedules(1'000'000); }
TEST(ReloadModel, KeepsItsPromisesInRandomSchedulesPart3) { RunSchedules(2'000'000); }
TEST(ReloadModel, KeepsItsPromisesInRandomSchedulesPart4) { RunSchedules(3'000'000); }

}  // namespace
}  // namespace certlatch
