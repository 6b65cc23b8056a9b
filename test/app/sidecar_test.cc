#include "app/sidecar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/wall_time.h"
#include "domain/base64.h"
#include "test/support/api_json.h"
#include "test/support/fake_host.h"
#include "test/support/fake_pod.h"
#include "test/support/generations.h"

namespace certlatch {
namespace {

using test::Authority;
using test::Event;
using test::FakeHost;
using test::FakePod;
using test::Generation;
using test::List;
using test::PemPair;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string Hash(const PemPair& pair) { return HexLower(Sha256(pair.cert)); }

CertFacts Leaf(const PemPair& pair) { return *ReadLeaf(pair.cert); }

// A Lease that tells followers of `pair`.
std::string LeaseOf(const PemPair& pair, int version, const char* renewed = "1") {
  return R"({"metadata":{"namespace":"default","name":"web","resourceVersion":")" +
         std::to_string(version) +
         R"(","annotations":{"kubetemplater.io/cert-ready":"true","kubetemplater.io/cert-hash":")" +
         Hash(pair) + R"(","kubetemplater.io/cert-valid-until":")" +
         FormatWallTime(Leaf(pair).not_after) + R"("}},"spec":{"renewTime":")" + renewed + R"("}})";
}

std::string SecretOf(const PemPair& pair, int version) {
  return R"({"metadata":{"namespace":"default","name":"web-tls","resourceVersion":")" +
         std::to_string(version) + R"("},"immutable":true,"data":{"tls.crt":")" +
         EncodeBase64(pair.cert) + R"(","tls.key":")" + EncodeBase64(pair.key) + R"("}})";
}

SidecarOptions Signalling() {
  SidecarOptions options;
  options.pod.volume.directory = "/tls";
  options.pod.tell.signal.number = 1;
  options.pod.tell.signal.process = "nginx";
  return options;
}

SidecarOptions Proving() {
  SidecarOptions options = Signalling();
  options.pod.prove = *ParseProbe("127.0.0.1:8443");
  return options;
}

SidecarOptions Following(SidecarOptions options = Signalling()) {
  options.expect.source = ReloadOptions::Source::kLease;
  options.expect.name = "web";
  return options;
}

// One run of the mode on a FakeHost and a FakePod.
struct Running {
  explicit Running(SidecarOptions its_options, int generation = 0)
      : options(std::move(its_options)) {
    Mount(generation);
    sidecar =
        std::make_unique<Sidecar>(host, pod, options, BuildInfo{"1.2.3", "abc"},
                                  [this](WaitResult outcome) { result = std::move(outcome); });
    sidecar->Start();
  }
  ~Running() { sidecar.reset(); }

  void Mount(int generation) {
    pod.files = {{"tls.crt", Generation(generation).cert},
                 {"tls.key", Generation(generation).key},
                 {"ca.crt", Authority().cert_pem()}};
  }
  void Rotate(int generation) {
    Mount(generation);
    Notice();
  }
  void Notice() {
    pod.Hint();
    host.Advance(200ms);
  }
  int Page(const char* path) { return sidecar->Page(path).status; }
  std::string Body(const char* path) { return sidecar->Page(path).body; }
  bool running() const { return !result.has_value(); }
  std::string Error() const { return result && !result->errors.empty() ? result->errors[0] : ""; }

  SidecarOptions options;
  FakeHost host;
  FakePod pod;
  std::unique_ptr<Sidecar> sidecar;
  std::optional<WaitResult> result;
};

TEST(Sidecar, TellsTheAppOfEachNewPairOnce) {
  Running run(Signalling());
  run.pod.Answer(ReloadMethod::kSignal);
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_THAT(run.host.Log(), HasSubstr("Certificate loaded and verified"));
  run.Rotate(1);
  ASSERT_EQ(run.pod.told.size(), 2U);
  run.pod.Answer(ReloadMethod::kSignal);
  run.Notice();  // nothing new
  run.host.Advance(10min);
  EXPECT_EQ(run.pod.told.size(), 2U);
  EXPECT_THAT(run.host.Log(), HasSubstr("App has the mounted certificate: told, not proven"));
}

TEST(Sidecar, DoesNotTellAnAppThatStartedAfterTheFilesWereThere) {
  SidecarOptions options = Signalling();
  FakeHost host;
  FakePod pod;
  pod.files = {{"tls.crt", Generation(0).cert}, {"tls.key", Generation(0).key}};
  pod.appeared = Instant(10s);
  pod.app_started = Instant(20s);
  host.Advance(60s);
  std::optional<WaitResult> result;
  Sidecar sidecar(host, pod, options, {}, [&](const WaitResult& outcome) { result = outcome; });
  sidecar.Start();
  EXPECT_THAT(pod.told, IsEmpty());
  EXPECT_EQ(sidecar.Page("/readyz").status, 200);
}

// Before a next attempt that comes soon nothing is read: the app itself must be looked at.
TEST(Sidecar, DoesNotTellAnAppThatStartedAgainAfterTheFilesChanged) {
  SidecarOptions options = Signalling();
  Running run(options);
  run.pod.Answer(ReloadMethod::kSignal);
  run.Rotate(1);
  run.pod.Answer(ReloadMethod::kSignal, {ReloadResult::kDeferred, "has no handler", 300ms});
  ASSERT_EQ(run.pod.told.size(), 2U);
  run.host.Advance(10ms);
  run.pod.app_started = run.host.Now();
  run.host.Advance(1min);
  EXPECT_EQ(run.pod.told.size(), 2U);
  EXPECT_THAT(run.host.Log(), HasSubstr("App found"));
  EXPECT_EQ(run.Page("/readyz"), 200);
}

TEST(Sidecar, NeverTellsOfAPairThatIsNotItsOwn) {
  Running run(Signalling());
  run.pod.Answer(ReloadMethod::kSignal);
  run.Mount(1);
  run.pod.files["tls.key"] = Generation(2).key;
  run.Notice();
  run.host.Advance(10min);
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_THAT(run.host.Log(), HasSubstr("Certificate not usable: "));
  EXPECT_EQ(run.Page("/readyz"), 200);  // the old one keeps serving
  EXPECT_THAT(run.Body("/metrics"), HasSubstr("certlatch_alarm{alarm=\"pair\"} 1"));
  run.Rotate(2);
  EXPECT_EQ(run.pod.told.size(), 2U);
}

TEST(Sidecar, WaitsForTheMountThatTheLeaseAnnounces) {
  Running run(Following());
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(1), 3)));
  EXPECT_THAT(run.host.Log(), HasSubstr("Lease watch established, monitoring for certificate "
                                        "updates"));
  EXPECT_THAT(run.host.Log(), HasSubstr("Lease watch event received"));
  EXPECT_THAT(run.host.Log(), HasSubstr("Certificate hash mismatch, waiting for kubelet sync"));
  EXPECT_THAT(run.pod.told, IsEmpty());
  EXPECT_EQ(run.Page("/startupz"), 503);
  run.host.Advance(60s);
  EXPECT_THAT(run.pod.told, IsEmpty());
  run.Rotate(1);
  run.pod.Answer(ReloadMethod::kSignal);
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_EQ(run.Page("/startupz"), 200);
  EXPECT_THAT(run.Body("/metrics"), HasSubstr("certlatch_kubelet_lag_seconds_count 1"));
}

TEST(Sidecar, IsNotMovedByALeaseThatIsOnlyRenewed) {
  Running run(Following());
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(0), 3)));
  run.pod.Answer(ReloadMethod::kSignal);
  const size_t lines = run.host.logged.size();
  const int reads = run.pod.reads;
  for (int i = 0; i < 20; ++i) {
    run.host.Send(run.host.Find("watch="),
                  Event("MODIFIED", LeaseOf(Generation(0), 4 + i, std::to_string(i).c_str())));
  }
  EXPECT_EQ(run.host.logged.size(), lines);
  EXPECT_EQ(run.pod.reads, reads);
}

TEST(Sidecar, KeepsWhatItKnewThroughAnOutage) {
  Running run(Following());
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(0), 3)));
  run.pod.Answer(ReloadMethod::kSignal);
  run.host.Answer(run.host.Find("watch="), 0, "");
  EXPECT_THAT(run.host.Log(), HasSubstr("Lease watch closed, restarting watch"));
  for (int i = 0; i < 50; ++i) {
    run.host.Advance(1s);
    if (const int id = run.host.Find("leases?")) run.host.Answer(id, 503, "");
  }
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_EQ(run.Page("/readyz"), 200);
  EXPECT_EQ(run.Page("/healthz"), 200);
  EXPECT_THAT(run.Body("/metrics"), HasSubstr("certlatch_watch_up{watch=\"lease\"} 0"));
  size_t told = 0;
  for (const std::string& line : run.host.logged) told += line.starts_with("lease/web: ") ? 1U : 0U;
  EXPECT_LE(told, 2U) << run.host.Log();
  // The mount may still change in it, and is held against what was known.
  run.Rotate(1);
  EXPECT_EQ(run.pod.told.size(), 1U);
  run.host.Advance(30s);
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(1), 9)));
  run.host.Advance(3s);
  EXPECT_EQ(run.pod.told.size(), 2U);
}

TEST(Sidecar, AsksForTheLeaseOnlyWhenTheVolumeChangedIfToldSo) {
  SidecarOptions options = Following();
  options.reload.expect_on_change = true;
  Running run(options);
  run.host.Answer(run.host.Find("/leases/web"), 200, LeaseOf(Generation(0), 3));
  run.pod.Answer(ReloadMethod::kSignal);
  run.host.Advance(1h);
  EXPECT_EQ(run.host.history.size(), 1U);
  run.Rotate(1);
  EXPECT_EQ(run.pod.told.size(), 1U);
  run.host.Answer(run.host.Find("/leases/web"), 200, LeaseOf(Generation(1), 4));
  run.host.Advance(3s);
  EXPECT_EQ(run.pod.told.size(), 2U);
  EXPECT_EQ(run.host.Find("watch="), 0);
}

// A slow API server would get one request after another, and none would live to be answered.
TEST(Sidecar, WaitsForASlowAnswerInsteadOfAskingAgain) {
  SidecarOptions options = Following();
  options.reload.expect_on_change = true;
  Running run(options);
  const int asked = run.host.Find("/leases/web");
  run.host.Advance(25s);
  EXPECT_EQ(run.host.history.size(), 1U);
  run.host.Answer(asked, 503, "");
  run.host.Advance(60s);
  run.host.Answer(run.host.Find("/leases/web"), 200, LeaseOf(Generation(0), 3));
  EXPECT_EQ(run.pod.told.size(), 1U);
}

TEST(Sidecar, SaysOfWhichObjectItHears) {
  SidecarOptions options = Following();
  options.expect.source = ReloadOptions::Source::kSecret;
  Running run(options);
  EXPECT_THAT(run.host.Log(), HasSubstr("Waiting to hear which certificate is expected"));
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("not the expected one")));
  run.host.Answer(run.host.Find("secrets?"), 503, "");
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web: HTTP 503"));
  run.host.Advance(5s);
  run.host.Answer(run.host.Find("secrets?"), 200, List(SecretOf(Generation(0), 3)));
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web: all is well again"));
  EXPECT_THAT(run.host.Log(), HasSubstr("Secret watch established, monitoring for certificate"));
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("Lease")));
}

TEST(Sidecar, TakesTheSecretItselfForWhatIsExpected) {
  SidecarOptions options = Signalling();
  options.expect.source = ReloadOptions::Source::kSecret;
  options.expect.name = "web-tls";
  Running run(options);
  run.host.Answer(run.host.Find("secrets?"), 200, List(SecretOf(Generation(1), 3)));
  EXPECT_THAT(run.pod.told, IsEmpty());
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web-tls is immutable: it will never change"));
  run.Rotate(1);
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("PRIVATE")));
}

TEST(Sidecar, WaitsForItsTargetsFirst) {
  SidecarOptions options = Signalling();
  options.wait.targets = *ParseTargets({"certificate/web"});
  Running run(options);
  EXPECT_EQ(run.Page("/startupz"), 503);
  EXPECT_EQ(run.Page("/healthz"), 200);
  EXPECT_EQ(run.pod.reads, 0);
  run.host.Answer(run.host.Find("certificates?"), 200,
                  List(R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"3"},)"
                       R"("status":{"conditions":[{"type":"Ready","status":"True"}]}})"));
  run.host.Advance(1ms);
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_EQ(run.Page("/startupz"), 200);
}

TEST(Sidecar, FailsWithTheTargetsThatAreNotMetInTime) {
  SidecarOptions options = Signalling();
  options.wait.targets = *ParseTargets({"certificate/web"});
  options.reload.timeout = 20s;
  Running run(options);
  run.host.Answer(run.host.Find("certificates?"), 200, List(""));
  run.host.Advance(21s);
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.Error(), HasSubstr("timed out after 20s: certificate/web"));
  EXPECT_EQ(run.pod.reads, 0);
}

TEST(Sidecar, FailsWithoutAVerifiedPairInTimeAndNamesWhatIsMissing) {
  SidecarOptions options = Following();
  options.reload.timeout = 30s;
  Running run(options);
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(1), 3)));
  run.host.Advance(31s);
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.Error(), StartsWith("error: no verified certificate after 30s: Certificate hash "
                                      "mismatch"));
  EXPECT_THAT(run.Error(), HasSubstr(Hash(Generation(1)).substr(0, 12)));
}

TEST(Sidecar, CountsTheWaitForItsTargetsIntoItsTimeout) {
  SidecarOptions options = Signalling();
  options.wait.targets = *ParseTargets({"certificate/web"});
  options.reload.timeout = 30s;
  Running run(options);
  run.pod.files.erase("tls.key");
  run.host.Advance(20s);
  run.host.Answer(run.host.Find("certificates?"), 200,
                  List(R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"3"},)"
                       R"("status":{"conditions":[{"type":"Ready","status":"True"}]}})"));
  run.host.Advance(9s);
  EXPECT_TRUE(run.running());
  run.host.Advance(2s);
  EXPECT_THAT(run.Error(), StartsWith("error: no verified certificate after 30s: "));
}

// Its image may have to be pulled first; its pod is not ready before.
TEST(Sidecar, SoonFindsAnAppThatStartsLate) {
  Running run(Signalling());
  for (int i = 0; i < 100; ++i) {
    if (!run.pod.Tells().empty()) {
      run.pod.Answer(ReloadMethod::kSignal, {ReloadResult::kNotFound, "no process", {}});
    }
    run.host.Advance(1s);
  }
  run.pod.app_started = run.host.Now();
  run.host.Advance(3s);
  EXPECT_EQ(run.Page("/readyz"), 200);
}

TEST(Sidecar, NamesTheApiServersTroubleWhenItFails) {
  SidecarOptions options = Following();
  options.reload.timeout = 5s;
  Running run(options);
  for (int i = 0; i < 8 && run.running(); ++i) {
    if (const int id = run.host.Find("leases")) {
      run.host.Answer(id, 403, R"({"kind":"Status","message":"leases \"web\" is forbidden"})");
    }
    run.host.Advance(1s);
  }
  EXPECT_THAT(run.Error(), HasSubstr("leases \"web\" is forbidden"));
}

TEST(Sidecar, EndsAtOnceWhileTheAppIsBeingTold) {
  Running run(Proving());
  EXPECT_EQ(run.pod.Probes().size(), 1U);
  run.sidecar->Interrupt("SIGTERM");
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.pod.Probes(), IsEmpty());
  run.Notice();
  EXPECT_FALSE(run.host.HasTimers());
}

TEST(Sidecar, ProvesWhatTheAppServesBeforeItTellsAfterARestart) {
  Running run(Proving());
  EXPECT_THAT(run.pod.told, IsEmpty());
  EXPECT_EQ(run.pod.Probes()[0].kind, KeyKind::kP256);
  run.pod.AnswerProbe(Generation(0).cert);
  EXPECT_THAT(run.pod.told, IsEmpty());
  EXPECT_EQ(run.Page("/readyz"), 200);
  EXPECT_THAT(run.host.Log(), HasSubstr("App has the mounted certificate: proven"));
  run.Rotate(1);
  ASSERT_EQ(run.pod.Tells().size(), 1U);
  EXPECT_TRUE(run.pod.Tells()[0].answered.has_value());
  run.pod.Answer(ReloadMethod::kSignal);
  run.pod.AnswerProbe(Generation(1).cert);
  EXPECT_THAT(run.Body("/metrics"),
              HasSubstr("certlatch_fingerprints_agree{between=\"mounted_served\"} 1"));
}

TEST(Sidecar, CallsAnAppBrokenThatKeepsTheOldCertificate) {
  SidecarOptions options = Proving();
  options.unready_when = UnreadyWhen::kBroken;
  Running run(options);
  run.pod.AnswerProbe(Generation(0).cert);
  run.Rotate(1);
  for (int i = 0; i < 40; ++i) {
    if (!run.pod.Tells().empty()) run.pod.Answer(ReloadMethod::kSignal);
    if (!run.pod.Probes().empty()) run.pod.AnswerProbe(Generation(0).cert);
    run.host.Advance(1s);
  }
  EXPECT_THAT(run.host.Log(), HasSubstr("App does not take the mounted certificate: app serves an "
                                        "old certificate"));
  EXPECT_THAT(run.Body("/metrics"), HasSubstr("certlatch_alarm{alarm=\"broken\"} 1"));
  EXPECT_EQ(run.Page("/readyz"), 503);
  EXPECT_THAT(run.Body("/readyz"), StartsWith("broken: "));
  EXPECT_GE(run.pod.told.size(), 2U);  // told again
  for (int i = 0; i < 100 && run.Page("/readyz") != 200; ++i) {
    if (!run.pod.Tells().empty()) run.pod.Answer(ReloadMethod::kSignal);
    if (!run.pod.Probes().empty()) run.pod.AnswerProbe(Generation(1).cert);
    run.host.Advance(1s);
  }
  EXPECT_EQ(run.Page("/readyz"), 200);
}

TEST(Sidecar, CountsAndSaysHowTellingFailed) {
  SidecarOptions options = Signalling();
  options.pod.tell.touch = "/run/reload";
  Running run(options);
  EXPECT_THAT(run.pod.told, ElementsAre(ReloadMethod::kSignal, ReloadMethod::kTouch));
  run.pod.Answer(ReloadMethod::kTouch);
  run.pod.Answer(ReloadMethod::kSignal, {ReloadResult::kDenied, "not permitted", {}});
  EXPECT_THAT(run.host.Log(), HasSubstr("Telling the app failed: signal: not permitted"));
  EXPECT_THAT(run.Body("/metrics"),
              HasSubstr(R"(certlatch_reload_failures_total{method="signal",reason="denied"} 1)"));
  run.host.Advance(5s);
  // What succeeded is not told again for the other's sake.
  EXPECT_THAT(run.pod.told,
              ElementsAre(ReloadMethod::kSignal, ReloadMethod::kTouch, ReloadMethod::kSignal));
}

TEST(Sidecar, SaysOnceWhyTheVolumeCannotBeWatched) {
  Running run(Signalling());
  run.pod.Answer(ReloadMethod::kSignal);
  run.pod.volume_trouble = "inotify: no more watches";
  run.Notice();
  run.Notice();
  run.pod.volume_trouble.clear();
  run.Notice();
  std::vector<std::string> said;
  for (const std::string& line : run.host.logged) {
    if (line.starts_with("volume: ")) said.push_back(line);
  }
  EXPECT_THAT(said, ElementsAre("volume: changes are noticed late: inotify: no more watches",
                                "volume: changes are noticed at once again"));
}

TEST(Sidecar, TellsAgainOnceAnUnreadableVolumeIsBackWithAnotherPair) {
  Running run(Signalling());
  run.pod.Answer(ReloadMethod::kSignal);
  run.pod.unreadable = Error{Code::kNotFound, "/tls: No such file or directory"};
  run.Notice();
  EXPECT_THAT(run.host.Log(), HasSubstr("/tls: No such file or directory"));
  EXPECT_EQ(run.Page("/readyz"), 200);
  run.pod.unreadable.reset();
  run.Rotate(1);
  EXPECT_EQ(run.pod.told.size(), 2U);
}

TEST(Sidecar, HasNoOtherPages) {
  Running run(Signalling());
  EXPECT_EQ(run.Page("/"), 404);
  EXPECT_EQ(run.Page("/metrics/"), 404);
  EXPECT_THAT(run.Body("/metrics"), HasSubstr("version=\"1.2.3\""));
}

TEST(Sidecar, ARefusalOfTheApiServersIsNotTheEndOfItsWatch) {
  Running run(Following());
  run.host.Answer(run.host.Find("leases?"), 400, "who are you?");
  EXPECT_THAT(run.host.Log(), HasSubstr("HTTP 400: who are you?; retrying"));
  run.host.Advance(10s);
  EXPECT_EQ(run.host.Find("leases?"), 0) << "not fast";
  run.host.Advance(30s);
  ASSERT_NE(run.host.Find("leases?"), 0) << "but it is retried";
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(0), 3)));
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_THAT(run.host.Log(), HasSubstr("all is well again"));
}

TEST(Sidecar, NudgesTheKubeletWhileTheLeaseIsAhead) {
  SidecarOptions options = Following();
  options.reload.nudge = true;
  options.wait.nudge = {true, "web-0", "prod"};
  Running run(options);
  run.host.Answer(run.host.Find("leases?"), 200, List(LeaseOf(Generation(0), 3)));
  run.pod.Answer(ReloadMethod::kSignal);
  EXPECT_EQ(run.host.FindChange(), 0);
  run.host.Send(run.host.Find("watch="), Event("MODIFIED", LeaseOf(Generation(1), 12)));
  run.host.Advance(1s);
  const int change = run.host.FindChange();
  ASSERT_NE(change, 0);
  EXPECT_EQ(run.host.Open().back().target, "/api/v1/namespaces/prod/pods/web-0/status");
  run.host.Answer(change, 403, "");
  EXPECT_THAT(run.host.Log(), HasSubstr("--nudge: HTTP 403; the kubelet will sync in its own"));
  run.host.Advance(4min);
  EXPECT_EQ(run.host.FindChange(), 0) << "rights come rarely";
  run.Rotate(1);
  EXPECT_EQ(run.pod.told.size(), 2U) << "without it, too";
  run.pod.Answer(ReloadMethod::kSignal);
  run.host.Advance(10min);
  EXPECT_EQ(run.host.FindChange(), 0) << "nothing is behind any more";
}

}  // namespace
}  // namespace certlatch
