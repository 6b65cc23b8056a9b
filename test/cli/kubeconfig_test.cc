#include "cli/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "test/cli/lines.h"

namespace certlatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Of one cluster and one user, whose members these are.
std::string Config(const char* cluster, const char* user) {
  return Format(R"({"clusters":[{"name":"c","cluster":{%s}}],"users":[{"name":"u","user":{%s}}],
      "contexts":[{"name":"x","context":{"cluster":"c","user":"u","namespace":"prod"}}],
      "current-context":"x"})",
                cluster, user);
}

struct Outcome {
  ConnectionOptions options;
  std::string ns;
  std::string error;
};

void Use(std::string text, Outcome& outcome, const std::string& context = "") {
  const Status status =
      UseKubeconfig(text, "/home/ann/config", context, outcome.options, outcome.ns);
  if (!status) outcome.error = status.error().text;
}

TEST(Kubeconfig, GivesServerTrustTokenAndNamespace) {
  Outcome of;
  Use(Config(R"("server":"https://a:6443","certificate-authority":"ca.crt","tls-server-name":"n")",
             R"("token":"t","as":"ann","as-groups":["g"],"as-uid":"7")"),
      of);
  EXPECT_EQ(of.error, "");
  EXPECT_EQ(of.ns, "prod");
  EXPECT_EQ(of.options.server, "https://a:6443");
  EXPECT_EQ(of.options.tls_server_name, "n");
  EXPECT_EQ(of.options.certificate_authority, "/home/ann/ca.crt");
  EXPECT_EQ(of.options.token.Reveal(), "t");
  EXPECT_EQ(of.options.as, "ann");
  EXPECT_THAT(of.options.as_groups, ElementsAre("g"));
  EXPECT_EQ(of.options.as_uid, "7");
}

TEST(Kubeconfig, WhatStandsInItCountsBeforeOtherFiles) {
  Outcome of;
  Use(Config(R"("server":"s","certificate-authority":"f","certificate-authority-data":"Y2E=")",
             R"("client-certificate":"f","client-certificate-data":"Y2VydA==",
                "client-key":"/k","client-key-data":"a2V5","token":"t","tokenFile":"/t")"),
      of);
  EXPECT_EQ(of.error, "");
  EXPECT_EQ(of.options.certificate_authority_data, "ca");
  EXPECT_EQ(of.options.client_certificate_data, "cert");
  EXPECT_EQ(of.options.client_key_data.Reveal(), "key");
  EXPECT_EQ(of.options.certificate_authority + of.options.client_certificate, "");
  EXPECT_EQ(of.options.client_key, "");
  EXPECT_EQ(of.options.token_file, "/t");
  EXPECT_TRUE(of.options.token.empty());
}

TEST(Kubeconfig, FlagsCountBeforeIt) {
  Outcome of;
  of.options.server = "https://mine";
  of.options.token_file = "/mine";
  of.options.certificate_authority = "/mine.crt";
  Use(Config(R"("server":"https://a","insecure-skip-tls-verify":true)", R"("token":"t")"), of);
  EXPECT_EQ(of.options.server, "https://mine");
  EXPECT_TRUE(of.options.token.empty());
  EXPECT_FALSE(of.options.insecure_skip_tls_verify);
}

TEST(Kubeconfig, ItsTokenDoesNotGoToAServerThatItDoesNotName) {
  Outcome of;
  Use(Config(R"("certificate-authority":"f")", R"("token":"hush")"), of);
  EXPECT_EQ(of.error, "/home/ann/config: the cluster has no server");
}

TEST(Kubeconfig, SaysWhatIsMissingOrCannotBeUsed) {
  const struct {
    std::string text;
    const char* context;
    const char* error;
  } cases[] = {
      {Config("", ""), "y", "context \"y\" does not exist"},
      {R"({"current-context":"x"})", "", "context \"x\" does not exist"},
      {R"({"contexts":[{"name":"x","context":{"cluster":"c"}}]})", "x",
       "cluster \"c\" does not exist"},
      {Config("", R"("exec":{"command":"aws"})"), "", "exec: cannot be used here"},
      {Config("", R"("auth-provider":{})"), "", "auth-provider: cannot be used"},
      {Config("", R"("username":"a","password":"hush")"), "", "username: cannot be used"},
      {Config(R"("proxy-url":"http://p")", ""), "", "proxy-url: cannot be used"},
      {Config("", R"("client-key-data":"hush!")"), "", "client-key-data: "},
      {Config("", R"("as":"a\r\nb: c")"), "", "as: cannot stand in an HTTP header"},
      {"apiVersion: v1\nusers: hush\n", "",
       "YAML is not read here; convert it once: kubectl config view --raw --minify "
       "--kubeconfig=/home/ann/config -o json > /home/ann/config.json"},
      {R"({"hush":)", "", "/home/ann/config: "},
  };
  for (const auto& row : cases) {
    Outcome of;
    Use(row.text, of, row.context);
    EXPECT_THAT(of.error, HasSubstr(row.error));
    EXPECT_THAT(of.error, Not(HasSubstr("hush")));
  }
}

// --- which file ---

std::string asked_for;  // NOLINT: the reader is a plain function

Result<std::string> ReadOne(const std::string& path) {
  asked_for = path;
  if (path == "/absent") return Error{Code::kNotFound, "/absent: No such file or directory"};
  return Config(R"("server":"https://a:6443")", R"("token":"t")");
}

Surroundings With(const char* variable, Surroundings surroundings) {
  asked_for.clear();
  surroundings.environment.emplace_back(variable);
  surroundings.read_file = ReadOne;
  return surroundings;
}

TEST(Kubeconfig, IsTheFlagsElseTheVariables) {
  const Command flag =
      ParsedLine("wait pod/a --kubeconfig=/mine", With("KUBECONFIG=/other", InPod()));
  EXPECT_EQ(asked_for, "/mine");
  EXPECT_EQ(flag.connection.server, "https://a:6443");
  EXPECT_EQ(flag.connection.token_file, "");
  EXPECT_EQ(flag.wait.ns, "prod");
  (void)ParsedLine("wait pod/a", With("KUBECONFIG=/other", InPod()));
  EXPECT_EQ(asked_for, "/other");
}

TEST(Kubeconfig, InAPodWithoutTheVariableNothingIsRead) {
  EXPECT_EQ(ParsedLine("wait pod/a", With("HOME=/root", InPod())).connection.server,
            "https://10.96.0.1:443");
  EXPECT_EQ(asked_for, "");
}

TEST(Kubeconfig, ItsTokenDoesNotGoToAServerThatOnlyAFlagNames) {
  const Command command =
      ParsedLine("wait pod/a --server=https://b --no-proxy", With("KUBECONFIG=/other", InPod()));
  EXPECT_EQ(asked_for, "");
  EXPECT_TRUE(command.connection.token.empty());
}

Command ParsedAs(const char* program, const std::vector<std::string_view>& arguments,
                 const Surroundings& surroundings) {
  Command command;
  const Status status = ParseCommandLine(program, arguments, surroundings, command);
  EXPECT_TRUE(status) << status.error().text;
  return command;
}

// A script's commands are kubectl's, whichever of its verbs they are.
TEST(Kubeconfig, OutsideOfAPodIsKubectlsOwnForItsNameAndForScripts) {
  const Surroundings desk = With("HOME=/home/ann", {});
  EXPECT_EQ(ParsedAs("kubectl", {"wait", "pod/a", "--for=create"}, desk).connection.server,
            "https://a:6443");
  EXPECT_EQ(asked_for, "/home/ann/.kube/config");
  for (const char* script :
       {"until kubectl get pod a; do sleep 1; done", "kubectl wait pod/a --for=create",
        "kubectl rollout status deployment/a",
        "kubectl wait pod/a --for=create; until kubectl get pod b; do sleep 1; done"}) {
    asked_for.clear();
    EXPECT_EQ(ParsedAs("sh", {"-c", script}, desk).connection.server, "https://a:6443") << script;
    EXPECT_EQ(asked_for, "/home/ann/.kube/config") << script;
  }
  EXPECT_THAT(RefusedLine("wait pod/a", desk), HasSubstr("no API server"));
}

TEST(Kubeconfig, InAPodAScriptReadsWhatTheVariableNamesAlone) {
  const std::vector<std::string_view> loop = {"-c", "until kubectl get pod a; do sleep 1; done"};
  EXPECT_EQ(ParsedAs("sh", loop, With("HOME=/root", InPod())).connection.server,
            "https://10.96.0.1:443");
  EXPECT_EQ(ParsedAs("sh", loop, With("KUBECONFIG=/mine", InPod())).connection.server,
            "https://a:6443");
}

TEST(Kubeconfig, OneThatTheVariableNamesMayBeAbsent) {
  EXPECT_EQ(ParsedLine("wait pod/a", With("KUBECONFIG=/absent", InPod())).connection.server,
            "https://10.96.0.1:443");
  EXPECT_EQ(RefusedLine("wait pod/a --kubeconfig=/absent", With("A=b", InPod())),
            "error: stat /absent: no such file or directory");
  EXPECT_EQ(RefusedLine("wait pod/a --context=x", With("KUBECONFIG=/absent", InPod())),
            "error: stat /absent: no such file or directory");
  EXPECT_THAT(RefusedLine("wait pod/a --context=x", With("A=b", InPod())),
              HasSubstr("give --kubeconfig"));
}

}  // namespace
}  // namespace certlatch
