#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/cli/lines.h"

namespace certlatch {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Source = ReloadOptions::Source;

TEST(WriteFlags, SayWhichSecretGoesWhere) {
  const WaitOptions wait =
      ParsedLine("wait job/x --write /a/=secret/web-tls --write=/b=secret/db@data").wait;
  ASSERT_THAT(wait.writes, SizeIs(2));
  EXPECT_EQ(wait.writes[0].text, "/a");
  EXPECT_EQ(wait.writes[0].name, "web-tls");
  EXPECT_EQ(wait.writes[0].ns, "");
  EXPECT_EQ(wait.writes[0].goal, "ready");
  EXPECT_EQ(wait.writes[1].text, "/b");
  EXPECT_EQ(wait.writes[1].ns, "data");
  EXPECT_EQ(wait.write_mode, 0440U);
}

TEST(WriteFlags, AreTargetEnough) {
  const Command command = ParsedLine("wait --write=/tls=secret/web-tls");
  EXPECT_EQ(command.wait.timeout, 180s);
  EXPECT_EQ(command.connection.server, "https://10.96.0.1:443");
  EXPECT_EQ(ParsedLine("wait tcp://db:1 --write=/tls=secret/x").connection.server,
            "https://10.96.0.1:443");
}

TEST(WriteFlags, RefuseWhatIsNoDirectoryAndSecret) {
  for (const char* value :
       {"\"\"", "/tls", "=secret/x", "/=secret/x", "/tls=", "/tls=secret", "/tls=secret/",
        "/tls=lease/x", "/tls=pair", "/tls=secret/x=ready", "/tls=secret/x/y", "/tls=secret/x@"}) {
    for (const char* mode : {"wait", "sidecar"}) {
      EXPECT_THAT(RefusedLine(std::string(mode) + " --write " + value),
                  HasSubstr("must be DIR=secret/NAME"))
          << value;
    }
  }
}

TEST(WriteFlags, GiveEachSecretADirectoryOfItsOwn) {
  for (const char* other : {"/tls=secret/y", "/tls/=secret/x", "/tls=secret/x@data"}) {
    EXPECT_THAT(
        RefusedLine(std::string("wait --write=/tls=secret/x --write=/db=secret/z --write ") +
                    other),
        HasSubstr("--write: /tls cannot hold two Secrets"))
        << other;
  }
}

TEST(WriteFlags, AreNotWhatForAsksFor) {
  EXPECT_THAT(RefusedLine("wait --write=/tls=secret/x --for=create"),
              HasSubstr("--mounted or --write"));
  EXPECT_THAT(RefusedLine("wait job/x --write=/tls=secret/x --for=delete"),
              HasSubstr("--mounted or --write"));
  EXPECT_EQ(
      ParsedLine("wait job/x --write=/tls=secret/x --for=condition=Complete").wait.goals.size(),
      1U);
}

TEST(WriteFlags, TakeAModeInOctalWithWhichWeCanRead) {
  const std::string line = "wait --write=/tls=secret/x --write-mode=";
  EXPECT_EQ(ParsedLine(line + "0400").wait.write_mode, 0400U);
  EXPECT_EQ(ParsedLine(line + "644").wait.write_mode, 0644U);
  for (const char* mode : {"", "4", "44", "00440", "0448", "0x44", "-440", "0040", "0550", "0777",
                           "4440", "0440x", "x440", "rw-r--r--"}) {
    EXPECT_THAT(RefusedLine(line + mode), HasSubstr("must be in octal")) << mode;
  }
  EXPECT_THAT(RefusedLine("wait pod/a --write-mode=0440"), HasSubstr("--write"));
}

TEST(WriteFlags, SayWhatASidecarMountsAndExpects) {
  const Command command = ParsedLine("sidecar --write=/tls/=secret/web-tls --write-mode 0400");
  const SidecarOptions& sidecar = command.sidecar;
  EXPECT_EQ(sidecar.writes.at(0).text, "/tls");
  EXPECT_EQ(sidecar.wait.write_mode, 0400U);
  EXPECT_EQ(sidecar.pod.volume.directory, "/tls");
  EXPECT_EQ(sidecar.expect.source, Source::kSecret);
  EXPECT_EQ(sidecar.expect.name, "web-tls");
  EXPECT_EQ(sidecar.expect.ns, "prod");
  EXPECT_EQ(command.connection.server, "https://10.96.0.1:443");
}

TEST(WriteFlags, LetASidecarReadWhatItWritesElsewhere) {
  const SidecarOptions sidecar =
      ParsedLine("sidecar --write=/tls=secret/x@data --volume=/tls/sub --cert-file=a.pem").sidecar;
  EXPECT_EQ(sidecar.expect.ns, "data");
  EXPECT_EQ(sidecar.pod.volume.directory, "/tls/sub");
}

TEST(WriteFlags, SayToASidecarWhatIsExpectedAndNothingElseDoes) {
  for (const char* more : {"--expect=lease/web", "--expect=secret/x", "--write=/b=secret/y"}) {
    EXPECT_THAT(RefusedLine(std::string("sidecar --write=/tls=secret/x ") + more),
                HasSubstr("--write says what is expected"))
        << more;
  }
}

TEST(WriteFlags, AreNotKubectls) {
  Command command;
  const Status status = ParseCommandLine(
      "kubectl", {"wait", "pod/a", "--for=delete", "--write=/tls=secret/x"}, InPod(), command);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().text, HasSubstr("error: --write is not kubectl's"));
}

TEST(WriteFlags, NeedTheRightToReadThatSecretAlone) {
  const std::string rule =
      "- apiGroups: [\"\"]\n  resources: [\"secrets\"]\n  resourceNames: [\"web-tls\"]\n"
      "  verbs: [\"list\", \"watch\"]\n";
  for (const char* line :
       {"rbac wait --write=/tls=secret/web-tls", "rbac sidecar --write=/tls=secret/web-tls"}) {
    const std::string yaml = ParsedLine(line).text;
    EXPECT_THAT(yaml, HasSubstr(rule)) << line;
    EXPECT_EQ(yaml.find("resources:"), yaml.rfind("resources:")) << yaml;
  }
}

TEST(InstallFlags, NameOneDirectory) {
  const Command command = ParsedLine("install /shared", Surroundings());
  EXPECT_EQ(command.kind, Command::Kind::kInstall);
  EXPECT_EQ(command.text, "/shared");
  EXPECT_EQ(command.output.termination_log, kTerminationLog);
  EXPECT_EQ(command.connection.server, "");
  for (const char* line : {"install", "install \"\"", "install /a /b"}) {
    EXPECT_THAT(RefusedLine(line), HasSubstr("error: install needs one directory")) << line;
  }
  EXPECT_THAT(ParsedLine("install --help").text, HasSubstr("Usage: certlatch install DIR"));
  EXPECT_THAT(ParsedLine("rbac install /shared").text, HasSubstr("asks nothing"));
}

}  // namespace
}  // namespace certlatch
