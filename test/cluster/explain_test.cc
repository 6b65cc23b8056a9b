// `certlatch explain` on a real API server: the chains of cert-manager and external-secrets as
// their controllers leave them, and what is left of them where not all may be read.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kCertManager = "cert-manager.io/v1";
constexpr const char* kAcme = "acme.cert-manager.io/v1";
constexpr const char* kStores = "external-secrets.io/v1";

constexpr const char* kRefusal =
    "Vault failed to sign certificate: failed to sign certificate by vault: Error making API "
    "request.\n\nURL: POST http://vault.vault.svc.cluster.local:8200/v1/pki_int/sign/ai-ops-agent\n"
    "Code: 400. Errors:\n\n* subject alternate name ai-ops-agent not allowed by this role";

std::string Condition(const std::string& type, const std::string& status, const std::string& reason,
                      const std::string& message) {
  return R"({"type":")" + type + R"(","status":")" + status + R"(","reason":")" + reason +
         R"(","message":)" + JsonQuote(message) + "}";
}

std::string Status(const std::string& conditions, const std::string& more = "") {
  return R"({"status":{)" + more + R"("conditions":[)" + conditions + "]}}";
}

class ClusterExplain : public ClusterTest {
 protected:
  // Creates an object and sets its status; returns its uid.
  std::string Put(const char* group_version, const char* plural, const std::string& name,
                  const std::string& object, const std::string& status) {
    const std::string kind = KindOf(plural);
    Create(Path(group_version, plural), R"({"apiVersion":")" + std::string(group_version) +
                                            R"(","kind":")" + kind + R"(","metadata":{"name":")" +
                                            name + R"(")" + object + "}");
    Patch(Path(group_version, plural, name) + "/status", status);
    const Result<Json> made = ParseJson(api().Get(Path(group_version, plural, name)).body);
    return made ? std::string((*made)["metadata"]["uid"].AsString()) : "";
  }

  static std::string KindOf(std::string_view plural) {
    for (const char* kind : {"Certificate", "CertificateRequest", "Issuer", "Order", "Challenge",
                             "ExternalSecret", "SecretStore", "Pod"}) {
      if (plural == ToLower(kind) + "s") return kind;
    }
    return "";
  }

  static std::string OwnedBy(const std::string& kind, const std::string& name,
                             const std::string& uid) {
    return R"(,"ownerReferences":[{"apiVersion":"v1","kind":")" + kind + R"(","name":")" + name +
           R"(","uid":")" + uid + R"(","controller":true}])";
  }

  // The Certificate "web" with an Issuer called "ca", as its conditions say.
  std::string PutCertificate(const std::string& conditions, const std::string& more = "") {
    return Put(kCertManager, "certificates", "web",
               R"(},"spec":{"secretName":"web-tls","issuerRef":{"name":"ca"},
                   "dnsNames":["ai-ops-agent.default.svc.cluster.local","ai-ops-agent.corp.local",
                     "ai-ops-agent","ai-ops-agent.default","ai-ops-agent.default.svc"]})",
               Status(Condition("Ready", "False", "DoesNotExist",
                                "Issuing certificate as Secret does not exist") +
                          "," + conditions,
                      more));
  }
  std::string PutIssuing() {
    return PutCertificate(Condition("Issuing", "True", "DoesNotExist",
                                    "Issuing certificate as Secret does not exist"));
  }
  std::string PutRequest(const std::string& certificate_uid, const std::string& conditions) {
    return Put(kCertManager, "certificaterequests", "web-1",
               R"(,"annotations":{"cert-manager.io/certificate-revision":"1"})" +
                   OwnedBy("Certificate", "web", certificate_uid) +
                   R"(},"spec":{"issuerRef":{"name":"ca"}})",
               Status(conditions));
  }
  void PutIssuer(const std::string& spec, const std::string& ready) {
    Put(kCertManager, "issuers", "ca", R"(},"spec":)" + spec, Status(ready));
  }

  Outcome Explain(const std::vector<std::string>& arguments) const {
    return Ended(StartMode("explain", arguments));
  }
  static Outcome Ended(const Process& explain) {
    return explain == nullptr ? Outcome{} : explain->Wait(kPatience);
  }

  static const std::string kApproved;
  static const std::string kIssuerReady;
};

const std::string ClusterExplain::kApproved =
    Condition("Approved", "True", "cert-manager.io", "approved");
const std::string ClusterExplain::kIssuerReady = Condition("Ready", "True", "Checked", "");

TEST_F(ClusterExplain, TheNamesThatVaultRefuses) {
  const std::string failed =
      R"("lastFailureTime":"2026-03-01T11:54:00Z","failedIssuanceAttempts":1,)";
  const std::string uid = PutCertificate(
      Condition(
          "Issuing", "False", "Failed",
          std::string("The certificate request has failed to complete and will be retried: ") +
              kRefusal),
      failed);
  PutRequest(uid, kApproved + "," + Condition("Ready", "False", "Failed", kRefusal));
  PutIssuer(R"({"vault":{"path":"pki_int/sign/ai-ops-agent"}})", kIssuerReady);
  const Outcome outcome = Explain({"certificate/web"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.Describe();
  EXPECT_EQ(outcome.out,
            "certificate/web: is not ready (DoesNotExist): Issuing certificate as Secret does not "
            "exist\n"
            "    attempt 1 failed at 2026-03-01T11:54:00Z; the next issuance is at "
            "2026-03-01T12:54:00Z\n"
            "    Vault role ai-ops-agent refused: subject alternate name ai-ops-agent not allowed "
            "by this role (spec.dnsNames[2])\n"
            "    hint: Vault names only the first name that it refuses: compare all names of spec "
            "with the role's allowed_domains, allow_subdomains and allow_bare_domains\n"
            "  certificaterequest/web-1: failed, in the same words\n"
            "  issuer/ca: is ready\n");
  EXPECT_THAT(outcome.err, StartsWith("error: certificate/web: Vault role ai-ops-agent refused"));
  const Outcome as_json = Explain({"certificate/web", "-o=json"});
  const Result<Json> json = ParseJson(as_json.out);
  ASSERT_TRUE(json) << as_json.out;
  EXPECT_EQ((*json)["findings"].items().size(), 6U);
  // Fixed, and issued.
  Patch(CertificatePath("web") + "/status", Status(Condition("Ready", "True", "Ready", "")));
  const Outcome fixed = Explain({"certificate/web"});
  EXPECT_EQ(fixed.exit_code, 0) << fixed.err;
  EXPECT_EQ(fixed.out, "certificate/web: is ready\n");
  EXPECT_EQ(fixed.err, "");
}

TEST_F(ClusterExplain, AChallengeThatIsStuckFromTheSecretThatItHolds) {
  const std::string uid = PutIssuing();
  const std::string request = PutRequest(
      uid,
      kApproved + "," + Condition("Ready", "False", "Pending", "Waiting on certificate issuance"));
  PutIssuer(R"({"acme":{"server":"https://acme.example"}})", kIssuerReady);
  const std::string order =
      Put(kAcme, "orders", "web-1-77", OwnedBy("CertificateRequest", "web-1", request) + "}",
          R"({"status":{"state":"pending"}})");
  Put(kAcme, "challenges", "web-1-77-9",
      OwnedBy("Order", "web-1-77", order) +
          R"(},"spec":{"type":"HTTP-01","dnsName":"web.example.com"})",
      R"({"status":{"state":"pending","processing":true,"presented":true,
          "reason":"Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'"}})");
  const Outcome outcome = Explain({"secret/web-tls"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "secret/web-tls: does not exist in namespace " + ns() +
                             "\n"
                             "  certificate/web: is not ready (DoesNotExist): Issuing certificate "
                             "as Secret does not exist\n"
                             "      is being issued\n"
                             "  certificaterequest/web-1: waits: Waiting on certificate issuance\n"
                             "  issuer/ca: is ready\n"
                             "  order/web-1-77: is pending\n"
                             "  challenge/web-1-77-9: HTTP-01 for web.example.com is pending: "
                             "Waiting for HTTP-01 challenge propagation: wrong status code '404', "
                             "expected '200'\n"
                             "      hint: something else answers for this name: see that its DNS "
                             "record and the Ingress class lead to the solver of cert-manager\n");
}

TEST_F(ClusterExplain, AnApproverThatIsNotThere) {
  PutRequest(PutIssuing(), "");
  PutIssuer("{}", kIssuerReady);
  const Outcome outcome = Explain({"certificate/web"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("\n  certificaterequest/web-1: nobody has approved it: is an "
                                     "approver running?\n  issuer/ca: is ready\n"));
}

TEST_F(ClusterExplain, AnIssuerThatIsMissing) {
  PutRequest(PutIssuing(), kApproved);
  const Outcome outcome = Explain({"certificate/web"});
  EXPECT_THAT(outcome.out, HasSubstr("\n  issuer/ca: does not exist in namespace " + ns() + "\n"));
  EXPECT_EQ(outcome.err,
            "error: certificate/web: issuer/ca: does not exist in namespace " + ns() + "\n");
}

TEST_F(ClusterExplain, AStoreThatIsNotReady) {
  Put(kStores, "externalsecrets", "db",
      R"(},"spec":{"secretStoreRef":{"name":"vault","kind":"SecretStore"},
          "data":[{"secretKey":"password","remoteRef":{"key":"prod/db","property":"pw"}}]})",
      Status(Condition("Ready", "False", "SecretSyncedError", "could not get provider client")));
  Put(kStores, "secretstores", "vault", R"(},"spec":{"provider":{"vault":{}}})",
      Status(Condition("Ready", "False", "InvalidProviderConfig",
                       "unable to log in to auth method: permission denied")));
  const std::string chain =
      ": is not ready (SecretSyncedError): could not get provider client\n"
      "    reads the keys prod/db#pw\n"
      "    was never synced\n"
      "  secretstore/vault: is not ready (InvalidProviderConfig): unable to log in to auth method: "
      "permission denied\n";
  for (const char* type : {"externalsecret", "externalsecrets.v1beta1.external-secrets.io"}) {
    const Outcome outcome = Explain({std::string(type) + "/db"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "externalsecret/db" + chain) << type;
  }
}

TEST_F(ClusterExplain, AServiceWhosePodsAreNotReady) {
  Create(Path("v1", "services"), R"({"metadata":{"name":"db"},"spec":{"selector":{"app":"db"},
                                     "ports":[{"port":5432}]}})");
  Create(Path("v1", "serviceaccounts"), R"({"metadata":{"name":"default"}})");
  Create(Path("v1", "pods"), R"({"metadata":{"name":"db-0","labels":{"app":"db"}},"spec":{
      "automountServiceAccountToken":false,"containers":[{"name":"db","image":"db"}]}})");
  Patch(Path("v1", "pods", "db-0") + "/status",
        R"({"status":{"phase":"Pending","containerStatuses":[{"name":"db","image":"db","imageID":"",
            "ready":false,"restartCount":0,"state":{"waiting":{"reason":"ImagePullBackOff",
            "message":"Back-off pulling image"}}}]}})");
  for (const char* target : {"service/db", "service/db:5432"}) {
    const Outcome outcome = Explain({target});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out,
              std::string(target) +
                  ": no ready endpoint on port 5432 (0 ready, 0 not ready)\n"
                  "    0 of its 1 pods are ready\n"
                  "  pod/db-0: container db waits (ImagePullBackOff): Back-off pulling image\n");
  }
  const Outcome pod = Explain({"pod/db-0"});
  EXPECT_EQ(pod.exit_code, 1);
  EXPECT_EQ(pod.out, "pod/db-0: container db waits (ImagePullBackOff): Back-off pulling image\n");
}

TEST_F(ClusterExplain, AsFarAsItMayRead) {
  PutRequest(PutIssuing(), kApproved);
  Create(Path("v1", "serviceaccounts"), R"({"metadata":{"name":"pod"}})");
  Create(Path("rbac.authorization.k8s.io/v1", "roles"),
         R"({"metadata":{"name":"reads"},"rules":[{"apiGroups":["cert-manager.io"],
             "resources":["certificates"],"verbs":["get"]}]})");
  Create(Path("rbac.authorization.k8s.io/v1", "rolebindings"),
         R"({"metadata":{"name":"reads"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io",
             "kind":"Role","name":"reads"},"subjects":[{"kind":"ServiceAccount","name":"pod"}]})");
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.File("token"), api().TokenFor(ns(), "pod")));
  const std::vector<std::string> pod = {"--token-file=" + dir.File("token")};
  // The API server's authorizer learns of Roles by its own watches: a moment later.
  Outcome outcome;
  EXPECT_TRUE(Eventually([&] {
    outcome = Ended(StartMode("explain", pod, {"certificate/web"}));
    return !outcome.out.empty() && outcome.err.find("forbidden") == std::string::npos;
  })) << outcome.err;
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out,
            "certificate/web: is not ready (DoesNotExist): Issuing certificate as Secret does not "
            "exist\n"
            "    is being issued\n"
            "  certificaterequests: hint: not allowed to read "
            "certificaterequests.cert-manager.io: grant list to see more\n"
            "  issuer/ca: hint: not allowed to read issuers.cert-manager.io: grant get to see "
            "more\n");
  const Outcome closed = Ended(StartMode("explain", pod, {"secret/web-tls", "-o", "json"}));
  EXPECT_EQ(closed.exit_code, 1);
  EXPECT_THAT(closed.err, StartsWith("error: secret/web-tls: secrets \"web-tls\" is forbidden: "));
  EXPECT_THAT(closed.err, HasSubstr("cannot get resource \"secrets\""));
  const Result<Json> json = ParseJson(closed.out);
  ASSERT_TRUE(json) << closed.out;
  EXPECT_EQ((*json)["ready"].AsBool(), false);
  EXPECT_THAT(std::string((*json)["reason"].AsString()), HasSubstr("cannot get"));
}

TEST_F(ClusterExplain, AsJsonOneObjectALineAndNothingElseOnStdout) {
  PutIssuing();
  const Outcome outcome = Explain({"certificate/web", "certificate/nope", "-o=json", "-v=1"});
  EXPECT_EQ(outcome.exit_code, 1);
  const std::vector<std::string_view> lines = Split(Trim(outcome.out), '\n');
  ASSERT_EQ(lines.size(), 2U) << outcome.out;
  const Result<Json> web = ParseJson(lines[0]);
  const Result<Json> nope = ParseJson(lines[1]);
  ASSERT_TRUE(web && nope) << outcome.out;
  EXPECT_EQ((*web)["target"].AsString(), "certificate/web");
  EXPECT_EQ((*web)["namespace"].AsString(), ns());
  EXPECT_EQ((*nope)["summary"].AsString(), "does not exist in namespace " + ns());
  EXPECT_THAT(outcome.out, Not(HasSubstr("GET")));
}

}  // namespace
}  // namespace certlatch::test
