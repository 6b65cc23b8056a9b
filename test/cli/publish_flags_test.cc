#include <gtest/gtest.h>

#include "base/text.h"
#include "test/cli/lines.h"

namespace certlatch {
namespace {

TEST(PublishFlags, NeedALeaseAndASecret) {
  const Command command = ParsedLine("publish --lease web --secret web-tls");
  EXPECT_EQ(command.kind, Command::Kind::kPublish);
  EXPECT_EQ(command.connection.server, "https://10.96.0.1:443");
  const PublishOptions& publish = command.publish;
  EXPECT_EQ(publish.lease, "web");
  EXPECT_EQ(publish.secret, "web-tls");
  EXPECT_EQ(publish.volume.directory, "");
  EXPECT_EQ(publish.ns, "prod");
  EXPECT_EQ(publish.annotation_prefix, "kubetemplater.io");
  EXPECT_FALSE(publish.create);
  EXPECT_FALSE(publish.once);
  EXPECT_EQ(publish.timeout, 180s);
  EXPECT_TRUE(publish.watch.retry_unauthorized);
}

TEST(PublishFlags, TakeAVolumeInstead) {
  const Command command = ParsedLine(
      "publish --lease=web --volume=/tls --cert-file=a --key-file=b --ca-file=c --create --once "
      "--timeout=1m --annotation-prefix=example.com -n infra --token=t");
  const PublishOptions& publish = command.publish;
  EXPECT_EQ(publish.secret, "");
  EXPECT_EQ(publish.volume.directory, "/tls");
  EXPECT_EQ(publish.volume.cert_file, "a");
  EXPECT_EQ(publish.volume.key_file, "b");
  EXPECT_EQ(publish.volume.ca_file, "c");
  EXPECT_TRUE(publish.create);
  EXPECT_TRUE(publish.once);
  EXPECT_EQ(publish.timeout, 60s);
  EXPECT_EQ(publish.annotation_prefix, "example.com");
  EXPECT_EQ(publish.ns, "infra");
  EXPECT_FALSE(publish.watch.retry_unauthorized);
}

TEST(PublishFlags, AreRefusedInOneLineThatNamesThem) {
  static constexpr struct {
    const char* flags;
    const char* error;
  } kLines[] = {
      {"", "no Lease: give --lease"},
      {"--secret=a", "no Lease: give --lease"},
      {"--lease=a",
       "no certificate: give --secret, or --volume with the directory where it is mounted"},
      {"--lease=a --secret=a --volume=/tls", "--secret and --volume contradict each other"},
      {"--lease=a --secret=a --cert-file=x",
       "--cert-file needs --volume (see 'certlatch publish --help')"},
      {"--lease=a --secret=a --timeout=1m",
       "--timeout needs --once (see 'certlatch publish --help')"},
      {"--lease=a --secret=a b", "unexpected argument \"b\""},
      {"--lease=a/b",
       "invalid argument \"a/b\" for \"--lease\" flag: must be the name of an object (see "
       "'certlatch publish --help')"},
      {"--secret=",
       "invalid argument \"\" for \"--secret\" flag: must be the name of an object (see 'certlatch "
       "publish --help')"},
      {"--once --timeout=0",
       "invalid argument \"0\" for \"--timeout\" flag: must be more than 0 (see 'certlatch publish "
       "--help')"},
      {"--signal=HUP", "unknown flag: --signal (see 'certlatch publish --help')"},
  };
  for (const auto& line : kLines) {
    EXPECT_EQ(RefusedLine(Format("publish %s", line.flags)), Format("error: %s", line.error));
  }
  EXPECT_EQ(RefusedLine("publish --lease=a --volume=/tls", Surroundings()),
            "error: no API server: this is no pod (KUBERNETES_SERVICE_HOST is not set); give "
            "--server");
}

}  // namespace
}  // namespace certlatch
