// Under the name kubectl every line and every exit code is kubectl's.
#include <string>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kNotReady = R"({"conditions":[{"type":"Ready","status":"False"}]})";

class AsKubectl : public SystemTest {
 protected:
  Outcome Kubectl(const Args& arguments) {
    Args argv = {"/usr/local/bin/kubectl", "wait"};
    for (const std::string& flag : FlagsFor(api().url())) argv.push_back(flag);
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return StartProgram(std::move(argv))->Wait(kHang);
  }
  void Expect(const Args& arguments, int code, const std::string& out, const std::string& err) {
    const Outcome outcome = Kubectl(arguments);
    EXPECT_THAT(outcome, ExitsWith(code));
    EXPECT_EQ(outcome.out, out);
    EXPECT_EQ(outcome.err, err);
  }
};

TEST_F(AsKubectl, SaysThatAConditionIsMet) {
  api().Put(CertificateJson("web", kReady));
  Expect({"--for=condition=Ready", "certificate/web"}, 0,
         "certificate.cert-manager.io/web condition met\n", "");
}

TEST_F(AsKubectl, PrintsTheNameOnlyIfAskedTo) {
  api().Put(CertificateJson("web", kReady));
  Expect({"--for=condition=Ready", "certificate", "web", "-o", "name"}, 0,
         "certificate.cert-manager.io/web\n", "");
}

// The last line names neither group nor reason; the reason has been said while waiting.
TEST_F(AsKubectl, SaysThatTimeIsUp) {
  api().Put(CertificateJson("web", kNotReady));
  const Outcome outcome = Kubectl({"--for=condition=Ready", "certificate/web", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(Lines(outcome.err).back(),
            "error: timed out waiting for the condition on certificates/web");
}

TEST_F(AsKubectl, SaysThatAnObjectIsNotFound) {
  Expect({"--for=condition=Ready", "certificate/nope"}, 1, "",
         "Error from server (NotFound): certificates.cert-manager.io \"nope\" not found\n");
}

TEST_F(AsKubectl, SaysThatAFlagIsUnknown) {
  Expect({"--for=condition=Ready", "certificate/web", "--x"}, 1, "",
         "Error: unknown flag: --x\nSee 'kubectl wait --help' for usage.\n");
}

TEST_F(AsKubectl, SaysThatAConditionIsUnrecognized) {
  Expect({"--for=foo", "certificate/web"}, 1, "", "error: unrecognized condition: \"foo\"\n");
  Expect({"certificate/web"}, 1, "", "error: unrecognized condition: \"\"\n");
}

TEST_F(AsKubectl, SaysThatATypeIsUnknown) {
  Expect({"--for=create", "widget/w"}, 1, "",
         "error: the server doesn't have a resource type \"widget\"\n");
}

TEST_F(AsKubectl, SaysThatANameIsMissing) {
  Expect({"--for=create", "pods"}, 1, "",
         "error: resource(s) were provided, but no name was specified\n");
}

TEST_F(AsKubectl, LooksOnceWithTimeoutZero) {
  api().Put(CertificateJson("web", kNotReady));
  Expect({"--for=condition=Ready", "certificate/web", "--timeout=0"}, 1, "",
         "error: condition not met for certificates/web\n");
}

TEST_F(AsKubectl, SaysNothingOfADeletedObjectThatIsNotThere) {
  Expect({"--for=delete", "certificate/web"}, 0, "", "");
}

TEST_F(AsKubectl, SaysOfACreationOnlyThatTimeIsUp) {
  const Outcome outcome = Kubectl({"--for=create", "certificate/web", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(Lines(outcome.err).back(), "error: timed out waiting for the condition");
}

// With several failures kubectl prints an aggregate: a line each, without "error: ".
TEST_F(AsKubectl, SaysOneLineForEachOfSeveralThatFail) {
  api().Put(CertificateJson("web", kNotReady));
  api().Put(CertificateJson("api", kNotReady));
  const Outcome outcome =
      Kubectl({"--for=condition=Ready", "certificate/web", "certificate/api", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  const auto lines = Lines(outcome.err);
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines[lines.size() - 2], "timed out waiting for the condition on certificates/web");
  EXPECT_EQ(lines.back(), "timed out waiting for the condition on certificates/api");
}

TEST_F(AsKubectl, KnowsNoThirdExitCode) {
  api().Put(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"status":)"
            R"({"conditions":[{"type":"Failed","status":"True","message":"too many"}]}})");
  EXPECT_THAT(Kubectl({"--for=condition=Complete", "job/j", "--timeout=1s"}), ExitsWith(1));
}

}  // namespace
}  // namespace certlatch::test
