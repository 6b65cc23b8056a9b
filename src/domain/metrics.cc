#include "domain/metrics.h"

#include <span>
#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kShortDigest = 6;  // bytes; 12 digits, as in the log

// All families in the order in which they are written: type, name (with "certlatch_" before it,
// unless it is one that every program has), help.
constexpr const char* kFamilies =
    "g build_info What this is.\n"
    "g process_start_time_seconds When the process started.\n"
    "g process_resident_memory_bytes Resident memory.\n"
    "g state 1 for the state it is in.\n"
    "g alarm 1 while someone should look at it.\n"
    "g behind_seconds For how long the app has not had what is expected.\n"
    "g certificate_info First digits of SHA-256, of the file and of its leaf.\n"
    "g certificate_not_before_timestamp_seconds From when the leaf is valid.\n"
    "g certificate_not_after_timestamp_seconds Until when the leaf is valid.\n"
    "g fingerprints_agree 1 where two certificates are the same.\n"
    "g fingerprints_changed_timestamp_seconds Since when they agree or differ.\n"
    "c reload_successes_total How often the app was told.\n"
    "c reload_deferrals_total How often the app could not be told yet.\n"
    "c reload_attempts_total How often telling it was tried.\n"
    "c reload_failures_total How often telling it failed.\n"
    "g reload_last_attempt_timestamp_seconds When telling it was tried last.\n"
    "g reload_last_success_timestamp_seconds When it was told last.\n"
    "g watch_up 1 while the watch is established.\n"
    "c watch_restarts_total How often the watch began again.\n"
    "h kubelet_lag_seconds How long the mount was behind what is expected.\n";

constexpr char kMethodNames[][8] = {"signal", "http", "exec", "touch"};
constexpr char kWhich[][12] = {"expected", "mounted", "served"};
constexpr char kBetween[][20] = {"expected_mounted", "mounted_served"};

struct FailureReason {
  char name[12];
  uint8_t methods;  // that can fail so, one bit each
};

// ReloadResult's order, from the first failure on.
constexpr size_t kFirstFailure = 2;
constexpr FailureReason kReasons[kReloadResults - kFirstFailure] = {
    {"not_found", 0b1101}, {"ambiguous", 0b0001}, {"denied", 0b1101}, {"connection", 0b0010},
    {"status", 0b0110},    {"timeout", 0b0110},   {"other", 0b1111},
};

// Values are thousandths, which hold whatever we count or time without floating point.
int64_t Whole(uint64_t count) { return static_cast<int64_t>(count * 1000); }
int64_t Of(WallTime time) { return time.time_since_epoch().count() * 1000; }

std::string Number(int64_t value) {
  std::string text = std::to_string(value / 1000);
  if (value % 1000 > 0) text += Format(".%03d", static_cast<int>(value % 1000));
  return text;
}

class Exposition {
 public:
  // What the next samples belong to. Said with the first one: without samples, nothing is.
  void Next() {
    const std::string_view rest = next_;
    const std::string_view line = rest.substr(0, rest.find('\n'));
    next_ += line.size() + 1;
    const std::string_view all = line.substr(2);
    const std::string_view name = all.substr(0, all.find(' '));
    name_ = name.starts_with("process_") ? "" : "certlatch_";
    name_ += name;
    const char* const type = line[0] == 'g' ? "gauge" : line[0] == 'c' ? "counter" : "histogram";
    const std::string_view help = all.substr(name.size() + 1);
    head_ = Format("# HELP %s %.*s\n# TYPE %s %s\n", name_.c_str(), Length(help), help.data(),
                   name_.c_str(), type);
  }

  // A second label stands in the first one's value: `a",second="b`.
  void Add(const char* label, std::string_view value, int64_t number, const char* suffix = "") {
    text += head_;
    head_.clear();
    text += name_;
    text += suffix;
    if (!value.empty()) text += Format("{%s=\"%.*s\"}", label, Length(value), value.data());
    text += ' ';
    text += Number(number);
    text += '\n';
  }

  void AddTime(const char* label, const char* value, const std::optional<WallTime>& time) {
    if (time) Add(label, value, Of(*time));
  }

  void AddBits(const char* label, const NamedBits& bits) {
    Next();
    for (size_t i = 0; i < bits.count; ++i) Add(label, bits.name(i), Whole(bits.set >> i & 1));
  }

  std::string text;

 private:
  const char* next_ = kFamilies;
  std::string name_;
  std::string head_;
};

void AddDigest(const char* label, const std::optional<Digest>& digest, std::string& labels) {
  if (!digest) return;
  const std::string hex = HexLower(std::span(*digest).first(kShortDigest));
  labels += Format("\",%s=\"%s", label, hex.c_str());
}

void AddCertificates(const Metrics& metrics, Exposition& out) {
  const CertificateMetrics* const all[] = {&metrics.expected, &metrics.mounted, &metrics.served};
  out.Next();
  for (size_t i = 0; i < std::size(all); ++i) {
    std::string labels = kWhich[i];
    AddDigest("file_sha256", all[i]->file, labels);
    AddDigest("leaf_sha256", all[i]->leaf, labels);
    if (all[i]->file || all[i]->leaf) out.Add("which", labels, 1000);
  }
  out.Next();
  for (size_t i = 0; i < std::size(all); ++i) out.AddTime("which", kWhich[i], all[i]->not_before);
  out.Next();
  for (size_t i = 0; i < std::size(all); ++i) out.AddTime("which", kWhich[i], all[i]->not_after);
}

void AddAgreements(const Metrics& metrics, Exposition& out) {
  const Agreement* const all[] = {&metrics.expected_is_mounted, &metrics.mounted_is_served};
  for (const bool time : {false, true}) {
    out.Next();
    for (size_t i = 0; i < std::size(all); ++i) {
      if (!all[i]->agrees) continue;
      out.Add("between", kBetween[i], time ? Of(all[i]->since) : Whole(*all[i]->agrees ? 1 : 0));
    }
  }
}

// Zeros are said, too: else nobody sees the first failure as an increase.
void AddReloads(const Metrics& metrics, Exposition& out) {
  for (size_t total = 0; total <= kFirstFailure; ++total) {
    out.Next();
    for (size_t i = 0; i < kReloadMethods; ++i) {
      const ReloadCounts& counts = metrics.reloads[i];
      if (!counts.configured) continue;
      uint64_t count = counts.results[total < kFirstFailure ? total : 0];
      for (size_t j = kFirstFailure; total == kFirstFailure && j < kReloadResults; ++j) {
        count += counts.results[j];
      }
      out.Add("method", kMethodNames[i], Whole(count));
    }
  }
  out.Next();
  for (size_t i = 0; i < kReloadMethods; ++i) {
    if (!metrics.reloads[i].configured) continue;
    for (size_t j = 0; j < std::size(kReasons); ++j) {
      const uint64_t count = metrics.reloads[i].results[kFirstFailure + j];
      if (count == 0 && (kReasons[j].methods >> i & 1) == 0) continue;
      out.Add("method", Format("%s\",reason=\"%s", kMethodNames[i], kReasons[j].name),
              Whole(count));
    }
  }
  out.Next();
  out.AddTime("", "", metrics.last_attempt);
  out.Next();
  out.AddTime("", "", metrics.last_success);
}

void AddLag(const LagHistogram& lag, Exposition& out) {
  out.Next();
  uint64_t count = 0;
  for (size_t i = 0; i < kLagBuckets; ++i) {
    count += lag.counts[i];
    out.Add("le", i + 1 < kLagBuckets ? Number(kLagBounds[i]) : "+Inf", Whole(count), "_bucket");
  }
  out.Add("", "", lag.sum / 1ms, "_sum");
  out.Add("", "", Whole(count), "_count");
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
  out.Next();
  out.Add("version", Format("%s\",commit=\"%s", metrics.build.version, metrics.build.commit), 1000);
  out.Next();
  out.Add("", "", Of(metrics.started));
  out.Next();
  if (metrics.resident_bytes > 0) out.Add("", "", Whole(metrics.resident_bytes));
  out.AddBits("state", metrics.state);
  out.AddBits("alarm", metrics.alarms);
  out.Next();
  out.Add("", "", metrics.behind / 1ms);
  AddCertificates(metrics, out);
  AddAgreements(metrics, out);
  AddReloads(metrics, out);
  for (const bool restarts : {false, true}) {
    out.Next();
    for (const WatchMetrics& watch : metrics.watches) {
      out.Add("watch", watch.name, Whole(restarts ? watch.restarts : (watch.up ? 1 : 0)));
    }
  }
  AddLag(metrics.kubelet_lag, out);
  return std::move(out.text);
}

}  // namespace certlatch
