#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/cli/lines.h"

namespace certlatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace certlatch
