// `wait --mounted` and `--nudge` on a FakeHost: what the mount has against what the API says,
// whichever comes first.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "app/wait.h"
#include "base/wall_time.h"
#include "domain/base64.h"
#include "test/support/api_json.h"
#include "test/support/fake_host.h"
#include "test/support/generations.h"

namespace certlatch {
namespace {

using test::Authority;
using test::CertAuthority;
using test::Event;
using test::FakeHost;
using test::Generation;
using test::List;
using test::PemPair;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kNudges = "/api/v1/namespaces/prod/pods/web-0/status";

std::string SecretOf(const PemPair& pair, int version, const std::string& more = "") {
  return R"({"metadata":{"namespace":"default","name":"web-tls","resourceVersion":")" +
         std::to_string(version) + R"("},"data":{"tls.crt":")" + EncodeBase64(pair.cert) +
         R"(","tls.key":")" + EncodeBase64(pair.key) + R"(")" + more + "}}";
}

std::string WithCa(const std::string& ca_pem) {
  return R"(,"ca.crt":")" + EncodeBase64(ca_pem) + R"(")";
}

std::string LeaseOf(const PemPair& pair, int version, const std::string& more = "") {
  return R"({"metadata":{"namespace":"default","name":"web","resourceVersion":")" +
         std::to_string(version) +
         R"(","annotations":{"kubetemplater.io/cert-ready":"true","kubetemplater.io/cert-hash":")" +
         HexLower(Sha256(pair.cert)) + R"(","kubetemplater.io/cert-valid-until":")" +
         FormatWallTime(ReadLeaf(pair.cert)->not_after) + R"(")" + more + "}}}";
}

TargetName Mounting(const char* target, const char* directory = "/tls") {
  TargetName name;
  if (*target != '\0') name = ParseTargets({target})->front();
  name.text = directory;
  name.mounted = true;
  return name;
}

WaitOptions Nudging() {
  WaitOptions options;
  options.nudge = {true, "web-0", "prod"};
  return options;
}

// One run of the mode on a FakeHost.
struct Waiting {
  explicit Waiting(const char* target, WaitOptions its_options = {})
      : options(std::move(its_options)) {
    options.targets.push_back(Mounting(target));
    wait = std::make_unique<Wait>(host, options,
                                  [this](WaitResult outcome) { result = std::move(outcome); });
  }
  ~Waiting() { wait.reset(); }
  Waiting& Start() {
    wait->Start();
    host.Advance(0s);
    return *this;
  }
  // The volume as kubelet fills it.
  Waiting& Mount(int generation) {
    host.directories["/tls"].files = {{"tls.crt", Generation(generation).cert},
                                      {"tls.key", Generation(generation).key}};
    return *this;
  }
  void Bring(int generation) {
    Mount(generation);
    host.Hint("/tls");
  }
  // The Secret or the Lease, at the first look or as an event.
  void Know(const std::string& object) {
    known = object;
    const int watch = host.Find("watch=true");
    if (watch != 0) return host.Send(watch, Event("MODIFIED", object));
    const int list = host.Find("fieldSelector");
    ASSERT_NE(list, 0);
    host.Answer(list, 200, List(object));
  }
  // Time during which the API server answers, nudges with `status`, and nothing changes.
  void Pass(Duration length, int status = 200, const std::string& body = "{}") {
    for (const Instant end = host.Now() + length; host.Now() < end; host.Advance(500ms)) {
      if (const int change = host.FindChange()) host.Answer(change, status, body);
      const bool reads = host.Find("watch=true") == 0;
      if (const int list = host.Find("fieldSelector"); reads && list != 0) {
        host.Answer(list, 200, List(known));
      }
      host.Hint("/tls");  // all kinds of things happen in a volume
    }
  }
  size_t Nudges() const {
    size_t count = 0;
    for (const FakeHost::Request& request : host.history) count += request.method == "PATCH";
    return count;
  }
  bool running() const { return !result.has_value(); }
  bool IsMet() const { return result && result->outcome == WaitOutcome::kMet; }
  std::string Error() const { return result && !result->errors.empty() ? result->errors[0] : ""; }
  std::string LastLine() const { return host.logged.empty() ? "" : host.logged.back(); }

  WaitOptions options;
  FakeHost host;
  std::string known;  // the object as last told
  std::unique_ptr<Wait> wait;
  std::optional<WaitResult> result;
};

// --- a pair -----------------------------------------------------------------------------------

TEST(Mounted, APairIsMetByVerifiedFilesAndAsksNobody) {
  Waiting run("");
  run.Mount(0).Start();
  EXPECT_TRUE(run.IsMet());
  EXPECT_THAT(run.host.printed, ElementsAre("/tls condition met"));
  EXPECT_THAT(run.host.history, IsEmpty());
  EXPECT_EQ(run.host.Log(), "");
}

TEST(Mounted, APairIsMetTheMomentItIsThere) {
  Waiting run("");
  run.Start();
  EXPECT_EQ(run.LastLine(), "mounted /tls: a pair is not mounted yet; still waiting, 3m left");
  run.host.Advance(30s);
  run.Bring(0);
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, ABurstOfEventsIsLookedAtAtOnceAndInTheEnd) {
  Waiting run("");
  run.Start();
  run.host.Advance(5s);
  const FakeHost::Directory& directory = run.host.directories["/tls"];
  const int before = directory.looks;
  for (int i = 0; i < 50; ++i) {
    run.host.Hint("/tls");
    run.host.Advance(1ms);
  }
  run.Bring(0);
  EXPECT_EQ(directory.looks, before + 1) << "the first at once";
  run.host.Advance(100ms);
  EXPECT_TRUE(run.IsMet()) << "no event is lost";
}

TEST(Mounted, EventsThatNeverEndDoNotPutOffTheLook) {
  Waiting run("");
  run.Start();
  for (int i = 0; i < 15; ++i) {
    run.Bring(0);
    run.host.Advance(10ms);
  }
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, APairIsFoundThoughNoEventTellsOfIt) {
  Waiting run("");
  run.Start();
  run.Mount(0).host.Advance(10s);
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, APairThatDoesNotBelongTogetherIsNone) {
  Waiting run("");
  run.Mount(0).host.directories["/tls"].files["tls.key"] = Generation(1).key;
  run.Start();
  EXPECT_TRUE(run.running());
  EXPECT_THAT(run.LastLine(), HasSubstr("tls.key"));
  run.Bring(1);
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, SaysWhatIsThereInsteadOfThePair) {
  Waiting run("");
  run.host.directories["/tls"].files = {{"server.crt", "x"}};
  run.Start();
  EXPECT_THAT(run.LastLine(), HasSubstr("tls.crt is missing; the volume holds server.crt: "
                                        "--cert-file/--key-file can name others"));
}

TEST(Mounted, TakesTheFilesByTheirOtherNames) {
  WaitOptions options;
  options.volume.cert_file = "server.crt";
  options.volume.key_file = "server.key";
  Waiting run("", options);
  run.host.directories["/tls"].files = {{"server.crt", Generation(0).cert},
                                        {"server.key", Generation(0).key}};
  run.Start();
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, WaitsForTheNameAndTheValidityThatAreAskedFor) {
  WaitOptions options;
  options.require_name = "api.example";
  Waiting named("", options);
  named.Mount(0).Start();
  EXPECT_THAT(named.LastLine(), HasSubstr("tls.crt is not for api.example"));

  options = {};
  options.readiness.min_validity = 24h * 100;
  Waiting lasting("", options);
  lasting.Mount(0).Start();
  EXPECT_THAT(lasting.LastLine(), HasSubstr("--min-validity asks for"));
  lasting.Bring(1);
  EXPECT_TRUE(lasting.IsMet());
}

TEST(Mounted, LooksOnceWithATimeoutOfNothing) {
  WaitOptions options;
  options.timeout = {};
  Waiting run("", options);
  run.Start();
  EXPECT_EQ(run.Error(), "error: mounted /tls: a pair is not mounted yet");
  EXPECT_EQ(run.host.directories["/tls"].looks, 1);
}

// --- a Secret ---------------------------------------------------------------------------------

TEST(Mounted, ASecretThatIsMountedIsMet) {
  Waiting run("secret/web-tls");
  run.Mount(0).Start();
  EXPECT_TRUE(run.running());
  EXPECT_EQ(run.host.directories["/tls"].looks, 0) << "nothing to hold it against yet";
  run.Know(SecretOf(Generation(0), 3));
  EXPECT_TRUE(run.IsMet());
  EXPECT_EQ(run.host.Log(), "");
}

TEST(Mounted, TheSecretFirstThenTheKubelet) {
  Waiting run("secret/web-tls");
  run.Start();
  run.host.Answer(run.host.Find("fieldSelector"), 200, List(""));
  EXPECT_THAT(run.LastLine(), HasSubstr("mounted /tls: secret/web-tls: does not exist"));
  run.Know(SecretOf(Generation(0), 12));
  EXPECT_EQ(run.LastLine(),
            "mounted /tls: secret/web-tls is not mounted yet; the kubelet syncs it within a minute "
            "or so (--nudge: at once); still waiting, 3m left");
  run.host.Advance(41s);
  EXPECT_TRUE(run.running());
  run.Bring(0);
  EXPECT_TRUE(run.IsMet());
  EXPECT_EQ(run.LastLine(),
            "mounted /tls: the kubelet brought what secret/web-tls says, 41s after it was seen "
            "there");
}

TEST(Mounted, TheKubeletFirstThenTheEvent) {
  Waiting run("secret/web-tls");
  run.Mount(1).Start();
  run.Know(SecretOf(Generation(0), 3));
  EXPECT_TRUE(run.running());
  run.Know(SecretOf(Generation(1), 12));
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, AnOlderGenerationIsNotTheSecret) {
  Waiting run("secret/web-tls");
  run.Mount(0).Start();
  run.Know(SecretOf(Generation(1), 3));
  EXPECT_THAT(run.LastLine(),
              HasSubstr("mounted /tls: older than secret/web-tls; the kubelet syncs it within"));
  run.Bring(1);
  EXPECT_TRUE(run.IsMet());
}

// The Secret is renewed while the volume is being read: that look agrees with what was known when
// it began, and is no lie; the next one decides by what is known then.
TEST(Mounted, NeverMetByAMountThatTheLastKnownSecretIsNot) {
  Waiting run("secret/web-tls");
  run.Mount(0).Start();
  run.Know(SecretOf(Generation(1), 3));
  run.Know(SecretOf(Generation(2), 12));
  run.Bring(1);
  EXPECT_TRUE(run.running());
  run.Bring(2);
  run.host.Advance(100ms);  // a burst is looked at together
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, AFileThatChangesDuringTheLookIsSeenByTheNext) {
  Waiting run("secret/web-tls");
  run.Mount(0).Start();
  run.host.directories["/tls"].before_look = [&] { run.Mount(1); };
  run.Know(SecretOf(Generation(0), 3));
  EXPECT_TRUE(run.running()) << "what was read is another";
  run.Know(SecretOf(Generation(1), 12));
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, KeyAndCaMustBeTheSecretsByteForByte) {
  const std::string& ca = Authority().cert_pem();
  for (const char* other : {"tls.key", "ca.crt"}) {
    Waiting run("secret/web-tls");
    auto& files = run.Mount(0).host.directories["/tls"].files;
    files["ca.crt"] = ca;
    files[other] += "\n";
    run.Start();
    run.Know(SecretOf(Generation(0), 3, WithCa(ca)));
    EXPECT_THAT(run.LastLine(), HasSubstr("the key or the CA is not that of secret/web-tls; the "
                                          "kubelet syncs it"));
    files[other].pop_back();
    run.host.Hint("/tls");
    EXPECT_TRUE(run.IsMet());
  }
}

TEST(Mounted, KeysThatOnlyOneOfTheTwoHasAreNoDifference) {
  Waiting items("secret/web-tls");
  items.Mount(0).Start();
  items.Know(SecretOf(Generation(0), 3, WithCa(Authority().cert_pem())));
  EXPECT_TRUE(items.IsMet());

  Waiting projected("secret/web-tls");
  projected.Mount(0).host.directories["/tls"].files["ca.crt"] = CertAuthority().cert_pem();
  projected.host.directories["/tls"].files["namespace"] = "default";
  projected.Start();
  projected.Know(SecretOf(Generation(0), 3));
  EXPECT_TRUE(projected.IsMet());
}

TEST(Mounted, ASecretWhosePairIsBadIsNotMetByItsMount) {
  PemPair mixed = Generation(0);
  mixed.key = Generation(1).key;
  Waiting run("secret/web-tls");
  run.Mount(0).host.directories["/tls"].files["tls.key"] = mixed.key;
  run.Start();
  run.Know(SecretOf(mixed, 3));
  EXPECT_TRUE(run.running());
  EXPECT_THAT(run.LastLine(), Not(HasSubstr("kubelet")));
}

TEST(Mounted, NothingOfAnOutageCountsUntilTheSecretIsSeenAgain) {
  Waiting run("secret/web-tls");
  run.Mount(0).Start();
  run.Know(SecretOf(Generation(1), 3));
  run.host.Answer(run.host.Find("watch=true"), 410, "");
  run.host.Answer(run.host.Find("fieldSelector"), 503, "");
  run.Bring(1);
  EXPECT_TRUE(run.running());
  run.host.Advance(10s);
  run.Know(SecretOf(Generation(1), 20));
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, AForbiddenSecretEndsIt) {
  Waiting run("secret/web-tls");
  run.Start();
  while (run.running()) run.host.Answer(run.host.Find("secrets"), 403, "no secrets");
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.Error(), HasSubstr("error: mounted /tls: HTTP 403: no secrets"));
}

TEST(Mounted, SaysWhyInTheEnd) {
  Waiting run("secret/web-tls");
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  run.Pass(180s);
  EXPECT_EQ(run.Error(),
            "error: timed out after 3m: mounted /tls: secret/web-tls is not mounted yet; the "
            "kubelet syncs it within a minute or so (--nudge: at once)");
}

TEST(Mounted, TogetherWithOtherTargetsBothMustBeMetOrAnyIsEnough) {
  for (const bool any : {false, true}) {
    WaitOptions options;
    options.any = any;
    options.targets = *ParseTargets({"pod/a"});
    Waiting run("", options);
    run.Mount(0).Start();
    EXPECT_EQ(run.IsMet(), any);
  }
}

// --- subPath ----------------------------------------------------------------------------------

TEST(Mounted, AMountThatNeverChangesIsMetIfItAgrees) {
  Waiting run("secret/web-tls");
  run.Mount(0).host.directories["/tls"].fixed = Error{Code::kConfig, "/tls: mounted with subPath"};
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, AMountThatNeverChangesIsHopelessIfItDiffers) {
  for (const bool fail_fast : {false, true}) {
    WaitOptions options = Nudging();
    options.fail_fast = fail_fast;
    Waiting run("secret/web-tls", options);
    run.Mount(0).host.directories["/tls"].fixed =
        Error{Code::kConfig, "/tls: mounted with subPath, which the kubelet never updates"};
    run.Start();
    run.host.Answer(run.host.Find("fieldSelector"), 200, List(""));
    EXPECT_TRUE(run.running()) << "the Secret may yet come as it is mounted";
    run.Know(SecretOf(Generation(1), 12));
    EXPECT_EQ(run.running(), !fail_fast);
    const std::string said = fail_fast ? run.Error() : run.LastLine();
    EXPECT_THAT(said, HasSubstr("older than secret/web-tls"));
    EXPECT_THAT(said, HasSubstr("subPath, which the kubelet never updates"));
    EXPECT_EQ(run.result && run.result->outcome == WaitOutcome::kImpossible, fail_fast);
    EXPECT_EQ(run.Nudges(), 0U);
  }
}

// --- a Lease ----------------------------------------------------------------------------------

TEST(Mounted, ALeaseIsMetByThePairThatItAnnounces) {
  Waiting run("lease/web");
  run.Mount(0).Start();
  run.Know(LeaseOf(Generation(1), 3));
  EXPECT_THAT(run.LastLine(), HasSubstr("older than lease/web"));
  run.Bring(1);
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, ALeaseThatLagsIsWaitedForWithoutBlamingTheKubelet) {
  Waiting run("lease/web", Nudging());
  run.Mount(1).Start();
  run.Know(LeaseOf(Generation(0), 3));
  EXPECT_THAT(run.LastLine(), HasSubstr("newer than lease/web"));
  EXPECT_THAT(run.LastLine(), Not(HasSubstr("kubelet")));
  EXPECT_EQ(run.Nudges(), 0U);
  run.Know(LeaseOf(Generation(1), 12));
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, ALeasesBundleHashCoversKeyAndCa) {
  const auto annotated = [](const Digest& bundle) {
    return R"(,"kubetemplater.io/bundle-hash":")" + HexLower(Sha256(Generation(0).cert)) + ":" +
           HexLower(bundle) + R"(")";
  };
  const std::string& ca = Authority().cert_pem();
  Waiting run("lease/web");
  run.Mount(0).host.directories["/tls"].files["ca.crt"] = CertAuthority().cert_pem();
  run.Start();
  run.Know(LeaseOf(Generation(0), 3,
                   annotated(BundleDigest({Generation(0).cert, Generation(0).key, ca}))));
  EXPECT_THAT(run.LastLine(), HasSubstr("the key or the CA is not that of lease/web"));
  run.host.directories["/tls"].files["ca.crt"] = ca;
  run.host.Hint("/tls");
  EXPECT_TRUE(run.IsMet());
}

TEST(Mounted, ALeaseWithoutItsAnnotationsIsSaidToBeSo) {
  Waiting run("lease/web");
  run.Mount(0).Start();
  run.Know(R"({"metadata":{"name":"web","resourceVersion":"3"}})");
  EXPECT_THAT(run.LastLine(), HasSubstr("lease/web: its annotation kubetemplater.io/cert-ready"));
}

// --- the nudge --------------------------------------------------------------------------------

TEST(Nudge, GoesOutAtOnceToOurOwnPod) {
  Waiting run("secret/web-tls", Nudging());
  run.Start();
  run.host.Answer(run.host.Find("fieldSelector"), 200, List(""));
  EXPECT_EQ(run.Nudges(), 0U) << "there is nothing to bring";
  run.Know(SecretOf(Generation(0), 12));
  EXPECT_THAT(run.LastLine(), HasSubstr("; the kubelet has been asked to sync it now; "));
  const int change = run.host.FindChange();
  ASSERT_NE(change, 0);
  const FakeHost::Request request = run.host.history.back();
  EXPECT_EQ(request.target, kNudges);
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.body,
            R"({"metadata":{"annotations":{"certlatch.io/nudge":"2027-01-15T08:00:00Z 1"}}})");
  run.host.Answer(change, 200, "{}");
  run.Bring(0);
  EXPECT_TRUE(run.IsMet());
}

TEST(Nudge, IsRepeatedEverMoreRarelyWhileItDoesNotHelp) {
  Waiting run("secret/web-tls", Nudging());
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  std::vector<size_t> in_each_minute;
  for (int minute = 0; minute < 2; ++minute) {
    const size_t before = run.Nudges();
    run.Pass(1min);
    in_each_minute.push_back(run.Nudges() - before);
  }
  EXPECT_THAT(in_each_minute[0], testing::AllOf(testing::Ge(5U), testing::Le(9U)));
  EXPECT_THAT(in_each_minute[1], testing::AllOf(testing::Ge(1U), testing::Le(2U)));
}

TEST(Nudge, StartsAnewForAnotherCertificate) {
  Waiting run("secret/web-tls", Nudging());
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  run.Pass(80s);
  const size_t before = run.Nudges();
  run.Know(SecretOf(Generation(1), 12));
  run.host.Advance(2s);
  EXPECT_EQ(run.Nudges(), before + 1);
}

TEST(Nudge, StartsAnewForAnotherCaOfTheSameCertificate) {
  Waiting run("secret/web-tls", Nudging());
  run.Mount(0).host.directories["/tls"].files["ca.crt"] = Authority().cert_pem();
  run.Start();
  run.Know(SecretOf(Generation(0), 3, WithCa("another")));
  run.Pass(80s);
  const size_t before = run.Nudges();
  run.Know(SecretOf(Generation(0), 12, WithCa("yet another")));
  run.host.Advance(2s);
  EXPECT_EQ(run.Nudges(), before + 1);
}

TEST(Nudge, OneIsUnderWayAtATime) {
  Waiting run("secret/web-tls", Nudging());
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  run.host.Advance(60s);
  EXPECT_EQ(run.Nudges(), 1U);
}

TEST(Nudge, ARefusalIsSaidOnceAndTriedAgainRarely) {
  WaitOptions options = Nudging();
  options.timeout = 11min;
  Waiting run("secret/web-tls", options);
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  run.Pass(10min, 403,
           R"({"kind":"Status","message":"pods \"web-0\" is forbidden: no \"patch\""})");
  EXPECT_EQ(run.Nudges(), 2U);
  const std::string log = run.host.Log();
  const std::string line =
      "--nudge: HTTP 403: pods \"web-0\" is forbidden: no \"patch\"; the kubelet will sync in its "
      "own time ('certlatch rbac' prints the right that this needs)";
  EXPECT_THAT(log, HasSubstr(line));
  EXPECT_EQ(log.find(line), log.rfind(line));
  EXPECT_THAT(log, HasSubstr("within a minute or so (--nudge failed); still waiting"));
  run.Bring(0);
  EXPECT_TRUE(run.IsMet()) << "without it, too";
}

TEST(Nudge, IsNotSentUnlessItWasAskedFor) {
  Waiting run("secret/web-tls");
  run.Start();
  run.Know(SecretOf(Generation(0), 3));
  run.host.Advance(60s);
  EXPECT_EQ(run.Nudges(), 0U);
}

}  // namespace
}  // namespace certlatch
