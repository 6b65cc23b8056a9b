#include "domain/metrics.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/text.h"
#include "test/support/subprocess.h"

namespace certlatch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallTime At(int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

std::string_view StateName(size_t bit) {
  constexpr std::string_view kNames[] = {"verifying", "behind", "converged"};
  return kNames[bit];
}

Digest Filled(uint8_t byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

// Of a sidecar that has everything to say.
Metrics Full() {
  Metrics metrics;
  metrics.build.version = "0.1.0";
  metrics.build.commit = "0123abc";
  metrics.started = At(1'700'000'000);
  metrics.resident_bytes = 2'500'000;
  metrics.state = {StateName, 3, 1U << 2};
  metrics.alarms = {StateName, 2, 3};
  metrics.expected = {Filled(0xaa), std::nullopt, std::nullopt, At(253'402'300'799)};
  metrics.mounted = {Filled(0xaa), Filled(0xbb), At(-631'152'000), At(1)};
  metrics.served = {std::nullopt, Filled(0xcc), At(0), At(2)};
  metrics.expected_is_mounted.Set(true, At(10));
  metrics.mounted_is_served.Set(false, At(20));
  metrics.behind = 12'345ms;
  for (ReloadCounts& counts : metrics.reloads) counts.configured = true;
  metrics.CountReload(ReloadMethod::kSignal, ReloadResult::kDone, At(30));
  metrics.CountReload(ReloadMethod::kExec, ReloadResult::kTimeout, At(40));
  metrics.watches = {{"lease", true, 3}, {"volume", false, 0}};
  metrics.kubelet_lag.Add(1'500ms);
  return metrics;
}

TEST(Metrics, SayWhatTheyAreAndTheirValue) {
  const std::string text = MetricsText(Full());
  for (const char* lines : {
           "# HELP certlatch_build_info What this is.\n"
           "# TYPE certlatch_build_info gauge\n"
           "certlatch_build_info{version=\"0.1.0\",commit=\"0123abc\"} 1\n",
           "process_start_time_seconds 1700000000\n",
           "process_resident_memory_bytes 2500000\n",
           "certlatch_state{state=\"verifying\"} 0\ncertlatch_state{state=\"behind\"} 0\n"
           "certlatch_state{state=\"converged\"} 1\n",
           "certlatch_alarm{alarm=\"verifying\"} 1\ncertlatch_alarm{alarm=\"behind\"} 1\n",
           "certlatch_behind_seconds 12.345\n",
           "certlatch_certificate_info{which=\"expected\",file_sha256=\"aaaaaaaaaaaa\"} 1\n"
           "certlatch_certificate_info{which=\"mounted\",file_sha256=\"aaaaaaaaaaaa\","
           "leaf_sha256=\"bbbbbbbbbbbb\"} 1\n"
           "certlatch_certificate_info{which=\"served\",leaf_sha256=\"cccccccccccc\"} 1\n",
           "certlatch_certificate_not_before_timestamp_seconds{which=\"mounted\"} -631152000\n"
           "certlatch_certificate_not_before_timestamp_seconds{which=\"served\"} 0\n",
           "certlatch_certificate_not_after_timestamp_seconds{which=\"expected\"} 253402300799\n"
           "certlatch_certificate_not_after_timestamp_seconds{which=\"mounted\"} 1\n",
           "certlatch_fingerprints_agree{between=\"expected_mounted\"} 1\n"
           "certlatch_fingerprints_agree{between=\"mounted_served\"} 0\n",
           "certlatch_fingerprints_changed_timestamp_seconds{between=\"mounted_served\"} "
           "20\n",
           "certlatch_watch_up{watch=\"lease\"} 1\ncertlatch_watch_up{watch=\"volume\"} 0\n",
           "certlatch_watch_restarts_total{watch=\"lease\"} 3\n",
       }) {
    EXPECT_THAT(text, HasSubstr(lines));
  }
}

TEST(Metrics, AreSilentOnWhatIsNotKnown) {
  const std::string text = MetricsText({});
  for (const char* name : {"certificate", "fingerprints", "reload", "watch", "memory", "state"}) {
    EXPECT_THAT(text, Not(HasSubstr(name))) << name;
  }
  EXPECT_THAT(text, AllOf(HasSubstr("certlatch_behind_seconds 0\n"),
                          HasSubstr("certlatch_kubelet_lag_seconds_count 0\n")));
}

TEST(Metrics, CountReloadsByMethodAndReason) {
  Metrics metrics;
  ReloadCounts& signal = metrics.reloads[static_cast<size_t>(ReloadMethod::kSignal)];
  signal.configured = true;
  metrics.CountReload(ReloadMethod::kSignal, ReloadResult::kDeferred, At(1));
  EXPECT_FALSE(metrics.last_attempt);
  metrics.CountReload(ReloadMethod::kSignal, ReloadResult::kDone, At(2));
  metrics.CountReload(ReloadMethod::kSignal, ReloadResult::kDenied, At(3));
  metrics.CountReload(ReloadMethod::kSignal, ReloadResult::kDenied, At(4));
  const std::string text = MetricsText(metrics);
  for (const char* line : {
           "certlatch_reload_attempts_total{method=\"signal\"} 3\n",
           "certlatch_reload_successes_total{method=\"signal\"} 1\n",
           "certlatch_reload_deferrals_total{method=\"signal\"} 1\n",
           "certlatch_reload_failures_total{method=\"signal\",reason=\"denied\"} 2\n",
           "certlatch_reload_failures_total{method=\"signal\",reason=\"ambiguous\"} 0\n",
           "certlatch_reload_last_attempt_timestamp_seconds 4\n",
           "certlatch_reload_last_success_timestamp_seconds 2\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  // Neither methods that are not used nor reasons that they cannot have.
  EXPECT_THAT(text, Not(HasSubstr("method=\"http\"")));
  EXPECT_THAT(text, Not(HasSubstr("reason=\"status\"")));
}

TEST(Metrics, NameEveryReasonOfAFailure) {
  Metrics metrics;
  metrics.reloads[0].configured = true;
  for (size_t i = 0; i < kReloadResults; ++i) {
    metrics.CountReload(ReloadMethod::kSignal, static_cast<ReloadResult>(i), At(1));
  }
  const std::string text = MetricsText(metrics);
  EXPECT_THAT(text, HasSubstr("attempts_total{method=\"signal\"} 8\n"));
  for (const char* reason :
       {"not_found", "ambiguous", "denied", "connection", "status", "timeout", "other"}) {
    EXPECT_THAT(text, HasSubstr(Format("reason=\"%s\"} 1\n", reason)));
  }
}

TEST(Metrics, PutALagIntoTheFirstBucketThatHoldsIt) {
  Metrics metrics;
  for (const Duration lag :
       {Duration(0), Duration(500ms), Duration(501ms), Duration(300s), Duration(300'001ms)}) {
    metrics.kubelet_lag.Add(lag);
  }
  const std::string text = MetricsText(metrics);
  for (const char* line :
       {"_bucket{le=\"0.500\"} 2\n", "_bucket{le=\"1\"} 3\n", "_bucket{le=\"120\"} 3\n",
        "_bucket{le=\"300\"} 4\n", "_bucket{le=\"+Inf\"} 5\n", "_sum 601.002\n", "_count 5\n"}) {
    EXPECT_THAT(text, HasSubstr(std::string("certlatch_kubelet_lag_seconds") + line));
  }
}

TEST(Metrics, RememberSinceWhenTwoAgree) {
  Agreement agreement;
  agreement.Set(true, At(1));
  agreement.Set(true, At(2));
  EXPECT_EQ(agreement.since, At(1));
  agreement.Set(false, At(3));
  agreement.Set(false, At(4));
  EXPECT_EQ(agreement.since, At(3));
  agreement.Set(std::nullopt, At(5));
  EXPECT_THAT(MetricsText({}), Not(HasSubstr("agree")));
}

// Prometheus' own opinion of names, help texts, types and syntax.
TEST(Metrics, AreCleanToPromtool) {
  constexpr const char* kPromtool = "/usr/bin/promtool";
  if (access(kPromtool, X_OK) != 0) {
    GTEST_SKIP() << "NOT CHECKED: there is no promtool (Debian package prometheus)";
  }
  for (const std::string& text : {MetricsText(Full()), MetricsText({})}) {
    const auto outcome =
        test::RunProgram({kPromtool, {"promtool", "check", "metrics"}, {}, "", text}, 60s);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->exit_code, 0) << outcome->out << outcome->err << text;
    EXPECT_EQ(outcome->out + outcome->err, "");
  }
}

}  // namespace
}  // namespace certlatch
