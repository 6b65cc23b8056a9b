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
