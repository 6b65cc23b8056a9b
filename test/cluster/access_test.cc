// What a pod's ServiceAccount must be allowed, and what certlatch says where it is not; and the
// other ways to say who one is.

#include <gtest/gtest.h>

#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

struct Grant {
  std::string group;  // "": core
  std::string plural;
  std::string name;
  std::vector<std::string> verbs;
};

class ClusterAccounts : public ClusterTest {
 protected:
  // Flags that make certlatch the ServiceAccount "pod", which holds exactly `grants`.
  std::vector<std::string> ActAs(const std::vector<Grant>& grants);

 private:
  void Bind(const std::vector<Grant>& grants);
  bool Allowed(const Grant& grant, const std::string& verb);

  TempDir dir_;
};

std::string Verbs(const std::vector<std::string>& verbs) {
  std::string list;
  for (const std::string& verb : verbs) list += (list.empty() ? "\"" : ",\"") + verb + "\"";
  return "[" + list + "]";
}

std::vector<std::string> ClusterAccounts::ActAs(const std::vector<Grant>& grants) {
  Create(Path("v1", "serviceaccounts"), R"({"metadata":{"name":"pod"}})");
  if (!grants.empty()) Bind(grants);
  for (const Grant& grant : grants) {
    for (const std::string& verb : grant.verbs) {
      EXPECT_TRUE(Eventually([&] { return Allowed(grant, verb); })) << verb << " " << grant.plural;
    }
  }
  const std::string token = api().TokenFor(ns(), "pod");
  EXPECT_NE(token, "");
  EXPECT_TRUE(WriteFile(dir_.File("token"), token + "\n"));
  return {"--token-file=" + dir_.File("token")};
}

void ClusterAccounts::Bind(const std::vector<Grant>& grants) {
  std::string rules;
  for (const Grant& grant : grants) {
    if (!rules.empty()) rules += ",";
    rules += R"({"apiGroups":[")" + grant.group + R"("],"resources":[")" + grant.plural +
             R"("],"resourceNames":[")" + grant.name + R"("],"verbs":)" + Verbs(grant.verbs) + "}";
  }
  Create(Path("rbac.authorization.k8s.io/v1", "roles"),
         R"({"metadata":{"name":"waits"},"rules":[)" + rules + "]}");
  Create(Path("rbac.authorization.k8s.io/v1", "rolebindings"),
         R"({"metadata":{"name":"waits"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io",
             "kind":"Role","name":"waits"},"subjects":[{"kind":"ServiceAccount","name":"pod",
             "namespace":")" +
             ns() + R"("}]})");
}

// The API server's authorizer learns of Roles by its own watches: a moment later.
bool ClusterAccounts::Allowed(const Grant& grant, const std::string& verb) {
  const Response response =
      api().Post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                 R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":
                     {"user":"system:serviceaccount:)" +
                     ns() + R"(:pod","resourceAttributes":{"namespace":")" + ns() +
                     R"(","group":")" + grant.group + R"(","resource":")" + grant.plural +
                     R"(","name":")" + grant.name + R"(","verb":")" + verb + R"("}}})");
  const Result<Json> review = ParseJson(response.body);
  return review && (*review)["status"]["allowed"].AsBool().value_or(false);
}

size_t Occurrences(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

const std::vector<std::string> kReadVerbs = {"get", "list", "watch"};

TEST_F(ClusterAccounts, GetListAndWatchOfTheNamedObjectsSuffice) {
  const std::vector<std::string> pod =
      ActAs({{"cert-manager.io", "certificates", "web", kReadVerbs},
             {"", "secrets", "web-tls", kReadVerbs},
             {"", "endpoints", "api", kReadVerbs}});
  const Process wait = StartWaitAs(pod, {"certificate/web", "secret/web-tls", "endpoints/api"});
  ExpectSays(wait, "certificate/web: not found yet");
  ExpectSays(wait, "secret/web-tls: not found yet");
  ExpectSays(wait, "endpoints/api: not found yet");
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  const std::string certificate = "certificate.cert-manager.io/web condition met\n";
  ASSERT_TRUE(wait->WaitForStdout(certificate, kPatience)) << wait->Err();
  const CertAuthority ca;
  const PemPair pair = ca.Issue({});
  Create(Path("v1", "secrets"),
         R"({"metadata":{"name":"web-tls"},"type":"kubernetes.io/tls","stringData":{"tls.crt":)" +
             JsonQuote(pair.cert) + R"(,"tls.key":)" + JsonQuote(pair.key) + "}}");
  ASSERT_TRUE(wait->WaitForStdout("secret/web-tls condition met\n", kPatience)) << wait->Err();
  Create(Path("v1", "endpoints"), R"({"metadata":{"name":"api"},"subsets":[{"addresses":
      [{"ip":"10.1.2.3"}],"ports":[{"port":443}]}]})");
  ExpectMet(wait, certificate + "secret/web-tls condition met\nendpoints/api condition met\n");
  EXPECT_EQ(wait->Err().find("forbidden"), std::string::npos) << wait->Err();
}

TEST_F(ClusterAccounts, WithGetAloneItPollsAndWarnsOnce) {
  const auto pod = ActAs({{"cert-manager.io", "certificates", "web", {"get"}}});
  const Process wait = StartWaitAs(pod, {"certificate/web"});
  ExpectSays(wait, "cannot watch certificates.cert-manager.io, polling every 2s instead");
  ExpectSays(wait, "certificate/web: not found yet");
  CreateCertificate("web");
  ExpectSays(wait, "has no condition Ready yet");
  SetCertificateReady("web", "False");
  ExpectSays(wait, "Ready is False");
  SetCertificateReady("web", "True");
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
  EXPECT_EQ(Occurrences(wait->Err(), "polling every 2s"), 1U) << wait->Err();
}

TEST_F(ClusterAccounts, WithGetAndWatchItNeedsNoList) {
  const auto pod = ActAs({{"cert-manager.io", "certificates", "web", {"get", "watch"}}});
  const Process wait = StartWaitAs(pod, {"certificate/web"});
  ExpectSays(wait, "certificate/web: not found yet");
  CreateCertificate("web");
  ExpectSays(wait, "has no condition Ready yet");
  Delete(CertificatePath("web"));
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
  EXPECT_EQ(wait->Err().find("cannot watch"), std::string::npos) << wait->Err();
}

TEST_F(ClusterAccounts, WithNothingItEndsAtOnceAndNamesVerbAndResource) {
  const Process wait = StartWaitAs(ActAs({}), {"certificate/web"});
  const Outcome outcome = wait->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.Describe();
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "error: certificate/web: certificates.cert-manager.io \"web\" is forbidden: User "
            "\"system:serviceaccount:" +
                ns() +
                ":pod\" cannot get resource \"certificates\" in API group \"cert-manager.io\" in "
                "the namespace \"" +
                ns() + "\"\n");
}

TEST_F(ClusterAccounts, WithRetryForbiddenItWaitsForTheRole) {
  std::vector<std::string> pod = ActAs({});
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  const Process wait = StartWaitAs(pod, {"certificate/web", "--retry-forbidden"});
  ExpectSays(wait, "cannot get resource \"certificates\"");
  Create(Path("rbac.authorization.k8s.io/v1", "rolebindings"),
         R"({"metadata":{"name":"all"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io",
             "kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"ServiceAccount",
             "name":"pod","namespace":")" +
             ns() + R"("}]})");
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

TEST_F(ClusterAccounts, AClientCertificateIsEnough) {
  CreateCertificate("web");
  const Process wait = StartWaitAs({"--client-certificate=" + access().admin_cert_file,
                                    "--client-key=" + access().admin_key_file},
                                   {"certificate/web"});
  ExpectSays(wait, "has no condition Ready yet");
  SetCertificateReady("web", "True");
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

TEST_F(ClusterAccounts, ATokenThatTheServerDoesNotKnowEndsTheWaitAtOnce) {
  const Process wait = StartWaitAs({"--token=nobody"}, {"certificate/web"});
  const Outcome outcome = wait->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.Describe();
  EXPECT_NE(outcome.err.find("does not accept these credentials"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(outcome.err.find("nobody"), std::string::npos) << outcome.err;
}

TEST_F(ClusterAccounts, ATokenFileThatIsReplacedByAGoodOneInMidWaitIsRead) {
  const auto pod = ActAs({{"cert-manager.io", "certificates", "web", kReadVerbs}});
  const std::string token_file = pod[0].substr(pod[0].find('=') + 1);
  const std::string token = api().TokenFor(ns(), "pod");
  ASSERT_TRUE(WriteFile(token_file, "expired"));
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  const Process wait = StartWaitAs(pod, {"certificate/web"});
  ExpectSays(wait, "does not accept the token");
  ASSERT_TRUE(WriteFile(token_file, token));
  ExpectMet(wait, "certificate.cert-manager.io/web condition met\n");
}

}  // namespace
}  // namespace certlatch::test
