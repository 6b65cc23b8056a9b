#include "domain/metrics.h"

#include <initializer_list>
#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kShortHash = 12;  // digits, as in the log
constexpr size_t kMaxLabel = 200;

constexpr const char* kMethodNames[kReloadMethods] = {"signal", "http", "exec", "touch"};

struct FailureReason {
  const char* name;
  unsigned methods;  // that can fail so, one bit each
};

// ReloadResult's order, from the first failure on.
constexpr size_t kFirstFailure = 2;
constexpr FailureReason kReasons[kReloadResults - kFirstFailure] = {
    {"not_found", 0b1101}, {"ambiguous", 0b0001}, {"denied", 0b1101}, {"connection", 0b0010},
    {"status", 0b0110},    {"timeout", 0b0110},   {"other", 0b1111},
};

struct Label {
  const char* name;
  std::string_view value;  // "": left out
};

// Thousandths, which hold whatever we count or time: no floating point, exact to 2^53 for readers.
using Thousandths = int64_t;
Thousandths Whole(uint64_t count) { return static_cast<Thousandths>(count * 1000); }
Thousandths Of(WallTime time) { return time.time_since_epoch().count() * 1000; }
Thousandths Of(Duration length) { return length / 1ms; }

std::string Number(Thousandths value) {
  const auto size = static_cast<uint64_t>(value < 0 ? -value : value);
  const auto whole = static_cast<unsigned long long>(size / 1000);
  const auto rest = static_cast<unsigned>(size % 1000);
  const char* const sign = value < 0 ? "-" : "";
  return rest == 0 ? Format("%s%llu", sign, whole) : Format("%s%llu.%03u", sign, whole, rest);
}

class Exposition {
 public:
  // What the next samples belong to. Said with the first one: without samples, nothing is.
  void Begin(const char* name, const char* type, const char* help) {
    name_ = name;
    type_ = type;
    help_ = help;
  }

  void Add(std::initializer_list<Label> labels, Thousandths value, const char* suffix = "") {
    if (help_ != nullptr) {
      text_ += Format("# HELP %s %s\n# TYPE %s %s\n", name_, help_, name_, type_);
      help_ = nullptr;
    }
    text_ += name_;
    text_ += suffix;
    char before = '{';
    for (const Label& label : labels) {
      if (label.value.empty()) continue;
      text_ += before;
      text_ += label.name;
      text_ += "=\"";
      for (const char c : Printable(label.value, kMaxLabel)) {
        if (c == '"' || c == '\\') text_ += '\\';
        text_ += c;
      }
      text_ += '"';
      before = ',';
    }
    if (before == ',') text_ += '}';
    text_ += ' ';
    text_ += Number(value);
    text_ += '\n';
  }

  void AddTime(std::initializer_list<Label> labels, std::optional<WallTime> time) {
    if (time) Add(labels, Of(*time));
  }

  void AddBits(const char* label, const NamedBits& bits) {
    for (size_t i = 0; i < bits.count; ++i) Add({{label, bits.name(i)}}, Whole(bits.set >> i & 1));
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  const char* name_ = "";
  const char* type_ = "";
  const char* help_ = nullptr;
};

void AddProcess(const Metrics& metrics, Exposition& out) {
  out.Begin("certlatch_build_info", "gauge", "What this is; always 1.");
  out.Add({{"version", metrics.version}, {"commit", metrics.commit}}, Whole(1));
  out.Begin("process_start_time_seconds", "gauge", "When the process started, in Unix time.");
  out.Add({}, Of(metrics.started));
  out.Begin("process_resident_memory_bytes", "gauge", "Resident memory.");
  if (metrics.resident_bytes > 0) out.Add({}, Whole(metrics.resident_bytes));
}

void AddState(const Metrics& metrics, Exposition& out) {
  out.Begin("certlatch_state", "gauge", "1 for the state it is in, 0 for the others.");
  out.AddBits("state", metrics.state);
  out.Begin("certlatch_alarm", "gauge", "1 while someone should look at it.");
  out.AddBits("alarm", metrics.alarms);
  out.Begin("certlatch_behind_seconds", "gauge",
            "For how long the app has not had what is expected; 0 when it has.");
  out.Add({}, Of(metrics.behind));
}

void AddCertificates(const Metrics& metrics, Exposition& out) {
  const struct {
    Label which;
    const CertificateMetrics& is;
  } certificates[] = {{{"which", "expected"}, metrics.expected},
                      {{"which", "mounted"}, metrics.mounted},
                      {{"which", "served"}, metrics.served}};
  out.Begin("certlatch_certificate_info", "gauge",
            "First digits of the SHA-256 of the certificate file and of its leaf; always 1.");
  for (const auto& [which, is] : certificates) {
    const auto file = std::string_view(is.file_sha256).substr(0, kShortHash);
    const auto leaf = std::string_view(is.leaf_sha256).substr(0, kShortHash);
    if (!file.empty() || !leaf.empty()) {
      out.Add({which, {"file_sha256", file}, {"leaf_sha256", leaf}}, Whole(1));
    }
  }
  out.Begin("certlatch_certificate_not_before_timestamp_seconds", "gauge",
            "From when the leaf certificate is valid, in Unix time.");
  for (const auto& [which, is] : certificates) out.AddTime({which}, is.not_before);
  out.Begin("certlatch_certificate_not_after_timestamp_seconds", "gauge",
            "Until when the leaf certificate is valid, in Unix time.");
  for (const auto& [which, is] : certificates) out.AddTime({which}, is.not_after);
}

void AddAgreements(const Metrics& metrics, Exposition& out) {
  const struct {
    Label between;
    const Agreement& is;
  } agreements[] = {{{"between", "expected_mounted"}, metrics.expected_is_mounted},
                    {{"between", "mounted_served"}, metrics.mounted_is_served}};
  out.Begin("certlatch_fingerprints_agree", "gauge", "1 where the two fingerprints agree, else 0.");
  for (const auto& [between, is] : agreements) {
    if (is.agrees) out.Add({between}, Whole(*is.agrees ? 1 : 0));
  }
  out.Begin("certlatch_fingerprints_agree_changed_timestamp_seconds", "gauge",
            "Since when the two fingerprints agree or differ, in Unix time.");
  for (const auto& [between, is] : agreements) {
    if (is.agrees) out.Add({between}, Of(is.since));
  }
}

uint64_t Failures(const ReloadCounts& counts) {
  uint64_t sum = 0;
  for (size_t i = kFirstFailure; i < kReloadResults; ++i) sum += counts.results[i];
  return sum;
}

// Zeros are said, too: else nobody sees the first failure as an increase.
void AddReloads(const Metrics& metrics, Exposition& out) {
  constexpr struct {
    const char* name;
    const char* help;
  } kTotals[] = {
      {"certlatch_reload_successes_total", "How often the app was told."},
      {"certlatch_reload_deferrals_total", "How often the app could not be told yet."},
      {"certlatch_reload_attempts_total", "How often telling the app was tried."},
  };
  for (size_t total = 0; total < std::size(kTotals); ++total) {
    out.Begin(kTotals[total].name, "counter", kTotals[total].help);
    for (size_t i = 0; i < kReloadMethods; ++i) {
      const ReloadCounts& counts = metrics.reloads[i];
      if (!counts.configured) continue;
      const uint64_t count =
          total < kFirstFailure ? counts.results[total] : counts.results[0] + Failures(counts);
      out.Add({{"method", kMethodNames[i]}}, Whole(count));
    }
  }
  out.Begin("certlatch_reload_failures_total", "counter", "How often telling the app failed.");
  for (size_t i = 0; i < kReloadMethods; ++i) {
    if (!metrics.reloads[i].configured) continue;
    for (size_t j = 0; j < std::size(kReasons); ++j) {
      const uint64_t count = metrics.reloads[i].results[kFirstFailure + j];
      if (count == 0 && (kReasons[j].methods >> i & 1) == 0) continue;
      out.Add({{"method", kMethodNames[i]}, {"reason", kReasons[j].name}}, Whole(count));
    }
  }
  out.Begin("certlatch_reload_last_attempt_timestamp_seconds", "gauge",
            "When telling the app was tried last, in Unix time.");
  out.AddTime({}, metrics.last_attempt);
  out.Begin("certlatch_reload_last_success_timestamp_seconds", "gauge",
            "When the app was told last, in Unix time.");
  out.AddTime({}, metrics.last_success);
}

void AddWatches(const Metrics& metrics, Exposition& out) {
  out.Begin("certlatch_watch_up", "gauge", "1 while the watch is established, else 0.");
  for (const WatchMetrics& watch : metrics.watches) {
    out.Add({{"watch", watch.name}}, Whole(watch.up ? 1 : 0));
  }
  out.Begin("certlatch_watch_restarts_total", "counter", "How often the watch was begun again.");
  for (const WatchMetrics& watch : metrics.watches) {
    out.Add({{"watch", watch.name}}, Whole(watch.restarts));
  }
}

void AddLag(const LagHistogram& lag, Exposition& out) {
  out.Begin("certlatch_kubelet_lag_seconds", "histogram",
            "How long the mount was behind what is expected.");
  uint64_t count = 0;
  for (size_t i = 0; i < kLagBuckets; ++i) {
    count += lag.counts[i];
    const std::string bound = i + 1 < kLagBuckets ? Number(kLagBounds[i]) : "+Inf";
    out.Add({{"le", bound}}, Whole(count), "_bucket");
  }
  out.Add({}, Of(lag.sum), "_sum");
  out.Add({}, Whole(count), "_count");
}

}  // namespace

void Agreement::Set(std::optional<bool> now_agrees, WallTime now) {
  if (agrees != now_agrees) since = now;
  agrees = now_agrees;
}

void LagHistogram::Add(Duration lag) {
  size_t bucket = 0;
  while (bucket + 1 < kLagBuckets && lag > std::chrono::milliseconds(kLagBounds[bucket])) ++bucket;
  ++counts[bucket];
  sum += lag;
}

void Metrics::CountReload(ReloadMethod method, ReloadResult result, WallTime now) {
  ++reloads[static_cast<size_t>(method)].results[static_cast<size_t>(result)];
  if (result == ReloadResult::kDeferred) return;
  last_attempt = now;
  if (result == ReloadResult::kDone) last_success = now;
}

std::string MetricsText(const Metrics& metrics) {
  Exposition out;
  AddProcess(metrics, out);
  AddState(metrics, out);
  AddCertificates(metrics, out);
  AddAgreements(metrics, out);
  AddReloads(metrics, out);
  AddWatches(metrics, out);
  AddLag(metrics.kubelet_lag, out);
  return out.Take();
}

}  // namespace certlatch
