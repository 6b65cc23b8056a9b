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

  // Gives "pod" what `certlatch rbac MODE ARGUMENTS` says.
  void Grant(const std::string& mode, const std::vector<std::string>& arguments) {
    Command command;
    command.path = CertlatchBinary();
    command.env = environment;
    command.argv = {"certlatch", "rbac", "--service-account=pod", mode, "--namespace=" + ns()};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    auto process = Subprocess::Start(std::move(command));
    ASSERT_TRUE(process) << process.error().text;
    const Outcome outcome = (*process)->Wait(kPatience);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.Describe();
    const size_t binding = outcome.out.find("---\n");
    ASSERT_NE(binding, std::string::npos) << outcome.out;
    Post("roles", outcome.out.substr(0, binding));
    Post("rolebindings", outcome.out.substr(binding + 4));
  }

  void Post(const std::string& plural, const std::string& yaml) {
    const Response response = api().PostYaml(Path(kRbac, plural), yaml);
    EXPECT_EQ(response.status, 201) << yaml << response.body;
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

}  // namespace
}  // namespace certlatch::test
