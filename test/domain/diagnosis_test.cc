#include "domain/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Severity = Finding::Severity;

const WallTime kNow = *ParseWallTime("2026-03-01T12:00:00Z");

constexpr char kCertManager[] = "/apis/cert-manager.io/v1/namespaces/prod/";
constexpr char kAcme[] = "/apis/acme.cert-manager.io/v1/namespaces/prod/";
constexpr char kStores[] = "/apis/external-secrets.io/v1/namespaces/prod/";

// What an API server would answer: objects by path, lists by path without the query.
class Api {
 public:
  Api& Has(const std::string& path, const std::string& object) {
    answers_[path] = {200, object, "", {}};
    return *this;
  }
  Api& Lists(const std::string& path, const std::vector<std::string>& objects) {
    std::string items;
    for (const std::string& object : objects) items += (items.empty() ? "" : ",") + object;
    return Has(path, R"({"kind":"List","metadata":{},"items":[)" + items + "]}");
  }
  Api& Refuses(const std::string& path) {
    answers_[path] = {403, R"({"kind":"Status","reason":"Forbidden","code":403})", "", {}};
    return *this;
  }
  Api& Answers(const std::string& path, ApiAnswer answer) {
    answers_[path] = std::move(answer);
    return *this;
  }

  ApiAnswer Get(const std::string& target) {
    asked_.push_back(target);
    const auto found = answers_.find(target.substr(0, target.find('?')));
    if (found != answers_.end()) return found->second;
    if (target.find('?') != std::string::npos) return {200, R"({"items":[]})", "", {}};
    return {404,
            R"({"kind":"Status","reason":"NotFound","details":{"name":")" +
                target.substr(target.rfind('/') + 1) + R"("}})",
            "",
            {}};
  }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  std::map<std::string, ApiAnswer> answers_;
  std::vector<std::string> asked_;
};

Target TargetOf(const std::string& group, const std::string& version, const std::string& plural,
                const std::string& kind, const std::string& name) {
  Target target;
  target.name.name = name;
  target.resource.group = group;
  target.resource.version = version;
  target.resource.plural = plural;
  target.resource.kind = kind;
  target.ns = "prod";
  return target;
}

const Target kWeb = TargetOf("cert-manager.io", "v1", "certificates", "Certificate", "web");
const Target kService = TargetOf("", "v1", "services", "Service", "db");
const Target kExternal =
    TargetOf("external-secrets.io", "v1", "externalsecrets", "ExternalSecret", "db");

// A walk to its end.
class Diagnose : public Diagnosis {
 public:
  Diagnose(Api& api, const Target& target, const std::string& object,
           std::optional<WallTime> deadline = {})
      : Diagnosis(target, object.empty() ? nullptr : &Parsed(object), deadline) {
    while (question() != nullptr) OnAnswer(api.Get(std::string(*question())));
  }

 private:
  static const Json& Parsed(const std::string& object) {
    static Json json;
    json = *ParseJson(object);
    return json;
  }
};

std::vector<std::string> Lines(const Diagnosis& diagnosis) {
  std::vector<std::string> lines;
  for (const Finding& finding : diagnosis.findings()) {
    const char* marks[] = {"  ", "? ", "! "};
    lines.push_back(marks[static_cast<int>(finding.severity)] + finding.label + ": " +
                    finding.text);
  }
  return lines;
}

std::string Condition(const std::string& type, const std::string& status, const std::string& reason,
                      const std::string& message, const std::string& more = "") {
  return R"({"type":")" + type + R"(","status":")" + status + R"(","reason":)" + JsonQuote(reason) +
         R"(,"message":)" + JsonQuote(message) + more + "}";
}

std::string Certificate(const std::string& conditions, const std::string& status = "") {
  return R"({"metadata":{"name":"web","uid":"u-cert","generation":2},
    "spec":{"secretName":"web-tls","commonName":"ai-ops-agent.default.svc.cluster.local",
      "issuerRef":{"name":"vault","kind":"ClusterIssuer"},
      "dnsNames":["ai-ops-agent.default.svc.cluster.local","ai-ops-agent.corp.local",
        "ai-ops-agent","ai-ops-agent.default","ai-ops-agent.default.svc"]},
    "status":{)" +
         status + R"("conditions":[)" + conditions + "]}}";
}

std::string Issuing() {
  return Certificate(
      Condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist") +
      "," +
      Condition("Issuing", "True", "DoesNotExist", "Issuing certificate as Secret does not exist",
                R"(,"lastTransitionTime":"2026-03-01T11:00:00Z")"));
}

std::string Request(const std::string& conditions, const std::string& issuer = "",
                    const std::string& revision = "1") {
  return R"({"metadata":{"name":"web-1","uid":"u-req",
      "annotations":{"cert-manager.io/certificate-revision":")" +
         revision + R"("},
      "ownerReferences":[{"kind":"Certificate","uid":"u-cert","controller":true}]},
    "spec":{"issuerRef":)" +
         (issuer.empty() ? R"({"name":"vault","kind":"ClusterIssuer"})" : issuer) +
         R"(},"status":{"conditions":[)" + conditions + "]}}";
}

std::string Ready(const std::string& name, const std::string& more = R"("spec":{})") {
  return R"({"metadata":{"name":")" + name + R"("},)" + more + R"(,"status":{"conditions":[)" +
         Condition("Ready", "True", "", "") + "]}}";
}

const std::string kApproved = Condition("Approved", "True", "cert-manager.io", "approved");
constexpr char kRequests[] = "/apis/cert-manager.io/v1/namespaces/prod/certificaterequests";
constexpr char kVault[] = "/apis/cert-manager.io/v1/clusterissuers/vault";

// --- a certificate that Vault refuses ---

constexpr char kDenial[] =
    "Vault failed to sign certificate: failed to sign certificate by vault: Error making API "
    "request.\n\nURL: POST http://vault.vault.svc.cluster.local:8200/v1/pki_int/sign/ai-ops-agent\n"
    "Code: 400. Errors:\n\n* subject alternate name ai-ops-agent not allowed by this role";

std::string Refused() {
  return Certificate(
      Condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist") +
          "," +
          Condition("Issuing", "False", "Failed",
                    std::string("The certificate request has failed to complete and will be "
                                "retried: ") +
                        kDenial,
                    R"(,"observedGeneration":2)"),
      R"("lastFailureTime":"2026-03-01T11:54:00Z","failedIssuanceAttempts":1,)");
}

TEST(Diagnosis, NamesTheRoleThatRefusedAndTheNameThatItRefused) {
  Api api;
  api.Lists(kRequests, {Request(kApproved + "," + Condition("Ready", "False", "Failed", kDenial))})
      .Has(kVault, Ready("vault", R"("spec":{"vault":{}})"));
  const Diagnose diagnosis(api, kWeb, Refused());
  EXPECT_EQ(diagnosis.Summary(kNow),
            "Vault role ai-ops-agent refused: subject alternate name ai-ops-agent not allowed by "
            "this role (spec.dnsNames[2]); next attempt in 54m");
  EXPECT_THAT(
      Lines(diagnosis),
      ElementsAre("! certificate/web: is not ready (DoesNotExist): Issuing certificate as Secret "
                  "does not exist",
                  "  certificate/web: attempt 1 failed at 2026-03-01T11:54:00Z; the next issuance "
                  "is at 2026-03-01T12:54:00Z",
                  "! certificate/web: Vault role ai-ops-agent refused: subject alternate name "
                  "ai-ops-agent not allowed by this role (spec.dnsNames[2])",
                  "? certificate/web: Vault names only the first name that it refuses: compare "
                  "all names of spec with the role's allowed_domains, allow_subdomains and "
                  "allow_bare_domains",
                  "  certificaterequest/web-1: failed, in the same words",
                  "  clusterissuer/vault: is ready"));
  EXPECT_THAT(api.asked(), ElementsAre(std::string(kRequests) + "?limit=250", kVault));
}

TEST(Diagnosis, SaysTheSameFromTheRequestAloneIfTheCertificateDoesNotHaveItYet) {
  Api api;
  api.Lists(kRequests, {Request(kApproved + "," + Condition("Ready", "False", "Failed", kDenial))});
  EXPECT_THAT(Lines(Diagnose(api, kWeb, Issuing())),
              Contains("! certificaterequest/web-1: failed: Vault role ai-ops-agent refused: "
                       "subject alternate name ai-ops-agent not allowed by this role "
                       "(spec.dnsNames[2])"));
}

TEST(Diagnosis, FindsANameOnlyWhereItStandsWhole) {
  const auto summary = [](const std::string& words) {
    Api api;
    return Diagnose(
               api, kWeb,
               R"({"metadata":{"name":"web"},"spec":{"commonName":"b.example","dnsNames":["example",
               "*.example","a.example"],"ipAddresses":["10.0.0.1","fd00::1"],"issuerRef":{"group":"other"}},"status":{"conditions":[)" +
                   Condition("Issuing", "False", "Failed", words) + "]}}")
        .Summary(kNow);
  };
  EXPECT_EQ(summary("no a.example."), "no a.example. (spec.dnsNames[2])");
  EXPECT_EQ(summary("no \"*.example\""), "no \"*.example\" (spec.dnsNames[1])");
  EXPECT_EQ(summary("http://b.example:80/x"), "http://b.example:80/x (spec.commonName)");
  EXPECT_EQ(summary("10.0.0.1, fd00::1"),
            "10.0.0.1, fd00::1 (spec.ipAddresses[0], "
            "spec.ipAddresses[1])");
  EXPECT_EQ(summary("10.0.0.11 fd00::12 xexample a.example.org"),
            "10.0.0.11 fd00::12 xexample a.example.org");
}

TEST(Diagnosis, TellsAVaultThatIsDownFromOneThatRefuses) {
  Api api;
  api.Has(kVault, Ready("vault"));
  const Diagnose diagnosis(
      api, kWeb,
      Certificate(Condition("Issuing", "False", "Failed",
                            "URL: PUT http://v/v1/pki/sign/r\nCode: 503. Errors:\n\n* sealed")));
  EXPECT_EQ(diagnosis.Summary(kNow), "Vault role r answered HTTP 503: sealed");
}

TEST(Diagnosis, DoublesTheHourUntilTheNextAttemptUpTo32) {
  const auto retry_at = [](const std::string& attempts) {
    Api api;
    return FormatWallTime(
        *Diagnose(api, kWeb,
                  Certificate(Condition("Issuing", "False", "Failed", "no"),
                              R"("lastFailureTime":"2026-03-01T00:00:00Z",)" + attempts))
             .retry_at());
  };
  EXPECT_EQ(retry_at(""), "2026-03-01T01:00:00Z");
  EXPECT_EQ(retry_at(R"("failedIssuanceAttempts":-5,)"), "2026-03-01T01:00:00Z");
  EXPECT_EQ(retry_at(R"("failedIssuanceAttempts":1,)"), "2026-03-01T01:00:00Z");
  EXPECT_EQ(retry_at(R"("failedIssuanceAttempts":3,)"), "2026-03-01T04:00:00Z");
  EXPECT_EQ(retry_at(R"("failedIssuanceAttempts":6,)"), "2026-03-02T08:00:00Z");
  EXPECT_EQ(retry_at(R"("failedIssuanceAttempts":9223372036854775807,)"), "2026-03-02T08:00:00Z");
}

TEST(Diagnosis, IsHopelessIfTheNextAttemptComesAfterTheDeadline) {
  Api api;
  EXPECT_EQ(Diagnose(api, kWeb, Refused(), kNow + 53min).hopeless(),
            "certificate/web: the next issuance is at 2026-03-01T12:54:00Z, too late");
  EXPECT_EQ(Diagnose(api, kWeb, Refused(), kNow + 54min).hopeless(), "");
  EXPECT_EQ(Diagnose(api, kWeb, Refused()).hopeless(), "");
}

TEST(Diagnosis, HasHopeWhenTheSpecWasChangedAfterTheFailure) {
  std::string changed = Refused();
  changed.replace(changed.find(R"("generation":2)"), 14, R"("generation":3)");
  Api api;
  api.Lists(kRequests, {Request(Condition("Denied", "True", "", "no"))});
  const Diagnose diagnosis(api, kWeb, changed, kNow + 1min);
  EXPECT_EQ(diagnosis.hopeless(), "");
  EXPECT_EQ(diagnosis.retry_at(), std::nullopt);
  EXPECT_THAT(Lines(diagnosis), Contains(StartsWith("  certificate/web: an issuance failed before "
                                                    "its latest change: ")));
}

TEST(Diagnosis, SaysThatTheNextAttemptIsDue) {
  Api api;
  EXPECT_THAT(Diagnose(api, kWeb, Refused()).Summary(kNow + 1h),
              EndsWith("the next attempt is due"));
}

// --- requests ---

TEST(Diagnosis, SaysThatNobodyHasApproved) {
  Api api;
  api.Lists(kRequests, {Request("")}).Has(kVault, Ready("vault"));
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(diagnosis.Summary(kNow),
            "certificaterequest/web-1: nobody has approved it: is an approver running?");
  EXPECT_EQ(diagnosis.hopeless(), "");
}

TEST(Diagnosis, IsHopelessWhenAPolicyDenied) {
  Api api;
  api.Lists(kRequests,
            {Request(Condition("Denied", "True", "policy.cert-manager.io",
                               "No policy approved this request: [web: spec.allowed.dnsNames]") +
                     "," +
                     Condition("Ready", "False", "Denied",
                               "The CertificateRequest was "
                               "denied"))});
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(diagnosis.Summary(kNow),
            "certificaterequest/web-1: was denied: No policy approved this "
            "request: [web: spec.allowed.dnsNames]");
  EXPECT_THAT(diagnosis.hopeless(), StartsWith("certificaterequest/web-1 was denied: No policy"));
}

TEST(Diagnosis, IsHopelessWhenTheRequestIsInvalid) {
  Api api;
  api.Lists(kRequests, {Request(kApproved + "," +
                                Condition("InvalidRequest", "True", "Invalid", "no CA allowed"))});
  EXPECT_EQ(Diagnose(api, kWeb, Issuing()).hopeless(),
            "certificaterequest/web-1 is invalid, its issuer says: no CA allowed");
}

TEST(Diagnosis, PassesOverRequestsOfOthersAndOfOtherRevisions) {
  std::string foreign = Request(Condition("Denied", "True", "", ""));
  foreign.replace(foreign.find("u-cert"), 6, "u-else");
  std::string uncontrolled = Request(Condition("Denied", "True", "", ""));
  uncontrolled.replace(uncontrolled.find("true"), 4, "false");
  Api api;
  api.Lists(kRequests,
            {foreign, uncontrolled, Request(Condition("Denied", "True", "", ""), "", "7")});
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(diagnosis.hopeless(), "");
  EXPECT_THAT(Lines(diagnosis), Contains("! certificaterequests: there is none of revision 1 yet: "
                                         "is cert-manager running?"));
}

TEST(Diagnosis, FollowsTheRevisionOfTheCertificate) {
  Api api;
  api.Lists(kRequests,
            {Request(Condition("Ready", "True", "Issued", ""), "", "4"),
             Request(kApproved + "," + Condition("Ready", "False", "Pending", "soon"), "", "5")});
  std::string certificate = Issuing();
  certificate.replace(certificate.find(R"("status":{)"), 10, R"("status":{"revision":4,)");
  EXPECT_THAT(Lines(Diagnose(api, kWeb, certificate)),
              Contains("! certificaterequest/web-1: waits: soon"));
}

TEST(Diagnosis, DoesNotBlameTheRequestOfTheAttemptBefore) {
  std::string failed = Request(kApproved + "," + Condition("Denied", "True", "", "no"));
  failed.replace(failed.find(R"("status":{)"), 10,
                 R"("status":{"failureTime":"2026-03-01T10:59:00Z",)");
  Api api;
  api.Lists(kRequests, {failed});
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(diagnosis.hopeless(), "");
  EXPECT_THAT(Lines(diagnosis), Contains("  certificaterequest/web-1: failed in the attempt "
                                         "before; a new one is beginning"));
}

TEST(Diagnosis, ReadsAllPagesOfALongList) {
  Api api;
  api.Has(kRequests, R"({"metadata":{"continue":"a b"},"items":[]})");
  const Json certificate = *ParseJson(Issuing());
  Diagnosis diagnosis(kWeb, &certificate, {});
  ASSERT_EQ(*diagnosis.question(), std::string(kRequests) + "?limit=250");
  diagnosis.OnAnswer(api.Get(*diagnosis.question()));
  ASSERT_EQ(*diagnosis.question(), std::string(kRequests) + "?limit=250&continue=a%20b");
  api.Lists(kRequests, {Request("")});
  diagnosis.OnAnswer(api.Get(*diagnosis.question()));
  EXPECT_EQ(*diagnosis.question(), kVault);
}

TEST(Diagnosis, AsksNoMoreThanTwentyQuestions) {
  Api api;
  api.Has(kRequests, R"({"metadata":{"continue":"again"},"items":[]})");
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(api.asked().size(), kMaxQuestions);
  EXPECT_THAT(Lines(diagnosis),
              Contains("? certificate/web: there is more to look at than 20 answers"));
}

// --- issuers ---

TEST(Diagnosis, NamesAMissingIssuer) {
  Api api;
  api.Lists(kRequests,
            {Request(kApproved + "," +
                         Condition("Ready", "False", "Pending",
                                   "Referenced \"Issuer\" not found: issuer.cert-manager.io "
                                   "\"vault\" not found"),
                     R"({"name":"vault"})")});
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(diagnosis.Summary(kNow), "issuer/vault: does not exist in namespace prod");
  EXPECT_THAT(Lines(diagnosis), Contains("? issuer/vault: is a ClusterIssuer meant? "
                                         "spec.issuerRef.kind is Issuer if it is left out"));
}

TEST(Diagnosis, TellsWhyTheIssuerIsNotReady) {
  Api api;
  api.Lists(kRequests, {Request(kApproved)})
      .Has(kVault, R"({"metadata":{"name":"vault"},"spec":{"vault":{}},"status":{"conditions":[)" +
                       Condition("Ready", "False", "VaultError",
                                 "Failed to initialize Vault client: permission denied") +
                       "]}}");
  EXPECT_EQ(Diagnose(api, kWeb, Issuing()).Summary(kNow),
            "clusterissuer/vault: is not ready (VaultError): Failed to initialize Vault client: "
            "permission denied");
}

TEST(Diagnosis, OnlyNamesAnExternalIssuer) {
  Api api;
  api.Lists(kRequests, {Request(kApproved, R"({"group":"awspca.cert-manager.io",
                                               "kind":"AWSPCAClusterIssuer","name":"pca"})")});
  EXPECT_THAT(Lines(Diagnose(api, kWeb, Issuing())),
              Contains("  awspcaclusterissuer.awspca.cert-manager.io/pca: is an external issuer, "
                       "which a controller of its own serves: is that running?"));
  EXPECT_EQ(api.asked().size(), 1U);
}

TEST(Diagnosis, AsksForNoNameThatIsNoName) {
  for (const char* name : {"../../secrets/db", "a?b", "", ".."}) {
    Api api;
    api.Lists(kRequests,
              {Request(kApproved, R"({"kind":"Issuer","name":)" + JsonQuote(name) + "}")});
    EXPECT_THAT(Lines(Diagnose(api, kWeb, Issuing())),
                Contains(StartsWith("! certificate/web: spec.issuerRef names no issuer")));
    EXPECT_EQ(api.asked().size(), 1U) << name;
  }
}

// --- ACME ---

std::string Order(const std::string& status) {
  return R"({"metadata":{"name":"web-1-77","uid":"u-order",
      "ownerReferences":[{"uid":"u-req","controller":true}]},"status":)" +
         status + "}";
}

std::string Challenge(const std::string& spec, const std::string& status) {
  return R"({"metadata":{"name":"web-1-77-9",
      "ownerReferences":[{"uid":"u-order","controller":true}]},"spec":)" +
         spec + R"(,"status":)" + status + "}";
}

Api AcmeWith(const std::string& order, const std::vector<std::string>& challenges) {
  Api api;
  api.Lists(kRequests,
            {Request(kApproved + "," +
                     Condition("Ready", "False", "Pending",
                               "Waiting on certificate issuance from order prod/web-1-77: "
                               "\"pending\""))})
      .Has(kVault, Ready("vault", R"("spec":{"acme":{}})"))
      .Lists(std::string(kAcme) + "orders", {order})
      .Lists(std::string(kAcme) + "challenges", challenges);
  return api;
}

TEST(Diagnosis, FindsTheChallengeThatSomethingElseAnswers) {
  Api api =
      AcmeWith(Order(R"({"state":"pending"})"),
               {Challenge(R"({"dnsName":"ok.example","type":"HTTP-01"})", R"({"state":"valid"})"),
                Challenge(R"({"dnsName":"web.example","type":"HTTP-01"})",
                          R"({"state":"pending","processing":true,"presented":true,
                     "reason":"Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'"})")});
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_EQ(diagnosis.Summary(kNow),
            "challenge/web-1-77-9: HTTP-01 for web.example is pending: Waiting for HTTP-01 "
            "challenge propagation: wrong status code '404', expected '200'");
  EXPECT_THAT(Lines(diagnosis), Contains("  order/web-1-77: is pending"));
  EXPECT_THAT(Lines(diagnosis).back(), HasSubstr("something else answers for this name"));
}

TEST(Diagnosis, FindsTheRecordThatIsNotSeenYet) {
  Api api = AcmeWith(Order(R"({"state":"pending"})"),
                     {Challenge(R"({"dnsName":"web.example","type":"DNS-01","wildcard":true})",
                                R"({"state":"pending","processing":true,"presented":true,
                     "reason":"Waiting for DNS-01 challenge propagation: DNS record for \"web.example\" not yet propagated"})")});
  const Diagnose diagnosis(api, kWeb, Issuing());
  EXPECT_THAT(diagnosis.Summary(kNow),
              HasSubstr("DNS-01 for *.web.example is pending: Waiting for DNS-01"));
  EXPECT_THAT(Lines(diagnosis).back(), HasSubstr("the TXT record is not seen yet"));
}

TEST(Diagnosis, TellsAChallengeThatIsNotBegunFromOneThatIsNotPresented) {
  Api api = AcmeWith(Order("{}"), {Challenge(R"({"dnsName":"a","type":"HTTP-01"})", "{}"),
                                   Challenge(R"({"dnsName":"b","type":"HTTP-01"})",
                                             R"({"state":"pending","processing":true})")});
  const std::vector<std::string> lines = Lines(Diagnose(api, kWeb, Issuing()));
  EXPECT_THAT(lines, Contains("  order/web-1-77: is not placed yet"));
  EXPECT_THAT(lines, Contains("! challenge/web-1-77-9: HTTP-01 for a is not begun yet"));
  EXPECT_THAT(lines, Contains("! challenge/web-1-77-9: HTTP-01 for b is pending, not presented "
                              "yet"));
}

TEST(Diagnosis, TellsWhyAnOrderFailed) {
  Api api = AcmeWith(
      Order(
          R"({"state":"errored","reason":"Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited"})"),
      {});
  EXPECT_EQ(Diagnose(api, kWeb, Issuing()).Summary(kNow),
            "order/web-1-77: is errored: Failed to create Order: 429 "
            "urn:ietf:params:acme:error:rateLimited");
}

TEST(Diagnosis, ShowsAFewOfManyChallenges) {
  const std::vector<std::string> many(
      30, Challenge(R"({"dnsName":"a","type":"HTTP-01"})", R"({"state":"pending"})"));
  Api api = AcmeWith(Order(R"({"state":"pending"})"), many);
  EXPECT_EQ(Lines(Diagnose(api, kWeb, Issuing())).back(), "  challenges: 25 more are open");
}

// --- what may not be read ---

TEST(Diagnosis, MakesAHintOfWhatMayNotBeReadAndGoesOn) {
  const std::string orders = std::string(kAcme) + "orders";
  const std::string challenges = std::string(kAcme) + "challenges";
  const auto lines = [&](const std::string& refused) {
    Api api = AcmeWith(Order(R"({"state":"pending"})"),
                       {Challenge(R"({"dnsName":"a","type":"DNS-01"})", "{}")});
    api.Refuses(refused);
    return Lines(Diagnose(api, kWeb, Issuing()));
  };
  EXPECT_THAT(lines(kRequests), Contains("? certificaterequests: not allowed to read "
                                         "certificaterequests.cert-manager.io: grant list to see "
                                         "more"));
  EXPECT_EQ(lines(kRequests).back(), "  clusterissuer/vault: is ready");
  EXPECT_THAT(lines(kVault), Contains("? clusterissuer/vault: not allowed to read "
                                      "clusterissuers.cert-manager.io: grant get to see more"));
  EXPECT_EQ(lines(kVault).back(), "! challenge/web-1-77-9: DNS-01 for a is not begun yet");
  EXPECT_EQ(lines(orders).back(),
            "? orders: not allowed to read orders.acme.cert-manager.io: grant list to see more");
  EXPECT_EQ(lines(challenges).back(),
            "? challenges: not allowed to read "
            "challenges.acme.cert-manager.io: grant list to see more");
}

TEST(Diagnosis, MakesAHintOfTypesThatAreNotServedAndOfNoAnswer) {
  const auto last = [](const ApiAnswer& answer) {
    Api api;
    api.Answers(kRequests, answer).Answers(kVault, answer);
    return Lines(Diagnose(api, kWeb, Issuing())).back();
  };
  EXPECT_EQ(last({404, "404 page not found\n", "", {}}),
            "? clusterissuer/vault: the API server does not serve clusterissuers.cert-manager.io");
  EXPECT_EQ(last({0, "", "connection refused", {}}),
            "? clusterissuer/vault: could not be read: connection refused");
  EXPECT_THAT(last({500, "<html>", "", {}}), EndsWith("could not be read: HTTP 500"));
  EXPECT_THAT(last({200, "<html>", "", {}}), HasSubstr("could not be read: not valid JSON"));
}

// --- external secrets ---

std::string ExternalSecret(const std::string& message) {
  return R"({"metadata":{"name":"db"},"spec":{"secretStoreRef":{"name":"vault"},
      "data":[{"secretKey":"password","remoteRef":{"key":"prod/db","property":"pw"}}],
      "dataFrom":[{"extract":{"key":"prod/all"}}]},
    "status":{"refreshTime":null,"conditions":[)" +
         Condition("Ready", "False", "SecretSyncedError", message) + "]}}";
}

TEST(Diagnosis, FindsTheStoreThatIsNotReady) {
  Api api;
  api.Has(std::string(kStores) + "secretstores/vault",
          R"({"metadata":{"name":"vault"},"status":{"conditions":[)" +
              Condition("Ready", "False", "InvalidProviderConfig",
                        "unable to log in to auth method: permission denied") +
              "]}}");
  const Diagnose diagnosis(api, kExternal,
                           ExternalSecret("could not get secret data from provider"));
  EXPECT_THAT(Lines(diagnosis),
              ElementsAre("! externalsecret/db: is not ready (SecretSyncedError): could not get "
                          "secret data from provider",
                          "  externalsecret/db: reads the keys prod/db#pw, prod/all",
                          "  externalsecret/db: was never synced",
                          "! secretstore/vault: is not ready (InvalidProviderConfig): unable to "
                          "log in to auth method: permission denied"));
}

TEST(Diagnosis, HasTheProvidersWordsOnAMissingKey) {
  Api api;
  api.Has(std::string(kStores) + "secretstores/vault", Ready("vault"));
  EXPECT_EQ(Diagnose(api, kExternal,
                     ExternalSecret("error processing spec.data[0] (key: prod/db), err: Secret "
                                    "does not exist"))
                .Summary(kNow),
            "is not ready (SecretSyncedError): error processing spec.data[0] (key: prod/db), err: "
            "Secret does not exist");
}

TEST(Diagnosis, NamesAMissingStoreOfTheOlderVersion) {
  Target target = kExternal;
  target.resource.version = "v1beta1";
  std::string object = ExternalSecret("could not get SecretStore");
  object.replace(object.find(R"("name":"vault")"), 14,
                 R"("kind":"ClusterSecretStore","name":"vault")");
  Api api;
  EXPECT_EQ(Diagnose(api, target, object).Summary(kNow),
            "clustersecretstore/vault: does not exist");
  EXPECT_THAT(api.asked(),
              ElementsAre("/apis/external-secrets.io/v1beta1/clustersecretstores/vault"));
}

// --- secrets: who fills them ---

const Target kSecret = TargetOf("", "v1", "secrets", "Secret", "web-tls");

TEST(Diagnosis, FindsTheCertificateThatIsToFillAMissingSecret) {
  Api api;
  api.Lists(std::string(kCertManager) + "certificates", {Refused()}).Has(kVault, Ready("vault"));
  EXPECT_THAT(Diagnose(api, kSecret, "").Summary(kNow),
              StartsWith("certificate/web: Vault role ai-ops-agent refused: "));
}

TEST(Diagnosis, SaysOfTheCertificateAndNotOfItsSecretThatItNamesNoIssuer) {
  Api api;
  api.Lists(std::string(kCertManager) + "certificates",
            {R"({"metadata":{"name":"web","uid":"c1"},"spec":{"secretName":"web-tls"}})"});
  EXPECT_THAT(Diagnose(api, kSecret, "").Summary(kNow),
              StartsWith("certificate/web: spec.issuerRef names no issuer"));
}

TEST(Diagnosis, SaysThatTwoCertificatesFillTheSameSecret) {
  Api api;
  api.Lists(std::string(kCertManager) + "certificates", {Refused(), Refused()});
  EXPECT_THAT(
      Lines(Diagnose(api, kSecret, "")),
      Contains("! secret/web-tls: 2 certificates fill it, undoing each other's work: web, web"));
}

TEST(Diagnosis, FindsTheExternalSecretOfAnOlderInstallation) {
  Api api;
  api.Answers(std::string(kStores) + "externalsecrets", {404, "404 page not found", "", {}})
      .Answers(std::string(kCertManager) + "certificates", {404, "404 page not found", "", {}})
      .Lists("/apis/external-secrets.io/v1beta1/namespaces/prod/externalsecrets",
             {ExternalSecret("no")});
  Target target = kSecret;
  target.name.name = "db";
  EXPECT_THAT(Lines(Diagnose(api, target, "")),
              ElementsAre("! secret/db: does not exist in namespace prod",
                          "! externalsecret/db: is not ready (SecretSyncedError): no",
                          "  externalsecret/db: reads the keys prod/db#pw, prod/all",
                          "  externalsecret/db: was never synced",
                          "! secretstore/vault: does not exist in namespace prod"));
}

TEST(Diagnosis, SaysThatNobodyFillsTheSecretOnlyIfAllCouldBeRead) {
  Api api;
  EXPECT_EQ(Lines(Diagnose(api, kSecret, "")).back(),
            "! secret/web-tls: no Certificate and no ExternalSecret of its namespace fills it");
  api.Refuses(std::string(kCertManager) + "certificates");
  EXPECT_THAT(Lines(Diagnose(api, kSecret, "")).back(), StartsWith("? certificates: not allowed"));
}

TEST(Diagnosis, NeverShowsASecretsData) {
  Api api;
  const Diagnose diagnosis(api, kSecret, R"({"metadata":{"name":"web-tls","annotations":{
        "cert-manager.io/certificate-name":"web"}},"data":{"tls.key":"c2VjcmV0"}})");
  EXPECT_THAT(Lines(diagnosis), Not(Contains(HasSubstr("c2VjcmV0"))));
  EXPECT_THAT(api.asked(), ElementsAre(std::string(kCertManager) + "certificates/web"));
}

// --- pods ---

std::string Pod(const std::string& name, const std::string& status) {
  return R"({"metadata":{"name":")" + name + R"("},"status":)" + status + "}";
}

const std::string kDb = R"({"metadata":{"name":"db"},"spec":{"selector":{"app":"db","tier":"a"}}})";
constexpr char kPods[] = "/api/v1/namespaces/prod/pods";

std::vector<std::string> LinesOfPods(const std::vector<std::string>& pods) {
  Api api;
  api.Lists(kPods, pods);
  return Lines(Diagnose(api, kService, kDb));
}

TEST(Diagnosis, TellsWhyEachPodOfAServiceIsNotReady) {
  EXPECT_THAT(
      LinesOfPods(
          {Pod("ok", R"({"conditions":[{"type":"Ready","status":"True"}]})"),
           Pod("pull", R"({"phase":"Pending","containerStatuses":[{"name":"c","state":{"waiting":
               {"reason":"ImagePullBackOff","message":"Back-off pulling image \"x\""}}}]})"),
           Pod("crash", R"({"phase":"Running","containerStatuses":[{"name":"c","state":{"waiting":
               {"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":1,
               "reason":"Error","message":"no such table\nusers"}}}]})"),
           Pod("probe", R"({"phase":"Running","containerStatuses":[{"name":"c","ready":false,
               "state":{"running":{}}}]})"),
           Pod("full", R"({"phase":"Pending","conditions":[{"type":"PodScheduled",
               "status":"False","reason":"Unschedulable","message":"0/3 nodes"}]})"),
           Pod("init", R"({"phase":"Pending","initContainerStatuses":[
               {"name":"a","state":{"terminated":{"exitCode":0}}},
               {"name":"b","state":{"running":{}}}],"containerStatuses":[{"name":"c",
               "state":{"waiting":{"reason":"PodInitializing"}}}]})")}),
      ElementsAre("  service/db: 1 of its 6 pods are ready",
                  "! pod/pull: container c waits (ImagePullBackOff): Back-off pulling image \"x\"",
                  "! pod/crash: container c waits (CrashLoopBackOff); before: exit code 1 "
                  "(Error): no such table users",
                  "! pod/probe: container c runs but is not ready: its readiness probe has not "
                  "succeeded",
                  "! pod/full: is not scheduled (Unschedulable): 0/3 nodes",
                  "! pod/init: init container b still runs"));
}

TEST(Diagnosis, TellsPodsThatEndFromThoseThatAreNew) {
  EXPECT_THAT(
      LinesOfPods({Pod("gone", R"({"phase":"Failed","reason":"Evicted","message":"disk"})"),
                   R"({"metadata":{"name":"going","deletionTimestamp":"x"}})", Pod("new", "{}")}),
      ElementsAre("  service/db: 0 of its 3 pods are ready", "! pod/gone: Failed (Evicted): disk",
                  "! pod/going: is being deleted", "! pod/new: is not ready"));
}

TEST(Diagnosis, SaysThatNoPodHasTheLabels) {
  Api api;
  EXPECT_EQ(Diagnose(api, kService, kDb).Summary(kNow),
            "there is no pod with its labels (app=db,tier=a)");
  EXPECT_THAT(api.asked(),
              ElementsAre(std::string(kPods) + "?limit=250&labelSelector=app%3Ddb%2Ctier%3Da"));
}

TEST(Diagnosis, AsksTheEndpointsIfThePodsMayNotBeRead) {
  Api api;
  api.Refuses(kPods).Has("/api/v1/namespaces/prod/endpoints/db",
                         R"({"metadata":{"name":"db"},"subsets":[{"notReadyAddresses":[
                             {"ip":"10.0.0.1","targetRef":{"name":"db-0"}},{"ip":"10.0.0.2"}]}]})");
  EXPECT_THAT(Lines(Diagnose(api, kService, kDb)),
              ElementsAre("? pods: not allowed to read pods: grant list to see more",
                          "! endpoints/db: 0 addresses are ready, 2 are not: db-0"));
}

TEST(Diagnosis, WalksFromEndpointsToTheServiceAndItsPods) {
  Api api;
  api.Has("/api/v1/namespaces/prod/services/db", kDb);
  EXPECT_THAT(Lines(Diagnose(api, TargetOf("", "v1", "endpoints", "Endpoints", "db"),
                             R"({"metadata":{"name":"db"}})")),
              ElementsAre("! endpoints/db: 0 addresses are ready, 0 are not",
                          "! endpoints/db: there is no pod with its labels (app=db,tier=a)"));
}

TEST(Diagnosis, WalksFromAWorkloadToItsPods) {
  Api api;
  const Target job = TargetOf("batch", "v1", "jobs", "Job", "migrate");
  api.Lists(kPods, {Pod("migrate-x", R"({"phase":"Running","containerStatuses":[{"name":"m",
                       "state":{"terminated":{"exitCode":3,"reason":"Error"}}}]})")});
  EXPECT_EQ(Diagnose(api, job,
                     R"({"metadata":{"name":"migrate"},"spec":{"selector":{"matchLabels":
                         {"job":"migrate"}}}})")
                .Summary(kNow),
            "pod/migrate-x: container m ended with exit code 3 (Error)");
}

// --- any kind, any JSON ---

TEST(Diagnosis, OfAnUnknownKindSaysNoMoreThanThatItIsMissing) {
  Api api;
  const Target widget = TargetOf("example.com", "v1", "widgets", "Widget", "w");
  EXPECT_EQ(Diagnose(api, widget, R"({"status":{"conditions":[]}})").Summary(kNow), "");
  EXPECT_EQ(Diagnose(api, widget, "").Summary(kNow), "does not exist in namespace prod");
}

TEST(Diagnosis, HasNothingToAskOfAReadyCertificate) {
  Api api;
  EXPECT_EQ(Diagnose(api, kWeb, Certificate(Condition("Ready", "True", "Ready", "up to date")))
                .Summary(kNow),
            "is ready");
  EXPECT_THAT(api.asked(), IsEmpty());
}

TEST(Diagnosis, StandsAnyJsonInAnyPlace) {
  const std::string odd[] = {"null",
                             "7",
                             "[]",
                             "{}",
                             "\"x\"",
                             "[[null]]",
                             R"([{"type":3}])",
                             R"([{"type":"Ready","status":"False","message":["x"]}])"};
  const std::string huge(100000, 'x');
  for (const char* plural : {"certificates", "certificaterequests", "orders", "challenges",
                             "externalsecrets", "services", "endpoints", "pods", "jobs"}) {
    for (const char* group :
         {"cert-manager.io", "acme.cert-manager.io", "external-secrets.io", "", "batch"}) {
      for (const std::string& value : odd) {
        const char* v = value.c_str();
        const std::string object =
            Format(R"({"metadata":%s,"spec":%s,"subsets":%s,"status":{"conditions":%s,)"
                   R"("containerStatuses":%s,"lastFailureTime":%s,"revision":%s}})",
                   v, v, v, v, v, v, v);
        Api api;
        const Target target = TargetOf(group, "v1", plural, "Kind", "n");
        EXPECT_LE(Lines(Diagnose(api, target, object)).size(), kMaxFindings);
        EXPECT_LE(Lines(Diagnose(api, target, "")).size(), kMaxFindings);
        const Diagnose diagnosis(api, target, R"({"status":)" + value + "}");
        EXPECT_LE(diagnosis.findings().size(), kMaxFindings);
      }
    }
  }
}

TEST(Diagnosis, StandsAnyJsonAsAnAnswer) {
  for (const char* body : {"[]", "{}", R"({"items":7})", R"({"items":[null,7,[],{}]})",
                           R"({"items":{"a":1}})", R"({"metadata":7,"items":[]})", "", "\xff"}) {
    for (const Target& target : {kWeb, kExternal, kService, kSecret}) {
      const std::string starts[] = {Issuing(), Refused(), ExternalSecret("no"), kDb, ""};
      for (const std::string& start : starts) {
        const Json object = start.empty() ? Json() : *ParseJson(start);
        Diagnosis diagnosis(target, start.empty() ? nullptr : &object, {});
        while (diagnosis.question() != nullptr) diagnosis.OnAnswer({200, body, "", {}});
        EXPECT_LE(diagnosis.findings().size(), kMaxFindings);
      }
    }
  }
}

TEST(Diagnosis, ShowsPrintableBoundedLinesOnly) {
  const std::string hostile = std::string("\x1b[31m\x07") + std::string(100000, 'x');
  std::string names;
  for (int i = 0; i < 2000; ++i)
    names += std::string(i == 0 ? "" : ",") + JsonQuote(hostile.substr(0, 50));
  Api api;
  api.Lists(kRequests,
            std::vector<std::string>(100, Request(Condition("Denied", "True", hostile, hostile))));
  const Diagnose diagnosis(
      api, kWeb,
      R"({"metadata":{"name":)" + JsonQuote(hostile) + R"(,"uid":"u-cert"},"spec":{"dnsNames":[)" +
          names + R"(]},"status":{"lastFailureTime":)" + JsonQuote(hostile) + R"(,"conditions":[)" +
          Condition("Issuing", "False", hostile, hostile) + "]}}");
  EXPECT_LE(diagnosis.findings().size(), kMaxFindings);
  for (const Finding& finding : diagnosis.findings()) {
    EXPECT_LE(finding.label.size() + finding.text.size(), 2000U);
    EXPECT_EQ(Printable(finding.label + finding.text, 5000), finding.label + finding.text);
    EXPECT_THAT(finding.text, Not(HasSubstr("\x1b")));
  }
  EXPECT_LE(diagnosis.hopeless().size(), 2000U);
  EXPECT_THAT(diagnosis.hopeless(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace certlatch
