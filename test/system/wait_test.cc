// What a pod's author sees: targets that are met, not met, and by which words.
#include <algorithm>
#include <string>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kNotReady =
    R"({"conditions":[{"type":"Ready","status":"False","reason":"DoesNotExist",)"
    R"("message":"Issuing certificate as Secret does not exist"}]})";
const ObjectRef kWeb = {"certificates.cert-manager.io", "default", "web"};
constexpr char kWebMet[] = "certificate.cert-manager.io/web condition met\n";

class WaitSystem : public SystemTest {};

TEST_F(WaitSystem, EndsAtOnceWhenTheTargetIsReadyAlready) {
  api().Put(CertificateJson("web", kReady));
  const Outcome outcome = Run({"certificate/web"});
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, kWebMet);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(WaitSystem, EndsAfterTheChangeThatMakesTheTargetReady) {
  api().Put(CertificateJson("web", kNotReady));
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(run->WaitForStderr("Secret does not exist", kHang)) << run->Err();
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  api().PatchStatus(kWeb, kReady);
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, kWebMet);
}

TEST_F(WaitSystem, SaysEachReasonOncePerChange) {
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(run->WaitForStderr("not found yet", kHang)) << run->Err();
  api().Put(CertificateJson("web", kNotReady));
  ASSERT_TRUE(run->WaitForStderr("Secret does not exist", kHang)) << run->Err();
  // Of no consequence: the line must not come again.
  api().PatchStatus(kWeb, R"({"revision":1})");
  api().PatchStatus(kWeb, R"({"revision":2})");
  api().PatchStatus(kWeb, R"({"conditions":[{"type":"Ready","status":"False","reason":"Later"}]})");
  ASSERT_TRUE(run->WaitForStderr("Later", kHang)) << run->Err();
  api().PatchStatus(kWeb, kReady);
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(CountOf(outcome.err, "not found yet"), 1U) << outcome.err;
  EXPECT_EQ(CountOf(outcome.err, "Secret does not exist"), 1U) << outcome.err;
  EXPECT_EQ(Lines(outcome.err).size(), 3U) << outcome.err;
}

TEST_F(WaitSystem, NamesTargetAndReasonWhenTimeIsUp) {
  api().Put(CertificateJson("web", kNotReady));
  const Outcome outcome = Run({"certificate/web", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(Lines(outcome.err).back(),
              "error: timed out after 1s: certificate/web: Ready is False (DoesNotExist: Issuing "
              "certificate as Secret does not exist)");
}

TEST_F(WaitSystem, LooksOnceWithTimeoutZero) {
  api().Put(CertificateJson("web", kNotReady));
  const Outcome outcome = Run({"certificate/web", "--timeout=0"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("error: certificate/web: Ready is False"));
  EXPECT_EQ(CountWatches(api().requests()), 0U);
}

TEST_F(WaitSystem, ReportsAReadyTargetBeforeTheOthersAreReady) {
  api().Put(CertificateJson("web", kNotReady));
  api().Put(EndpointsJson("db", true));
  const auto run = Start({"certificate/web", "endpoints/db"});
  ASSERT_TRUE(run->WaitForStdout("endpoints/db condition met\n", kHang)) << run->Err();
  EXPECT_THAT(run->Out(), Not(HasSubstr("certificate")));
  api().PatchStatus(kWeb, kReady);
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, "endpoints/db condition met\n" + std::string(kWebMet));
}

TEST_F(WaitSystem, NeedsAllTargets) {
  api().Put(EndpointsJson("db", true));
  const Outcome outcome = Run({"endpoints/db", "certificate/web", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(Lines(outcome.err).back(), HasSubstr("certificate/web: not found yet"));
}

TEST_F(WaitSystem, LooksInTheNamespaceThatATargetNames) {
  api().Put(CertificateJson("web", kReady, "blue"));
  const Outcome outcome = Run({"certificate/web@blue", "-n", "green"});
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(api().requests().front().path, HasSubstr("/namespaces/blue/"));
  EXPECT_THAT(Run({"certificate/web", "-n", "green", "--timeout=1s"}), ExitsWith(1));
}

TEST_F(WaitSystem, WaitsForCreation) {
  const auto run = Start({"configmap/c", "--for=create"});
  ASSERT_TRUE(run->WaitForStderr("not found yet", kHang));
  api().Put(ConfigMapJson("c", "1"));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, "configmap/c condition met\n");
}

TEST_F(WaitSystem, WaitsForDeletion) {
  api().Put(ConfigMapJson("c", "1"));
  const auto run = Start({"configmap/c", "--for=delete"});
  ASSERT_TRUE(run->WaitForStderr("still exists", kHang));
  api().Delete({"configmaps", "default", "c"});
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, "configmap/c condition met\n");
}

TEST_F(WaitSystem, WaitsForAConditionWithTheWantedStatus) {
  api().Put(CertificateJson("web", kReady));
  EXPECT_THAT(Run({"certificate/web", "--for=condition=ready"}), ExitsWith(0));
  const auto run = Start({"certificate/web", "--for=condition=Ready=False"});
  ASSERT_TRUE(run->WaitForStderr("Ready is True", kHang));
  api().PatchStatus(kWeb, kNotReady);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WaitSystem, WaitsForAJsonPathsValue) {
  api().Put(ConfigMapJson("c", "1"));
  const auto run = Start({"configmap/c", "--for=jsonpath={.data.a}=2"});
  ASSERT_TRUE(run->WaitForStderr("{.data.a} is \"1\", not \"2\"", kHang)) << run->Err();
  api().Put(ConfigMapJson("c", "2"));
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WaitSystem, SatisfiedByAnObjectThatWasDeletedAndMadeAnew) {
  api().Put(CertificateJson("web", kNotReady));
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(run->WaitForStderr("Secret does not exist", kHang));
  api().Delete(kWeb);
  ASSERT_TRUE(run->WaitForStderr("not found yet", kHang)) << run->Err();
  api().Put(CertificateJson("web", kReady));
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WaitSystem, FailsAtOnceForAnAbsentObjectIfAskedTo) {
  const Outcome outcome = Run({"certificate/web", "--wait-for-existence=false"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.err,
            "Error from server (NotFound): certificates.cert-manager.io \"web\" not found\n");
}

TEST_F(WaitSystem, ExitsWith3WhenAJobHasFailed) {
  api().Put(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"status":)"
            R"({"conditions":[{"type":"Failed","status":"True","message":"too many retries"}]}})");
  const Outcome outcome = Run({"job/j"});
  EXPECT_THAT(outcome, ExitsWith(3));
  EXPECT_EQ(outcome.err, "error: job/j: the Job failed: too many retries\n");
}

// --- secrets ---

TEST_F(WaitSystem, TakesASecretWhoseKeyBelongsToItsCertificate) {
  api().Put(TlsSecretJson("tls", authority().Issue({})));
  EXPECT_THAT(Run({"secret/tls"}), ExitsWith(0));
}

TEST_F(WaitSystem, WaitsUntilTheKeyBelongsToTheCertificate) {
  const PemPair one = authority().Issue({});
  const PemPair other = authority().Issue({});
  api().Put(TlsSecretJson("tls", {one.cert, other.key}));
  const auto run = Start({"secret/tls"});
  ASSERT_TRUE(run->WaitForStderr("secret/tls: ", kHang));
  EXPECT_THAT(run->Err(), HasSubstr("belong"));
  EXPECT_EQ(run->Out(), "");
  api().Put(TlsSecretJson("tls", one));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, "secret/tls condition met\n");
  EXPECT_THAT(outcome.err, Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(WaitSystem, DoesNotTakeAnExpiredCertificate) {
  CertSpec spec;
  spec.not_before = -48h;
  spec.not_after = -1h;
  api().Put(TlsSecretJson("tls", authority().Issue(spec)));
  const Outcome outcome = Run({"secret/tls", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("the certificate expired at "));
}

TEST_F(WaitSystem, WaitsUntilACertificateBeginsToBeValid) {
  CertSpec spec;
  spec.not_before = 3s;
  api().Put(TlsSecretJson("tls", authority().Issue(spec)));
  const Outcome outcome = Run({"secret/tls"});
  EXPECT_THAT(outcome, ExitsWith(0));
}

TEST_F(WaitSystem, SaysThatASecretsBytesAreNoCertificate) {
  api().Put(TlsSecretJson("tls", {"hello", "world"}));
  const Outcome outcome = Run({"secret/tls", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(Lines(outcome.err).back(), HasSubstr("secret/tls: "));
  EXPECT_THAT(Lines(outcome.err).back(), HasSubstr("PEM"));
}

// --- endpoints and services ---

std::string SliceJson(const std::string& version, bool ready) {
  return R"({"apiVersion":"discovery.k8s.io/)" + version +
         R"(","kind":"EndpointSlice","metadata":{"name":"db-1","labels":)"
         R"({"kubernetes.io/service-name":"db"}},"addressType":"IPv4","endpoints":[{"addresses":)"
         R"(["10.0.0.7"],"conditions":{"ready":)" +
         (ready ? "true" : "false") + R"(}}],"ports":[{"name":"sql","port":5432}]})";
}

const std::string kService =
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"db"},"spec":{"ports":)"
    R"([{"name":"sql","port":5432},{"name":"metrics","port":9187}]}})";

TEST_F(WaitSystem, WaitsForAReadyAddressOfEndpoints) {
  api().Put(EndpointsJson("db", false));
  const auto run = Start({"endpoints/db"});
  ASSERT_TRUE(run->WaitForStderr("no ready address (0 ready, 1 not ready)", kHang)) << run->Err();
  api().Put(EndpointsJson("db", true));
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(WaitSystem, WaitsForAServicesPortThroughItsSlices) {
  api().Put(kService);
  api().Put(SliceJson("v1", false));
  const auto run = Start({"service/db:5432"});
  ASSERT_TRUE(run->WaitForStderr("no ready endpoint on port 5432", kHang)) << run->Err();
  api().Put(SliceJson("v1", true));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, "service/db condition met\n");
}

TEST_F(WaitSystem, SaysWhichPortsAServiceHas) {
  api().Put(kService);
  api().Put(SliceJson("v1", true));
  const Outcome outcome = Run({"service/db:80", "--timeout=1s"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("has no port 80 (its ports: 5432 sql, 9187 metrics)"));
}

TEST_F(WaitSystem, ReadsTheSlicesOfAnOldClusterThroughV1beta1) {
  api().Register({"discovery.k8s.io", "v1beta1", "endpointslices", "EndpointSlice", {}});
  api().InjectFault(
      [](const HttpRequest& request) {
        return request.path.starts_with("/apis/discovery.k8s.io/v1/");
      },
      [](const HttpRequest&, Connection& connection) {
        connection.SendResponse(404, {{"Content-Type", "text/plain"}}, "404 page not found\n");
      },
      -1);
  api().Put(kService);
  api().Put(SliceJson("v1", true));  // both versions show the same objects
  EXPECT_THAT(Run({"service/db:sql"}), ExitsWith(0));
}

// --- types that are looked up ---

const ApiResource kWidgets = {"example.com", "v2", "widgets", "Widget", {"wg"}, true, true, true};
const std::string kWidget =
    R"({"apiVersion":"example.com/v2","kind":"Widget","metadata":{"name":"w"},"status":)" + kReady +
    "}";

TEST_F(WaitSystem, FindsATypeItDoesNotKnowInTheServersDiscovery) {
  api().Register(kWidgets);
  api().Put(kWidget);
  for (const char* type :
       {"widget", "widgets", "wg", "widgets.example.com", "widgets.v2.example.com"}) {
    const Outcome outcome = Run({std::string(type) + "/w"});
    EXPECT_THAT(outcome, ExitsWith(0)) << type;
    EXPECT_EQ(outcome.out, "widget.example.com/w condition met\n");
  }
}

TEST_F(WaitSystem, RefusesATypeThatNobodyKnows) {
  const Outcome outcome = Run({"widget/w"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.err, "error: the server doesn't have a resource type \"widget\"\n");
}

TEST_F(WaitSystem, WaitsForAFullyNamedTypeUntilItIsInstalled) {
  const auto run = Start({"widgets.example.com/w"});
  ASSERT_TRUE(run->WaitForStderr("is it installed?", kHang)) << run->Err();
  api().Register(kWidgets);
  api().Put(kWidget);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

// --- machine-readable logs ---

TEST_F(WaitSystem, WritesOneJsonObjectALine) {
  api().Put(CertificateJson("web", kNotReady));
  const Outcome outcome =
      Run({"certificate/web", "secret/\"x", "--timeout=1s", "--log-format=json"});
  EXPECT_THAT(outcome, ExitsWith(1));
  const auto lines = Lines(outcome.err);
  EXPECT_GE(lines.size(), 3U);
  for (const std::string& line : lines) {
    const Result<Json> json = ParseJson(line);
    ASSERT_TRUE(json.has_value()) << line;
    for (const char* key : {"ts", "level", "event", "msg"}) {
      EXPECT_NE((*json)[key].AsString(), "") << key << " in " << line;
    }
  }
}

// `key=value key="quoted \" value"`: the keys, or nothing where the line is not of that form.
std::vector<std::string> LogfmtKeys(std::string_view line) {
  std::vector<std::string> keys;
  while (!line.empty()) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return {};
    keys.emplace_back(line.substr(0, equals));
    line.remove_prefix(equals + 1);
    size_t end = 0;
    if (line.starts_with('"')) {
      end = 1;
      while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2U : 1U;
      if (end >= line.size()) return {};
      ++end;
    } else {
      end = std::min(line.find(' '), line.size());
    }
    if (end < line.size() && line[end] != ' ') return {};
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return keys;
}

TEST_F(WaitSystem, WritesLogfmtLines) {
  api().Put(CertificateJson("web", kNotReady));
  const Outcome outcome = Run({"certificate/web", "--timeout=1s", "--log-format=logfmt"});
  EXPECT_THAT(outcome, ExitsWith(1));
  const auto lines = Lines(outcome.err);
  ASSERT_EQ(lines.size(), 2U) << outcome.err;
  EXPECT_THAT(LogfmtKeys(lines[0]), ElementsAre("ts", "level", "event", "target", "reason", "msg"));
  EXPECT_THAT(LogfmtKeys(lines[1]), ElementsAre("ts", "level", "event", "msg"));
}

}  // namespace
}  // namespace certlatch::test
