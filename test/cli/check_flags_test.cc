#include <gtest/gtest.h>

#include "base/text.h"
#include "test/cli/lines.h"

namespace certlatch {
namespace {

TEST(CheckFlags, NeedNothingButAVolume) {
  const Command command = ParsedLine("check --volume /tls", Surroundings());
  EXPECT_EQ(command.kind, Command::Kind::kCheck);
  EXPECT_EQ(command.connection.server, "");
  EXPECT_EQ(command.check.pod.volume.directory, "/tls");
  EXPECT_EQ(command.check.timeout, 10s);
  EXPECT_FALSE(command.check.json);
}

TEST(CheckFlags, SayWhatIsToAgree) {
  const Command command = ParsedLine(
      "check --volume=/tls --key-file=k --expect=lease/web --annotation-prefix=example.com --prove "
      "127.0.0.1:443 --require-name=a.example --min-validity=1h --timeout=2s -ojson -n infra");
  const CheckOptions& check = command.check;
  EXPECT_EQ(command.connection.server, "https://10.96.0.1:443");
  EXPECT_EQ(check.pod.volume.key_file, "k");
  EXPECT_EQ(check.expect.source, ReloadOptions::Source::kLease);
  EXPECT_EQ(check.expect.name, "web");
  EXPECT_EQ(check.expect.ns, "infra");
  EXPECT_EQ(check.expect.annotation_prefix, "example.com");
  ASSERT_TRUE(check.pod.prove.has_value());
  EXPECT_EQ(check.pod.prove->endpoint.host, "127.0.0.1");
  EXPECT_EQ(check.require_name, "a.example");
  EXPECT_EQ(check.min_validity, 1h);
  EXPECT_EQ(check.timeout, 2s);
  EXPECT_TRUE(check.json);
}

TEST(CheckFlags, LeaveTheContainersLastWordsAlone) {
  EXPECT_EQ(ParsedLine("check --volume=/tls").output.termination_log, "");
  EXPECT_EQ(ParsedLine("check --volume=/tls --termination-log=/t").output.termination_log, "/t");
}

TEST(CheckFlags, AreRefusedInOneLineThatNamesThem) {
  static constexpr struct {
    const char* flags;
    const char* error;
  } kLines[] = {
      {"", "no volume: give --volume, the directory where the certificate is mounted"},
      {"--volume=/tls -o yaml", "--output knows only \"json\", not \"yaml\""},
      {"--volume=/tls lease/web", "unexpected argument \"lease/web\""},
      {"--volume=/tls -- true", "unexpected argument \"true\""},
      {"--timeout=0",
       "invalid argument \"0\" for \"--timeout\" flag: must be more than 0 (see 'certlatch check "
       "--help')"},
      {"--touch=/t", "unknown flag: --touch (see 'certlatch check --help')"},
  };
  for (const auto& line : kLines) {
    EXPECT_EQ(RefusedLine(Format("check %s", line.flags)), Format("error: %s", line.error));
  }
}

}  // namespace
}  // namespace certlatch
