// Under the name kubectl, certlatch is `kubectl wait`: both are asked the same of the same objects.
// kubectl is $CERTLATCH_KUBECTL, else the first of $PATH; without one these tests are skipped.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

struct Case {
  const char* name;
  std::vector<std::string> arguments;
  int since = 0;  // the minor version of the first kubectl 1.x that does so
};

void PrintTo(const Case& row, std::ostream* stream) { *stream << row.name; }

std::string FindKubectl() {
  const char* named = std::getenv("CERTLATCH_KUBECTL");
  if (named != nullptr) return named;
  const char* path = std::getenv("PATH");
  for (const std::string_view dir : Split(path == nullptr ? "" : path, ':')) {
    std::string file = std::string(dir) + "/kubectl";
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

// "clientVersion": {"minor": "32", ...}; 0: it does not say.
int MinorVersion(const std::string& kubectl, const std::vector<std::string>& env) {
  const Result<Outcome> outcome = RunProgram(
      {.path = kubectl, .argv = {"kubectl", "version", "--client", "-o", "json"}, .env = env},
      kPatience);
  const Result<Json> json = ParseJson(outcome ? outcome->out : "");
  const std::string_view minor = json ? (*json)["clientVersion"]["minor"].AsString() : "";
  return static_cast<int>(ParseUint(minor.substr(0, 2)).value_or(0));
}

std::string LastLine(const std::string& text) {
  const std::string_view trimmed = Trim(text);
  const size_t end = trimmed.rfind('\n');
  return std::string(end == std::string_view::npos ? trimmed : trimmed.substr(end + 1));
}

class ClusterKubectl : public ClusterTest, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    kubectl_ = FindKubectl();
    if (kubectl_.empty()) {
      std::fputs("\n*** no kubectl on PATH nor in CERTLATCH_KUBECTL: NOT compared ***\n\n", stderr);
      GTEST_SKIP() << "no kubectl";
    }
    if (MinorVersion(kubectl_, Environment()) < GetParam().since) {
      std::fprintf(stderr, "\n*** kubectl is older than 1.%d: NOT compared ***\n\n",
                   GetParam().since);
      GTEST_SKIP() << "an older kubectl";
    }
    CreateCertificate("ready");
    SetCertificateReady("ready", "True");
    CreateCertificate("unready");
    SetCertificateReady("unready", "False");
    CreateCertificate("two");
    Patch(CertificatePath("two") + "/status", R"({"status":{"revision":3,"conditions":[
        {"type":"Ready","status":"True"},{"type":"Issuing","status":"False"}]}})");
  }

  Outcome Run(const std::string& program) const {
    Command command;
    command.path = program;
    command.argv = {"kubectl",
                    "wait",
                    "--server=" + ClusterTest::access().url,
                    "--certificate-authority=" + ClusterTest::access().ca_file,
                    "--token=" + ClusterTest::access().admin_token,
                    "--namespace=" + ns()};
    const std::vector<std::string>& arguments = GetParam().arguments;
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.env = Environment();
    Result<Outcome> outcome = RunProgram(std::move(command), kPatience);
    EXPECT_TRUE(outcome) << outcome.error().text;
    return outcome ? *std::move(outcome) : Outcome{};
  }

  std::vector<std::string> Environment() const {
    const char* path = std::getenv("PATH");
    return {"HOME=" + home_.path(), std::string("PATH=") + (path == nullptr ? "" : path)};
  }
  const std::string& kubectl() const { return kubectl_; }

 private:
  TempDir home_;
  std::string kubectl_;
};

TEST_P(ClusterKubectl, SaysWhatKubectlSays) {
  const Outcome theirs = Run(kubectl());
  const std::string last = LastLine(theirs.err);
  const Outcome ours = Run(CertlatchBinary());
  EXPECT_EQ(ours.out, theirs.out);
  EXPECT_EQ(ours.exit_code, theirs.exit_code) << ours.err << theirs.err;
  EXPECT_EQ(LastLine(ours.err), last) << ours.err << "\nkubectl:\n" << theirs.err;
}

const Case kCases[] = {
    {"Met", {"certificate/ready", "--for=condition=Ready"}},
    {"MetByOtherSpelling", {"cert/ready", "--for=condition=ready=TRUE"}},
    {"MetFalse", {"certificates/unready", "--for=condition=Ready=false"}},
    {"MetByQualifiedType", {"certificates.v1.cert-manager.io/ready", "--for=condition=Ready"}},
    {"TimedOut", {"certificate/unready", "--for=condition=Ready", "--timeout=1s"}},
    {"TimedOutOnAConditionThatIsNotThere",
     {"certificate/ready", "--for=condition=Nope", "--timeout=1s"}},
    {"NotFound", {"certificate/nope", "--for=condition=Ready"}},
    {"NotFoundInOtherNamespace", {"cm/nope", "-n=default", "--for=condition=Ready"}},
    {"OnceMet", {"certificate/ready", "--for=condition=Ready", "--timeout=0"}},
    {"OnceUnmet", {"certificate/unready", "--for=condition=Ready", "--timeout=0s"}},
    {"CreateTimedOut", {"certificate/nope", "--for=create", "--timeout=1s"}, 31},
    {"CreateMet", {"certificate/ready", "--for=create", "--timeout=1s"}, 31},
    {"DeleteOfWhatIsNotThere", {"certificate/nope", "--for=delete"}},
    {"DeleteTimedOut", {"certificate/ready", "--for=delete", "--timeout=1s"}},
    {"TwoMet", {"certificate/ready", "certificate/two", "--for=condition=Ready"}},
    {"OneOfTwoIsMissing", {"certificate/ready", "certificate/nope", "--for=condition=Ready"}},
    {"OneOfTwoTimesOut",
     {"certificate/ready", "certificate/unready", "--for=condition=Ready", "--timeout=1s"}},
    {"TwoOfTwoTypes",
     {"certificate/two", "sa/x", "namespace/default", "cm/x", "--for=jsonpath={.metadata.uid}",
      "--timeout=0"},
     28},
    {"TwoTimeOut",
     {"certificate/two", "certificate/ready", "--for=condition=Nope", "--timeout=1s"}},
    {"UnknownType", {"widget/x", "--for=condition=Ready"}},
    {"UnknownTypeOfAGroup", {"widgets.example.com/x", "--for=condition=Ready"}},
    {"UnknownTypeOfAGroupAndVersion", {"Widgets.v1.example.com/x", "--for=condition=Ready"}},
    {"UnknownVersion", {"certificates.v9.cert-manager.io/x", "--for=condition=Ready"}},
    {"JsonPathMet", {"certificate/two", "--for=jsonpath={.status.revision}=3"}},
    {"JsonPathExists",
     {"certificate/two", "--for=jsonpath={.status.revision}", "--timeout=1s"},
     28},
    {"JsonPathUnmet", {"certificate/two", "--for=jsonpath={.status.revision}=4", "--timeout=1s"}},
    {"JsonPathMissing", {"certificate/two", "--for=jsonpath={.status.nope}=4", "--timeout=1s"}},
    {"JsonPathOfSeveralValues",
     {"certificate/two", "--for=jsonpath={.status.conditions[*].type}=Ready", "--timeout=1s"}},
    {"JsonPathOfAnObject",
     {"certificate/two", "--for=jsonpath={.status.conditions[0]}=Ready", "--timeout=1s"}},
    {"JsonPathFilter",
     {"certificate/two", "--for=jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True"},
     29},
    {"JsonPathWithoutValue", {"certificate/two", "--for=jsonpath={.status.revision}="}, 28},
    {"JsonPathEmpty", {"certificate/two", "--for=jsonpath="}, 28},
    {"TypeAndNames", {"certificate", "ready", "two", "--for=condition=Ready"}},
    {"TypeWithoutName", {"certificate", "--for=condition=Ready"}},
    {"MixedForms", {"certificate/ready", "two", "--for=condition=Ready"}},
    {"NameOutput", {"certificate/ready", "-o", "name", "--for=condition=Ready"}},
    {"NoFor", {"certificate/ready"}},
    {"UnknownFor", {"certificate/ready", "--for=foo"}},
    {"BadTimeout", {"certificate/ready", "--for=condition=Ready", "--timeout=5"}},
    {"UnknownFlag", {"certificate/ready", "--nope"}},
};

INSTANTIATE_TEST_SUITE_P(Table, ClusterKubectl, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& row) { return row.param.name; });

}  // namespace
}  // namespace certlatch::test
