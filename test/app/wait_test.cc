#include "app/wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "app/probe_loop.h"
#include "app/server_proof.h"
#include "base/text.h"
#include "domain/base64.h"
#include "domain/dry_run.h"
#include "domain/manifest.h"
#include "test/support/api_json.h"
#include "test/support/fake_host.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using test::Event;
using test::FakeHost;
using test::List;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Certificate(const std::string& ready, int version, const std::string& name = "web") {
  return R"({"metadata":{"namespace":"default","name":")" + name + R"(","resourceVersion":")" +
         std::to_string(version) + R"("},"status":{"conditions":[{"type":"Ready","status":")" +
         ready + R"(","reason":"R","message":"m"}]}})";
}

// One run of the mode on a FakeHost.
struct Waiting {
  explicit Waiting(const std::vector<std::string_view>& targets, WaitOptions its_options = {})
      : options(std::move(its_options)) {
    if (!targets.empty()) options.targets = *ParseTargets(targets, true);
    wait = std::make_unique<Wait>(host, options,
                                  [this](WaitResult outcome) { result = std::move(outcome); });
    wait->Start();
  }
  ~Waiting() { wait.reset(); }
  bool running() const { return !result.has_value(); }
  std::string Error() const { return result && !result->errors.empty() ? result->errors[0] : ""; }

  WaitOptions options;
  FakeHost host;
  std::unique_ptr<Wait> wait;
  std::optional<WaitResult> result;
};

WaitOptions For(const char* goal) {
  WaitOptions options;
  options.goals.push_back(*ParseGoal(goal, false));
  return options;
}

TEST(Wait, IsMetAtOnceByWhatIsReady) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("True", 3)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/web condition met"));
  EXPECT_EQ(run.host.Log(), "");
}

TEST(Wait, OpensNoWatchOnWhatIsMetAndClosesTheOneThatMetIt) {
  Waiting run({"certificate/web", "certificate/api", "secret/never"});
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(Certificate("True", 3)));
  run.host.Answer(run.host.Find("name%3Dapi"), 200, List(Certificate("False", 3, "api")));
  EXPECT_EQ(run.host.Find("name%3Dweb"), 0);
  run.host.Send(run.host.Find("name%3Dapi"), Event("MODIFIED", Certificate("True", 4, "api")));
  ASSERT_EQ(run.host.Open().size(), 1U);
  EXPECT_THAT(run.host.Open()[0].target, HasSubstr("secrets"));
}

TEST(Wait, IsMetByTheEventThatMakesItSo) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  const int watch = run.host.Find("watch=true");
  ASSERT_NE(watch, 0);
  EXPECT_TRUE(run.running());
  run.host.Send(watch, Event("MODIFIED", Certificate("True", 11)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, SeesAStateThatLastsForOneEventOnly) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(""));
  run.host.Send(run.host.Find("watch=true"), Event("ADDED", Certificate("True", 11)) +
                                                 Event("MODIFIED", Certificate("False", 12)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

// One run on all objects of some types.
WaitOptions All(std::vector<std::string> types, WaitOptions options = {}) {
  options.types = std::move(types);
  return options;
}

std::string Pod(const std::string& uid, int version) {
  return R"({"metadata":{"namespace":"default","name":"a","uid":")" + uid +
         R"(","resourceVersion":")" + std::to_string(version) + R"("}})";
}

WaitOptions InNamespace(const char* ns, bool given) {
  WaitOptions options;
  options.ns = ns;
  options.ns_given = given;
  return options;
}

TEST(Wait, AManifestsObjectIsNotOfAnotherNamespaceThanTheCommandLines) {
  constexpr const char* kPod =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"test"}})";
  constexpr const char* kOther =
      "error: the namespace from the provided object \"test\" does not match the namespace "
      "\"prod\". You must pass '--namespace=test' to perform this operation.";
  WaitOptions prod = InNamespace("prod", true);
  ASSERT_TRUE(ReadManifest(kPod, "a.json", prod.targets));
  EXPECT_EQ(Waiting({}, prod).Error(), kOther);
  prod.targets = {TargetName{}};
  prod.targets[0].text = "dry-run:a.json";
  ASSERT_TRUE(ReadDryRunObject(kPod, prod.targets[0]));
  EXPECT_EQ(Waiting({}, prod).Error(), kOther);
  prod.as_kubectl = true;
  prod.targets.clear();
  ASSERT_TRUE(ReadManifest(kPod, "a.json", prod.targets));
  Waiting kubectl({}, prod);
  EXPECT_TRUE(kubectl.running()) << "it looks for the object first";
  kubectl.host.Answer(kubectl.host.Find("namespaces/test/pods?"), 200, List(Pod("u1", 3)));
  EXPECT_EQ(kubectl.Error(), kOther);
}

TEST(Wait, AManifestsObjectIsOfItsOwnNamespace) {
  for (const auto& [options, object] : std::vector<std::pair<WaitOptions, std::string>>{
           {InNamespace("prod", false), R"("Pod","metadata":{"name":"a","namespace":"test"}})"},
           {InNamespace("test", true), R"("Pod","metadata":{"name":"a","namespace":"test"}})"},
           {InNamespace("test", true), R"("Pod","metadata":{"name":"a"}})"},
           {InNamespace("prod", true), R"("Node","metadata":{"name":"a","namespace":"test"}})"}}) {
    WaitOptions its = options;
    ASSERT_TRUE(ReadManifest(R"({"apiVersion":"v1","kind":)" + object, "a.json", its.targets));
    Waiting run({}, its);
    EXPECT_TRUE(run.running()) << run.Error();
    EXPECT_NE(run.host.Find(object.starts_with("\"Pod") ? "namespaces/test/pods?" : "/nodes?"), 0);
  }
  EXPECT_TRUE(Waiting({"pod/a@test"}, InNamespace("prod", true)).running());
}

TEST(Wait, SeesADeletionThoughTheNameIsTakenAgainAtOnce) {
  Waiting by_event({"pod/a"}, For("delete"));
  by_event.host.Answer(by_event.host.Find("pods?"), 200, List(Pod("u1", 3)));
  EXPECT_TRUE(by_event.running());
  by_event.host.Send(by_event.host.Find("watch=true"),
                     Event("DELETED", Pod("u1", 11)) + Event("ADDED", Pod("u2", 12)));
  ASSERT_FALSE(by_event.running());

  Waiting by_list({"pod/a"}, For("delete"));
  by_list.host.Answer(by_list.host.Find("pods?"), 200, List(Pod("u1", 3)));
  by_list.host.Answer(by_list.host.Find("watch=true"), 410, "");
  by_list.host.Answer(by_list.host.Find("pods?"), 200, List(Pod("u2", 20)));
  ASSERT_FALSE(by_list.running());
  EXPECT_EQ(by_list.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, ASelectionIsListedOnceAndEachOfItsObjectsWaitedForByName) {
  WaitOptions options = All({"certificates"});
  options.label_selector = "app in (a,b)";
  options.field_selector = "metadata.name!=x";
  Waiting run({}, options);
  ASSERT_EQ(run.host.Open().size(), 1U);
  EXPECT_EQ(run.host.Open()[0].target,
            "/apis/cert-manager.io/v1/namespaces/default/certificates?"
            "fieldSelector=metadata.name%21%3Dx&labelSelector=app%20in%20%28a%2Cb%29&limit=100");
  run.host.Answer(run.host.Find("certificates?"), 200,
                  List(Certificate("True", 3, "a") + "," + Certificate("False", 4, "b")));
  EXPECT_EQ(run.host.Open().size(), 2U);  // the selection itself is not watched
  run.host.Answer(run.host.Find("name%3Db"), 200, List(Certificate("True", 5, "b")));
  EXPECT_THAT(run.host.printed, IsEmpty());  // in the order of the list
  run.host.Answer(run.host.Find("name%3Da"), 200, List(Certificate("True", 3, "a")));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/a condition met",
                                            "certificate.cert-manager.io/b condition met"));
}

TEST(Wait, ASelectionWithoutObjectsIsWaitedForUntilItHasOne) {
  Waiting run({}, All({"certificates"}));
  run.host.Answer(run.host.Find("certificates?"), 200, List(""));
  EXPECT_THAT(run.host.Log(), HasSubstr("certificates: nothing that is selected exists yet"));
  run.host.Send(run.host.Find("watch=true"), Event("ADDED", Certificate("True", 11)));
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(Certificate("True", 11)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, ASelectionThatMustExistIsAnErrorWithoutObjectsOfAnyType) {
  WaitOptions options = All({"certificates", "issuers"});
  options.wait_for_existence = false;
  Waiting none({}, options);
  none.host.Answer(none.host.Find("certificates?"), 200, List(""));
  EXPECT_TRUE(none.running());
  none.host.Answer(none.host.Find("issuers?"), 200, List(""));
  EXPECT_EQ(none.Error(), "error: no matching resources found");

  Waiting some({}, options);
  some.host.Answer(some.host.Find("certificates?"), 200, List(""));
  some.host.Answer(some.host.Find("issuers?"), 200, List(Certificate("True", 3)));
  some.host.Answer(some.host.Find("name%3Dweb"), 200, List(Certificate("True", 3)));
  EXPECT_EQ(some.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, ThatNothingIsLeftToDeleteIsSilent) {
  Waiting run({}, All({"pods"}, For("delete")));
  run.host.Answer(run.host.Find("pods?"), 200, List(""));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed, IsEmpty());
}

TEST(Wait, OneOfASelectionIsEnoughForAnyButTheSelectionItselfIsNot) {
  WaitOptions options = All({"certificates"});
  options.any = true;
  Waiting run({}, options);
  run.host.Answer(run.host.Find("certificates?"), 200,
                  List(Certificate("True", 3, "a") + "," + Certificate("True", 4, "b")));
  EXPECT_TRUE(run.running());
  run.host.Answer(run.host.Find("name%3Db"), 200, List(Certificate("True", 4, "b")));
  ASSERT_FALSE(run.running());
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/b condition met"));
}

TEST(Wait, ALargeSelectionIsLookedAtPartByPart) {
  std::string items;
  for (size_t i = 0; i < kMaxTargets + 1; ++i) {
    items += (i == 0 ? "" : ",") + Certificate("True", 3, "c" + std::to_string(1000 + i));
  }
  Waiting run({}, All({"certificates"}));
  run.host.Answer(run.host.Find("certificates?"), 200, List(items));
  EXPECT_EQ(run.host.Open().size(), kMaxTargets);
  EXPECT_EQ(run.host.Find("name%3Dc1100"), 0);
  run.host.Answer(run.host.Find("name%3Dc1000"), 200, List(Certificate("True", 3, "c1000")));
  EXPECT_NE(run.host.Find("name%3Dc1100"), 0);
  EXPECT_EQ(run.host.Open().size(), kMaxTargets);
}

TEST(Wait, AManifestWithoutObjectsIsAnErrorOfItsOwn) {
  Waiting run({}, For("create"));
  EXPECT_TRUE(run.running());
  run.host.Advance({});
  EXPECT_EQ(run.Error(), "error: no matching resources found");
}

// Nanoseconds since 1970 end in 2262; certificates do not.
TEST(Wait, ACertificateOfTheFarFutureIsLookedAtOnceADay) {
  test::CertSpec spec;
  spec.not_before_at = std::chrono::sys_days(std::chrono::year(9990) / 1 / 1);
  spec.not_after_at = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
  const test::PemPair pair = test::CertAuthority().Issue(spec);
  WaitOptions options;
  options.timeout = 1000h;
  Waiting run({"secret/web"}, options);
  run.host.Answer(
      run.host.Find("secrets?"), 200,
      List(R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"3"},)"
           R"("type":"kubernetes.io/tls","data":{"tls.crt":")" +
           EncodeBase64(pair.cert) + R"(","tls.key":")" + EncodeBase64(pair.key) + R"("}})"));
  EXPECT_THAT(run.host.Log(), HasSubstr("not valid before 9990-01-01"));
  run.host.Advance(25h);
  EXPECT_TRUE(run.running());
}

TEST(Wait, SaysEachReasonOnce) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(""));
  const int watch = run.host.Find("watch=true");
  for (int version = 11; version < 15; ++version) {
    run.host.Send(watch, Event("MODIFIED", Certificate("False", version)));
  }
  ASSERT_EQ(run.host.logged.size(), 2U);
  EXPECT_EQ(run.host.logged[0], "certificate/web: not found yet; still waiting, 3m left");
  EXPECT_EQ(run.host.logged[1], "certificate/web: Ready is False (R: m); still waiting, 3m left");
}

TEST(Wait, TellsWhyItTimedOut) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  for (int i = 0; i < 20 && run.running(); ++i) {
    run.host.Advance(10s);
    if (const int watch = run.host.Find("watch=true")) run.host.Answer(watch, 200, "");
  }
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_EQ(run.Error(), "error: timed out after 3m: certificate/web: Ready is False (R: m)");
}

TEST(Wait, EndsAtItsTimeoutThoughNobodyEverAnswers) {
  Waiting run({"certificate/web", "secret/a", "service/b", "widget/c"});
  run.host.Advance(180s - Duration(1));
  EXPECT_TRUE(run.running());
  run.host.Advance(Duration(1));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  ASSERT_EQ(run.result->errors.size(), 4U);
  EXPECT_EQ(run.result->errors[0],
            "error: timed out after 3m: certificate/web: no answer from the API server");
}

TEST(Wait, WatchesAllTargetsAtTheSameTimeAndReportsEachWhenItIsMet) {
  Waiting run({"certificate/web", "certificate/api"});
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(Certificate("False", 3)));
  run.host.Answer(run.host.Find("name%3Dapi"), 200, List(Certificate("True", 3, "api")));
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/api condition met"));
  EXPECT_TRUE(run.running());
  run.host.Send(run.host.Find("name%3Dweb"), Event("MODIFIED", Certificate("True", 11)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, TellsWhatIsMetAtTheFirstLookInTheTargetsOrder) {
  Waiting run({"certificate/web", "certificate/api"});
  run.host.Answer(run.host.Find("name%3Dapi"), 200, List(Certificate("True", 3, "api")));
  EXPECT_THAT(run.host.printed, IsEmpty());
  run.host.Answer(run.host.Find("name%3Dweb"), 200, List(Certificate("True", 3)));
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/web condition met",
                                            "certificate.cert-manager.io/api condition met"));
}

TEST(Wait, TellsWhatIsMetThoughAnEarlierTargetCannotBeAskedFor) {
  Waiting run({"certificate/web", "certificate/api"});
  run.host.Answer(run.host.Find("name%3Dapi"), 200, List(Certificate("True", 3, "api")));
  run.host.Answer(run.host.Find("name%3Dweb"), 503, "");
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/api condition met"));
  EXPECT_TRUE(run.running());
}

TEST(Wait, AsksInTheTargetsOwnNamespace) {
  Waiting run({"secret/a@other", "secret/b"});
  EXPECT_NE(run.host.Find("/namespaces/other/secrets"), 0);
  EXPECT_NE(run.host.Find("/namespaces/default/secrets"), 0);
}

TEST(Wait, SaysATroubleOfAllTargetsOnce) {
  Waiting run({"certificate/web", "certificate/api"});
  ApiAnswer refused;
  refused.problem = "cannot connect to 10.96.0.1:443: Connection refused";
  run.host.Answer(run.host.Find("name%3Dweb"), refused);
  run.host.Answer(run.host.Find("name%3Dapi"), refused);
  ASSERT_EQ(run.host.logged.size(), 1U);
  EXPECT_THAT(run.host.logged[0], HasSubstr("Connection refused; retrying, 3m left"));
  run.host.Advance(1s);
  EXPECT_NE(run.host.Find("name%3Dweb"), 0);  // it came back by itself
}

TEST(Wait, SaysEachOfSeveralTroublesOnce) {
  Waiting run({"certificate/web", "issuer/ca"});
  for (int i = 0; i < 10; ++i) {
    for (const char* part : {"certificates?", "issuers?"}) {
      if (const int open = run.host.Find(part)) run.host.Answer(open, 404, "404 page not found");
    }
    run.host.Advance(3s);
  }
  EXPECT_EQ(run.host.logged.size(), 2U) << run.host.Log();
}

// What was seen before the trouble began is past.
TEST(Wait, DoesNotSucceedOnAStateThatItCannotSeeAnyMore) {
  Waiting run({"service/web:80"});
  const std::string meta =
      R"("metadata":{"namespace":"default","name":"web","resourceVersion":"3"})";
  run.host.Answer(run.host.Find("services?"), 200,
                  List("{" + meta + R"(,"spec":{"ports":[{"port":80}]}})"));
  run.host.Answer(run.host.Find("endpointslices?"), 200, List(""));
  ApiAnswer broken;
  broken.problem = "the connection broke";
  run.host.Answer(run.host.Find("services?watch"), broken);
  run.host.Send(run.host.Find("endpointslices?watch"),
                Event("ADDED", "{" + meta +
                                   R"(,"ports":[{"port":80}],"endpoints":[)"
                                   R"({"addresses":["10.0.0.1"]}]})"));
  EXPECT_TRUE(run.running());
  run.host.Advance(1s);
  run.host.Answer(run.host.Find("services?"), 200,
                  List("{" + meta + R"(,"spec":{"ports":[{"port":80}]}})"));
  ASSERT_FALSE(run.running()) << run.host.Log() << run.host.Open().front().target;
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, LooksAgainWhenTheClockMayHaveChangedTheAnswer) {
  test::CertSpec spec;
  spec.not_before_at = WallTime(std::chrono::seconds(1'800'000'000 + 60));
  spec.not_after_at = WallTime(std::chrono::seconds(1'800'000'000 + 86400));
  const test::PemPair pair = test::CertAuthority().Issue(spec);
  const std::string secret =
      R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"3"},)"
      R"("type":"kubernetes.io/tls","data":{"tls.crt":")" +
      EncodeBase64(pair.cert) + R"(","tls.key":")" + EncodeBase64(pair.key) + R"("}})";
  WaitOptions options;
  options.watch.watch_for = 10min;
  Waiting run({"secret/web"}, options);
  run.host.Answer(run.host.Find("secrets?"), 200, List(secret));
  EXPECT_THAT(run.host.Log(), HasSubstr("not valid before 2027-01-15T08:01:00Z"));
  run.host.Advance(62s);
  EXPECT_TRUE(run.running());  // not on what it saw a minute ago
  run.host.Answer(run.host.Find("secrets?fieldSelector"), 200, List(secret));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, KeepsTheReasonAndTheTroubleApart) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  ApiAnswer reset;
  reset.problem = "the connection broke";
  run.host.Answer(run.host.Find("watch=true"), reset);
  run.wait->Interrupt("SIGTERM");
  EXPECT_EQ(run.Error(),
            "error: interrupted by SIGTERM: certificate/web: Ready is False (R: m) (as last seen; "
            "the connection broke)");
}

TEST(Wait, NeverSucceedsOnWhatItHasNotSeen) {
  // Garbage of every kind, and the clock: the outcome can only be "not met".
  for (const char* body : {"", "{}", "[]", "null", R"({"items":[{}]})", R"({"kind":"Status"})",
                           R"({"kind":"Certificate","metadata":{"resourceVersion":"5"}})"}) {
    for (const int status : {0, 200, 201, 204, 302, 401, 403, 404, 410, 429, 500, 503}) {
      Waiting run({"certificate/web"}, For("delete"));
      for (int i = 0; i < 200 && run.running(); ++i) {
        const int open = run.host.Find("certificates");
        if (open != 0) run.host.Answer(open, status, body);
        run.host.Advance(1s);
      }
      ASSERT_FALSE(run.running()) << status << body;
      EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet) << status << " " << body;
    }
  }
}

TEST(Wait, LooksOnceWithATimeoutOfZero) {
  WaitOptions once;
  once.timeout = 0s;
  Waiting run({"certificate/web"}, once);
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(), "error: certificate/web: Ready is False (R: m)");
  EXPECT_EQ(run.host.Log(), "");
}

TEST(Wait, DoesNotLookTwiceWithATimeoutOfZero) {
  WaitOptions once;
  once.timeout = 0s;
  Waiting run({"certificate/web"}, once);
  run.host.Answer(run.host.Find("certificates?"), 503, "");
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
}

TEST(Wait, GivesUpOnceAJobFailed) {
  Waiting run({"job/migrate", "certificate/web"});
  run.host.Answer(run.host.Find("jobs?"), 200,
                  List(R"({"metadata":{"name":"migrate","namespace":"default"},"status":
                       {"conditions":[{"type":"Failed","status":"True","message":"boom"}]}})"));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kImpossible);
  EXPECT_EQ(run.Error(), "error: job/migrate: the Job failed: boom");
}

TEST(Wait, FailsAtOnceWhereReadingIsForbidden) {
  Waiting run({"secret/a"});
  const char* const denial =
      R"({"kind":"Status","message":"secrets \"a\" is forbidden: User \"u\" cannot get it"})";
  run.host.Answer(run.host.Find("secrets?"), 403, denial);
  run.host.Answer(run.host.Find("secrets/a"), 403, denial);
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(), "error: secret/a: secrets \"a\" is forbidden: User \"u\" cannot get it");
}

TEST(Wait, WaitsForAnObjectUnlessItMustExist) {
  WaitOptions must_exist;
  must_exist.wait_for_existence = false;
  Waiting run({"secret/a"}, must_exist);
  run.host.Answer(run.host.Find("secrets?"), 200, List(""));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(), "Error from server (NotFound): secrets \"a\" not found");
}

TEST(Wait, RefusesATypeThatNobodyKnowsAndWaitsForOneThatIsNamedInFull) {
  const char* const no_groups = R"({"groups":[]})";
  Waiting typo({"certificat/web"});
  typo.host.Answer(typo.host.Find("/apis"), 200, no_groups);
  typo.host.Answer(typo.host.Find("/api/v1"), 200, R"({"resources":[]})");
  ASSERT_FALSE(typo.running());
  EXPECT_EQ(typo.Error(), "error: the server doesn't have a resource type \"certificat\"");

  Waiting named({"widgets.example.com/a"});
  named.host.Answer(named.host.Find("/apis"), 200, no_groups);
  EXPECT_TRUE(named.running());
  named.host.Advance(2s);
  EXPECT_NE(named.host.Find("/apis"), 0);
}

TEST(Wait, AllGoalsMustHoldOfTheSameState) {
  WaitOptions both = For("condition=Ready");
  both.goals.push_back(*ParseGoal("jsonpath={.metadata.resourceVersion}=12", false));
  Waiting run({"certificate/web"}, both);
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("True", 3)));
  const int watch = run.host.Find("watch=true");
  run.host.Send(watch, Event("MODIFIED", Certificate("False", 12)));
  EXPECT_THAT(run.host.printed, IsEmpty());
  run.host.Send(watch, Event("MODIFIED", Certificate("True", 12)));
  ASSERT_FALSE(run.running());
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/web condition met",
                                            "certificate.cert-manager.io/web condition met"));
}

std::string Job(const std::string& condition, const std::string& name = "seed") {
  return R"({"metadata":{"namespace":"default","name":")" + name +
         R"(","resourceVersion":"3"},"status":{"conditions":[{"type":")" + condition +
         R"(","status":"True"}]}})";
}

TEST(Wait, GivesOneTargetAConditionOfItsOwn) {
  Waiting run({"job/seed=SuccessCriteriaMet", "certificate/web=Ready=False"});
  run.host.Answer(run.host.Find("jobs?"), 200, List(Job("Complete")));
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  EXPECT_TRUE(run.running());
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/web condition met"));
  run.host.Send(run.host.Find("jobs?"), Event("MODIFIED", Job("SuccessCriteriaMet")));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, WaitsForWhatIsOutsideTheApiToo) {
  Waiting run({"job/seed", "tcp://db:5432"});
  run.host.AnswerProbe(run.host.Find("tcp://db:5432"), {false, 0, "connection refused"});
  EXPECT_THAT(run.host.Log(), HasSubstr("tcp://db:5432: connection refused; still waiting"));
  run.host.Answer(run.host.Find("jobs?"), 200, List(Job("Complete")));
  EXPECT_TRUE(run.running());
  EXPECT_EQ(run.host.Find("tcp://"), 0) << "a pause lies between two attempts";
  run.host.Advance(kProbePause);
  run.host.AnswerProbe(run.host.Find("tcp://db:5432"), {true, 0, ""});
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed,
              ElementsAre("job.batch/seed condition met", "tcp://db:5432 condition met"));
}

WaitOptions WithDryRun(const char* text) {
  WaitOptions options;
  options.ns = "ops";
  options.targets.emplace_back().text = text;
  EXPECT_TRUE(ReadDryRunObject(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"}})",
                               options.targets[0]));
  return options;
}

std::string Denial(const char* message) {
  return Format(R"({"kind":"Status","message":"admission webhook \"v\" denied the request: %s"})",
                message);
}

TEST(Wait, TriesADryRunUntilItIsLetIn) {
  Waiting run({}, WithDryRun("dry-run:/p.json"));
  const int first = run.host.FindChange();
  ASSERT_NE(first, 0);
  EXPECT_EQ(run.host.history[0].method, "POST");
  EXPECT_EQ(run.host.history[0].target, "/api/v1/namespaces/ops/configmaps?dryRun=All");
  EXPECT_THAT(run.host.history[0].body, HasSubstr("ConfigMap"));
  run.host.Answer(first, 403, Denial("wants an owner"));
  EXPECT_THAT(run.host.Log(), HasSubstr("dry-run:/p.json: HTTP 403: admission webhook"));
  EXPECT_EQ(run.host.FindChange(), 0) << "a pause lies between two attempts";
  run.host.Advance(2s);
  run.host.Answer(run.host.FindChange(), 503, "");
  EXPECT_THAT(run.host.Log(), HasSubstr("dry-run:/p.json: HTTP 503; retrying"));
  run.host.Advance(4s);
  run.host.Answer(run.host.FindChange(), 201, "{}");
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed, ElementsAre("dry-run:/p.json condition met"));
}

TEST(Wait, TriesADryRunUntilItIsDeniedIfThatIsExpected) {
  Waiting run({}, WithDryRun("dry-run:/p.json=denied:owner"));
  run.host.Answer(run.host.FindChange(), 201, "{}");
  EXPECT_THAT(run.host.Log(), HasSubstr("was let in, not denied"));
  run.host.Advance(2s);
  run.host.Answer(run.host.FindChange(), 403, Denial("wants an owner"));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, ADryRunThatAWebhookCannotAnswerIsImpossible) {
  Waiting run({}, WithDryRun("dry-run:/p.json"));
  run.host.Answer(
      run.host.FindChange(), 400,
      R"({"kind":"Status","message":"admission webhook \"v\" does not support dry run"})");
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kImpossible);
  EXPECT_THAT(run.Error(), HasSubstr("error: dry-run:/p.json: HTTP 400: "));
}

TEST(Wait, ADryRunAsksAnApiServerInTroubleEverMoreRarely) {
  Waiting run({}, WithDryRun("dry-run:/p.json"));
  size_t tries = 0;
  for (const Instant end = run.host.Now() + 170s; run.host.Now() < end; run.host.Advance(1s)) {
    const int request = run.host.FindChange();
    if (request == 0) continue;
    ++tries;
    run.host.Answer(request, 503, "");
  }
  EXPECT_GE(tries, 7U);
  EXPECT_LE(tries, 16U);
}

TEST(Wait, WhatTheApiServerSaysOfASecretInADryRunIsNotRepeated) {
  WaitOptions options;
  options.targets.emplace_back().text = "dry-run:/s.json";
  ASSERT_TRUE(ReadDryRunObject(
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"a":1}})",
      options.targets[0]));
  Waiting run({}, std::move(options));
  run.host.Answer(run.host.FindChange(), 400,
                  R"({"kind":"Status","message":"cannot decode ...|hunter2|..."})");
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(),
            "error: dry-run:/s.json: HTTP 400: refused (what is said of a Secret is not repeated)");
}

TEST(Wait, ADryRunWithoutTheRightFailsUnlessItMayComeLater) {
  const char* const forbidden =
      R"({"kind":"Status","message":"configmaps is forbidden: User \"u\" cannot create resource"})";
  Waiting strict({}, WithDryRun("dry-run:/p.json"));
  strict.host.Answer(strict.host.FindChange(), 403, forbidden);
  ASSERT_FALSE(strict.running());
  WaitOptions options = WithDryRun("dry-run:/p.json");
  options.watch.retry_forbidden = true;
  Waiting patient({}, std::move(options));
  patient.host.Answer(patient.host.FindChange(), 403, forbidden);
  EXPECT_TRUE(patient.running());
  patient.host.Advance(2s);
  EXPECT_NE(patient.host.FindChange(), 0);
}

TEST(Wait, SaysWhyWhatIsOutsideTheApiWasNotReadyInTime) {
  WaitOptions options;
  options.timeout = 2s;
  Waiting run({"http://vault:8200/v1/sys/health"}, std::move(options));
  run.host.AnswerProbe(run.host.Find("http://"), {false, 503, "HTTP 503, not 2xx"});
  run.host.Advance(2s);
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(),
            "error: timed out after 2s: http://vault:8200/v1/sys/health: HTTP 503, not 2xx");
}

constexpr const char* kRefused =
    R"({"metadata":{"namespace":"default","name":"web","uid":"c1","generation":1,)"
    R"("resourceVersion":"3"},"spec":{"secretName":"web-tls","issuerRef":{"name":"vault"}},)"
    R"("status":{"failedIssuanceAttempts":1,"lastFailureTime":"2027-01-15T07:59:00Z",)"
    R"("conditions":[{"type":"Ready","status":"False","reason":"DoesNotExist","message":"m"},)"
    R"({"type":"Issuing","status":"False","reason":"Failed","message":"no"}]}})";

// Lets it ask its questions; none has an answer.
void Deny(FakeHost& host) {
  while (const int question = host.Find("certificaterequests") != 0
                                  ? host.Find("certificaterequests")
                                  : host.Find("issuers")) {
    host.Answer(question, 403, "{}");
  }
}

TEST(Wait, LooksAfterAWhileWhatItsTargetHangsOn) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  run.host.Advance(900ms);
  EXPECT_EQ(run.host.Find("certificaterequests"), 0) << "most waits end sooner";
  run.host.Advance(100ms);
  ASSERT_NE(run.host.Find("certificaterequests"), 0);
  Deny(run.host);
  EXPECT_THAT(run.host.logged.back(), HasSubstr("next attempt in"));
  // Again, though nothing was seen to change; what is found anew is the same, and not said again.
  const size_t said = run.host.logged.size();
  run.host.Advance(15s);
  ASSERT_NE(run.host.Find("certificaterequests"), 0);
  Deny(run.host);
  EXPECT_EQ(run.host.logged.size(), said);
  run.host.Advance(29s);
  EXPECT_EQ(run.host.Find("certificaterequests"), 0) << "ever more rarely";
}

TEST(Wait, DoesNotSayTwiceWhatTheConditionSays) {
  Waiting run({"certificate/web"});
  std::string issuing = kRefused;
  issuing.replace(issuing.find(R"("status":"False","reason":"Failed")"), 16, R"("status":"True")");
  issuing.erase(issuing.find(R"("lastFailureTime")"),
                std::string_view(R"("lastFailureTime":"2027-01-15T07:59:00Z",)").size());
  run.host.Answer(run.host.Find("certificates?"), 200, List(issuing));
  EXPECT_THAT(run.host.logged.back(), HasSubstr("Ready is False (DoesNotExist: m)"));
  const size_t said = run.host.logged.size();
  run.host.Advance(1s);
  ASSERT_NE(run.host.Find("certificaterequests"), 0);
  Deny(run.host);
  EXPECT_EQ(run.host.logged.size(), said) << run.host.Log();
}

TEST(Wait, FailsFastWhereTheNextAttemptComesAfterTheTimeout) {
  for (const bool fail_fast : {false, true}) {
    WaitOptions options;
    options.fail_fast = fail_fast;
    Waiting run({"certificate/web"}, std::move(options));  // 3 minutes; an hour to the attempt
    run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
    run.host.Advance(1s);
    Deny(run.host);
    ASSERT_EQ(run.running(), !fail_fast);
    if (!fail_fast) continue;
    EXPECT_EQ(run.result->outcome, WaitOutcome::kImpossible);
    EXPECT_THAT(run.Error(), HasSubstr("error: certificate/web: "));
    EXPECT_THAT(run.host.Open(), IsEmpty());
  }
}

// The same, changed in what does not matter, or not ready for another reason.
std::string Touched(int version = 30, const char* reason = "no") {
  std::string certificate = kRefused;
  certificate.replace(certificate.find("\"3\""), 3, Format("\"%d\"", version));
  return certificate.replace(certificate.find("no\""), 2, reason);
}

TEST(Wait, KeepsTheCauseItFoundWhenAnObjectChangesInWhatDoesNotMatter) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  run.host.Advance(1s);
  Deny(run.host);
  const size_t said = run.host.logged.size();
  run.host.Send(run.host.Find("watch=true"), Event("MODIFIED", Touched()));
  run.host.Advance(1s);
  Deny(run.host);
  EXPECT_EQ(run.host.logged.size(), said);
  run.host.Advance(180s);
  ASSERT_FALSE(run.running());
  EXPECT_THAT(run.Error(), HasSubstr("next attempt in"));
}

// How many looks at what it hangs on begin while it changes all the time.
size_t LooksWithin(Waiting& run, Duration length, Duration between_changes,
                   const Function<std::string(int)>& certificate) {
  int version = 10;
  for (const Instant end = run.host.Now() + length; run.host.Now() < end;) {
    run.host.Send(run.host.Find("watch=true"), Event("MODIFIED", certificate(++version)));
    run.host.Advance(between_changes);
    Deny(run.host);
  }
  size_t looks = 0;
  for (const FakeHost::Request& request : run.host.history) {
    if (request.target.find("certificaterequests") != std::string::npos) ++looks;
  }
  return looks;
}

TEST(Wait, LooksNowAndThenAtWhatAnObjectHangsOnThatChangesAllTheTime) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  const size_t looks = LooksWithin(run, 60s, 500ms, [](int version) { return Touched(version); });
  EXPECT_GE(looks, 10U);
  EXPECT_LE(looks, 13U);
}

TEST(Wait, IsNotKeptFromLookingByReasonsThatChangeFasterThanItLooks) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  const size_t looks = LooksWithin(run, 20s, 500ms, [](int version) {
    return Touched(version, version % 2 == 0 ? "no" : "never");
  });
  EXPECT_GE(looks, 10U);
}

// Answers one question of a look; none is found.
void DenyOne(FakeHost& host) {
  for (const char* question : {"certificaterequests", "issuers"}) {
    if (host.Find(question) != 0) return host.Answer(host.Find(question), 403, "{}");
  }
}

TEST(Wait, TellsTheCauseOfWhatChangesFasterThanItsQuestionsAreAnswered) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  for (int version = 10; version < 30; ++version) {
    run.host.Send(run.host.Find("watch=true"), Event("MODIFIED", Touched(version)));
    run.host.Advance(500ms);
    if (version % 2 == 0) DenyOne(run.host);
  }
  EXPECT_THAT(run.host.Log(), HasSubstr("next attempt in"));
}

TEST(Wait, DoesNotFailFastByALookThatBeganBeforeTheObjectChanged) {
  WaitOptions options;
  options.fail_fast = true;
  options.timeout = 30s;
  Waiting run({"certificate/web"}, std::move(options));
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  run.host.Advance(1s);
  ASSERT_NE(run.host.Find("certificaterequests"), 0);
  run.host.Send(run.host.Find("watch=true"), Event("MODIFIED", Touched()));
  Deny(run.host);
  EXPECT_TRUE(run.running());
  run.host.Advance(5s);
  Deny(run.host);
  EXPECT_FALSE(run.running()) << "the next look does";
}

TEST(Wait, FailsFastOnlyWhereReadinessIsWaitedFor) {
  for (const char* goal : {"delete", "condition=Issuing", "condition=Ready=Unknown"}) {
    WaitOptions options = For(goal);
    options.fail_fast = true;
    Waiting run({"certificate/web"}, std::move(options));
    run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
    run.host.Advance(1s);
    Deny(run.host);
    EXPECT_TRUE(run.running()) << goal << run.Error();
  }
}

TEST(Wait, DoesNotFailFastOnWhatIsPast) {
  WaitOptions options;
  options.fail_fast = true;
  Waiting run({"certificate/web"}, std::move(options));
  run.host.Answer(run.host.Find("certificates?"), 200, List(kRefused));
  run.host.Advance(1s);
  ASSERT_NE(run.host.Find("certificaterequests"), 0);
  // It is being issued again, while the look at what it hung on is under way.
  run.host.Send(run.host.Find("watch=true"), Event("MODIFIED", Certificate("False", 30)));
  Deny(run.host);
  EXPECT_TRUE(run.running()) << run.Error();
}

TEST(Wait, WatchesWhatAWebhookConfigurationNamesToday) {
  constexpr const char* kConfiguration =
      R"({"metadata":{"name":"hooks","resourceVersion":"%d"},"webhooks":[{"name":"a.example.com",)"
      R"("clientConfig":{"service":{"name":"%s","namespace":"ops"}}}]})";
  Waiting run({"validatingwebhookconfiguration/hooks"});
  run.host.Answer(run.host.Find("validatingwebhookconfigurations?"), 200,
                  List(Format(kConfiguration, 3, "old")));
  EXPECT_NE(run.host.Find("services?fieldSelector=metadata.name%3Dold"), 0);
  run.host.Send(run.host.Find("validatingwebhookconfigurations?"),
                Event("MODIFIED", Format(kConfiguration, 11, "new")));
  ASSERT_NE(run.host.Find("services?fieldSelector=metadata.name%3Dnew"), 0);
  run.host.Answer(run.host.Find("services?fieldSelector=metadata.name%3Dnew"), 200, List(""));
  run.host.Answer(run.host.Find("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dnew"),
                  200, List(""));
  EXPECT_THAT(run.host.Log(), HasSubstr("a.example.com"));
  EXPECT_THAT(run.host.Log(), HasSubstr("new"));
  EXPECT_TRUE(run.running());
}

// A webhook behind a URL, with a bundle; ready as far as the API shows.
std::string HooksAt(const char* host, int version = 3) {
  static const std::string bundle = EncodeBase64(test::CertAuthority().cert_pem());
  return Format(R"({"metadata":{"name":"hooks","resourceVersion":"%d"},"webhooks":[{"name":)"
                R"("a.example.com","clientConfig":{"url":"https://%s/v","caBundle":"%s"}}]})",
                version, host, bundle.c_str());
}

constexpr const char* kHooks = "validatingwebhookconfiguration/hooks";
constexpr const char* kHooksList = "validatingwebhookconfigurations?";
constexpr const char* kFirstHook = "webhook a.example.com";
const ProbeOutcome kDistrusted = {false, 0, "its certificate is another's", true};

TEST(Wait, AWebhookIsMetWhenItsServerHasBeenSeen) {
  Waiting run({kHooks});
  run.host.Answer(run.host.Find(kHooksList), 200, List(HooksAt("one")));
  EXPECT_TRUE(run.running());
  EXPECT_EQ(run.host.probe_limit, kServerProofLimit);
  run.host.AnswerProbe(run.host.Find(kFirstHook), {true, 200, ""});
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, AWebhookThatCannotBeReachedFromHereIsMetAllTheSame) {
  Waiting run({kHooks});
  run.host.Answer(run.host.Find(kHooksList), 200, List(HooksAt("one")));
  run.host.AnswerProbe(run.host.Find(kFirstHook), {false, 0, "no connection within 2s"});
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Wait, AWebhookWithAnothersCertificateIsAskedAgainUntilItHasItsOwn) {
  Waiting run({kHooks});
  run.host.Answer(run.host.Find(kHooksList), 200, List(HooksAt("one")));
  for (int round = 0; round < 3; ++round) {
    run.host.AnswerProbe(run.host.Find(kFirstHook), kDistrusted);
    EXPECT_TRUE(run.running());
    EXPECT_THAT(run.host.Log(), HasSubstr("webhook a.example.com: its certificate is another's"));
    EXPECT_EQ(run.host.Find(kFirstHook), 0) << "not at once";
    run.host.Advance(5s);
    ASSERT_NE(run.host.Find(kFirstHook), 0) << round;
  }
  run.host.AnswerProbe(run.host.Find(kFirstHook), {true, 404, ""});
  EXPECT_FALSE(run.running());
}

TEST(Wait, AWebhookThatChangesWhileItsServerIsAskedIsAskedAnew) {
  Waiting run({kHooks});
  run.host.Answer(run.host.Find(kHooksList), 200, List(HooksAt("one")));
  const int first = run.host.Find(kFirstHook);
  run.host.Send(run.host.Find(kHooksList), Event("MODIFIED", HooksAt("two", 11)));
  const int second = run.host.Find(kFirstHook);
  ASSERT_NE(second, 0);
  EXPECT_NE(second, first) << "the first one is cancelled";
  run.host.AnswerProbe(second, kDistrusted);
  EXPECT_TRUE(run.running());
}

TEST(Wait, OneLookAtAWebhookIncludesItsServer) {
  WaitOptions options;
  options.timeout = 0s;
  Waiting run({kHooks}, std::move(options));
  run.host.Answer(run.host.Find(kHooksList), 200, List(HooksAt("one")));
  EXPECT_TRUE(run.running());
  run.host.AnswerProbe(run.host.Find(kFirstHook), kDistrusted);
  ASSERT_FALSE(run.running());
  EXPECT_THAT(run.Error(), HasSubstr("webhook a.example.com: its certificate is another's"));
}

WaitOptions Any() {
  WaitOptions options;
  options.any = true;
  return options;
}

TEST(Wait, IsMetByAnyOneTargetIfThatIsAskedFor) {
  Waiting run({"certificate/web", "job/seed"}, Any());
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  EXPECT_TRUE(run.running());
  run.host.Answer(run.host.Find("jobs?"), 200, List(Job("Complete")));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed, ElementsAre("job.batch/seed condition met"));
  EXPECT_THAT(run.host.Open(), IsEmpty());
}

TEST(Wait, FailsWithAnyOnlyWhenNoneCanBeMet) {
  Waiting run({"job/seed", "job/other"}, Any());
  run.host.Answer(run.host.Find("name%3Dseed"), 200, List(Job("Failed")));
  EXPECT_TRUE(run.running());
  run.host.Answer(run.host.Find("name%3Dother"), 200, List(Job("Failed", "other")));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kImpossible);
  EXPECT_EQ(run.result->errors.size(), 2U);
}

TEST(Wait, EndsAtOnceWhenInterrupted) {
  Waiting run({"certificate/web"});
  run.wait->Interrupt("SIGTERM");
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.Error(), HasSubstr("interrupted by SIGTERM: certificate/web"));
}

TEST(Wait, ReplacesAWatchThatFellSilent) {
  Waiting run({"certificate/web"});
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  const int first = run.host.Find("watch=true");
  run.host.Advance(70s);
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  const int second = run.host.Find("watch=true");
  ASSERT_NE(second, 0);
  EXPECT_NE(first, second);
  run.host.Send(second, Event("MODIFIED", Certificate("True", 11)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

// --- under the name kubectl ---

WaitOptions AsKubectl(const char* goal) {
  WaitOptions options = For(goal);
  options.as_kubectl = true;
  options.timeout = 30s;
  return options;
}

TEST(KubectlWait, FailsAtOnceForWhatIsAbsent) {
  Waiting run({"certificate/nope"}, AsKubectl("condition=Ready"));
  run.host.Answer(run.host.Find("certificates?"), 200, List(""));
  ASSERT_FALSE(run.running());
  EXPECT_THAT(run.result->errors,
              ElementsAre("Error from server (NotFound): certificates.cert-manager.io \"nope\" "
                          "not found"));
}

TEST(KubectlWait, TellsAMissingNamespaceFromAMissingObject) {
  for (const int status : {200, 403, 404}) {
    WaitOptions options = AsKubectl("condition=Ready");
    options.ns = "nowhere";
    Waiting run({"pod/a"}, options);
    run.host.Answer(run.host.Find("pods?"), 200, List(""));
    run.host.Answer(run.host.Find("/api/v1/namespaces/nowhere"), status, "{}");
    ASSERT_FALSE(run.running());
    EXPECT_EQ(run.Error(), status == 404
                               ? "Error from server (NotFound): namespaces \"nowhere\" not found"
                               : "Error from server (NotFound): pods \"a\" not found");
  }
}

TEST(KubectlWait, OutlivesAPassing404OfItsType) {
  Waiting run({"certificate/web"}, AsKubectl("condition=Ready"));
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  run.host.Answer(run.host.Find("watch=true"), 404, "404 page not found");
  EXPECT_TRUE(run.running());
  run.host.Advance(3s);
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("True", 4)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(KubectlWait, SaysWhatKeptItFromEverLooking) {
  Waiting run({"widget/a"}, AsKubectl("condition=Ready"));
  ApiAnswer refused;
  refused.problem = "cannot connect to 127.0.0.1:1: Connection refused";
  run.host.Answer(run.host.Find("/apis"), refused);
  run.host.Advance(30s);
  EXPECT_EQ(run.Error(), "error: cannot connect to 127.0.0.1:1: Connection refused");
}

TEST(KubectlWait, HasNothingToSayOfWhatIsDeletedAlready) {
  Waiting run({"certificate/nope"}, AsKubectl("delete"));
  run.host.Answer(run.host.Find("certificates?"), 200, List(""));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_THAT(run.host.printed, IsEmpty());
}

TEST(KubectlWait, GoesOnWithTheOtherTargets) {
  Waiting run({"secret/nope", "certificate/web"}, AsKubectl("condition=Ready"));
  run.host.Answer(run.host.Find("secrets?"), 200, List(""));
  EXPECT_TRUE(run.running());
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("True", 3)));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(run.host.printed, Not(IsEmpty()));
}

TEST(KubectlWait, TimesOutInItsOwnWords) {
  Waiting run({"certificate/web"}, AsKubectl("condition=Ready"));
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("False", 3)));
  run.host.Advance(30s);
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(), "error: timed out waiting for the condition on certificates/web");

  Waiting create({"secret/a"}, AsKubectl("create"));
  create.host.Answer(create.host.Find("secrets?"), 200, List(""));
  create.host.Advance(30s);
  EXPECT_EQ(create.Error(), "error: timed out waiting for the condition");
}

TEST(KubectlWait, PrintsNamesOnlyIfAsked) {
  WaitOptions options = AsKubectl("condition=Ready");
  options.name_only = true;
  Waiting run({"certificate/web"}, options);
  run.host.Answer(run.host.Find("certificates?"), 200, List(Certificate("True", 3)));
  EXPECT_THAT(run.host.printed, ElementsAre("certificate.cert-manager.io/web"));
}

}  // namespace
}  // namespace certlatch
