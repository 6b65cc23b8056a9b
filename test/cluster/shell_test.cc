// Under the name sh, the wait loops of an init container run as they are, against the real API
// server: how to reach it comes from variables, since there is no pod here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

using ::testing::HasSubstr;

class ClusterShell : public ClusterTest {
 protected:
  // `sh -c SCRIPT`; "kubectl" in it is told where the API server is.
  Process Sh(std::string script, const char* options = "-c") const {
    const std::string flags =
        "kubectl --server=$API --certificate-authority=$CA --token=$TOKEN -n $NS";
    for (size_t at = 0; (at = script.find("kubectl", at)) != std::string::npos;
         at += flags.size()) {
      script.replace(at, 7, flags);
    }
    Command command;
    command.path = CertlatchBinary();
    command.argv = {"sh", options, script};
    command.env = {"API=" + access().url, "CA=" + access().ca_file, "NS=" + ns(),
                   "TOKEN=" + access().admin_token};
    Result<Process> process = Subprocess::Start(std::move(command));
    EXPECT_TRUE(process) << process.error().text;
    return process ? *std::move(process) : nullptr;
  }
  static void ExpectPrints(const Process& process, std::string_view text) {
    ASSERT_NE(process, nullptr);
    ASSERT_TRUE(process->WaitForStdout(text, kPatience)) << process->Err() << process->Out();
  }
};

TEST_F(ClusterShell, WaitsForACertificate) {
  const Process sh =
      Sh("echo Waiting…; until kubectl get certificate ai-ops-agent-cert -o "
         "jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}' 2>/dev/null | grep -q "
         "\"True\"; do echo \"not ready\"; sleep 600; done; echo ready");
  ExpectSays(sh, "certificate/ai-ops-agent-cert");
  ExpectPrints(sh, "Waiting…\nnot ready\n");
  CreateCertificate("ai-ops-agent-cert");
  ExpectSays(sh, "has no condition Ready yet");
  SetCertificateReady("ai-ops-agent-cert", "False");
  ExpectSays(sh, "as the test says");
  SetCertificateReady("ai-ops-agent-cert", "True");
  // Long before the loop's own next look.
  ExpectMet(sh, "Waiting…\nnot ready\nready\n");
}

// To the letter, with the surroundings of its pod: a kubeconfig takes the ServiceAccount's place.
TEST_F(ClusterShell, RunsTheScriptThatItWasMadeFor) {
  const TempDir dir;
  const std::string kubeconfig = dir.File("kubeconfig");
  ASSERT_TRUE(WriteFile(
      kubeconfig,
      Format(
          R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
                 "clusters":[{"name":"c","cluster":{"server":"%s","certificate-authority":"%s"}}],
                 "users":[{"name":"u","user":{"token":"%s"}}]})",
          access().url.c_str(), access().ca_file.c_str(), access().admin_token.c_str())));
  Command command;
  command.path = CertlatchBinary();
  command.argv = {
      "sh", "-c",
      "echo Waiting…; until kubectl get certificate ai-ops-agent-cert -n default -o "
      "jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}' 2>/dev/null | grep -q "
      "\"True\"; do echo \"not ready\"; sleep 5; done; echo ready"};
  command.env = {"KUBECONFIG=" + kubeconfig};
  auto started = Subprocess::Start(std::move(command));
  ASSERT_TRUE(started) << started.error().text;
  const Process sh = *std::move(started);
  ExpectPrints(sh, "Waiting…\nnot ready\n");
  CreateCertificate("ai-ops-agent-cert", "default");
  SetCertificateReady("ai-ops-agent-cert", "True", 1, "default");
  const Outcome outcome = sh->Wait(kPatience);
  Delete(CertificatePath("ai-ops-agent-cert", "default"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.Describe();
  EXPECT_THAT(outcome.out, ::testing::StartsWith("Waiting…\nnot ready\n"));
  EXPECT_THAT(outcome.out, ::testing::EndsWith("\nready\n"));
}

TEST_F(ClusterShell, WaitsForASecret) {
  const Process sh = Sh("until kubectl get secret web-tls >/dev/null 2>&1; do sleep 600; done");
  ExpectSays(sh, "secret/web-tls@" + ns() + ": not found yet");
  Create(Path("v1", "secrets"), R"({"metadata":{"name":"web-tls"}})");
  ExpectMet(sh, "");
}

TEST_F(ClusterShell, WaitsForAddresses) {
  Create(Path("v1", "endpoints"), R"({"metadata":{"name":"api"}})");
  const Process sh =
      Sh("while [ -z \"$(kubectl get endpoints api -o jsonpath='{.subsets[*].addresses[*].ip}')\" "
         "]; do sleep 600; done; echo up");
  ExpectSays(sh, "endpoints/api");
  Patch(Path("v1", "endpoints", "api"),
        R"({"subsets":[{"addresses":[{"ip":"10.1.2.3"}],"ports":[{"port":8443}]}]})");
  ExpectMet(sh, "up\n");
}

TEST_F(ClusterShell, WaitsForPodsByLabel) {
  const Process sh =
      Sh("until [ \"$(kubectl get secrets -l app=db -o jsonpath='{.items[*].metadata.name}')\" = "
         "'a b' ]; do sleep 600; done");
  ExpectSays(sh, "secrets: ");
  const auto create = [this](const char* name, const char* app) {
    Create(Path("v1", "secrets"), std::string(R"({"metadata":{"name":")") + name +
                                      R"(","labels":{"app":")" + app + R"("}}})");
  };
  create("a", "db");
  create("z", "other");
  create("b", "db");
  ExpectMet(sh, "");
}

TEST_F(ClusterShell, WaitsUntilSomethingIsGone) {
  CreateCertificate("old");
  const Process sh = Sh("while kubectl get certificate old; do sleep 600; done; echo gone");
  ExpectSays(sh, "still there");
  Delete(CertificatePath("old"));
  ExpectMet(sh, "gone\n");
}

TEST_F(ClusterShell, RunsAChainOfKubectlWaits) {
  CreateCertificate("a");
  CreateCertificate("b");
  SetCertificateReady("a", "True");
  const Process sh =
      Sh("kubectl wait --for=condition=Ready certificate/a --timeout=10m && \\\n"
         "  kubectl wait --for=condition=Ready certificate/b --timeout=10m && echo both",
         "-ec");
  ExpectPrints(sh, "certificate.cert-manager.io/a condition met\n");
  ExpectSays(sh, "certificate/b: ");
  SetCertificateReady("b", "True");
  ExpectMet(sh,
            "certificate.cert-manager.io/a condition met\n"
            "certificate.cert-manager.io/b condition met\nboth\n");
}

TEST_F(ClusterShell, FailsAsTheChainDoes) {
  const Process sh = Sh("set -e; kubectl wait --for=condition=Ready certificate/nope; echo never");
  const Outcome outcome = sh->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "Error from server (NotFound): certificates.cert-manager.io \"nope\" not found\n");
}

TEST_F(ClusterShell, WaitsForARollout) {
  Create(Path("apps/v1", "deployments"), R"({"metadata":{"name":"api"},"spec":{"replicas":1,
      "selector":{"matchLabels":{"app":"api"}},"template":{"metadata":{"labels":{"app":"api"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
  const Process sh = Sh("kubectl rollout status deployment/api; echo done");
  ExpectSays(sh, "deployment/api: ");
  Patch(Path("apps/v1", "deployments", "api") + "/status",
        R"({"status":{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"readyReplicas":1,
            "availableReplicas":1,"conditions":[{"type":"Available","status":"True"}]}})");
  ExpectMet(sh, "deployment.apps/api condition met\ndone\n");
}

}  // namespace
}  // namespace certlatch::test
