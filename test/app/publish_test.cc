#include "app/publish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/text.h"
#include "base/wall_time.h"
#include "domain/base64.h"
#include "test/support/fake_host.h"
#include "test/support/fake_pod.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using test::Authority;
using test::FakeHost;
using test::FakePod;
using test::PemPair;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr WallTime kStart{std::chrono::seconds(1'800'000'000)};  // FakeHost's
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

PemPair Issue(Duration from, Duration to) {
  test::CertSpec spec;
  spec.dns_names = {"web"};
  spec.not_before_at = kStart + std::chrono::duration_cast<std::chrono::seconds>(from);
  spec.not_after_at = kStart + std::chrono::duration_cast<std::chrono::seconds>(to);
  return Authority().Issue(spec);
}

const PemPair& Old() {
  static const PemPair pair = Issue(-1h, 24h);
  return pair;
}
const PemPair& New() {
  static const PemPair pair = Issue(-1h, 48h);
  return pair;
}

Publication RecordOf(const PemPair& pair, Duration end) {
  Publication record;
  record.cert_hash = Sha256(pair.cert);
  record.bundle = BundleDigest({pair.cert, pair.key, {}});
  record.not_after = kStart + std::chrono::duration_cast<std::chrono::seconds>(end);
  return record;
}

std::string Short(const PemPair& pair) { return HexLower(Sha256(pair.cert)).substr(0, 12); }

std::string SecretOf(const std::string& cert, const std::string& key) {
  return Format(R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"3"},)"
                R"("data":{"tls.crt":"%s","tls.key":"%s"}})",
                EncodeBase64(cert).c_str(), EncodeBase64(key).c_str());
}

std::string SecretOf(const PemPair& pair) { return SecretOf(pair.cert, pair.key); }

// The plan of an empty Lease has all that a follower reads.
std::string Annotations(const Publication& record) {
  const Json plan =
      *ParseJson(PlanPublish(Json::Null(), kDefaultAnnotationPrefix, record, std::nullopt));
  return plan["metadata"]["annotations"].Dump();
}

std::string Lease(int version, const std::string& annotations = "{}") {
  return Format(R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"%d",)"
                R"("annotations":%s},"spec":{}})",
                version, annotations.c_str());
}

std::string List(const std::string& items) {
  return Format(R"({"metadata":{"resourceVersion":"10"},"items":[%s]})", items.c_str());
}

std::string Event(const std::string& object) {
  return Format("{\"type\":\"MODIFIED\",\"object\":%s}\n", object.c_str());
}

// One run of the mode on a FakeHost and a FakePod.
struct Publishing {
  explicit Publishing(PublishOptions its_options = {}) : options(std::move(its_options)) {
    options.lease = "web";
    if (options.volume.directory.empty()) options.secret = "web";
    publish.emplace(host, pod, options,
                    [this](WaitResult outcome) { result = std::move(outcome); });
    publish->Start();
  }
  ~Publishing() { publish.reset(); }

  // The open request that changes something; nullopt: there is none.
  std::optional<FakeHost::Request> Change() const {
    for (const FakeHost::Request& request : host.Open()) {
      if (request.method != "GET") return request;
    }
    return std::nullopt;
  }
  int changes() const {
    int count = 0;
    for (const FakeHost::Request& request : host.history) count += request.method != "GET" ? 1 : 0;
    return count;
  }
  void AnswerSecret(const std::string& items) {
    host.Answer(host.Find("secrets?field"), 200, List(items));
  }
  void AnswerLease(const std::string& items) {
    host.Answer(host.Find("leases?field"), 200, List(items));
  }
  // A watch that has ended finds it by reading.
  void SendSecret(const std::string& object) { Send("secrets", object); }
  void SendLease(const std::string& object) { Send("leases", object); }
  void Send(const std::string& type, const std::string& object) {
    const int watch = host.Find(type + "?watch");
    if (watch != 0) return host.Send(watch, Event(object));
    host.Answer(host.Find(type + "?field"), 200, List(object));
  }
  void AnswerChange(int status, const std::string& body) {
    host.Answer(host.FindChange(), status, body);
  }

  // Up to some minutes. A watch that has ended in between finds `lease`.
  bool AwaitChange(const std::string& lease) {
    for (int i = 0; i < 200 && !Change(); ++i) {
      host.Advance(1s);
      if (host.Find("leases?field") != 0) AnswerLease(lease);
    }
    return Change().has_value();
  }

  PublishOptions options;
  FakeHost host;
  FakePod pod;
  std::optional<Publish> publish;
  std::optional<WaitResult> result;
};

PublishOptions Once() {
  PublishOptions options;
  options.once = true;
  options.timeout = 20s;
  return options;
}
PublishOptions Creating() {
  PublishOptions options;
  options.create = true;
  return options;
}
PublishOptions FromVolume() {
  PublishOptions options;
  options.volume.directory = "/tls";
  return options;
}

TEST(Publish, AnnotatesTheLeaseWithWhatItVerified) {
  Publishing run;
  run.AnswerSecret(SecretOf(Old()));
  EXPECT_FALSE(run.Change());  // not before the Lease is known
  run.AnswerLease(Lease(5, R"({"theirs":"stays"})"));
  ASSERT_TRUE(run.Change());
  EXPECT_EQ(run.Change()->method, "PATCH");
  EXPECT_EQ(run.Change()->target, std::string(kLeases) + "/web");
  const Json patch = *ParseJson(run.Change()->body);
  EXPECT_EQ(patch["metadata"]["annotations"].Dump(), Annotations(RecordOf(Old(), 24h)));
  EXPECT_EQ(patch["metadata"].members().size(), 1U);
  const std::string lease = Lease(11, Annotations(RecordOf(Old(), 24h)));
  run.AnswerChange(200, lease);
  run.SendLease(lease);
  EXPECT_THAT(run.host.logged, ElementsAre("lease/web annotated: cert-hash " + Short(Old()) +
                                           ", valid until 2027-01-16T08:00:00Z"));
  EXPECT_EQ(run.changes(), 1);
  EXPECT_FALSE(run.result);
  run.publish->Interrupt("SIGTERM");
  ASSERT_TRUE(run.result);
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
}

TEST(Publish, WritesNothingThatItHasNotVerified) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old().cert, New().key));
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web: tls.key and tls.crt do not belong together"));
  run.SendSecret(SecretOf(Old().cert, ""));
  run.SendSecret(R"({"metadata":{"namespace":"default","name":"web","resourceVersion":"12"}})");
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.Log(), AllOf(HasSubstr("tls.key is empty"), HasSubstr("has no tls.crt")));
  run.SendSecret(SecretOf(Old()));
  EXPECT_EQ(run.changes(), 1);
}

TEST(Publish, SaysThatTheSecretDoesNotExistAndWaitsForIt) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret("");
  EXPECT_THAT(run.host.logged, ElementsAre("secret/web: does not exist"));
  run.SendSecret(SecretOf(Old()));
  EXPECT_EQ(run.changes(), 1);
}

TEST(Publish, NeverPublishesAnExpiredPair) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Issue(-48h, -1h)));
  run.host.Advance(10min);
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.Log(), HasSubstr("the certificate expired at 2027-01-15T07:00:00Z"));
}

TEST(Publish, PublishesAPairOfTheFutureWhenItBecomesValid) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Issue(40s, 24h)));
  run.host.Advance(30s);
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.Log(), HasSubstr("not valid before 2027-01-15T08:00:40Z"));
  run.host.Advance(10s);
  EXPECT_EQ(run.changes(), 1);
}

TEST(Publish, APairOfTheYear9999IsNoOverflow) {
  test::CertSpec spec;
  spec.not_before_at = std::chrono::sys_days(std::chrono::year(9990) / 1 / 1);
  spec.not_after_at = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Authority().Issue(spec)));
  run.host.Advance(5min);
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.Log(), HasSubstr("not valid before 9990"));
}

TEST(Publish, FollowsTheSecretThroughARotation) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  const std::string lease = Lease(11, Annotations(RecordOf(Old(), 24h)));
  run.AnswerChange(200, lease);
  run.SendLease(lease);
  run.host.Advance(30s);
  run.SendSecret(SecretOf(New()));
  ASSERT_TRUE(run.Change());
  EXPECT_THAT(run.Change()->body, HasSubstr(HexLower(Sha256(New().cert))));
  run.AnswerChange(200, Lease(12, Annotations(RecordOf(New(), 48h))));
  EXPECT_THAT(run.host.logged.back(),
              AllOf(StartsWith("lease/web annotated"), HasSubstr(Short(New()))));
}

TEST(Publish, TakesItsOwnRecordBackForAShorterLivedPair) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(New()));
  const std::string lease = Lease(11, Annotations(RecordOf(New(), 48h)));
  run.AnswerChange(200, lease);
  run.SendLease(lease);
  run.host.Advance(2s);
  run.SendSecret(SecretOf(Old()));
  ASSERT_TRUE(run.Change());
  EXPECT_THAT(run.Change()->body, HasSubstr(HexLower(Sha256(Old().cert))));
}

TEST(Publish, SendsNothingWhenTheLeaseSaysItAlready) {
  Publishing run;
  run.AnswerLease(Lease(5, Annotations(RecordOf(Old(), 24h))));
  run.AnswerSecret(SecretOf(Old()));
  // A leader election renews it all the time.
  for (int i = 11; i < 15; ++i) run.SendLease(Lease(i, Annotations(RecordOf(Old(), 24h))));
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.logged, ElementsAre(StartsWith("lease/web is up to date: cert-hash ")));
}

TEST(Publish, DoesNotSendAgainWhatItHasNotSeenYet) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerChange(200, Lease(12, Annotations(RecordOf(Old(), 24h))));
  run.host.Advance(20s);  // the watch is slow
  EXPECT_EQ(run.changes(), 1);
}

TEST(Publish, HasOneChangeUnderWayAndThenPlansAnew) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  run.SendSecret(SecretOf(New()));
  run.SendLease(Lease(11));
  EXPECT_EQ(run.changes(), 1);
  run.AnswerChange(200, Lease(12, Annotations(RecordOf(Old(), 24h))));
  run.SendLease(Lease(12, Annotations(RecordOf(Old(), 24h))));
  run.host.Advance(2s);
  ASSERT_EQ(run.changes(), 2);
  EXPECT_THAT(run.Change()->body, HasSubstr(HexLower(Sha256(New().cert))));
}

TEST(Publish, ReappliesWhatIsDroppedEverSlowerAndRecommendsALeaseOfItsOwn) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  int version = 11;
  std::vector<Duration> gaps;
  Instant last = run.host.Now();
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(run.AwaitChange(Lease(version++)));
    gaps.push_back(run.host.Now() - last);
    last = run.host.Now();
    run.AnswerChange(200, Lease(version, Annotations(RecordOf(Old(), 24h))));
    run.SendLease(Lease(version++, Annotations(RecordOf(Old(), 24h))));
    run.SendLease(Lease(version++));  // a rival puts its own
  }
  for (size_t i = 1; i < gaps.size(); ++i) EXPECT_GE(gaps[i], 1s);
  EXPECT_GE(gaps.back(), 30s);
  EXPECT_LE(gaps.back(), 61s);
  EXPECT_THAT(run.host.Log(), HasSubstr("give certlatch a Lease of its own"));
}

TEST(Publish, ANewPairDoesNotWaitForTheQuarrelAboutTheOldOne) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  int version = 11;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(run.AwaitChange(Lease(version++)));
    run.AnswerChange(200, Lease(version, Annotations(RecordOf(Old(), 24h))));
    run.SendLease(Lease(version++));
  }
  run.host.Advance(1s);
  ASSERT_FALSE(run.Change());
  run.SendSecret(SecretOf(New()));
  ASSERT_TRUE(run.Change());
  EXPECT_THAT(run.Change()->body, HasSubstr(HexLower(Sha256(New().cert))));
}

TEST(Publish, LeavesTheLaterCertificateOfAnotherPublisherAndSaysSo) {
  Publishing run;
  run.AnswerLease(Lease(5, Annotations(RecordOf(New(), 48h))));
  run.AnswerSecret(SecretOf(Old()));
  run.host.Advance(30s);
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.logged,
              ElementsAre(AllOf(StartsWith("lease/web: another publisher has written cert-hash " +
                                           Short(New()) + ", valid until 2027-01-17T08:00:00Z"),
                                HasSubstr("must not share a Lease"))));
}

TEST(Publish, DoesNotFightAPublisherWhoseCertificateEndsAtTheSameTime) {
  const PemPair other = Issue(-1h, 24h);
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerChange(200, Lease(11, Annotations(RecordOf(Old(), 24h))));
  run.SendLease(Lease(12, Annotations(RecordOf(other, 24h))));
  run.host.Advance(30s);
  EXPECT_EQ(run.changes(), 1);
  EXPECT_THAT(run.host.logged.back(), HasSubstr("another publisher has written"));
}

TEST(Publish, WithoutALeaseSaysHowToGetOne) {
  Publishing run;
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease("");
  EXPECT_EQ(run.changes(), 0);
  EXPECT_THAT(run.host.logged,
              ElementsAre("lease/web: does not exist; create it or give --create"));
  run.SendLease(Lease(11));
  EXPECT_EQ(run.changes(), 1);
}

TEST(Publish, CreatesTheLeaseIfItMay) {
  Publishing run(Creating());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease("");
  ASSERT_TRUE(run.Change());
  EXPECT_EQ(run.Change()->method, "POST");
  EXPECT_EQ(run.Change()->target, kLeases);
  const Json lease = *ParseJson(run.Change()->body);
  EXPECT_EQ(lease["kind"].AsString(), "Lease");
  EXPECT_EQ(lease["apiVersion"].AsString(), "coordination.k8s.io/v1");
  EXPECT_EQ(lease["metadata"]["name"].AsString(), "web");
  EXPECT_EQ(lease["metadata"]["annotations"].Dump(), Annotations(RecordOf(Old(), 24h)));
  EXPECT_TRUE(lease["spec"].is_object());
  run.AnswerChange(201, Lease(11, Annotations(RecordOf(Old(), 24h))));
  EXPECT_THAT(run.host.logged, ElementsAre(StartsWith("lease/web annotated: ")));
}

TEST(Publish, ReadsTheLeaseAgainWhenSomebodyElseCreatedItFirst) {
  Publishing run(Creating());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease("");
  run.AnswerChange(409, R"({"kind":"Status","message":"already exists"})");
  run.AnswerLease(Lease(11));
  run.host.Advance(2s);
  ASSERT_TRUE(run.Change());
  EXPECT_EQ(run.Change()->method, "PATCH");
  EXPECT_EQ(run.host.Log(), "");
}

TEST(Publish, CreatesTheLeaseAgainAfterItWasDeletedUnderItsHands) {
  Publishing run(Creating());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease(Lease(5));
  run.AnswerChange(404, R"({"kind":"Status","message":"not found"})");
  run.AnswerLease("");
  run.host.Advance(2s);
  ASSERT_TRUE(run.Change());
  EXPECT_EQ(run.Change()->method, "POST");
}

TEST(Publish, NamesTheRightThatIsMissingAndTriesAgainSlowly) {
  Publishing run;
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease(Lease(5));
  run.AnswerChange(403, R"({"kind":"Status","message":"User x cannot patch"})");
  EXPECT_THAT(run.host.logged,
              ElementsAre("lease/web: may not be patched; grant the verb \"patch\" on "
                          "leases.coordination.k8s.io in namespace default (HTTP 403: User x "
                          "cannot patch)"));
  run.host.Advance(9s);
  EXPECT_EQ(run.changes(), 1);
  run.host.Advance(2s);
  ASSERT_EQ(run.changes(), 2);
  run.AnswerChange(200, Lease(11, Annotations(RecordOf(Old(), 24h))));
  EXPECT_EQ(run.host.logged.size(), 2U);
}

TEST(Publish, NamesTheRightToCreateWhereThatIsMissing) {
  Publishing run(Creating());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease("");
  run.AnswerChange(403, "");
  EXPECT_THAT(run.host.Log(), HasSubstr("may not be created; grant the verb \"create\""));
}

TEST(Publish, TriesAgainAfterAnOutage) {
  Publishing run;
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease(Lease(5));
  ApiAnswer lost;
  lost.problem = "connection reset";
  run.host.Answer(run.host.FindChange(), lost);
  EXPECT_THAT(run.host.Log(), HasSubstr("lease/web: connection reset; retrying"));
  run.host.Advance(3s);
  ASSERT_EQ(run.changes(), 2);
  ApiAnswer busy;
  busy.status = 429;
  busy.retry_after = 30s;
  run.host.Answer(run.host.FindChange(), busy);
  run.host.Advance(29s);
  EXPECT_EQ(run.changes(), 2);
  run.host.Advance(2s);
  EXPECT_EQ(run.changes(), 3);
}

TEST(Publish, AnOutageOfTheSecretDoesNotForgetWhatWasVerified) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerChange(200, Lease(11, Annotations(RecordOf(Old(), 24h))));
  run.host.Answer(run.host.Find("secrets?watch"), 500, "");
  run.host.Advance(2s);
  run.SendLease(Lease(12));
  run.host.Advance(2s);
  EXPECT_EQ(run.changes(), 2);
  run.AnswerSecret(SecretOf(Old()));
  EXPECT_THAT(run.host.Log(),
              AllOf(HasSubstr("secret/web: HTTP 500"), HasSubstr("secret/web: all is well again")));
}

TEST(Publish, KeepsTryingWhereItMayNotReadYet) {
  Publishing run;
  run.AnswerLease(Lease(5));
  const std::string refusal = R"({"kind":"Status","message":"secrets is forbidden"})";
  run.host.Answer(run.host.Find("secrets?field"), 403, refusal);
  run.host.Answer(run.host.Find("secrets/web"), 403, refusal);
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web: HTTP 403: secrets is forbidden"));
  run.host.Advance(10s);
  EXPECT_FALSE(run.result);
  EXPECT_NE(run.host.Find("secrets"), 0);
}

TEST(Publish, PublishesTheMountedPair) {
  Publishing run(FromVolume());
  run.AnswerLease(Lease(5));
  EXPECT_THAT(run.host.Log(),
              HasSubstr("volume /tls: tls.crt is missing; the volume holds nothing"));
  const std::string ca = Authority().cert_pem();
  Publication record = RecordOf(Old(), 24h);
  record.bundle = BundleDigest({Old().cert, Old().key, ca});
  run.pod.files = {{"tls.crt", Old().cert}, {"tls.key", Old().key}, {"ca.crt", ca}};
  run.host.Advance(3s);  // no hint: a bad pair is looked at often
  ASSERT_TRUE(run.Change());
  EXPECT_EQ((*ParseJson(run.Change()->body))["metadata"]["annotations"].Dump(),
            Annotations(record));
  run.AnswerChange(200, Lease(11, Annotations(record)));
  run.SendLease(Lease(11, Annotations(record)));
  run.host.Advance(10s);
  run.pod.files = {{"tls.crt", New().cert}, {"tls.key", New().key}};
  run.pod.Hint();
  run.pod.Hint();
  const int before = run.pod.reads;
  run.host.Advance(1s);
  EXPECT_EQ(run.pod.reads, before + 1);  // a burst of hints is one reading
  ASSERT_TRUE(run.Change());
  EXPECT_THAT(run.Change()->body, HasSubstr(HexLower(Sha256(New().cert))));
}

// Followers may mount more files of the same Secret: to them its digest would be a wrong one.
TEST(Publish, TellsNoBundleOfAMountThatMayLackAFile) {
  Publishing run(FromVolume());
  run.AnswerLease(Lease(5));
  run.pod.files = {{"tls.crt", Old().cert}, {"tls.key", Old().key}};
  run.host.Advance(3s);
  ASSERT_TRUE(run.Change());
  EXPECT_THAT(run.Change()->body,
              AllOf(HasSubstr("/cert-valid-until"), Not(HasSubstr("bundle-hash"))));
}

TEST(Publish, LooksAtAQuietVolumeOnceAMinute) {
  Publishing run(FromVolume());
  run.pod.files = {{"tls.crt", Old().cert}, {"tls.key", Old().key}};
  run.host.Advance(3s);
  const int before = run.pod.reads;
  run.host.Advance(5min);
  EXPECT_EQ(run.pod.reads, before + 5);
}

TEST(Publish, SaysWhyTheVolumeCannotBeReadAndHowChangesAreNoticed) {
  PublishOptions options = FromVolume();
  Publishing run(options);
  run.pod.unreadable = Error{Code::kRetry, "/tls: No such file or directory"};
  run.pod.volume_trouble = "no inotify";
  run.host.Advance(3s);
  EXPECT_THAT(run.host.Log(), AllOf(HasSubstr("volume /tls: /tls: No such file or directory"),
                                    HasSubstr("volume /tls: no inotify")));
}

TEST(Publish, WarnsOfAChainThatDoesNotLeadToItsCaAndPublishesIt) {
  Publishing run(FromVolume());
  run.AnswerLease(Lease(5));
  run.pod.files = {{"tls.crt", Old().cert}, {"tls.key", Old().key}, {"ca.crt", New().cert}};
  run.host.Advance(3s);
  EXPECT_THAT(run.host.Log(), HasSubstr("volume /tls: tls.crt does not lead to a certificate"));
  EXPECT_EQ(run.changes(), 1);
}

TEST(PublishOnce, EndsWhenTheAnswerHoldsWhatWasVerified) {
  Publishing run(Once());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease(Lease(5));
  EXPECT_FALSE(run.result);
  run.AnswerChange(200, Lease(11, Annotations(RecordOf(Old(), 24h))));
  ASSERT_TRUE(run.result);
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_TRUE(run.host.Open().empty());
  EXPECT_FALSE(run.host.HasTimers());
}

TEST(PublishOnce, DoesNotBelieveAnAnswerWithoutTheRecord) {
  Publishing run(Once());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease(Lease(5));
  run.AnswerChange(200, "{}");  // a proxy's
  EXPECT_FALSE(run.result);
  run.SendLease(Lease(11, Annotations(RecordOf(Old(), 24h))));
  ASSERT_TRUE(run.result);
}

TEST(PublishOnce, EndsAtOnceWhenTheLeaseSaysItAlready) {
  Publishing run(Once());
  run.AnswerSecret(SecretOf(Old()));
  run.AnswerLease(Lease(5, Annotations(RecordOf(Old(), 24h))));
  ASSERT_TRUE(run.result);
  EXPECT_EQ(run.changes(), 0);
}

TEST(PublishOnce, FailsAfterTheTimeoutAndNamesWhatIsMissing) {
  Publishing without_secret(Once());
  without_secret.AnswerLease(Lease(5));
  without_secret.AnswerSecret("");
  without_secret.host.Advance(21s);
  ASSERT_TRUE(without_secret.result);
  EXPECT_EQ(without_secret.result->outcome, WaitOutcome::kNotMet);
  EXPECT_THAT(without_secret.result->errors,
              ElementsAre("error: timed out after 20s: secret/web: does not exist"));

  Publishing without_lease(Once());
  without_lease.AnswerSecret(SecretOf(Old()));
  without_lease.AnswerLease("");
  without_lease.host.Advance(21s);
  ASSERT_TRUE(without_lease.result);
  EXPECT_THAT(without_lease.result->errors,
              ElementsAre("error: timed out after 20s: lease/web: does not exist; create it or "
                          "give --create"));

  Publishing without_answer(Once());
  without_answer.host.Advance(21s);
  ASSERT_TRUE(without_answer.result);
  EXPECT_THAT(without_answer.result->errors,
              ElementsAre("error: timed out after 20s: secret/web: no answer from the API server"));
}

TEST(PublishOnce, InterruptedIsNotMet) {
  Publishing run(Once());
  run.AnswerSecret(SecretOf(Old()));
  run.publish->Interrupt("SIGTERM");
  ASSERT_TRUE(run.result);
  EXPECT_THAT(
      run.result->errors,
      ElementsAre("error: interrupted by SIGTERM: lease/web: no answer from the API server"));
}

TEST(Publish, NoLineEverHoldsAPartOfTheKey) {
  Publishing run;
  run.AnswerLease(Lease(5));
  run.AnswerSecret(SecretOf(Old().cert, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n"));
  run.SendSecret(SecretOf(Old()));
  const std::string body = run.Change()->body;
  run.AnswerChange(500, body);
  const std::string piece = EncodeBase64(Old().key).substr(100, 40);
  for (const std::string& text : {run.host.Log(), body}) {
    EXPECT_THAT(text, AllOf(Not(HasSubstr("c2VjcmV0")), Not(HasSubstr(piece)),
                            Not(HasSubstr(Old().key.substr(60, 30)))));
  }
}

}  // namespace
}  // namespace certlatch
