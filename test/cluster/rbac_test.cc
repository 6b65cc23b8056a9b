// `certlatch rbac` prints what a command needs, and no more: the API server is given just that,
// the command runs with it as its ServiceAccount, and fails with any one rule taken away.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/text.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRbac = "rbac.authorization.k8s.io/v1";

// The rules of a role as JSON texts.
std::vector<std::string> RulesOf(const Json& role) {
  std::vector<std::string> rules;
  for (const Json& rule : role["rules"].items()) {
    std::string text;
    for (const char* key : {"apiGroups", "resources", "resourceNames", "verbs"}) {
      std::string list;
      for (const Json& word : rule[key].items()) {
        list += (list.empty() ? "" : ",") + JsonQuote(word.AsString());
      }
      if (!list.empty())
        text += (text.empty() ? "\"" : ",\"") + std::string(key) + "\":[" + list + "]";
    }
    rules.push_back("{" + text + "}");
  }
  return rules;
}

std::string AllBut(const std::vector<std::string>& rules, size_t left_out) {
  std::string text;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (i != left_out) text += (text.empty() ? "" : ",") + rules[i];
  }
  return R"({"rules":[)" + text + "]}";
}

class Rbac : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Create(Path("v1", "serviceaccounts"), R"({"metadata":{"name":"pod"}})");
    const std::string token = api().TokenFor(ns(), "pod");
    ASSERT_NE(token, "");
    ASSERT_TRUE(WriteFile(dir_.File("token"), token + "\n"));
  }

  // What `certlatch rbac MODE ARGUMENTS` says: roles and bindings by turns.
  std::vector<std::string> Documents(const std::string& mode,
                                     const std::vector<std::string>& arguments) {
    Command command;
    command.path = CertlatchBinary();
    command.env = environment;
    command.argv = {"certlatch", "rbac", "--service-account=pod", mode, "--namespace=" + ns()};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    const Result<Outcome> outcome = RunProgram(std::move(command), kPatience);
    EXPECT_TRUE(outcome && outcome->exit_code == 0) << (outcome ? outcome->Describe() : "");
    std::vector<std::string> documents;
    std::string rest = outcome ? outcome->out : "";
    for (size_t end = 0; end != std::string::npos; rest.erase(0, end + 4)) {
      end = rest.find("---\n");
      documents.push_back(rest.substr(0, end));
      if (end == std::string::npos) break;
    }
    return documents;
  }

  // Gives that to "pod".
  void Grant(const std::string& mode, const std::vector<std::string>& arguments) {
    for (const std::string& document : Documents(mode, arguments)) {
      const bool binding = document.find("kind: RoleBinding") != std::string::npos ||
                           document.find("kind: ClusterRoleBinding") != std::string::npos;
      const bool cluster = document.find("\nkind: Cluster") != std::string::npos;
      const std::string plural =
          std::string(cluster ? "cluster" : "") + (binding ? "rolebindings" : "roles");
      const std::string path =
          cluster ? "/apis/" + std::string(kRbac) + "/" + plural : Path(kRbac, plural);
      const Response response = api().PostYaml(path, document);
      EXPECT_EQ(response.status, 201) << document << response.body;
    }
  }

  // Creates an object and sets its status; returns its uid.
  std::string Put(const char* group_version, const char* kind, const std::string& metadata,
                  const char* spec, const char* status) {
    const std::string plural = ToLower(kind) + "s";
    const Response made =
        api().Post(Path(group_version, plural),
                   Format(R"({"apiVersion":"%s","kind":"%s","metadata":{%s},"spec":%s})",
                          group_version, kind, metadata.c_str(), spec));
    EXPECT_EQ(made.status, 201) << made.body;
    const Result<Json> object = ParseJson(made.body);
    if (!object) return "";
    const std::string name((*object)["metadata"]["name"].AsString());
    Patch(Path(group_version, plural, name) + "/status", Format(R"({"status":%s})", status));
    return std::string((*object)["metadata"]["uid"].AsString());
  }
  static std::string OwnedBy(const std::string& uid) {
    return R"(,"ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","controller":true,"uid":")" +
           uid + R"("}])";
  }

  // Runs it once to its end.
  Outcome Run(const std::string& mode, const std::vector<std::string>& arguments) {
    return StartMode(mode, {"--token-file=" + dir_.File("token")}, arguments)->Wait(kPatience);
  }

  // It succeeds with the rules of the Role, and with none of them missing.
  void ExpectExactlyEnough(
      const std::string& mode, const std::vector<std::string>& arguments,
      const std::function<void()>& before_each = [] {}) {
    const std::string path = Path(kRbac, "roles", "certlatch");
    const auto role = ParseJson(api().Get(path).body);
    ASSERT_TRUE(role);
    const std::vector<std::string> rules = RulesOf(*role);
    ASSERT_FALSE(rules.empty());
    for (size_t left_out = 0; left_out <= rules.size(); ++left_out) {
      const bool whole = left_out == rules.size();
      Patch(path, AllBut(rules, left_out));
      Outcome last;
      // The authorizer learns of it a moment later.
      const bool as_expected = Eventually([&] {
        before_each();
        last = Run(mode, arguments);
        return (last.exit_code == 0) == whole;
      });
      EXPECT_TRUE(as_expected) << "without " << (whole ? "nothing" : rules[left_out]) << ": "
                               << last.Describe();
      EXPECT_THAT(whole ? "forbidden" : last.err, HasSubstr("forbidden"));
    }
  }

  void CreatePair(const std::string& name) {
    const CertAuthority ca;
    const PemPair pair = ca.Issue({});
    Create(Path("v1", "secrets"), R"({"metadata":{"name":")" + name +
                                      R"("},"type":"kubernetes.io/tls","stringData":{"tls.crt":)" +
                                      JsonQuote(pair.cert) + R"(,"tls.key":)" +
                                      JsonQuote(pair.key) + "}}");
  }

  TempDir dir_;
};

TEST_F(Rbac, IsExactlyEnoughForAWait) {
  CreateCertificate("web");
  SetCertificateReady("web", "True");
  CreatePair("web-tls");
  Create(Path("v1", "services"),
         R"({"metadata":{"name":"api"},"spec":{"clusterIP":"None","ports":[{"port":443}]}})");
  Create(Path("discovery.k8s.io/v1beta1", "endpointslices"),
         R"({"metadata":{"name":"api-1","labels":{"kubernetes.io/service-name":"api"}},
             "addressType":"IPv4","endpoints":[{"addresses":["10.1.2.3"]}],
             "ports":[{"name":"","port":443}]})");
  const std::vector<std::string> arguments = {"certificate/web", "secret/web-tls", "service/api",
                                              "--timeout=20s"};
  Grant("wait", arguments);
  ExpectExactlyEnough("wait", arguments);
}

TEST_F(Rbac, IsExactlyEnoughForADryRun) {
  const std::string file = dir_.File("probe.json");
  ASSERT_TRUE(
      WriteFile(file, R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"probe"}})"));
  const std::vector<std::string> arguments = {"dry-run:" + file, "--timeout=20s"};
  Grant("wait", arguments);
  ExpectExactlyEnough("wait", arguments);
}

TEST_F(Rbac, IsExactlyEnoughToWriteASecret) {
  CreatePair("web-tls");
  const std::vector<std::string> arguments = {"--write=" + dir_.path() + "/files=secret/web-tls",
                                              "--timeout=20s"};
  ASSERT_EQ(mkdir((dir_.path() + "/files").c_str(), 0700), 0);
  Grant("wait", arguments);
  ExpectExactlyEnough("wait", arguments);
}

TEST_F(Rbac, IsExactlyEnoughToPublishAndToCheck) {
  CreatePair("web-tls");
  const std::vector<std::string> arguments = {"--lease=web", "--secret=web-tls", "--create",
                                              "--once", "--timeout=3s"};
  Grant("publish", arguments);
  const std::string lease = Path("coordination.k8s.io/v1", "leases", "web");
  // Without a Lease it must be created; a right to change it is needed by the next certificate.
  const std::string path = Path(kRbac, "roles", "certlatch");
  const auto role = ParseJson(api().Get(path).body);
  ASSERT_TRUE(role);
  EXPECT_THAT(
      RulesOf(*role),
      ::testing::ElementsAre(
          R"({"apiGroups":[""],"resources":["secrets"],"resourceNames":["web-tls"],"verbs":["list","watch"]})",
          R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"resourceNames":["web"],"verbs":["list","watch","patch"]})",
          R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["create"]})"));
  ExpectExactlyEnough("publish", arguments, [&] { (void)api().Delete(lease); });
}

// A status update keeps annotations: "pods/status" is all that --nudge needs, of our own pod.
TEST_F(Rbac, IsExactlyEnoughForAMountedSecretAndItsNudge) {
  CreatePair("web-tls");
  Create(Path("v1", "pods"), R"({"metadata":{"name":"web-0"},"spec":{"serviceAccountName":"pod",
      "automountServiceAccountToken":false,"containers":[{"name":"c","image":"i"}]}})");
  const TempDir volume;
  const std::vector<std::string> arguments = {"--mounted=" + volume.path() + "=secret/web-tls",
                                              "--nudge", "--timeout=60s"};
  environment = {"POD_NAME=web-0", "POD_NAMESPACE=" + ns()};
  Grant("wait", arguments);
  const std::string role_path = Path(kRbac, "roles", "certlatch");
  const auto role = ParseJson(api().Get(role_path).body);
  ASSERT_TRUE(role);
  const std::vector<std::string> rules = RulesOf(*role);
  EXPECT_THAT(
      rules,
      ::testing::ElementsAre(
          R"({"apiGroups":[""],"resources":["secrets"],"resourceNames":["web-tls"],"verbs":["list","watch"]})",
          R"({"apiGroups":[""],"resources":["pods/status"],"resourceNames":["web-0"],"verbs":["patch"]})"));
  const auto nudged = [&] {
    const auto pod = ParseJson(api().Get(Path("v1", "pods", "web-0")).body);
    return pod ? std::string((*pod)["metadata"]["annotations"]["certlatch.io/nudge"].AsString())
               : "";
  };
  // The authorizer learns of a new role a moment later.
  const auto start = [&] {
    return StartMode("wait", {"--token-file=" + dir_.File("token"), "--retry-forbidden"},
                     arguments);
  };
  const Process allowed = start();
  EXPECT_TRUE(Eventually([&] { return !nudged().empty(); })) << allowed->Err();
  ExpectSays(allowed, "secret/web-tls is not mounted yet; the kubelet has been asked to sync");

  Patch(role_path, AllBut(rules, 1));
  const Process denied = start();
  ExpectSays(denied, "secret/web-tls is not mounted yet; the kubelet has been asked to sync");
  ExpectSays(denied, "--nudge: HTTP 403: pods \"web-0\" is forbidden");
}

// Explain goes on without what it may not read: it says so.
TEST_F(Rbac, IsExactlyEnoughForExplainToWalkTheWholeChain) {
  constexpr const char* kManager = "cert-manager.io/v1";
  constexpr const char* kAcme = "acme.cert-manager.io/v1";
  constexpr const char* kPending = R"({"state":"pending"})";
  constexpr const char* kIssuerRef = R"({"secretName":"s","issuerRef":{"name":"ca"}})";
  Put(kManager, "Issuer", R"("name":"ca")", R"({"acme":{}})",
      R"({"conditions":[{"type":"Ready","status":"True"}]})");
  const std::string certificate = Put(kManager, "Certificate", R"("name":"web")", kIssuerRef,
                                      R"({"conditions":[{"type":"Issuing","status":"True"}]})");
  const std::string request =
      Put(kManager, "CertificateRequest",
          R"("name":"web-1","annotations":{"cert-manager.io/certificate-revision":"1"})" +
              OwnedBy(certificate),
          kIssuerRef, R"({"conditions":[{"type":"Approved","status":"True"}]})");
  const std::string order =
      Put(kAcme, "Order", R"("name":"web-1-7")" + OwnedBy(request), "{}", kPending);
  Put(kAcme, "Challenge", R"("name":"web-1-7-9")" + OwnedBy(order), R"({"type":"HTTP-01"})",
      kPending);
  const std::vector<std::string> arguments = {"certificate/web"};
  Grant("explain", arguments);
  const std::string whole = StartMode("explain", arguments)->Wait(kPatience).out;
  EXPECT_THAT(whole, HasSubstr("challenge/web-1-7-9: HTTP-01"));
  const std::string path = Path(kRbac, "roles", "certlatch");
  const auto role = ParseJson(api().Get(path).body);
  ASSERT_TRUE(role);
  const std::vector<std::string> rules = RulesOf(*role);
  EXPECT_EQ(rules.size(), 5U);
  for (size_t left_out = 0; left_out <= rules.size(); ++left_out) {
    Patch(path, AllBut(rules, left_out));
    Outcome last;
    // The authorizer learns of it a moment later.
    EXPECT_TRUE(Eventually([&] {
      last = Run("explain", arguments);
      return left_out == rules.size() ? last.out == whole
                                      : last.out.find("not allowed") != std::string::npos ||
                                            last.err.find("forbidden") != std::string::npos;
    })) << left_out
        << last.Describe();
  }
  const auto shared = ParseJson(
      api().Get("/apis/" + std::string(kRbac) + "/clusterroles/" + ns() + "-certlatch").body);
  ASSERT_TRUE(shared);
  EXPECT_THAT(
      RulesOf(*shared),
      ::testing::ElementsAre(
          R"({"apiGroups":["cert-manager.io"],"resources":["clusterissuers"],"verbs":["get"]})"));
}

}  // namespace
}  // namespace certlatch::test
