#include "app/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/text.h"
#include "domain/base64.h"
#include "domain/json.h"
#include "test/support/fake_host.h"
#include "test/support/fake_pod.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using test::FakeHost;
using test::FakePod;
using test::PemPair;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Source = ReloadOptions::Source;

constexpr WallTime kStart{std::chrono::seconds(1'800'000'000)};  // FakeHost's

PemPair Issue(Duration to, test::KeyType key = test::KeyType::kEcP256) {
  static const test::CertAuthority authority;
  test::CertSpec spec;
  spec.dns_names = {"web"};
  spec.key = key;
  spec.not_before_at = kStart - std::chrono::seconds(48h);
  spec.not_after_at = kStart + std::chrono::duration_cast<std::chrono::seconds>(to);
  return authority.Issue(spec);
}

const PemPair& Old() {
  static const PemPair pair = Issue(24h);
  return pair;
}
const PemPair& New() {
  static const PemPair pair = Issue(48h);
  return pair;
}

constexpr const char* kOldEnd = "2027-01-16T08:00:00Z";
constexpr const char* kNewEnd = "2027-01-17T08:00:00Z";

std::string Hash(const PemPair& pair) { return HexLower(Sha256(pair.cert)); }
std::string Leaf(const PemPair& pair) { return test::CertFingerprint(pair.cert); }

std::string LeaseOf(const PemPair& pair, const char* end) {
  return Format(R"({"metadata":{"name":"web","annotations":{"kubetemplater.io/cert-ready":"true",)"
                R"("kubetemplater.io/cert-hash":"%s","kubetemplater.io/cert-valid-until":"%s"}}})",
                Hash(pair).c_str(), end);
}

// One look, at a Lease and an app unless told otherwise.
struct Checking {
  explicit Checking(const PemPair& mounted, CheckOptions its_options = {},
                    Source source = Source::kLease, bool prove = true)
      : options(std::move(its_options)) {
    pod.files = {{"tls.crt", mounted.cert}, {"tls.key", mounted.key}};
    options.pod.volume.directory = "/tls";
    options.expect.source = source;
    options.expect.name = "web";
    if (prove) options.pod.prove = *ParseProbe("127.0.0.1:8443");
    check.emplace(host, pod, options, [this](WaitResult outcome) { result = std::move(outcome); });
  }
  ~Checking() { check.reset(); }

  void Start() {
    check->Start();
    EXPECT_FALSE(result);  // never from within
    host.Advance(Duration::zero());
  }
  void Expect(int status, const std::string& body) {
    host.Answer(host.Find("/namespaces/default/"), status, body);
  }
  bool met() const { return result && result->outcome == WaitOutcome::kMet; }
  std::string Error() const { return result && !result->errors.empty() ? result->errors[0] : ""; }

  CheckOptions options;
  FakeHost host;
  FakePod pod;
  std::optional<Check> check;
  std::optional<WaitResult> result;
};

TEST(Check, AgreesAndShowsTheThreeFingerprints) {
  Checking run(Old());
  run.Start();
  EXPECT_EQ(run.host.Open()[0].target,
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/web");
  ASSERT_EQ(run.pod.Probes().size(), 1U);  // at the same time
  EXPECT_EQ(run.pod.Probes()[0].kind, KeyKind::kP256);
  run.pod.AnswerProbe(Old().cert);
  EXPECT_FALSE(run.result);
  run.Expect(200, LeaseOf(Old(), kOldEnd));
  ASSERT_TRUE(run.met());
  EXPECT_THAT(run.result->errors, IsEmpty());
  const std::string dashes = Format("%-64s", "-");
  EXPECT_THAT(
      run.host.printed,
      ElementsAre(Format("expected  %s  lease/web, valid until %s", Hash(Old()).c_str(), kOldEnd),
                  Format("mounted   %s  %s  /tls, valid until %s", Hash(Old()).c_str(),
                         Leaf(Old()).c_str(), kOldEnd),
                  Format("served    %s  %s  127.0.0.1:8443, valid until %s", dashes.c_str(),
                         Leaf(Old()).c_str(), kOldEnd),
                  Format("ok: expected, mounted and served agree, valid until %s", kOldEnd)));
  EXPECT_FALSE(run.host.HasTimers());
}

TEST(Check, LooksOnlyAtWhatIsAskedFor) {
  Checking run(Old(), {}, Source::kNone, false);
  run.Start();
  ASSERT_TRUE(run.met());
  EXPECT_TRUE(run.host.history.empty());
  EXPECT_THAT(run.host.printed, ElementsAre(StartsWith("mounted   " + Hash(Old())),
                                            HasSubstr("ok: the mounted pair is good")));
}

TEST(Check, TheMountIsBehindWhatIsExpected) {
  Checking run(Old());
  run.Start();
  run.Expect(200, LeaseOf(New(), kNewEnd));
  run.pod.AnswerProbe(Old().cert);
  EXPECT_EQ(run.Error(), Format("error: mounted is behind: lease/web names a certificate valid "
                                "until %s, the mount has the one until %s; kubelet has yet to "
                                "bring it",
                                kNewEnd, kOldEnd));
  EXPECT_EQ(run.host.printed.size(), 3U);
}

TEST(Check, TheLeaseIsBehindTheMount) {
  Checking run(New());
  run.Start();
  run.Expect(200, LeaseOf(Old(), kOldEnd));
  run.pod.AnswerProbe(New().cert);
  EXPECT_THAT(run.Error(), StartsWith("error: expected is behind: lease/web names"));
}

TEST(Check, TheAppIsBehindTheMount) {
  Checking run(New());
  run.Start();
  run.Expect(200, LeaseOf(New(), kNewEnd));
  run.pod.AnswerProbe(Old().cert);
  EXPECT_EQ(run.Error(), Format("error: served is behind: the app serves a certificate valid until "
                                "%s, the mount has the one until %s; the app has to reload it",
                                kOldEnd, kNewEnd));
}

TEST(Check, TheMountIsBehindTheApp) {
  Checking run(Old(), {}, Source::kNone);
  run.Start();
  run.pod.AnswerProbe(New().cert);
  EXPECT_THAT(run.Error(), StartsWith("error: mounted is behind: the app serves"));
}

TEST(Check, SaysWhenNeitherIsLater) {
  const PemPair other = Issue(24h);
  Checking expected(Old(), {}, Source::kLease, false);
  expected.Start();
  expected.Expect(200, LeaseOf(other, kOldEnd));
  EXPECT_THAT(expected.Error(), StartsWith("error: expected and mounted differ, and neither"));
  Checking undated(Old(), {}, Source::kLease, false);
  undated.Start();
  undated.Expect(200, LeaseOf(other, "soon"));
  EXPECT_THAT(undated.Error(), StartsWith("error: expected and mounted differ, and neither"));
  Checking served(Old(), {}, Source::kNone);
  served.Start();
  served.pod.AnswerProbe(other.cert);
  EXPECT_THAT(served.Error(), StartsWith("error: served and mounted differ, and neither"));
}

TEST(Check, ComparesTheBytesOfASecretToo) {
  Checking same(Old(), {}, Source::kSecret, false);
  same.pod.files["ca.crt"] = Old().cert;
  same.Start();
  same.Expect(200, Format(R"({"data":{"tls.crt":"%s","tls.key":"%s","ca.crt":"%s"}})",
                          EncodeBase64(Old().cert).c_str(), EncodeBase64(Old().key).c_str(),
                          EncodeBase64(Old().cert).c_str()));
  EXPECT_TRUE(same.met()) << same.Error();
  EXPECT_THAT(same.host.printed[0],
              Format("expected  %s  secret/web, valid until %s", Hash(Old()).c_str(), kOldEnd));
  Checking other(Old(), {}, Source::kSecret, false);
  other.pod.files["ca.crt"] = Old().cert;
  other.Start();
  other.Expect(200, Format(R"({"data":{"tls.crt":"%s","tls.key":"%s","ca.crt":"%s"}})",
                           EncodeBase64(Old().cert).c_str(), EncodeBase64(Old().key).c_str(),
                           EncodeBase64(New().cert).c_str()));
  EXPECT_THAT(other.Error(), HasSubstr("tls.key or ca.crt is not"));
}

// A projected volume may bring the CA from elsewhere.
TEST(Check, AgreesWithASecretWithoutACa) {
  Checking run(Old(), {}, Source::kSecret, false);
  run.pod.files["ca.crt"] = Old().cert;
  run.Start();
  run.Expect(200, Format(R"({"data":{"tls.crt":"%s","tls.key":"%s"}})",
                         EncodeBase64(Old().cert).c_str(), EncodeBase64(Old().key).c_str()));
  EXPECT_TRUE(run.met()) << run.Error();
}

TEST(Check, APairThatCannotBeUsedIsNeverOk) {
  CheckOptions for_other_name;
  for_other_name.require_name = "mail";
  CheckOptions for_long;
  for_long.min_validity = 25h;
  const PemPair expired = Issue(-1h);
  const auto error = [](const PemPair& pair, const CheckOptions& options) {
    Checking run(pair, options, Source::kNone);
    run.Start();
    run.pod.AnswerProbe(pair.cert);
    return run.Error();
  };
  EXPECT_THAT(error(Old(), for_other_name), HasSubstr("tls.crt is not for mail"));
  EXPECT_THAT(error(Old(), for_long), HasSubstr("less than the 25h"));
  EXPECT_THAT(error(expired, {}), HasSubstr("the certificate expired at 2027-01-15T07:00:00Z"));
  EXPECT_THAT(error({Old().cert, New().key}, {}), HasSubstr("do not belong together"));
}

TEST(Check, SaysWhatIsMissingInTheMount) {
  Checking run(Old());
  run.pod.files.erase("tls.key");
  run.Start();
  run.Expect(200, LeaseOf(Old(), kOldEnd));
  run.pod.AnswerProbe(Old().cert);
  EXPECT_EQ(run.Error(),
            "error: the mounted pair cannot be used: tls.key is missing; the volume holds tls.crt: "
            "--cert-file/--key-file can name others");
  EXPECT_THAT(run.host.printed[1], HasSubstr(Hash(Old()) + "  -"));

  Checking unreadable(Old());
  unreadable.pod.unreadable = Error{Code::kRetry, "/tls: No such file or directory"};
  unreadable.Start();
  unreadable.Expect(200, LeaseOf(Old(), kOldEnd));
  unreadable.pod.AnswerProbe(Old().cert);
  EXPECT_THAT(unreadable.Error(), HasSubstr("/tls: No such file or directory"));
}

TEST(Check, SaysWhyNothingIsExpected) {
  const auto error = [](int status, const std::string& body) {
    Checking run(Old());
    run.Start();
    run.pod.AnswerProbe(Old().cert);
    run.Expect(status, body);
    return run.Error();
  };
  EXPECT_EQ(error(404, ""), "error: lease/web: does not exist");
  EXPECT_EQ(error(403, R"({"kind":"Status","message":"no right"})"),
            "error: lease/web: HTTP 403: no right");
  EXPECT_THAT(error(200, "{}"), HasSubstr("lease/web: its annotation"));
  EXPECT_THAT(error(200, "<html>"), StartsWith("error: lease/web: "));
}

TEST(Check, SaysWhyTheAppShowsNothing) {
  Checking run(Old());
  run.Start();
  run.Expect(200, LeaseOf(Old(), kOldEnd));
  run.pod.AnswerProbe(Error{Code::kRetry, "127.0.0.1:8443: connection refused"});
  EXPECT_EQ(run.Error(), "error: served is not known: 127.0.0.1:8443: connection refused");
  EXPECT_THAT(run.host.printed[2], HasSubstr("127.0.0.1:8443: connection refused"));
}

TEST(Check, EndsAtItsTimeoutWithWhatItKnows) {
  Checking run(Old());
  run.Start();
  run.pod.AnswerProbe(Old().cert);
  run.host.Advance(11s);
  EXPECT_EQ(run.Error(), "error: lease/web: no answer within 10s");
  EXPECT_EQ(run.host.printed.size(), 3U);
  EXPECT_TRUE(run.host.Open().empty());
}

TEST(Check, InterruptedIsNotOk) {
  Checking run(Old());
  run.Start();
  run.check->Interrupt("SIGTERM");
  EXPECT_EQ(run.Error(), "error: lease/web: interrupted by SIGTERM");
  EXPECT_TRUE(run.pod.Probes().empty());
}

TEST(Check, WarnsOfAChainThatDoesNotLeadToItsCa) {
  Checking run(Old(), {}, Source::kNone, false);
  run.pod.files["ca.crt"] = New().cert;
  run.Start();
  EXPECT_TRUE(run.met());
  EXPECT_THAT(run.host.printed[0], HasSubstr("(warning: tls.crt does not lead to"));
}

TEST(Check, AsJsonHasTheSameWithStableKeys) {
  CheckOptions options;
  options.json = true;
  Checking run(Old(), options);
  run.Start();
  run.Expect(200, LeaseOf(New(), kNewEnd));
  run.pod.AnswerProbe(Error{Code::kRetry, "refused"});
  ASSERT_EQ(run.host.printed.size(), 1U);
  const Json json = *ParseJson(run.host.printed[0]);
  EXPECT_EQ(json["ok"].AsBool(), false);
  EXPECT_THAT(json["verdict"].AsString(), StartsWith("mounted is behind: "));
  EXPECT_EQ(json["expected"].Dump(),
            Format(R"({"source":"lease/web","fileSHA256":"%s","validUntil":"%s"})",
                   Hash(New()).c_str(), kNewEnd));
  EXPECT_EQ(json["mounted"].Dump(),
            Format(R"({"source":"/tls","fileSHA256":"%s","leafSHA256":"%s","validUntil":"%s"})",
                   Hash(Old()).c_str(), Leaf(Old()).c_str(), kOldEnd));
  EXPECT_EQ(json["served"].Dump(), R"({"source":"127.0.0.1:8443","problem":"refused"})");

  Checking good(Old(), options, Source::kNone, false);
  good.Start();
  const Json ok = *ParseJson(good.host.printed[0]);
  EXPECT_EQ(ok["ok"].AsBool(), true);
  EXPECT_EQ(ok.Find("expected"), nullptr);
  EXPECT_EQ(ok.Find("served"), nullptr);
}

}  // namespace
}  // namespace certlatch
