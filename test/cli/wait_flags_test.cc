#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/cli/lines.h"

namespace certlatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ReadinessSettings Settings(std::string_view line) { return ParsedLine(line).wait.readiness; }

TEST(WaitFlags, TakeTheKeysOfASecretAsAListThatMayGrow) {
  EXPECT_THAT(Settings("wait secret/db").keys, IsEmpty());
  EXPECT_THAT(Settings("wait secret/db --keys=user,password").keys,
              ElementsAre("user", "password"));
  EXPECT_THAT(Settings("wait secret/db --keys user --keys=tls.crt,a_b-c").keys,
              ElementsAre("user", "tls.crt", "a_b-c"));
}

TEST(WaitFlags, RefuseWhatCannotBeAKeyOfASecret) {
  for (const char* keys : {"", "a,", ",a", "a,,b", "a/b", "\"a b\"", "pass=word"}) {
    EXPECT_THAT(RefusedLine(std::string("wait secret/db --keys=") + keys),
                HasSubstr("must be keys of a Secret"))
        << keys;
  }
}

TEST(WaitFlags, TakeTheAnnotationPrefixOfALease) {
  EXPECT_EQ(Settings("wait lease/web").annotation_prefix, "kubetemplater.io");
  EXPECT_EQ(Settings("wait lease/web --annotation-prefix=certs.example.com").annotation_prefix,
            "certs.example.com");
  EXPECT_THAT(RefusedLine("wait lease/web --annotation-prefix=Certs/"), HasSubstr("a DNS name"));
}

// A desk with one file.
Surroundings WithFile() {
  Surroundings surroundings = InPod();
  surroundings.read_file = [](const std::string& path) -> Result<std::string> {
    if (path != "/p.json") return Error{Code::kNotFound, path + ": No such file or directory"};
    return std::string(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"probe"}})");
  };
  return surroundings;
}

TEST(WaitFlags, ReadTheFileOfADryRun) {
  const Command command = ParsedLine("wait dry-run:/p.json=denied:no pod/a", WithFile());
  ASSERT_EQ(command.wait.targets.size(), 2U);
  EXPECT_EQ(command.wait.targets[0].text, "dry-run:/p.json=denied:no");
  EXPECT_EQ(command.wait.targets[0].name, "probe");
  EXPECT_FALSE(command.wait.targets[0].object.empty());
  EXPECT_EQ(command.connection.server, "https://10.96.0.1:443") << "it asks the API server";
  EXPECT_EQ(RefusedLine("wait dry-run:/absent", WithFile()),
            "error: /absent: No such file or directory");
  EXPECT_THAT(RefusedLine("wait dry-run:=denied:no", WithFile()), HasSubstr("dry-run:FILE"));
  EXPECT_EQ(ParsedLine("sidecar --volume=/tls --wait=dry-run:/p.json", WithFile())
                .sidecar.wait.targets[0]
                .name,
            "probe");
}

TEST(WaitFlags, AskNothingElseOfADryRun) {
  EXPECT_THAT(RefusedLine("wait dry-run:/p.json --for=condition=Ready", WithFile()),
              HasSubstr("--for is for objects"));
  EXPECT_THAT(RefusedLine("wait dry-run:/p.json pod/a --for=delete", WithFile()),
              HasSubstr("--for is for objects"));
  (void)ParsedLine("wait dry-run:/p.json pod/a --for=condition=Ready", WithFile());
}

TEST(WaitFlags, AreExplainedWithWhatReadyMeansOfEachKind) {
  const std::string help = ParsedLine("wait --help").text;
  for (const char* kind :
       {"certificate", "secret", "endpoints, service", "pod, job, lease", "deployment and the like",
        "crd", "webhookconfiguration", "any other", "--keys A,B", "--annotation-prefix P"}) {
    EXPECT_THAT(help, HasSubstr(kind));
  }
}

// A pod that knows its name.
Surroundings Named() {
  Surroundings surroundings = InPod();
  surroundings.environment.emplace_back("POD_NAME=web-0");
  return surroundings;
}

TEST(WaitFlags, TakeMountsAsTargets) {
  const Command command = ParsedLine(
      "wait pod/a --mounted /tls=secret/web-tls@other --mounted=/a=b=lease/web --mounted x=pair "
      "--cert-file=server.crt --require-name=web.example");
  const std::vector<TargetName>& targets = command.wait.targets;
  ASSERT_EQ(targets.size(), 4U);
  EXPECT_EQ(targets[0].text, "pod/a");
  EXPECT_EQ(targets[1].text + ' ' + targets[1].type + ' ' + targets[1].name + ' ' + targets[1].ns,
            "/tls secret web-tls other");
  EXPECT_EQ(targets[2].text + ' ' + targets[2].type, "/a=b lease");
  EXPECT_EQ(targets[3].text + ' ' + targets[3].type, "x ");
  EXPECT_EQ(command.wait.volume.cert_file, "server.crt");
  EXPECT_EQ(command.wait.volume.key_file, "tls.key");
  EXPECT_EQ(command.wait.require_name, "web.example");
}

TEST(WaitFlags, AMountedPairAloneNeedsNoApiServer) {
  EXPECT_EQ(ParsedLine("wait --mounted /tls=pair", {}).connection.server, "");
  EXPECT_EQ(ParsedLine("wait --mounted /tls=pair").connection.server, "");
  EXPECT_NE(ParsedLine("wait --mounted /tls=secret/a").connection.server, "");
  EXPECT_NE(ParsedLine("wait --mounted /tls=pair pods --all").connection.server, "");
  EXPECT_NE(ParsedLine("wait --mounted /tls=pair -f pods.json").connection.server, "");
}

TEST(WaitFlags, RefuseWhatIsNoMount) {
  for (const char* mount :
       {"/tls", "=pair", "/tls=", "/tls=configmap/a", "/tls=secret/", "/tls=secret/a=create",
        "/tls=pairs", "/tls=pair/x", "/tls=pair/any", "/tls=pair/any@prod"}) {
    EXPECT_THAT(RefusedLine(std::string("wait --mounted ") + mount),
                HasSubstr("must be DIR=secret/NAME, DIR=lease/NAME or DIR=pair"))
        << mount;
  }
  EXPECT_THAT(RefusedLine("wait pod/a --cert-file=x"), HasSubstr("--cert-file needs --mounted"));
  EXPECT_THAT(RefusedLine("wait --mounted /tls=pair --for=condition=Ready"),
              HasSubstr("--for is for objects of the API server"));
  EXPECT_THAT(RefusedLine("wait --mounted /tls=secret/a --for=create"),
              HasSubstr("--for is for objects of the API server"));
}

TEST(WaitFlags, NudgeOurOwnPodByItsNameInTheEnvironment) {
  const NudgeOptions nudge =
      ParsedLine("wait --mounted /tls=secret/a --nudge -n other", Named()).wait.nudge;
  EXPECT_TRUE(nudge.on);
  EXPECT_EQ(nudge.ns + '/' + nudge.pod, "prod/web-0") << "the namespace is the pod's own";
  EXPECT_FALSE(ParsedLine("wait --mounted /tls=secret/a", Named()).wait.nudge.on);
  EXPECT_THAT(
      RefusedLine("wait --mounted /tls=secret/a --nudge"),
      HasSubstr("--nudge needs POD_NAME and POD_NAMESPACE in the environment: {name: POD_NAME, "
                "valueFrom: {fieldRef: {fieldPath: metadata.name}}}"));
  Surroundings elsewhere = Named();
  elsewhere.service_account_namespace.clear();
  EXPECT_THAT(RefusedLine("wait --mounted /tls=secret/a --nudge", elsewhere),
              HasSubstr("--nudge needs POD_NAME and POD_NAMESPACE in the environment"));
  EXPECT_THAT(RefusedLine("wait --mounted /tls=secret/a --nudge -n other", elsewhere),
              HasSubstr("--nudge needs POD_NAME and POD_NAMESPACE in the environment"))
      << "another namespace may have a pod of this name";
  EXPECT_THAT(RefusedLine("wait --mounted /tls=pair --nudge", Named()),
              HasSubstr("--nudge needs --mounted DIR=secret/NAME or DIR=lease/NAME"));
  EXPECT_THAT(RefusedLine("wait pod/a --nudge", Named()), HasSubstr("--nudge needs --mounted"));
}

TEST(WaitFlags, NudgeOnlyWhatCanBeAPod) {
  for (const char* name : {"*", "a b", "web/status", "Web-0", "../x"}) {
    Surroundings surroundings = InPod();
    const std::string pod = std::string("POD_NAME=") + name;
    surroundings.environment.emplace_back(pod);
    for (const char* line :
         {"wait --mounted /tls=secret/a --nudge", "sidecar --volume /tls --expect secret/a --nudge",
          "rbac wait --mounted /tls=secret/a --nudge"}) {
      EXPECT_THAT(RefusedLine(line, surroundings),
                  HasSubstr(std::string("--nudge: \"") + name + "\" in POD_NAME or POD_NAMESPACE"))
          << line;
    }
  }
  Surroundings elsewhere = Named();
  elsewhere.environment.emplace_back("POD_NAMESPACE=*");
  EXPECT_THAT(RefusedLine("wait --mounted /tls=secret/a --nudge", elsewhere),
              HasSubstr("\"*\" in POD_NAME or POD_NAMESPACE is no name"));
}

TEST(WaitFlags, KubectlHasNoMounts) {
  for (const char* flag : {"--mounted", "--nudge", "--require-name"}) {
    Command command;
    const std::string argument = std::string(flag) + "=/tls=pair";
    const Status parsed =
        ParseCommandLine("kubectl", {"wait", "pod/a", "--for=create", argument}, InPod(), command);
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().text, HasSubstr(std::string("unknown flag: ") + flag));
  }
}

TEST(WaitFlags, RbacPrintsWhatMountsNeed) {
  EXPECT_THAT(ParsedLine("rbac wait --mounted /tls=pair").text, HasSubstr("asks nothing"));
  EXPECT_THAT(ParsedLine("rbac wait --mounted /tls=secret/a").text,
              HasSubstr("rules:\n- apiGroups: [\"\"]\n  resources: [\"secrets\"]\n  "
                        "resourceNames: [\"a\"]\n  verbs: [\"list\", \"watch\"]\n---"));
  EXPECT_THAT(ParsedLine("rbac wait --mounted /tls=lease/a@other").text,
              HasSubstr("namespace: other\nrules:\n- apiGroups: [\"coordination.k8s.io\"]"));
  const std::string nudging = "wait --mounted /tls=secret/a --nudge";
  EXPECT_THAT(ParsedLine("rbac " + nudging).text,
              HasSubstr("  resources: [\"pods/status\"]\n  verbs: [\"patch\"]\n"));
  EXPECT_THAT(ParsedLine("rbac " + nudging, Named()).text,
              HasSubstr("  resources: [\"pods/status\"]\n  resourceNames: [\"web-0\"]\n"));
  EXPECT_THAT(ParsedLine("rbac sidecar --volume /tls --expect lease/web --nudge").text,
              HasSubstr("  resources: [\"pods/status\"]\n  verbs: [\"patch\"]\n"));
  for (const Surroundings& place : {Surroundings(), InPod()}) {
    const std::string yaml = ParsedLine("rbac " + nudging + " -n team", place).text;
    EXPECT_THAT(yaml, HasSubstr("namespace: team"));
    EXPECT_THAT(yaml, Not(HasSubstr("namespace: prod"))) << "whoever asks need not run there";
  }
}

}  // namespace
}  // namespace certlatch
