// Metrics are the sidecar's numbers, and MetricsText is how Prometheus reads them (text format
// 0.0.4). Plain values: whoever knows one sets it; nothing here reads a clock.
// The number of series is bounded, and no label's value needs escaping: all are constants of ours,
// but for digests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/digest.h"

namespace certlatch {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

enum class ReloadMethod { kSignal, kHttp, kExec, kTouch };
constexpr size_t kReloadMethods = 4;

// How telling the app went, in one way. All but the first two are failures, and give the reason.
enum class ReloadResult {
  kDone,
  kDeferred,    // the app cannot take it yet; nothing was sent
  kNotFound,    // no such process, program or file
  kAmbiguous,   // more than one process could be meant
  kDenied,      // by the kernel
  kConnection,  // HTTP: none, or it broke
  kStatus,      // of HTTP or of a program's end, not one that was asked for
  kTimeout,
  kOther,
};
constexpr size_t kReloadResults = 9;

// Counts of one method.
struct ReloadCounts {
  bool configured = false;
  uint64_t results[kReloadResults] = {};
};

struct CertificateMetrics {
  // What is expected is known by its file, what is served by its leaf: these never are the same.
  std::optional<Digest> file;
  std::optional<Digest> leaf;
  std::optional<WallTime> not_before;
  std::optional<WallTime> not_after;
};

// Whether two of the fingerprints agree, and since when.
struct Agreement {
  std::optional<bool> agrees;  // none: one of them is not known
  WallTime since;

  void Set(std::optional<bool> now_agrees, WallTime now);
};

struct WatchMetrics {
  const char* name;  // "lease", "secret", "volume"
  bool up = false;
  uint64_t restarts = 0;
};

// How long kubelet took to bring what was expected.
constexpr int kLagBounds[] = {500, 1000, 2000, 5000, 10000, 20000, 30000, 60000, 120000, 300000};
constexpr size_t kLagBuckets = std::size(kLagBounds) + 1;  // the last one has no bound

struct LagHistogram {
  uint64_t counts[kLagBuckets] = {};
  Duration sum{};

  void Add(Duration lag);
};

// One of a fixed list of names, of which one (state) or any (alarms) may hold.
struct NamedBits {
  std::string_view (*name)(size_t bit) = nullptr;
  size_t count = 0;  // at most 32
  uint32_t set = 0;
};

struct BuildInfo {
  const char* version = "";
  const char* commit = "";
};

struct Metrics {
  BuildInfo build;
  WallTime started;
  uint64_t resident_bytes = 0;  // 0: not known

  NamedBits state;
  NamedBits alarms;
  CertificateMetrics expected;
  CertificateMetrics mounted;
  CertificateMetrics served;
  Agreement expected_is_mounted;
  Agreement mounted_is_served;
  Duration behind{};  // since it is not converged; 0: it is

  ReloadCounts reloads[kReloadMethods];
  std::optional<WallTime> last_attempt;
  std::optional<WallTime> last_success;
  std::vector<WatchMetrics> watches;
  LagHistogram kubelet_lag;

  // One more result of a method. A deferral is no attempt.
  void CountReload(ReloadMethod method, ReloadResult result, WallTime now);
};

std::string MetricsText(const Metrics& metrics);

}  // namespace certlatch
