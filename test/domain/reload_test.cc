#include "domain/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace certlatch {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Source = ReloadOptions::Source;

const WallTime kWall{seconds(1'800'000'000)};
constexpr seconds kDay(86'400);

ReloadOptions Options(Source expect, size_t methods, bool prove) {
  ReloadOptions options;
  options.expect = expect;
  options.methods = methods;
  options.prove = prove;
  return options;
}

// A verified pair, valid from a day ago until `days` from now.
Mounted Pair(const std::string& name, int days = 30) {
  Mounted mounted;
  mounted.readable = true;
  mounted.digest = Sha256(name + " all");
  mounted.cert_hash = Sha256(name + " cert");
  mounted.leaf = {Sha256(name + " leaf"), kWall - kDay, kWall + days * kDay};
  return mounted;
}

Mounted BadPair(const std::string& name) {
  Mounted mounted = Pair(name);
  mounted.problem = "tls.key and tls.crt do not belong together";
  mounted.leaf = {};
  return mounted;
}

Mounted Unreadable(const std::string& problem) {
  Mounted mounted;
  mounted.problem = problem;
  return mounted;
}

Expected Says(const Mounted& pair) {
  Expected expected;
  expected.known = true;
  expected.cert_hash = pair.cert_hash;
  expected.valid_until = pair.leaf.not_after;
  return expected;
}

Expected SaysNothing(const std::string& problem) {
  Expected expected;
  expected.problem = problem;
  return expected;
}

// Drives a Reload as the sidecar does, in virtual time, in a world that the test sets.
class Sidecar {
 public:
  explicit Sidecar(const ReloadOptions& options) : reload(options), methods_(options.methods) {}

  // Lets time pass; what is asked for is done at once.
  Sidecar& Run(Duration length) {
    const Instant end = now + length;
    do {
      Step();
      now = std::min(wake_, end);
    } while (now < end);
    Step();
    return *this;
  }
  Sidecar& Mount(const Mounted& pair) {
    volume = pair;
    reload.OnVolumeHint(Time());
    return *this;
  }
  Sidecar& Expect(const Expected& expected) {
    reload.OnExpected(expected, Time());
    return *this;
  }
  Sidecar& Finish(ReloadOutcome::Kind kind = ReloadOutcome::Kind::kDone,
                  const std::string& reason = "", Duration retry_in = {}) {
    for (size_t method = 0; method < methods_; ++method) {
      reload.OnReloaded({method, kind, reason, retry_in}, Time());
    }
    return *this;
  }
  Now Time() const {
    return {now, kWall + std::chrono::floor<seconds>(now - Instant() + wall_jump)};
  }
  ReloadPhase phase() const { return reload.phase(); }
  bool Alarms(ReloadAlarm alarm) const { return (reload.alarms() & alarm) != 0; }
  bool IsReady(UnreadyWhen when = UnreadyWhen::kExpired) const {
    return reload.IsReady(when, Time().wall);
  }

  Reload reload;
  Instant now{};
  Duration wall_jump{};
  Mounted volume = Unreadable("no such file");
  std::optional<LeafFacts> serves;  // none: the probe fails
  bool loads = true;                // the app, when it is told
  bool storms = false;              // the volume changes while it is read
  bool hangs = false;               // the test calls Finish
  std::string fails;                // why every round does
  int reloads = 0;
  int reads = 0;
  int probes = 0;
  int nudges = 0;
  int fetches = 0;
  int steps = 0;
  uint32_t last_methods = 0;
  Instant reloaded_at{};
  std::optional<Duration> kubelet_lag;
  std::string timed_out;
  std::string log;

 private:
  void Step() {
    for (bool again = true; again;) {
      const ReloadActions actions = reload.Step(Time());
      ++steps;
      again = Do(actions);
      wake_ = actions.wake;
    }
  }
  // True: there was an answer to give.
  bool Do(const ReloadActions& actions) {
    for (const ReloadNote& line : actions.log) {
      if (line.level != LogLevel::kDebug) log += line.text + "\n";
    }
    if (!actions.timed_out.empty()) timed_out = actions.timed_out;
    if (actions.kubelet_lag) kubelet_lag = actions.kubelet_lag;
    nudges += actions.nudge ? 1 : 0;
    fetches += actions.fetch_expected ? 1 : 0;
    if (actions.read_volume) {
      ++reads;
      if (storms) reload.OnVolumeHint(Time());
      reload.OnVolume(volume, Time());
    }
    if (actions.probe) {
      ++probes;
      ProofOutcome outcome;
      if (serves) outcome.leaf = *serves;
      if (!serves) outcome.problem = "connection refused";
      reload.OnProof(outcome, Time());
    }
    if (actions.reload != 0) Reloaded(actions.reload);
    return actions.read_volume || actions.probe || (actions.reload != 0 && !hangs);
  }
  void Reloaded(uint32_t methods) {
    ++reloads;
    reloaded_at = now;
    last_methods = methods;
    if (hangs) return;
    if (loads && fails.empty()) serves = volume.leaf;
    Finish(fails.empty() ? ReloadOutcome::Kind::kDone : ReloadOutcome::Kind::kFailed, fails);
  }

  size_t methods_;
  Instant wake_{};
};

// Converged on pair "a", told once.
struct Settled : Sidecar {
  explicit Settled(const ReloadOptions& options) : Sidecar(options) {
    volume = Pair("a");
    if (options.prove) serves = Pair("a").leaf;
    if (options.expect != Source::kNone) Expect(Says(Pair("a")));
    Run(1s);
    EXPECT_EQ(phase(), ReloadPhase::kConverged);
    reloads = 0;
    started = std::exchange(log, {});
  }
  std::string started;  // what was said until then
};

// --- what is told, and what not ---------------------------------------------------------------

TEST(Reload, ReadsVerifiesTellsAndProves) {
  Sidecar sidecar(Options(Source::kLease, 1, true));
  sidecar.volume = Pair("a");
  sidecar.serves = Pair("old").leaf;
  sidecar.Expect(Says(Pair("a"))).Run(1s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_TRUE(sidecar.IsReady());
  EXPECT_EQ(sidecar.reload.alarms(), 0U);
  EXPECT_THAT(sidecar.log, HasSubstr("Lease watch event received\n"));
  EXPECT_THAT(sidecar.log, HasSubstr("Certificate loaded and verified: leaf "));
  EXPECT_THAT(sidecar.log, HasSubstr("App has the mounted certificate: proven\n"));
}

// Whoever reads one line of the log must not take yesterday's failure for this one's.
TEST(Reload, SaysThatItTellsAgainAfterAFailure) {
  Sidecar sidecar(Options(Source::kNone, 1, false));
  sidecar.volume = Pair("a");
  sidecar.fails = "no process named x";
  sidecar.Run(5s);
  EXPECT_THAT(sidecar.log, HasSubstr("Telling the app to reload\n"));
  EXPECT_THAT(sidecar.log, HasSubstr("Telling the app failed: no process named x\n"));
  EXPECT_THAT(sidecar.log, HasSubstr("Telling the app to reload again\n"));
}

TEST(Reload, SaysWithoutAProofThatItOnlyTold) {
  Settled sidecar(Options(Source::kNone, 1, false));
  EXPECT_EQ(sidecar.reload.reason(), "told, not proven");
}

TEST(Reload, DoesNotTellOfAnUnchangedDigestThoughFilesWereRewritten) {
  Settled sidecar(Options(Source::kNone, 1, false));
  for (int i = 0; i < 5; ++i) sidecar.Mount(Pair("a")).Run(1s);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, TellsOfANewCaThoughTheLeafIsTheSame) {
  Settled sidecar(Options(Source::kNone, 1, true));
  Mounted other_ca = Pair("a");
  other_ca.digest = Sha256("with another CA");
  sidecar.Mount(other_ca).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, NeverTellsOfABadPairAndKeepsReadyOnTheOldOne) {
  Settled sidecar(Options(Source::kNone, 1, true));
  sidecar.Mount(BadPair("b")).Run(10min);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kVerifying);
  EXPECT_TRUE(sidecar.Alarms(kAlarmPair));
  EXPECT_TRUE(sidecar.IsReady());
  EXPECT_THAT(sidecar.log, HasSubstr("do not belong together"));
  sidecar.Mount(Pair("b", 60)).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_EQ(sidecar.reload.alarms(), 0U);
}

TEST(Reload, ReturningToThePairThatTheAppHasNeedsNoSignal) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.Mount(BadPair("b")).Run(5s);
  sidecar.Mount(Unreadable("gone")).Run(5s);
  EXPECT_TRUE(sidecar.Alarms(kAlarmVolume));
  sidecar.Mount(Pair("a")).Run(5s);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, WaitsForNotBeforeByTheWallClock) {
  ReloadOptions options = Options(Source::kNone, 1, false);
  options.mismatch_resync = options.resync;  // no other reason to wake just then
  Settled sidecar(options);
  Mounted early = Pair("b");
  early.leaf.not_before = kWall + seconds(90);
  sidecar.Mount(early).Run(80s);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_THAT(sidecar.reload.reason(), HasSubstr("not valid before"));
  sidecar.Run(20s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.reloaded_at, Instant() + 90s);
}

TEST(Reload, NeverTellsOfAnExpiredPair) {
  Sidecar sidecar(Options(Source::kNone, 1, false));
  sidecar.volume = Pair("a", -1);
  sidecar.volume.leaf.not_before = kWall - 2 * kDay;
  sidecar.Run(10min);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_THAT(sidecar.reload.reason(), HasSubstr("expired"));
}

TEST(Reload, WaitsOutABurstAndTellsOnce) {
  Settled sidecar(Options(Source::kNone, 1, false));
  for (int i = 0; i < 8; ++i) {
    sidecar.Mount(Pair("b" + std::to_string(i))).Run(10ms);
  }
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
}

TEST(Reload, DoesNotStarveInAStormThatNeverEnds) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.reads = 0;
  sidecar.Mount(Pair("b"));
  for (int i = 0; i < 1000; ++i) {
    sidecar.Run(10ms);
    sidecar.reload.OnVolumeHint(sidecar.Time());
  }
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_LE(sidecar.reads, 100);
}

TEST(Reload, ActsInAStormOnceItHasLastedForAWhile) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.storms = true;
  sidecar.Mount(Pair("b")).Run(1s);
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
}

TEST(Reload, DoesNotActOnAVolumeThatIsKnownToHaveChanged) {
  Settled sidecar(Options(Source::kLease, 1, false));
  sidecar.Mount(Pair("b", 60)).Run(500ms);
  sidecar.Mount(BadPair("c")).Expect(Says(Pair("b", 60))).Run(1s);
  EXPECT_EQ(sidecar.reloads, 0);
}

TEST(Reload, ReadsAgainBeforeItRepeatsARound) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.fails = "exit code 1";
  sidecar.Mount(Pair("b")).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  // inotify is only a hint: nobody said that the pair is broken by now
  sidecar.volume = BadPair("c");
  sidecar.Run(50s);
  EXPECT_EQ(sidecar.reloads, 1);
}

// --- one round, and the newest generation -----------------------------------------------------

TEST(Reload, TellsOfTheNewestGenerationAfterAHookThatHangs) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.hangs = true;
  sidecar.Mount(Pair("b")).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  sidecar.Mount(Pair("c")).Run(20s);
  EXPECT_EQ(sidecar.reloads, 1) << "one round at a time";
  sidecar.hangs = false;
  sidecar.Finish(ReloadOutcome::Kind::kFailed, "killed after 30s").Run(2s);
  EXPECT_EQ(sidecar.reloads, 2);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, DoesNotTrustARoundDuringWhichTheVolumeChangedAndChangedBack) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.hangs = true;
  sidecar.Mount(Pair("b")).Run(1s);
  sidecar.Mount(Pair("c")).Run(1s);
  sidecar.Mount(Pair("b")).Run(1s);
  sidecar.hangs = false;
  sidecar.Finish().Run(1s);
  EXPECT_EQ(sidecar.reloads, 2) << "the app may have read c";
}

TEST(Reload, RepeatsOnlyTheMethodsThatFailed) {
  Sidecar sidecar(Options(Source::kNone, 3, false));
  sidecar.volume = Pair("a");
  sidecar.hangs = true;
  sidecar.Run(1s);
  EXPECT_EQ(sidecar.last_methods, 7U);
  using Kind = ReloadOutcome::Kind;
  sidecar.reload.OnReloaded({0, Kind::kDone, "", {}}, sidecar.Time());
  sidecar.reload.OnReloaded({1, Kind::kFailed, "status 500", {}}, sidecar.Time());
  sidecar.reload.OnReloaded({1, Kind::kDone, "", {}}, sidecar.Time());  // once each
  EXPECT_NE(sidecar.phase(), ReloadPhase::kConverged);
  sidecar.reload.OnReloaded({2, Kind::kDone, "", {}}, sidecar.Time());
  sidecar.Run(5s);
  EXPECT_EQ(sidecar.last_methods, 2U);
  sidecar.Finish().Run(1s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, BacksOffFromMethodsThatKeepFailingAndNeverGivesUp) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.fails = "no process is called nginx";
  sidecar.Mount(Pair("b")).Run(10min);
  EXPECT_GT(sidecar.reloads, 10);
  EXPECT_LT(sidecar.reloads, 30);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBroken);
  EXPECT_EQ(sidecar.reload.reason(), "no process is called nginx");
  EXPECT_TRUE(sidecar.Alarms(kAlarmBroken));
  sidecar.fails.clear();
  sidecar.Run(61s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_FALSE(sidecar.Alarms(kAlarmBroken));
}

TEST(Reload, PutsOffWhatTheAppIsNotReadyForUntilItMayBe) {
  Sidecar sidecar(Options(Source::kNone, 1, false));
  sidecar.volume = Pair("a");
  sidecar.hangs = true;
  sidecar.Run(1s);
  sidecar.Finish(ReloadOutcome::Kind::kDeferred, "it does not handle SIGHUP yet", 4s).Run(3s);
  EXPECT_EQ(sidecar.reloads, 1);
  sidecar.hangs = false;
  sidecar.Run(1s);
  EXPECT_EQ(sidecar.reloads, 2);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, RaisesAnAlarmForARoundThatDoesNotEnd) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.hangs = true;
  sidecar.Mount(Pair("b")).Run(59s);
  EXPECT_FALSE(sidecar.Alarms(kAlarmBroken));
  sidecar.Run(2s);
  EXPECT_TRUE(sidecar.Alarms(kAlarmBroken));
  EXPECT_EQ(sidecar.reload.reason(), "the reload does not end");
}

// --- expected and mounted ---------------------------------------------------------------------

TEST(Reload, BlamesNoKubeletForWhatIsWritten) {
  ReloadOptions options = Options(Source::kSecret, 1, true);
  options.nudge = options.written = true;
  Settled sidecar(options);
  sidecar.Expect(Says(Pair("b", 60))).Run(10s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBehind);
  EXPECT_THAT(sidecar.log, HasSubstr("Certificate hash mismatch, waiting for it to be written: "));
  EXPECT_THAT(sidecar.log, Not(HasSubstr("kubelet")));
  EXPECT_GE(sidecar.nudges, 2) << "to be written";
}

TEST(Reload, ARefusedNudgeIsTriedAgainRarely) {
  ReloadOptions options = Options(Source::kLease, 1, true);
  options.nudge = true;
  Settled sidecar(options);
  sidecar.Expect(Says(Pair("b", 60))).Run(100ms);
  EXPECT_EQ(sidecar.nudges, 1);
  sidecar.reload.OnNudgeRefused(sidecar.Time());
  sidecar.Run(kRefusedNudgePause - 1s);
  EXPECT_EQ(sidecar.nudges, 1);
  sidecar.Run(2s);
  EXPECT_EQ(sidecar.nudges, 2);
}

TEST(Reload, WaitsForKubeletWhileTheLeaseIsAhead) {
  ReloadOptions options = Options(Source::kLease, 1, true);
  options.nudge = true;
  Settled sidecar(options);
  sidecar.reads = 0;
  sidecar.Expect(Says(Pair("b", 60))).Run(60s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBehind);
  EXPECT_THAT(sidecar.log, HasSubstr("Certificate hash mismatch, waiting for kubelet sync"));
  EXPECT_NEAR(sidecar.reads, 30, 2) << "every two seconds";
  EXPECT_GE(sidecar.nudges, 2);
  EXPECT_LE(sidecar.nudges, 8);
  EXPECT_TRUE(sidecar.IsReady());
  EXPECT_FALSE(sidecar.Alarms(kAlarmMismatch));
  sidecar.Run(61s);
  EXPECT_TRUE(sidecar.Alarms(kAlarmMismatch));
  EXPECT_THAT(sidecar.log, HasSubstr("Alarm: mismatch: expected "));
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.Mount(Pair("b", 60)).Run(1s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_EQ(sidecar.reloads, 1);
  ASSERT_TRUE(sidecar.kubelet_lag.has_value());
  EXPECT_NEAR(static_cast<double>(*sidecar.kubelet_lag / 1ms), 121'100, 200);
}

TEST(Reload, DoesNotTellOfWhatIsMountedMeanwhileButNotYetExpected) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.Expect(Says(Pair("c", 90))).Run(1s);
  sidecar.Mount(Pair("b", 60)).Run(10min);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBehind);
}

TEST(Reload, AcceptsAVolumeAheadOfTheLeaseAfterAWhile) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.Mount(Pair("b", 60)).Run(119s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kAhead);
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.Run(2s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_TRUE(sidecar.Alarms(kAlarmForced));
  EXPECT_TRUE(sidecar.Alarms(kAlarmMismatch));
  sidecar.Expect(Says(Pair("b", 60))).Run(1s);
  EXPECT_EQ(sidecar.reload.alarms(), 0U);
  EXPECT_EQ(sidecar.reloads, 1);
}

TEST(Reload, TellsAtOnceWhenTheLeaseCatchesUp) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.Mount(Pair("b", 60)).Run(10s);
  sidecar.Expect(Says(Pair("b", 60))).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_FALSE(sidecar.Alarms(kAlarmForced));
}

TEST(Reload, WaitsTheSameForALeaseThatCannotBeOrdered) {
  Expected equal = Says(Pair("b", 60));
  equal.cert_hash = Sha256("another of the same second");
  Expected dateless = equal;
  dateless.valid_until.reset();
  for (const Expected& expected : {equal, dateless, SaysNothing("it does not exist")}) {
    Settled sidecar(Options(Source::kLease, 1, true));
    sidecar.Expect(expected).Mount(Pair("b", 60)).Run(119s);
    EXPECT_EQ(sidecar.phase(), ReloadPhase::kAhead);
    EXPECT_EQ(sidecar.reloads, 0);
    sidecar.Run(2s);
    EXPECT_EQ(sidecar.reloads, 1);
    EXPECT_TRUE(sidecar.Alarms(kAlarmForced));
  }
}

TEST(Reload, AWrongLeaseNeverHoldsAnAppUntilItExpires) {
  Sidecar sidecar(Options(Source::kLease, 1, true));
  sidecar.volume = Pair("a", 1);
  sidecar.serves = sidecar.volume.leaf;
  sidecar.Expect(Says(Pair("a"))).Run(1s);
  Expected wrong = Says(Pair("b", 60));
  wrong.cert_hash = Sha256("wrong");
  *wrong.valid_until += 10'000 * kDay;
  sidecar.Expect(wrong).Mount(Pair("b", 60)).Run(18h);
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.Run(2h);  // a tenth of two days is left after 19.2 hours
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.serves->sha256, Pair("b").leaf.sha256);
  EXPECT_TRUE(sidecar.Alarms(kAlarmForced));
}

TEST(Reload, MinimumValidityMakesALaterPairWinEarlier) {
  ReloadOptions options = Options(Source::kLease, 1, true);
  options.min_validity = 40 * kDay;
  Settled sidecar(options);
  EXPECT_TRUE(sidecar.Alarms(kAlarmEnding));
  EXPECT_THAT(sidecar.started, HasSubstr("Alarm: ending: the app's certificate is valid only until "
                                         "2027-02-14T08:00:00Z\n"));
  sidecar.Mount(Pair("b", 60)).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_FALSE(sidecar.Alarms(kAlarmEnding));
}

TEST(Reload, ALeaseRolledBackOrDeletedChangesNothingForTheApp) {
  for (const Expected& now :
       {Says(Pair("older", 10)), SaysNothing("its annotation kubetemplater.io/cert-ready is not "
                                             "\"true\"")}) {
    Settled sidecar(Options(Source::kLease, 1, true));
    sidecar.Expect(now).Run(10min);
    EXPECT_EQ(sidecar.reloads, 0);
    EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
    EXPECT_TRUE(sidecar.IsReady());
    EXPECT_TRUE(sidecar.Alarms(kAlarmMismatch));
    EXPECT_THAT(sidecar.log, HasSubstr("Lease watch event received"));
  }
}

TEST(Reload, ARenewedLeaseWithTheSameAnnotationsCostsNoLine) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.Run(3s);
  const int reads = sidecar.reads;
  for (int i = 0; i < 10; ++i) sidecar.Expect(Says(Pair("a"))).Run(2s);
  EXPECT_EQ(sidecar.log, "");
  EXPECT_EQ(sidecar.reads, reads);
}

TEST(Reload, TheBundleHashCountsOnlyWhenTheMountShowsAllFiles) {
  Settled sidecar(Options(Source::kLease, 1, true));
  Expected expected = Says(Pair("b", 60));
  expected.bundle = Sha256("another bundle");
  sidecar.Expect(expected).Mount(Pair("b", 60)).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  Mounted all = Pair("c", 90);
  all.all_files = true;
  expected.cert_hash = all.cert_hash;
  sidecar.Expect(expected).Mount(all).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  expected.bundle = all.digest;
  sidecar.Expect(expected).Run(1s);
  EXPECT_EQ(sidecar.reloads, 2);
}

TEST(Reload, OnChangeAsksOnlyWhenTheVolumeChangedAndUntilItIsAnswered) {
  ReloadOptions options = Options(Source::kLease, 1, true);
  options.expect_on_change = true;
  Settled sidecar(options);
  sidecar.fetches = 0;
  sidecar.Run(30min);
  EXPECT_EQ(sidecar.fetches, 0);
  sidecar.Mount(Pair("b", 60)).Run(30s);
  EXPECT_GE(sidecar.fetches, 3);
  EXPECT_LE(sidecar.fetches, 6);
  sidecar.Expect(Says(Pair("b", 60))).Run(2min);
  sidecar.fetches = 0;
  sidecar.Run(10min);
  EXPECT_EQ(sidecar.fetches, 0);
}

// --- the start --------------------------------------------------------------------------------

TEST(Reload, NamesWhatIsMissingWhenTimeIsUp) {
  Sidecar sidecar(Options(Source::kLease, 1, true));
  sidecar.Run(179s);
  EXPECT_EQ(sidecar.timed_out, "");
  sidecar.Run(2s);
  EXPECT_EQ(sidecar.timed_out, "Certificate not usable: no such file");
}

// People write the longest duration there is for "never".
TEST(Reload, TakesTheLongestDurations) {
  ReloadOptions options = Options(Source::kLease, 1, true);
  for (Duration* length :
       {&options.accept_newer_after, &options.prove_within, &options.reload_within,
        &options.debounce, &options.resync, &options.min_validity, &options.timeout}) {
    *length = Duration::max();
  }
  Sidecar sidecar(options);
  sidecar.volume = Pair("a");
  sidecar.serves = Pair("a").leaf;
  sidecar.Expect(Says(Pair("a"))).Run(1h);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_LE(sidecar.reads, 5);
}

TEST(Reload, ABadPairIsNoStart) {
  Sidecar sidecar(Options(Source::kNone, 1, true));
  sidecar.volume = BadPair("a");
  sidecar.Run(181s);
  EXPECT_FALSE(sidecar.reload.verified_once());
  EXPECT_THAT(sidecar.timed_out, HasSubstr("do not belong together"));
}

TEST(Reload, IsVerifiedBeforeTheAppRunsAndTimesOutNoMore) {
  Sidecar sidecar(Options(Source::kNone, 1, true));
  sidecar.volume = Pair("a");
  sidecar.Run(1s);
  EXPECT_TRUE(sidecar.reload.verified_once());
  EXPECT_FALSE(sidecar.reload.converged_once());
  EXPECT_FALSE(sidecar.IsReady());
  sidecar.Run(10min);
  EXPECT_EQ(sidecar.timed_out, "");
}

TEST(Reload, AtItsStartWhatTheAppServesDecides) {
  Sidecar serves_it(Options(Source::kNone, 1, true));
  serves_it.volume = Pair("a");
  serves_it.serves = Pair("a").leaf;
  serves_it.Run(10min);
  EXPECT_EQ(serves_it.reloads, 0);
  EXPECT_EQ(serves_it.phase(), ReloadPhase::kConverged);

  Sidecar serves_other(Options(Source::kNone, 1, true));
  serves_other.volume = Pair("a");
  serves_other.serves = Pair("old").leaf;
  serves_other.Run(1s);
  EXPECT_EQ(serves_other.reloads, 1);
}

TEST(Reload, AtItsStartAnAppThatCannotBeAskedIsTold) {
  Sidecar sidecar(Options(Source::kNone, 1, true));
  sidecar.volume = Pair("a");
  sidecar.Run(29s);
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.Run(2s);
  EXPECT_EQ(sidecar.reloads, 1);
}

TEST(Reload, AtItsStartAnAppYoungerThanTheVolumeIsNotTold) {
  Sidecar sidecar(Options(Source::kNone, 1, false));
  sidecar.now = Instant() + 1h;
  sidecar.volume = Pair("a");
  sidecar.volume.appeared = Instant() + 10min;
  sidecar.reload.OnApp(Instant() + 11min, sidecar.Time());
  sidecar.Run(10min);
  EXPECT_EQ(sidecar.reloads, 0);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, AtItsStartAnOlderAppIsToldOnce) {
  for (const std::optional<Instant>& appeared :
       {std::optional<Instant>(Instant() + 10min), std::optional<Instant>()}) {
    Sidecar sidecar(Options(Source::kNone, 1, false));
    sidecar.now = Instant() + 1h;
    sidecar.volume = Pair("a");
    sidecar.volume.appeared = appeared;
    sidecar.reload.OnApp(Instant() + 10min, sidecar.Time());
    sidecar.Run(10min);
    EXPECT_EQ(sidecar.reloads, 1);
  }
}

TEST(Reload, AnAppThatRestartsHasReadTheNewFiles) {
  Settled sidecar(Options(Source::kNone, 1, true));
  sidecar.Mount(BadPair("b")).Run(1s);
  sidecar.serves.reset();
  sidecar.reload.OnApp(sidecar.now, sidecar.Time());
  sidecar.Run(1s);
  sidecar.Mount(Pair("a")).Run(1s);
  EXPECT_EQ(sidecar.reloads, 1) << "it started with the bad pair";
  sidecar.reload.OnApp(sidecar.now, sidecar.Time());
  sidecar.Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, AnotherAppThatIsOlderThanTheVolumeIsTold) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.reload.OnApp(Instant(), sidecar.Time());
  sidecar.Run(1s);
  EXPECT_EQ(sidecar.reloads, 1);
}

TEST(Reload, ARestartDuringARoundThatFailsIsNotTakenForSuccess) {
  Settled sidecar(Options(Source::kNone, 1, false));
  sidecar.reload.OnApp(sidecar.now - 1s, sidecar.Time());
  sidecar.Run(1s);
  sidecar.reloads = 0;
  sidecar.hangs = true;
  sidecar.Mount(Pair("b")).Run(1s);
  sidecar.reload.OnApp(std::nullopt, sidecar.Time());
  sidecar.Finish(ReloadOutcome::Kind::kFailed, "it ended").Run(100ms);
  EXPECT_NE(sidecar.phase(), ReloadPhase::kConverged);
}

// --- proof ------------------------------------------------------------------------------------

TEST(Reload, IsBrokenWhenTheAppKeepsServingTheOldOneAndSignalsAgain) {
  Settled sidecar(Options(Source::kNone, 1, true));
  sidecar.loads = false;
  sidecar.Mount(Pair("b", 60)).Run(29s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kProving);
  EXPECT_EQ(sidecar.reloads, 1);
  sidecar.Run(2s);
  EXPECT_EQ(sidecar.reloads, 2);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBroken);
  EXPECT_EQ(sidecar.reload.reason(), "app serves an old certificate");
  EXPECT_TRUE(sidecar.IsReady()) << "the old one is valid";
  EXPECT_FALSE(sidecar.IsReady(UnreadyWhen::kBroken));
  sidecar.Run(1h);
  EXPECT_GT(sidecar.reloads, 5);
  EXPECT_LT(sidecar.reloads, 15);
  sidecar.loads = true;
  sidecar.Run(11min);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
  EXPECT_TRUE(sidecar.IsReady(UnreadyWhen::kBroken));
}

TEST(Reload, AnswersOfBeforeTheRoundProveNothing) {
  Settled sidecar(Options(Source::kNone, 1, true));
  Mounted other_ca = Pair("a");
  other_ca.digest = Sha256("with another CA");
  const int probes = sidecar.probes;
  sidecar.Mount(other_ca).Run(1s);
  EXPECT_GT(sidecar.probes, probes) << "the leaf was proven before it was told";
}

TEST(Reload, AnAppThatIsNotReachedIsNotSignalledAgain) {
  Settled sidecar(Options(Source::kNone, 1, true));
  sidecar.loads = false;
  sidecar.serves.reset();
  sidecar.Mount(Pair("b", 60)).Run(10min);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBroken);
  EXPECT_EQ(sidecar.reload.reason(), "connection refused");
}

TEST(Reload, TellsAnAppThatWentBackToAnOldCertificate) {
  Settled sidecar(Options(Source::kNone, 1, true));
  sidecar.serves = Pair("old").leaf;
  sidecar.Run(2min);
  EXPECT_EQ(sidecar.reloads, 1);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, WithoutAMethodItOnlyWatchesAndProves) {
  Settled sidecar(Options(Source::kNone, 0, true));
  sidecar.Mount(Pair("b", 60)).Run(31s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kBroken);
  EXPECT_EQ(sidecar.reloads, 0);
  sidecar.serves = Pair("b", 60).leaf;
  sidecar.Run(3s);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

TEST(Reload, IsNotReadyOnceWhatTheAppServesHasExpired) {
  Sidecar sidecar(Options(Source::kNone, 1, true));
  sidecar.volume = Pair("a", 1);
  sidecar.serves = sidecar.volume.leaf;
  sidecar.Run(1s);
  EXPECT_TRUE(sidecar.IsReady());
  sidecar.loads = false;
  sidecar.Mount(Pair("b", 60)).Run(24h);
  EXPECT_FALSE(sidecar.IsReady());
  EXPECT_TRUE(sidecar.IsReady(UnreadyWhen::kNotAtAll));
  EXPECT_TRUE(sidecar.Alarms(kAlarmEnding));
}

// --- clocks and wake-ups ----------------------------------------------------------------------

TEST(Reload, AJumpOfTheWallClockNeitherSignalsNorLasts) {
  for (const Duration jump : {Duration(1000 * kDay), -Duration(1000 * kDay)}) {
    Settled sidecar(Options(Source::kLease, 1, true));
    sidecar.wall_jump = jump;
    sidecar.Run(2min);
    EXPECT_EQ(sidecar.phase(), ReloadPhase::kVerifying);
    sidecar.wall_jump = {};
    sidecar.Run(2min);
    EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
    EXPECT_EQ(sidecar.reloads, 0);
    EXPECT_TRUE(sidecar.IsReady());
  }
}

TEST(Reload, TheWallClockDoesNotShortenTheWaitForTheLease) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.Mount(Pair("b", 60)).Run(1s);
  sidecar.wall_jump = 1h;
  sidecar.Run(60s);
  EXPECT_EQ(sidecar.reloads, 0);
}

TEST(Reload, WakesWhenIdleOnlyToResyncAndToProve) {
  Settled sidecar(Options(Source::kLease, 1, true));
  sidecar.reads = sidecar.probes = sidecar.steps = 0;
  sidecar.Run(1h);
  EXPECT_NEAR(sidecar.reads, 60, 1);
  EXPECT_NEAR(sidecar.probes, 60, 2);
  EXPECT_LE(sidecar.steps, 260);
  EXPECT_EQ(sidecar.log, "");
}

TEST(Reload, AnEndInTheYear9999DoesNotOverflow) {
  Sidecar sidecar(Options(Source::kNone, 1, false));
  sidecar.volume = Pair("a");
  sidecar.volume.leaf.not_before = WallTime(seconds(-62'135'596'800));
  sidecar.volume.leaf.not_after = WallTime(seconds(253'402'300'799));
  sidecar.Run(1h);
  EXPECT_EQ(sidecar.phase(), ReloadPhase::kConverged);
}

}  // namespace
}  // namespace certlatch
