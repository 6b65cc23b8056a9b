#include "app/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "domain/base64.h"
#include "test/support/fake_host.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using test::FakeHost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kNoItems = R"({"metadata":{"resourceVersion":"1"},"items":[]})";

std::string ListOf(const std::string& object) {
  return R"({"metadata":{"resourceVersion":"1"},"items":[)" + object + "]}";
}

std::string Certificate(const std::string& ready, const std::string& name = "web") {
  return R"({"metadata":{"name":")" + name +
         R"(","namespace":"prod","uid":"u"},"spec":{"issuerRef":{"name":"ca"}},"status":{
            "conditions":[{"type":"Ready","status":")" +
         ready + R"(","reason":"Why","message":"so it is"}]}})";
}

// One `certlatch explain` in namespace prod.
struct Look {
  explicit Look(const std::vector<std::string_view>& targets, bool json = false) {
    options.targets = *ParseTargets(targets);
    options.ns = "prod";
    options.json = json;
    explain.emplace(host, options, [this](WaitResult ended) { result = std::move(ended); });
    explain->Start();
  }
  // Answers the oldest request, which must be for `part`.
  void Answer(std::string_view part, int status, const std::string& body) {
    host.Advance(0s);
    const int id = host.Find(part);
    ASSERT_NE(id, 0) << part
                     << " is not asked for: " << (host.Open().empty() ? "" : host.Open()[0].target);
    host.Answer(id, status, body);
    host.Advance(0s);
  }
  bool Met() const { return result && result->outcome == WaitOutcome::kMet; }

  FakeHost host;
  ExplainOptions options;
  std::optional<WaitResult> result;
  std::optional<Explain> explain;
};

TEST(Explain, IsMetByATargetThatIsReady) {
  Look look({"certificate/web"});
  look.Answer("/certificates?fieldSelector=metadata.name%3Dweb", 200, ListOf(Certificate("True")));
  EXPECT_TRUE(look.Met());
  EXPECT_THAT(look.host.printed, ElementsAre("certificate/web: is ready"));
}

TEST(Explain, PrintsTheTargetAtTheMarginAndWhatItHangsOnBelowIt) {
  Look look({"certificate/web"});
  look.Answer("/certificates?", 200, ListOf(Certificate("False")));
  look.Answer("/certificaterequests", 403, "{}");
  look.Answer("/issuers/ca", 404, R"({"kind":"Status","details":{"name":"ca"}})");
  EXPECT_THAT(look.host.printed,
              ElementsAre("certificate/web: is not ready (Why): so it is",
                          "  certificaterequests: hint: not allowed to read "
                          "certificaterequests.cert-manager.io: grant list to see more",
                          "  issuer/ca: does not exist in namespace prod",
                          "      hint: is a ClusterIssuer meant? spec.issuerRef.kind is Issuer if "
                          "it is left out"));
  ASSERT_TRUE(look.result);
  EXPECT_THAT(look.result->errors,
              ElementsAre("error: certificate/web: issuer/ca: does not exist in namespace prod"));
}

TEST(Explain, TakesAMissingTargetForAFinding) {
  Look look({"certificate/web"});
  look.Answer("/certificates?", 200, kNoItems);
  EXPECT_THAT(look.host.printed, ElementsAre("certificate/web: does not exist in namespace prod"));
  EXPECT_FALSE(look.Met());
}

TEST(Explain, NamesVerbAndResourceIfTheTargetItselfMayNotBeRead) {
  Look look({"certificate/web"});
  look.Answer("/certificates?", 403, "{}");
  look.Answer("/certificates/web", 403,
              R"({"kind":"Status","message":"certificates \"web\" is forbidden: cannot get"})");
  ASSERT_TRUE(look.result);
  EXPECT_THAT(look.result->errors,
              ElementsAre("error: certificate/web: certificates \"web\" is forbidden: cannot get"));
}

TEST(Explain, NeedsNoListOfATargetThatItMayGet) {
  Look look({"certificate/web"});
  look.Answer("/certificates?", 403, "{}");
  look.Answer("/certificates/web", 200, Certificate("True"));
  EXPECT_TRUE(look.Met());
}

TEST(Explain, HasTheVerdictWhereTheChainSaysNothingOfTheTarget) {
  Look look({"secret/web-tls"});
  look.Answer("/secrets?", 200, ListOf(R"({"metadata":{"name":"web-tls","namespace":"prod"},
                         "type":"kubernetes.io/tls"})"));
  EXPECT_THAT(look.host.printed,
              ElementsAre("secret/web-tls: tls.crt is empty; its issuer has not filled it yet"));
}

TEST(Explain, CountsTheEndpointsOfAServiceAndLooksAtItsPods) {
  Look look({"service/db:5432"});
  look.Answer("/services?", 200, ListOf(R"({"metadata":{"name":"db","namespace":"prod"},
                         "spec":{"selector":{"app":"db"},"ports":[{"port":5432}]}})"));
  look.Answer("/endpointslices?", 200, kNoItems);
  look.Answer("/pods?", 200, ListOf(R"({"metadata":{"name":"db-0"},"status":{
                                       "containerStatuses":[{"name":"db","state":{"waiting":{
                                       "reason":"ImagePullBackOff"}}}]}})"));
  EXPECT_THAT(look.host.printed,
              ElementsAre("service/db:5432: no ready endpoint on port 5432 (0 ready, 0 not ready)",
                          "    0 of its 1 pods are ready",
                          "  pod/db-0: container db waits (ImagePullBackOff)"));
}

TEST(Explain, LooksAtTheRestWhereTheEndpointsMayNotBeRead) {
  Look look({"service/db"});
  look.Answer("/services?", 200, ListOf(R"({"metadata":{"name":"db","namespace":"prod"},
                         "spec":{"selector":{"app":"db"},"ports":[{"port":5432}]}})"));
  look.Answer("/endpointslices?", 403, R"({"kind":"Status","message":"cannot list slices"})");
  look.Answer("/pods?", 200, ListOf(R"({"metadata":{"name":"db-0"},"status":{"conditions":[
                                       {"type":"Ready","status":"True"}]}})"));
  EXPECT_THAT(look.host.printed,
              ElementsAre("service/db: cannot list slices", "    1 of its 1 pods are ready"));
  EXPECT_FALSE(look.Met());
}

TEST(Explain, LooksAtOneTargetAfterTheOtherAndIsNotMetIfOneIsNot) {
  Look look({"certificate/a", "certificate/b@other"});
  EXPECT_EQ(look.host.Open().size(), 1U);
  look.Answer("Da", 200, ListOf(Certificate("True", "a")));
  look.Answer("/namespaces/other/certificates?", 200, kNoItems);
  ASSERT_TRUE(look.result);
  EXPECT_THAT(look.host.printed, ElementsAre("certificate/a: is ready",
                                             "certificate/b: does not exist in namespace other"));
  EXPECT_THAT(look.result->errors,
              ElementsAre("error: certificate/b: does not exist in namespace other"));
}

TEST(Explain, ShowsAWebhookWhoseServerHasAnothersCertificate) {
  Look look({"validatingwebhookconfiguration/hooks"});
  look.Answer("validatingwebhookconfigurations?", 200,
              ListOf(R"({"metadata":{"name":"hooks"},"webhooks":[{"name":"a","clientConfig":{)"
                     R"("url":"https://one/v","caBundle":")" +
                     EncodeBase64(test::CertAuthority().cert_pem()) + R"("}}]})"));
  look.host.AnswerProbe(look.host.Find("webhook a"), {false, 0, "its certificate is mine", true});
  look.host.Advance(0s);
  ASSERT_TRUE(look.result);
  EXPECT_FALSE(look.Met());
  EXPECT_THAT(look.host.printed, ElementsAre("validatingwebhookconfiguration/hooks: webhook a: its "
                                             "certificate is mine"));
}

TEST(Explain, AsksDiscoveryForATypeThatItDoesNotKnow) {
  Look look({"widget/w", "certificate/web"});
  look.Answer("/apis", 200, R"({"groups":[]})");
  look.Answer("/api/v1", 200, R"({"resources":[]})");
  look.Answer("/certificates?", 200, ListOf(Certificate("True")));
  ASSERT_TRUE(look.result);
  EXPECT_THAT(look.result->errors,
              ElementsAre("error: widget/w: the server doesn't have a resource type \"widget\""));
}

TEST(Explain, PrintsOneObjectALineAsJsonAndNothingElse) {
  Look look({"certificate/web", "certificate/nope", "certificate/closed"}, /*json=*/true);
  look.Answer("Dweb", 200, ListOf(Certificate("True")));
  look.Answer("Dnope", 200, kNoItems);
  look.Answer("Dclosed", 403, "{}");
  look.Answer("/certificates/closed", 403, R"({"kind":"Status","message":"no \"right\""})");
  ASSERT_EQ(look.host.printed.size(), 3U);
  EXPECT_EQ(look.host.printed[0],
            R"({"ready":true,"target":"certificate/web","namespace":"prod","reason":"",)"
            R"("summary":"","nextAttempt":"","hopeless":"","findings":[{"severity":)"
            R"("info","object":"certificate/web","text":"is ready"}]})");
  const Json missing = *ParseJson(look.host.printed[1]);
  EXPECT_EQ(missing["ready"].AsBool(), false);
  EXPECT_EQ(missing["reason"].AsString(), "not found yet");
  EXPECT_EQ(missing["summary"].AsString(), "does not exist in namespace prod");
  EXPECT_EQ(missing["findings"][size_t{0}]["severity"].AsString(), "cause");
  const Json closed = *ParseJson(look.host.printed[2]);
  EXPECT_EQ(closed["reason"].AsString(), "no \"right\"");
  EXPECT_THAT(closed["findings"].items(), IsEmpty());
}

TEST(Explain, SaysAsJsonWhenTheNextAttemptComesAndWhyWaitingIsInVain) {
  Look look({"certificate/web"}, /*json=*/true);
  look.Answer("/certificates?", 200,
              ListOf(R"({"metadata":{"name":"web","namespace":"prod","uid":"u"},"spec":{},"status":{
                  "lastFailureTime":"2027-01-15T07:30:00Z","conditions":[
                  {"type":"Issuing","status":"False","message":"no"}]}})"));
  look.Answer("/certificaterequests", 200,
              R"({"items":[{"metadata":{"name":"web-1","annotations":{
                  "cert-manager.io/certificate-revision":"1"},"ownerReferences":[
                  {"uid":"u","controller":true}]},"status":{"conditions":[
                  {"type":"Denied","status":"True","message":"by policy"}]}}]})");
  ASSERT_EQ(look.host.printed.size(), 1U);
  const Json json = *ParseJson(look.host.printed[0]);
  EXPECT_EQ(json["nextAttempt"].AsString(), "2027-01-15T08:30:00Z");
  EXPECT_EQ(json["hopeless"].AsString(), "certificaterequest/web-1 was denied: by policy");
  EXPECT_THAT(std::string(json["summary"].AsString()), HasSubstr("next attempt in 30m"));
}

TEST(Explain, TellsWhatItHasWhenTimeIsUp) {
  Look look({"certificate/web", "certificate/later"});
  look.Answer("/certificates?", 200, ListOf(Certificate("False")));
  look.host.Advance(30s);
  EXPECT_THAT(look.host.printed, ElementsAre("certificate/web: is not ready (Why): so it is",
                                             "certificate/later: no answer within 30s"));
  ASSERT_TRUE(look.result);
  EXPECT_EQ(look.result->errors.size(), 2U);
  EXPECT_TRUE(look.host.Open().empty());
  EXPECT_FALSE(look.host.HasTimers());
}

TEST(Explain, AVerdictStandsThoughTheRestDoesNotAnswer) {
  Look look({"service/db:5432"});
  look.Answer("/services?", 200, ListOf(R"({"metadata":{"name":"db","namespace":"prod"},
                         "spec":{"selector":{"app":"db"},"ports":[{"port":5432}]}})"));
  look.Answer("/endpointslices?", 200, kNoItems);
  look.host.Advance(30s);
  EXPECT_THAT(
      look.host.printed,
      ElementsAre("service/db:5432: no ready endpoint on port 5432 (0 ready, 0 not ready)"));
  EXPECT_TRUE(look.result);
}

TEST(Explain, EndsAtOnceWhenItIsInterrupted) {
  Look look({"certificate/web"});
  look.explain->Interrupt("SIGTERM");
  ASSERT_TRUE(look.result);
  EXPECT_THAT(look.result->errors, ElementsAre("error: certificate/web: interrupted by SIGTERM"));
  look.explain->Interrupt("SIGTERM");  // once is enough
  EXPECT_EQ(look.host.printed.size(), 1U);
}

TEST(Explain, SaysWhyThereIsNoAnswer) {
  Look look({"certificate/web"});
  look.host.Answer(look.host.Find("/"), {0, "", "connection refused", {}});
  look.host.Advance(0s);
  ASSERT_TRUE(look.result);
  EXPECT_THAT(look.result->errors, ElementsAre("error: certificate/web: connection refused"));
}

}  // namespace
}  // namespace certlatch
