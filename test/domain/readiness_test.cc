#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "domain/base64.h"
#include "test/domain/readiness_case.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// --- any kind ---

TEST(Readiness, OfAnyKindIsTheConditionReadyElseAvailable) {
  auto object = [](const std::string& type, const std::string& status) {
    return Objects(
        {R"({"status":{"conditions":[{"type":")" + type + R"(","status":")" + status + R"("}]}})"});
  };
  EXPECT_EQ(Judge("node/a", {object("Ready", "True")}).state, State::kMet);
  EXPECT_EQ(Judge("apiservice/a", {object("Available", "True")}).state, State::kMet);
  EXPECT_EQ(Reason("node/a", {object("Ready", "False")}), "Ready is False");
  EXPECT_EQ(Reason("node/a", {Objects({"{}"})}), "has no condition Ready or Available yet");
}

TEST(Readiness, OfWhatIsAbsentIsNotFoundYet) {
  for (const char* target :
       {"pod/a", "certificate/a", "secret/a", "endpoints/a", "job/a", "lease/a", "deployment/a",
        "crd/a", "validatingwebhookconfiguration/a"}) {
    EXPECT_EQ(Reason(target, {Objects({})}), "not found yet") << target;
  }
  EXPECT_EQ(Reason("service/a", {Objects({}), Objects({})}), "not found yet");
}

// Issuers, stores, ExternalSecrets and nodes say why in their condition Ready.
TEST(Readiness, OfAnyKindCarriesReasonAndMessageOfItsCondition) {
  auto object = [](const std::string& status) {
    return Objects({R"({"metadata":{"generation":2},"status":{"conditions":[{"type":"Ready",
        "status":")" +
                    status + R"(","reason":"SecretSyncedError","message":"no such key"}]}})"});
  };
  for (const char* kind : {"issuer/a", "clusterissuer/a", "externalsecret/a", "secretstore/a",
                           "clustersecretstore/a", "node/a"}) {
    EXPECT_EQ(Judge(kind, {object("True")}).state, State::kMet) << kind;
    EXPECT_EQ(Reason(kind, {object("False")}), "Ready is False (SecretSyncedError: no such key)")
        << kind;
  }
}

TEST(Readiness, OfAnyKindIsOfTheCurrentGeneration) {
  EXPECT_THAT(Reason("issuer/a", {Objects({R"({"metadata":{"generation":2},"status":{"conditions":
      [{"type":"Ready","status":"True","observedGeneration":1}]}})"})}),
              HasSubstr("earlier generation"));
}

// --- certificate ---

TEST(Readiness, OfACertificateIsReadyForItsCurrentSpec) {
  auto certificate = [](const std::string& observed) {
    return Objects({R"({"metadata":{"generation":2},"status":{"conditions":
        [{"type":"Ready","status":"True","observedGeneration":)" +
                    observed + "}]}}"});
  };
  EXPECT_EQ(Judge("certificate/web", {certificate("2")}).state, State::kMet);
  EXPECT_THAT(Reason("certificate/web", {certificate("1")}), HasSubstr("earlier generation"));
}

TEST(Readiness, OfACertificateThatFailedHasTheIssuersWords) {
  EXPECT_EQ(Reason("certificate/web", {Objects({R"({"status":{"conditions":[
      {"type":"Ready","status":"False","reason":"DoesNotExist","message":"no Secret"},
      {"type":"Issuing","status":"False","reason":"Failed",
       "message":"subject alternate name web not allowed by this role"}]}})"})}),
            "issuance failed (Failed: subject alternate name web not allowed by this role)");
}

// --- secret ---

Collection TlsSecret(const std::string& cert, const std::string& key) {
  return Objects({R"({"type":"kubernetes.io/tls","data":{"tls.crt":")" + EncodeBase64(cert) +
                  R"(","tls.key":")" + EncodeBase64(key) + R"("}})"});
}

TEST(Readiness, OfATlsSecretIsAValidPair) {
  const test::CertAuthority ca;
  const test::PemPair pair = ca.Issue({});
  const Verdict verdict = Judge("secret/web-tls", {TlsSecret(pair.cert, pair.key)});
  EXPECT_EQ(verdict.state, State::kMet) << verdict.reason;
}

TEST(Readiness, OfATlsSecretNeedsAKeyThatBelongsToItsCertificate) {
  const test::CertAuthority ca;
  const std::string reason =
      Reason("secret/web-tls", {TlsSecret(ca.Issue({}).cert, ca.Issue({}).key)});
  EXPECT_THAT(reason, HasSubstr("do not belong together; cert-manager may be mid-issuance"));
}

TEST(Readiness, OfATlsSecretNamesTheFileThatIsNotThere) {
  EXPECT_THAT(Reason("secret/a", {Objects({R"({"type":"kubernetes.io/tls"})"})}),
              StartsWith("tls.crt is empty"));
  EXPECT_THAT(Reason("secret/a", {TlsSecret("x", "")}), StartsWith("tls.key is empty"));
  EXPECT_THAT(Reason("secret/a", {Objects({R"({"type":"kubernetes.io/tls",
                                  "data":{"tls.crt":"%","tls.key":"eA=="}})"})}),
              HasSubstr("not base64"));
  EXPECT_THAT(Reason("secret/a", {TlsSecret("x", "y")}), HasSubstr("tls.crt"));
}

TEST(Readiness, OfATlsSecretDependsOnTheClockAndSaysWhenToLookAgain) {
  const test::CertAuthority ca;
  test::CertSpec spec;
  spec.not_before = 1h;
  spec.not_after = 3h;
  const test::PemPair pair = ca.Issue(spec);
  const std::vector<Collection> secret = {TlsSecret(pair.cert, pair.key)};
  ReadinessSettings settings;
  settings.min_validity = 2h;
  const Verdict early = Judge("secret/a", secret);
  EXPECT_THAT(early.reason, StartsWith("the certificate is not valid before 2"));
  ASSERT_TRUE(early.recheck.has_value());
  EXPECT_EQ(Judge("secret/a", secret, {}, *early.recheck).state, State::kMet);
  EXPECT_THAT(Judge("secret/a", secret, {}, kNow + 4h).reason,
              StartsWith("the certificate expired"));
  EXPECT_THAT(Judge("secret/a", secret, settings, kNow + 90min).reason,
              HasSubstr("--min-validity"));
}

TEST(Readiness, OfAnotherSecretIsItsExistence) {
  EXPECT_EQ(Judge("secret/a", {Objects({R"({"type":"Opaque"})"})}).state, State::kMet);
}

TEST(Readiness, OfASecretNeedsTheKeysThatAreAskedForAndNeverTellsTheirValues) {
  ReadinessSettings settings;
  settings.keys = {"user", "password"};
  auto reason = [&](const char* data) {
    return Judge("secret/db", {Objects({Format(R"({"type":"Opaque","data":%s})", data)})}, settings)
        .reason;
  };
  EXPECT_EQ(reason(R"({"user":"YQ==","password":"Yg==","more":""})"), "");
  EXPECT_EQ(reason(R"({"user":"YQ=="})"), "has no key password");
  EXPECT_EQ(reason(R"({"user":"","password":"Yg=="})"), "its key user is empty");
  EXPECT_EQ(reason("null"), "has no key user");
}

TEST(Readiness, OfATlsSecretIsAValidPairThatHasTheKeysThatAreAskedForAsWell) {
  const test::CertAuthority ca;
  const test::PemPair pair = ca.Issue({});
  ReadinessSettings settings;
  settings.keys = {"tls.crt"};
  EXPECT_EQ(Judge("secret/a", {TlsSecret(pair.cert, pair.key)}, settings).state, State::kMet);
  EXPECT_THAT(Judge("secret/a", {TlsSecret(pair.cert, "")}, settings).reason,
              StartsWith("tls.key is empty"));
  settings.keys = {"ca.crt"};
  EXPECT_EQ(Judge("secret/a", {TlsSecret(pair.cert, pair.key)}, settings).reason,
            "has no key ca.crt");
}

// --- lease ---

Collection Lease(const std::string& prefix, const std::string& ready, const std::string& hash) {
  return Objects(
      {Format(R"({"metadata":{"annotations":{"%s/cert-ready":"%s","%s/cert-hash":"%s"}}})",
              prefix.c_str(), ready.c_str(), prefix.c_str(), hash.c_str())});
}

TEST(Readiness, OfALeaseIsWhatItsLeaderPublished) {
  const std::string hash(64, 'a');
  EXPECT_EQ(Judge("lease/web", {Lease("kubetemplater.io", "true", hash)}).state, State::kMet);
  EXPECT_EQ(Reason("lease/web", {Lease("kubetemplater.io", "false", hash)}),
            "its annotation kubetemplater.io/cert-ready is not \"true\"");
  EXPECT_EQ(Reason("lease/web", {Lease("kubetemplater.io", "true", "")}),
            "its annotation kubetemplater.io/cert-hash is not a SHA-256 in hex");
  EXPECT_THAT(Reason("lease/web", {Objects({"{}"})}), HasSubstr("cert-ready"));
}

TEST(Readiness, OfALeaseGoesByTheAnnotationsWithThePrefixThatIsAskedFor) {
  ReadinessSettings settings;
  settings.annotation_prefix = "example.com";
  const std::string hash(64, 'a');
  EXPECT_EQ(Judge("lease/web", {Lease("example.com", "true", hash)}, settings).state, State::kMet);
  EXPECT_THAT(Judge("lease/web", {Lease("kubetemplater.io", "true", hash)}, settings).reason,
              HasSubstr("example.com/cert-ready"));
}

// --- endpoints, service ---

ReadinessSettings AtLeast(int min_ready) {
  ReadinessSettings settings;
  settings.min_ready = min_ready;
  return settings;
}

TEST(Readiness, OfEndpointsIsEnoughReadyAddresses) {
  const Collection two = Objects({R"({"subsets":[{"addresses":[{"ip":"10.0.0.1"}]},
      {"addresses":[{"ip":"10.0.0.2"}],"notReadyAddresses":[{"ip":"10.0.0.3"}]}]})"});
  EXPECT_EQ(Judge("endpoints/a", {two}).state, State::kMet);
  EXPECT_EQ(Judge("endpoints/a", {two}, AtLeast(2)).state, State::kMet);
  EXPECT_EQ(Judge("endpoints/a", {two}, AtLeast(3)).reason,
            "fewer than 3 ready addresses (2 ready, 1 not ready)");
  EXPECT_EQ(Reason("endpoints/a", {Objects({"{}"})}), "no ready address (0 ready, 0 not ready)");
}

const char* const kService =
    R"({"spec":{"ports":[{"name":"http","port":80},{"name":"https","port":443}]}})";

std::string Slice(const std::string& port, const std::string& pod, const std::string& ready) {
  return R"({"ports":[{"name":")" + port +
         R"(","port":8443}],"endpoints":[{"addresses":["10.0.0.1"],
      "conditions":{)" +
         ready + R"(},"targetRef":{"name":")" + pod + R"("}}]})";
}

TEST(Readiness, OfAServiceNeedsAReadyEndpointOnEachOfItsPortsMatchedByName) {
  const std::string ready = R"("ready":true)";
  EXPECT_EQ(Judge("service/web", {Objects({kService}),
                                  Objects({Slice("http", "a", ready), Slice("https", "a", ready)})})
                .state,
            State::kMet);
  EXPECT_EQ(Reason("service/web", {Objects({kService}), Objects({Slice("http", "a", ready)})}),
            "no ready endpoint on port 443 (0 ready, 0 not ready)");
}

TEST(Readiness, OfAServicesPortAsksForThatPortOnlyByNumberOrName) {
  const std::vector<Collection> objects = {Objects({kService}), Objects({Slice("https", "a", "")})};
  EXPECT_EQ(Judge("service/web:443", objects).state, State::kMet);  // ready absent counts as true
  EXPECT_EQ(Judge("service/web:https", objects).state, State::kMet);
  EXPECT_EQ(Reason("service/web:http", objects),
            "no ready endpoint on port 80 (0 ready, 0 not ready)");
  EXPECT_EQ(Reason("service/web:9", objects), "has no port 9 (its ports: 80 http, 443 https)");
}

TEST(Readiness, OfAServiceCountsAPodWithTwoAddressFamiliesOnce) {
  const std::vector<Collection> objects = {
      Objects({kService}),
      Objects({Slice("https", "a", R"("ready":true)"), Slice("https", "a", R"("ready":true)")})};
  EXPECT_EQ(Judge("service/web:https", objects, AtLeast(2)).reason,
            "fewer than 2 ready endpoints on port 443 (1 ready, 0 not ready)");
}

TEST(Readiness, OfAServiceIgnoresEndpointsThatAreNotReady) {
  EXPECT_EQ(Reason("service/web:https",
                   {Objects({kService}), Objects({Slice("https", "a", R"("ready":false)")})}),
            "no ready endpoint on port 443 (0 ready, 1 not ready)");
}

TEST(Readiness, OfAServiceWithoutEndpointsByItsTypeSaysSo) {
  EXPECT_THAT(
      Reason("service/web", {Objects({R"({"spec":{"type":"ExternalName"}})"}), Objects({})}),
      HasSubstr("ExternalName"));
}

TEST(Readiness, OfAServiceNeedsItselfAndTheSlicesThatNameIt) {
  const auto needs = ReadinessNeeds(TargetOf("service/web"), {});
  ASSERT_EQ(needs.size(), 2U);
  EXPECT_EQ(needs[0].name, "web");
  EXPECT_EQ(needs[1].label_selector, "kubernetes.io/service-name=web");
  EXPECT_EQ(needs[1].resource.GroupResource(), "endpointslices.discovery.k8s.io");
  EXPECT_EQ(ReadinessNeeds(TargetOf("endpointslice/web"), {}).size(), 1U);
  EXPECT_EQ(Judge("endpointslice/web", {Objects({Slice("https", "a", "")})}).state, State::kMet);
}

}  // namespace
}  // namespace certlatch
