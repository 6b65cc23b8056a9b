#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "test/cli/lines.h"

namespace certlatch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Command Parsed(const std::vector<std::string_view>& arguments,
               const Surroundings& surroundings = InPod(), std::string_view program = "certlatch") {
  Command command;
  const Status status = ParseCommandLine(program, arguments, surroundings, command);
  EXPECT_TRUE(status.has_value()) << (status ? "" : status.error().text);
  return command;
}

std::string Refused(const std::vector<std::string_view>& arguments,
                    const Surroundings& surroundings = InPod(),
                    std::string_view program = "certlatch") {
  Command command;
  const Status status = ParseCommandLine(program, arguments, surroundings, command);
  EXPECT_FALSE(status.has_value());
  return status ? "" : status.error().text;
}

TEST(CommandLine, InAPodNeedsNothingButTargets) {
  const Command command = Parsed({"wait", "certificate/web", "secret/web-tls"});
  EXPECT_EQ(command.kind, Command::Kind::kWait);
  EXPECT_EQ(command.wait.targets.size(), 2U);
  EXPECT_TRUE(command.wait.goals.empty());
  EXPECT_EQ(command.wait.timeout, 180s);
  EXPECT_EQ(command.wait.ns, "prod");
  EXPECT_EQ(command.connection.server, "https://10.96.0.1:443");
  EXPECT_EQ(command.connection.token_file, std::string(kServiceAccountDir) + "/token");
  EXPECT_EQ(command.connection.certificate_authority, std::string(kServiceAccountDir) + "/ca.crt");
  EXPECT_EQ(command.output.termination_log, "/dev/termination-log");
}

TEST(CommandLine, TheMountedTokenIsForTheClusterOnly) {
  const Command command = Parsed({"wait", "pod/a", "--server=https://api.example.com:6443"});
  EXPECT_EQ(command.connection.token_file, "");
  EXPECT_EQ(command.connection.certificate_authority, "");
  EXPECT_FALSE(command.connection.in_cluster);
  const Command same = Parsed({"wait", "pod/a", "--server=https://10.96.0.1:443"});
  EXPECT_TRUE(same.connection.in_cluster);
  EXPECT_NE(same.connection.token_file, "");
}

TEST(CommandLine, OnesOwnIdentityReplacesTheMountedToken) {
  EXPECT_EQ(Parsed({"wait", "pod/a", "--token=t"}).connection.token_file, "");
  EXPECT_EQ(
      Parsed({"wait", "pod/a", "--client-certificate=c", "--client-key=k"}).connection.token_file,
      "");
  EXPECT_EQ(Parsed({"wait", "pod/a", "--token-file=/t"}).connection.token_file, "/t");
}

TEST(CommandLine, RetriesA401OnlyWhereCredentialsCanRotate) {
  EXPECT_TRUE(Parsed({"wait", "pod/a"}).wait.watch.retry_unauthorized);
  EXPECT_FALSE(Parsed({"wait", "pod/a", "--token=t"}).wait.watch.retry_unauthorized);
}

TEST(CommandLine, BoundsRequestsAlsoWhereNoTimeoutIsAskedFor) {
  EXPECT_EQ(Parsed({"wait", "pod/a", "--request-timeout=0"}).connection.request_timeout,
            ConnectionOptions().request_timeout);
  EXPECT_EQ(Parsed({"wait", "pod/a", "--request-timeout=1s"}).connection.request_timeout, 1s);
  EXPECT_EQ(Parsed({"wait", "pod/a", "--request-timeout=7"}).connection.request_timeout, 7s)
      << "as kubectl takes it";
  EXPECT_THAT(Refused({"wait", "pod/a", "--request-timeout=-7"}), HasSubstr("missing unit"));
  EXPECT_THAT(Refused({"wait", "pod/a", "--request-timeout=99999999999999"}),
              HasSubstr("missing unit"));
}

TEST(CommandLine, VersionIsTextOrJson) {
  for (const char* name : {"version", "--version"}) {
    EXPECT_EQ(Parsed({name}).text, "certlatch 1");
    EXPECT_EQ(Parsed({name, "-o", "json"}).text, "{}");
    EXPECT_THAT(Refused({name, "-x"}), HasSubstr("unknown shorthand flag"));
    EXPECT_THAT(Refused({name, "-o=yaml"}), HasSubstr("--output knows only \"json\""));
    EXPECT_EQ(Refused({name, "3"}), "error: unexpected argument \"3\"");
  }
}

TEST(CommandLine, AllIsOfATypeAlsoBesideAMount) {
  for (const char* other : {"--mounted=/tls=pair", "--write=/tls=secret/a", "-v=0"}) {
    EXPECT_EQ(Refused({"wait", "--all", other}),
              "error: --all needs a type: all objects of which?");
  }
  EXPECT_EQ(Parsed({"wait", "pods", "--all", "--mounted=/tls=pair"}).wait.types.size(), 1U);
}

TEST(CommandLine, BracketsIpv6Clusters) {
  Surroundings pod = InPod();
  pod.environment[0] = "KUBERNETES_SERVICE_HOST=fd00::1";
  EXPECT_EQ(Parsed({"wait", "pod/a"}, pod).connection.server, "https://[fd00::1]:443");
}

TEST(CommandLine, TakesTheNamespaceFromFlagThenPodThenServiceAccount) {
  Surroundings pod = InPod();
  EXPECT_EQ(Parsed({"wait", "pod/a"}, pod).wait.ns, "prod");
  pod.environment.push_back("POD_NAMESPACE=mine");
  EXPECT_EQ(Parsed({"wait", "pod/a"}, pod).wait.ns, "mine");
  EXPECT_EQ(Parsed({"wait", "pod/a", "-n", "yours"}, pod).wait.ns, "yours");
  EXPECT_EQ(Parsed({"wait", "pod/a", "-s", "https://127.0.0.1:1"}, Surroundings()).wait.ns,
            "default");
}

TEST(CommandLine, DefaultsTheTimeoutByWhatIsWaitedFor) {
  EXPECT_EQ(Parsed({"wait", "pod/a", "--for=create"}).wait.timeout, 30s);
  EXPECT_EQ(Parsed({"wait", "pod/a", "--for=create", "--timeout=5m"}).wait.timeout, 5min);
  EXPECT_EQ(Parsed({"wait", "pod/a", "--timeout=0"}).wait.timeout, 0s);
  EXPECT_EQ(Parsed({"wait", "pod/a", "--timeout=-1s"}).wait.timeout, 24h * 7);
}

TEST(CommandLine, ReadsEveryGoal) {
  const Command command = Parsed({"wait", "pod/a", "--for=Create", "--for=DELETE", "--for=ready",
                                  "--for=condition=A=b=c", "--for=jsonpath={.a}=b"});
  ASSERT_EQ(command.wait.goals.size(), 5U);
  EXPECT_TRUE(std::holds_alternative<CreateGoal>(command.wait.goals[0]));
  EXPECT_TRUE(std::holds_alternative<DeleteGoal>(command.wait.goals[1]));
  EXPECT_TRUE(std::holds_alternative<ReadyGoal>(command.wait.goals[2]));
  const auto& condition = std::get<ConditionGoal>(command.wait.goals[3]);
  EXPECT_EQ(condition.type, "A");
  EXPECT_EQ(condition.status, "b=c");
  EXPECT_TRUE(std::holds_alternative<JsonPathWait>(command.wait.goals[4]));
}

TEST(CommandLine, SaysWhenATargetOutsideTheApiServerIsReady) {
  WaitOptions wait = Parsed({"wait", "pod/a"}).wait;
  EXPECT_EQ(wait.http_statuses, "2xx");
  EXPECT_EQ(wait.target_ca_file, "");
  wait = Parsed({"wait", "pod/a", "--http-status=200,429", "--target-ca-file=/ca"}).wait;
  EXPECT_EQ(wait.http_statuses, "200,429");
  EXPECT_EQ(wait.target_ca_file, "/ca");
  EXPECT_THAT(Refused({"wait", "pod/a", "--http-status=ok"}),
              StartsWith("error: --http-status \"ok\": want statuses such as"));
}

TEST(CommandLine, RefusesContradictionsNamingBothSides) {
  EXPECT_EQ(Refused({"wait", "pod/a", "--token=t", "--token-file=f"}),
            "error: --token and --token-file contradict each other");
  EXPECT_EQ(Refused({"wait", "pod/a", "--client-key=k"}),
            "error: --client-certificate and --client-key need each other");
  EXPECT_THAT(Refused({"wait", "pod/a", "--insecure-skip-tls-verify", "--certificate-authority=f"}),
              HasSubstr("contradict"));
}

TEST(CommandLine, RefusesBadInputInOneLineThatNamesIt) {
  EXPECT_EQ(Refused({}), "error: no mode given (see 'certlatch --help')");
  EXPECT_EQ(Refused({"serve"}), "error: unknown command \"serve\" (see 'certlatch --help')");
  EXPECT_EQ(Refused({"wait", "--x"}), "error: unknown flag: --x (see 'certlatch wait --help')");
  EXPECT_THAT(Refused({"wait"}), StartsWith("error: nothing to wait for"));
  EXPECT_EQ(Refused({"wait", "pod/a", "--for=foo"}), "error: unrecognized condition: \"foo\"");
  EXPECT_THAT(Refused({"wait", "pod/a", "--timeout=5"}),
              HasSubstr("invalid argument \"5\" for \"--timeout\" flag: time: missing unit"));
  EXPECT_THAT(Refused({"wait", "pod/a", "--log-format=xml"}),
              HasSubstr("must be text, logfmt or json"));
  EXPECT_THAT(Refused({"wait", "pod/a", "-o", "yaml"}), HasSubstr("not \"yaml\""));
  EXPECT_THAT(Refused({"wait", "pod/a", "--min-ready=0"}), HasSubstr("from 1 to"));
  EXPECT_THAT(Refused({"wait", "pod/a"}, Surroundings()), HasSubstr("give --server"));
  for (const char* ns : {"a b", "../../x?y=", "a/b"}) {
    EXPECT_THAT(Refused({"wait", "pod/a", "-n", ns}), HasSubstr("no namespace name"));
  }
  EXPECT_EQ(Refused({"wait", "-token=SECRET"}),
            "error: unknown shorthand flag: 't' in -token (see 'certlatch wait --help')");
}

TEST(CommandLine, RefusesAJsonPathInPrintableWords) {
  EXPECT_EQ(Refused({"wait", "pod/a", "--for=jsonpath={.a[\x1b]}=b"}),
            "error: --for=jsonpath={.a[\\x1b]}=b: invalid array index \\x1b");
  EXPECT_EQ(Refused({"wait", "pod/a", "--for=jsonpath={.a[\x1b]}=b"}, InPod(), "kubectl"),
            "error: invalid array index \\x1b");
}

TEST(CommandLine, ObjectsAreChosenByNameByTypeOrByFile) {
  const Command by_type = Parsed({"wait", "pods,jobs,pods", "-l", "app=x", "-A"});
  EXPECT_EQ(by_type.wait.types, (std::vector<std::string>{"pods", "jobs"}));
  EXPECT_EQ(by_type.wait.label_selector, "app=x");
  EXPECT_TRUE(by_type.wait.all_namespaces && by_type.wait.targets.empty());
  EXPECT_EQ(Parsed({"wait", "pods", "--all"}).wait.types.size(), 1U);
  const Command by_file = Parsed({"wait", "-f", "a.json,b.json", "-f-", "-R=false"});
  EXPECT_EQ(by_file.wait.files, (std::vector<std::string>{"a.json", "b.json", "-"}));
  EXPECT_FALSE(by_file.wait.recursive);
  EXPECT_EQ(Refused({"wait", "-f", "a.json", "-l", "app=x"}),
            "error: selectors cannot be used with --filename");
  EXPECT_EQ(Refused({"wait", "pods", "a", "-l", "app=x"}),
            "error: name cannot be provided when a selector is specified");
}

TEST(CommandLine, ImpersonationCannotSmuggleHeadersIn) {
  const Command command = Parsed({"wait", "pod/a", "--as=ann", "--as-group=g", "--as-group=h"});
  EXPECT_EQ(command.connection.as, "ann");
  EXPECT_EQ(command.connection.as_groups.size(), 2U);
  EXPECT_THAT(Refused({"wait", "pod/a", "--as=a\r\nX: y"}), HasSubstr("an HTTP header"));
  EXPECT_THAT(Refused({"wait", "pod/a", "--as=a", "--as-group=\n"}), HasSubstr("an HTTP header"));
  EXPECT_THAT(Refused({"wait", "pod/a", "--as-uid=1"}), HasSubstr("without impersonating"));
}

TEST(CommandLine, RefusesToPassAProxyBySilently) {
  Surroundings outside;
  outside.environment = {"HTTPS_PROXY=http://proxy:3128"};
  std::vector<std::string_view> arguments = {"wait", "pod/a", "-s", "https://api.example.com"};
  EXPECT_THAT(Refused(arguments, outside), HasSubstr("HTTPS_PROXY"));
  EXPECT_THAT(Refused(arguments, outside), HasSubstr("--no-proxy"));
  arguments.emplace_back("--no-proxy");
  Parsed(arguments, outside);
}

TEST(CommandLine, IsKubectlUnderThatName) {
  for (const char* program : {"kubectl", "/usr/local/bin/kubectl"}) {
    const Command command = Parsed({"wait", "--for=condition=Ready", "pod/a"}, InPod(), program);
    EXPECT_TRUE(command.wait.as_kubectl);
  }
  const Command before = Parsed({"-n", "x", "wait", "--for=create", "pod/a"}, InPod(), "kubectl");
  EXPECT_EQ(before.wait.ns, "x");
}

TEST(CommandLine, SpeaksAsKubectlUnderThatName) {
  const Surroundings pod = InPod();
  EXPECT_EQ(Refused({"wait", "--x"}, pod, "kubectl"),
            "Error: unknown flag: --x\nSee 'kubectl wait --help' for usage.");
  EXPECT_EQ(Refused({"wait", "pod/a"}, pod, "kubectl"), "error: unrecognized condition: \"\"");
  EXPECT_EQ(Refused({"wait", "pod/a", "--for=ready"}, pod, "kubectl"),
            "error: unrecognized condition: \"ready\"");
  EXPECT_THAT(Refused({"get", "pods", "-w"}, pod, "kubectl"),
              HasSubstr("it can \"wait\", not \"get\""));
}

TEST(CommandLine, TheHelpOfEveryModeFitsOneScreenAndNamesItsFlags) {
  static constexpr struct {
    const char* mode;
    std::vector<const char*> (*flags)();
  } kModes[] = {
      {"wait",
       [] {
         return std::vector{"--for GOAL", "--selector LABELS", "--min-ready N"};
       }},
      {"sidecar",
       [] {
         return std::vector{"--volume DIR", "--prove HOST:PORT", "--listen"};
       }},
      {"publish",
       [] {
         return std::vector{"--lease NAME", "--cert-file, --key-file", "--once"};
       }},
      {"check",
       [] {
         return std::vector{"--expect SOURCE", "--min-validity D", "--output json"};
       }},
      {"install", [] { return std::vector{"install DIR"}; }},
  };
  for (const auto& known : kModes) {
    const Command command = Parsed({known.mode, "--help"});
    EXPECT_EQ(command.kind, Command::Kind::kPrint);
    EXPECT_LE(std::count(command.text.begin(), command.text.end(), '\n'), 50) << known.mode;
    for (const std::string_view line : Split(command.text, '\n')) EXPECT_LE(line.size(), 100U);
    for (const char* flag : known.flags()) EXPECT_THAT(command.text, HasSubstr(flag));
    for (const char* flag : {"--namespace", "--token-file", "--v", "--help"}) {
      EXPECT_THAT(command.text, HasSubstr(flag)) << known.mode;
    }
    EXPECT_THAT(Parsed({"help"}).text, HasSubstr(std::string("  certlatch ") + known.mode + ' '));
  }
  EXPECT_EQ(Parsed({"version"}).text, "certlatch 1");
  EXPECT_EQ(Parsed({"--help"}).text, Parsed({"help"}).text);
}

TEST(CommandLine, TheHelpOfEveryModeEndsWithTwoExamplesThatWork) {
  for (const char* mode : {"wait", "sidecar", "publish", "check", "install"}) {
    const std::string text = Parsed({mode, "--help"}).text;
    const size_t examples = text.find("\nExamples:\n");
    ASSERT_NE(examples, std::string::npos) << mode;
    const auto lines = Split(std::string_view(text).substr(examples), '\n');
    ASSERT_EQ(lines.size(), 5U) << mode;
    for (size_t i = 2; i < 4; ++i) {
      constexpr std::string_view kProgram = "  certlatch ";
      ASSERT_TRUE(lines[i].starts_with(kProgram));
      const Command command = ParsedLine(lines[i].substr(kProgram.size()));
      EXPECT_NE(command.kind, Command::Kind::kPrint) << lines[i];
    }
  }
}

TEST(CommandLine, SaysHowToTellARefusalAsFarAsItWasRead) {
  Command command;
  const Status status = ParseCommandLine(
      "certlatch", {"wait", "--termination-log=/t", "--log-format=json", "--bogus"}, InPod(),
      command);
  EXPECT_FALSE(status.has_value());
  EXPECT_EQ(command.output.termination_log, "/t");
  EXPECT_EQ(command.output.format, LogFormat::kJson);
}

TEST(CommandLine, TargetsOutsideTheApiNeedNoCluster) {
  const Command command = Parsed({"wait", "tcp://db:5432", "file:/etc/tls/tls.crt"}, {});
  ASSERT_EQ(command.wait.targets.size(), 2U);
  EXPECT_EQ(command.wait.targets[0].type, "");
  EXPECT_EQ(command.connection.server, "");
  EXPECT_EQ(Parsed({"wait", "pod/a", "tcp://db:5432"}).connection.server, "https://10.96.0.1:443");
  EXPECT_THAT(Refused({"wait", "tcp://db"}, {}), HasSubstr("tcp://db"));
  // It would be met by the opposite.
  for (const char* goal : {"--for=delete", "--for=condition=Ready"}) {
    EXPECT_THAT(Refused({"wait", "tcp://db:5432", goal}, {}), HasSubstr("--for is for objects"));
  }
  EXPECT_THAT(Refused({"wait", "pod/a", "tcp://db:5432", "--for=delete"}, InPod()),
              HasSubstr("--for is for objects"));
  EXPECT_EQ(Parsed({"wait", "pod/a", "tcp://db:1", "--for=condition=Ready"}).wait.targets.size(),
            2U);
  EXPECT_THAT(Refused({"wait", "tcp://db:5432", "--for=create"}, InPod(), "kubectl"),
              HasSubstr("may not have more than one slash"));
}

// --- rbac ---

std::string Rbac(std::vector<std::string_view> arguments) {
  arguments.insert(arguments.begin(), "rbac");
  const Command command = Parsed(arguments, {});
  EXPECT_EQ(command.kind, Command::Kind::kPrint);
  return command.text;
}

TEST(CommandLine, RbacNeedsNoCluster) {
  const std::string yaml = Rbac({"--service-account", "web", "--name=waits", "wait",
                                 "certificate/web", "secret/x@other", "-n", "prod"});
  EXPECT_THAT(yaml, HasSubstr("resources: [\"certificates\"]\n  resourceNames: [\"web\"]\n"
                              "  verbs: [\"list\", \"watch\"]\n"));
  EXPECT_THAT(yaml, HasSubstr("  name: waits\n  namespace: other\n"));
  EXPECT_THAT(yaml, HasSubstr("- kind: ServiceAccount\n  name: web\n  namespace: prod\n"));
}

TEST(CommandLine, RbacKnowsWhatEachModeAsksFor) {
  EXPECT_THAT(
      Rbac({"sidecar", "--volume=/tls", "--signal=HUP", "--process=nginx", "--expect=lease/web",
            "-n=prod", "--wait=job/seed"}),
      HasSubstr("[\"leases\"]\n  resourceNames: [\"web\"]\n  verbs: [\"list\", \"watch\"]"));
  EXPECT_THAT(Rbac({"sidecar", "--volume=/tls", "--expect=lease/web", "--lease-mode=on-change"}),
              HasSubstr("[\"leases\"]\n  resourceNames: [\"web\"]\n  verbs: [\"get\"]"));
  EXPECT_THAT(Rbac({"check", "--volume=/tls", "--expect=secret/web"}),
              HasSubstr("[\"secrets\"]\n  resourceNames: [\"web\"]\n  verbs: [\"get\"]"));
  EXPECT_THAT(Rbac({"check", "--volume=/tls"}), HasSubstr("asks nothing"));
  EXPECT_THAT(Rbac({"wait", "svc/web", "--for=create"}),
              ::testing::Not(HasSubstr("endpointslices")));
  EXPECT_THAT(Rbac({"kubectl", "wait", "pod/a", "--for=delete"}), HasSubstr("[\"pods\"]"));
  EXPECT_THAT(Rbac({"wait", "widgets.v1.example.com/x"}),
              HasSubstr("apiGroups: [\"example.com\"]\n  resources: [\"widgets\"]"));
}

TEST(CommandLine, RbacKnowsWhatAScriptAsksFor) {
  const std::string yaml =
      Rbac({"sh", "-c",
            "until kubectl get secret web -n prod; do sleep 1; done; until nc -z db 1; do sleep 1; "
            "done; kubectl wait --for=condition=Complete job/seed -n other"});
  EXPECT_THAT(yaml, HasSubstr("[\"secrets\"]\n  resourceNames: [\"web\"]\n"
                              "  verbs: [\"list\", \"watch\"]"));
  EXPECT_THAT(yaml, HasSubstr("[\"jobs\"]\n  resourceNames: [\"seed\"]\n"
                              "  verbs: [\"list\", \"watch\"]"));
  EXPECT_THAT(yaml, HasSubstr("  namespace: other\n"));
  EXPECT_THAT(yaml, HasSubstr("- kind: ServiceAccount\n  name: default\n  namespace: prod\n"));
  EXPECT_THAT(Rbac({"bash", "-c", "until kubectl get pods -A; do sleep 1; done"}),
              HasSubstr("kind: ClusterRole\n"));
  EXPECT_THAT(Rbac({"sh", "-c", "until nc -z db 1; do sleep 1; done"}), HasSubstr("asks nothing"));
}

TEST(CommandLine, RbacNeedsNoWatchForWhatLooksOnce) {
  EXPECT_THAT(Rbac({"explain", "certificate/web"}),
              HasSubstr("[\"certificates\"]\n  resourceNames: [\"web\"]\n  verbs: [\"list\"]\n"));
}

// What each is asked for is told by test/cluster/explain_test.cc.
TEST(CommandLine, RbacLetsExplainSeeTheWholeChain) {
  const std::string yaml = Rbac({"explain", "certificate/web@infra"});
  for (const char* rule :
       {"[\"certificaterequests\"]\n  verbs: [\"list\"]\n", "[\"issuers\"]\n  verbs: [\"get\"]\n",
        "[\"clusterissuers\"]\n  verbs: [\"get\"]\n",
        "- apiGroups: [\"acme.cert-manager.io\"]\n  resources: [\"orders\"]\n  verbs: [\"list\"]\n",
        "[\"challenges\"]\n  verbs: [\"list\"]\n"}) {
    EXPECT_THAT(yaml, HasSubstr(rule));
  }
  EXPECT_THAT(yaml, HasSubstr("kind: ClusterRole\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("secret")));
  EXPECT_THAT(yaml, Not(HasSubstr("pods")));
  EXPECT_THAT(Rbac({"explain", "secret/web-tls"}),
              AllOf(HasSubstr("[\"certificates\"]\n  verbs: [\"get\", \"list\"]\n"),
                    HasSubstr("[\"challenges\"]"), HasSubstr("[\"clustersecretstores\"]")));
  EXPECT_THAT(Rbac({"explain", "endpoints/db"}),
              AllOf(HasSubstr("[\"services\"]\n  resourceNames: [\"db\"]\n  verbs: [\"get\"]\n"),
                    HasSubstr("[\"pods\"]\n  verbs: [\"list\"]\n")));
  EXPECT_THAT(Rbac({"explain", "services.v1.serving.knative.dev/api"}), Not(HasSubstr("pods")));
  EXPECT_THAT(Rbac({"wait", "certificate/web"}), Not(HasSubstr("issuers")));
}

TEST(CommandLine, RbacReadsNoKubeconfigThatOnlyTheEnvironmentNames) {
  Surroundings desk;
  desk.environment.emplace_back("KUBECONFIG=/home/ann/config");
  desk.read_file = [](const std::string&) -> Result<std::string> {
    return std::string("apiVersion: v1\n");
  };
  EXPECT_EQ(Parsed({"rbac", "wait", "pod/a"}, desk).kind, Command::Kind::kPrint);
}

TEST(CommandLine, AScriptIsOfOneIdentity) {
  for (const char* flag : {"--as=ann", "--client-certificate=/c --client-key=/k",
                           "--tls-server-name=other", "--as=ann --as-group=g"}) {
    const std::string script =
        Format("kubectl wait --for=create pod/a; kubectl wait --for=create pod/b %s", flag);
    EXPECT_THAT(Refused({"-c", script}, InPod(), "sh"), HasSubstr("in one script")) << flag;
  }
}

TEST(CommandLine, RbacRefusesWhatItCannotKnow) {
  EXPECT_THAT(Refused({"rbac", "wait", "widget/x"}, {}), HasSubstr("PLURAL.VERSION.GROUP/NAME"));
  EXPECT_THAT(Refused({"rbac", "wait", "--nope"}, {}), HasSubstr("--nope"));
  EXPECT_THAT(Refused({"rbac", "--service-account=a b", "wait", "pod/a"}, {}),
              HasSubstr("\"a b\" is no name"));
  EXPECT_EQ(Refused({"rbac", "--name"}, {}),
            "error: flag needs an argument: --name (see 'certlatch rbac --help')");
  EXPECT_THAT(Refused({"rbac", "--colour", "red", "wait", "pod/a"}, {}),
              HasSubstr("see 'certlatch rbac --help'"));
}

}  // namespace
}  // namespace certlatch
