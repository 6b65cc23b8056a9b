// wait_bench RUN_DIR CERTLATCH KUBECTL [N]: certlatch beside kubectl on the cluster of RUN_DIR, in
// one run, one after the other in turns. N (20): how often each; the loop a quarter as often.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "test/bench/measure.h"
#include "test/support/api_client.h"
#include "test/support/files.h"

namespace certlatch::bench {
namespace {

// Until a program surely watches: kubectl does not say when. Not part of any figure.
constexpr Duration kSettle = 1s;
constexpr Duration kLoopPause = 5s;
constexpr char kCollection[] = "/apis/cert-manager.io/v1/namespaces/default/certificates";

struct Cluster {
  std::string url;
  std::string ca_file;
  std::string token;
};

struct Series {
  std::vector<double> reaction_ms;
  std::vector<double> wall_ms;
  std::vector<double> cpu_ms;
  std::vector<double> memory_mib;
};

double Ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

[[noreturn]] void Fail(const std::string& text) {
  std::fprintf(stderr, "wait_bench: %s\n", text.c_str());
  std::exit(1);
}

Cluster ReadCluster(const std::string& run_dir) {
  const Result<std::string> text = test::ReadFile(run_dir + "/env");
  if (!text) Fail(text.error().text);
  Cluster cluster;
  for (const std::string_view line : Split(*text, '\n')) {
    const auto take = [&](std::string_view name, std::string& value) {
      if (line.starts_with(name)) value = std::string(line.substr(name.size()));
    };
    take("API_URL=", cluster.url);
    take("CA_FILE=", cluster.ca_file);
    take("ADMIN_TOKEN=", cluster.token);
  }
  return cluster;
}

class Bench {
 public:
  Bench(const Cluster& cluster, std::string ca_pem, std::string certlatch, std::string kubectl)
      : cluster_(cluster),
        api_(static_cast<uint16_t>(
                 ParseUint(cluster.url.substr(cluster.url.rfind(':') + 1)).value_or(0)),
             std::move(ca_pem), cluster.token),
        certlatch_(std::move(certlatch)),
        kubectl_(std::move(kubectl)) {
    Must(api_.Post(kCollection, R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate",)"
                                R"("metadata":{"name":")" +
                                    name_ + R"("},"spec":{}})"),
         201);
  }
  ~Bench() { api_.Delete(Path()); }

  void Measure(size_t n);
  void Print(size_t n) const;

 private:
  std::string Path() const { return std::string(kCollection) + "/" + name_; }
  static void Must(const test::Response& response, int status) {
    if (response.status != status) Fail("the API server: " + response.body);
  }
  Instant SetReady(const char* status) {
    Must(api_.MergePatch(Path() + "/status",
                         std::string(R"({"status":{"conditions":[{"type":"Ready","status":")") +
                             status + R"("}]}})"),
         200);
    return Now();
  }

  Argv Wait(const std::string& program) const {
    return {program,
            "wait",
            "--server=" + cluster_.url,
            "--certificate-authority=" + cluster_.ca_file,
            "--token=" + cluster_.token,
            "--namespace=default",
            "--for=condition=Ready",
            "--timeout=5m",
            "certificate/" + name_};
  }
  Argv Loop() const;

  void MeasureReaction(const Argv& argv, Duration settle, Series& series);
  void MeasureReady(const Argv& argv, Series& series);

  Cluster cluster_;
  test::ApiClient api_;
  std::string certlatch_;
  std::string kubectl_;
  std::string name_ = "bench-" + std::to_string(getpid());
  Series ours_;
  Series theirs_;
  Series loop_;
};

Argv Bench::Loop() const {
  const std::string get = kubectl_ + " get certificate " + name_ + " --server=" + cluster_.url +
                          " --certificate-authority=" + cluster_.ca_file +
                          " --token=" + cluster_.token + " --namespace=default" +
                          " -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}'";
  const std::string pause = std::to_string(kLoopPause / 1s);
  return {"/bin/sh", "-c", "until " + get + " | grep -q True; do sleep " + pause + "; done"};
}

// From the answer to the update to the end of the process; negative where the end came first.
void Bench::MeasureReaction(const Argv& argv, Duration settle, Series& series) {
  SetReady("False");
  const Instant started = Now();
  const pid_t pid = Start(argv);
  Cost cost;
  std::thread waiter([&] { cost = Await(pid, started); });
  std::this_thread::sleep_for(settle);
  const Instant answered = SetReady("True");
  waiter.join();
  if (!cost.ok) Fail(argv[0] + " did not end with 0");
  if (cost.wall < settle) Fail(argv[0] + " ended before the update");
  series.reaction_ms.push_back(Ms(cost.ended - answered));
}

void Bench::MeasureReady(const Argv& argv, Series& series) {
  const Cost cost = Run(argv);
  if (!cost.ok) Fail(argv[0] + " did not end with 0");
  series.wall_ms.push_back(Ms(cost.wall));
  series.cpu_ms.push_back(Ms(cost.cpu));
  const int64_t peak = PeakMemory(argv);
  if (peak < 0) Fail("cannot read the memory of " + argv[0]);
  series.memory_mib.push_back(static_cast<double>(peak) / (1 << 20));
}

void Bench::Measure(size_t n) {
  SetReady("True");
  Run(Wait(kubectl_));  // fills kubectl's discovery cache: its better case
  for (size_t i = 0; i < n; ++i) {
    MeasureReady(Wait(certlatch_), ours_);
    MeasureReady(Wait(kubectl_), theirs_);
  }
  for (size_t i = 0; i < n; ++i) {
    MeasureReaction(Wait(certlatch_), kSettle, ours_);
    MeasureReaction(Wait(kubectl_), kSettle, theirs_);
  }
  // The update comes at moments spread evenly over the loop's pause.
  const size_t rounds = n / 4;
  for (size_t i = 0; i < rounds; ++i) {
    const Duration phase = kLoopPause * static_cast<int64_t>(2 * i + 1);
    MeasureReaction(Loop(), kSettle + phase / static_cast<int64_t>(2 * rounds), loop_);
  }
}

void PrintRow(const char* what, const char* who, const std::vector<double>& values) {
  if (values.empty()) return;
  const Summary summary = Summarise(values);
  std::printf("%-28s %-16s %4zu %10.2f %10.2f %10.2f\n", what, who, values.size(), summary.median,
              summary.least, summary.most);
}

void Bench::Print(size_t n) const {
  std::printf("certlatch: %s\nkubectl:   %s\nin turns, %zu each; the loop sleeps %d s\n\n",
              certlatch_.c_str(), kubectl_.c_str(), n, static_cast<int>(kLoopPause / 1s));
  std::printf("%-28s %-16s %4s %10s %10s %10s\n", "", "", "n", "median", "min", "max");
  PrintRow("update to exit, ms", "certlatch", ours_.reaction_ms);
  PrintRow("", "kubectl wait", theirs_.reaction_ms);
  PrintRow("", "kubectl get loop", loop_.reaction_ms);
  PrintRow("ready case: wall, ms", "certlatch", ours_.wall_ms);
  PrintRow("", "kubectl wait", theirs_.wall_ms);
  PrintRow("ready case: CPU, ms", "certlatch", ours_.cpu_ms);
  PrintRow("", "kubectl wait", theirs_.cpu_ms);
  PrintRow("ready case: peak RSS, MiB", "certlatch", ours_.memory_mib);
  PrintRow("", "kubectl wait", theirs_.memory_mib);
}

int Main(int argc, char** argv) {
  if (argc < 4) Fail("usage: wait_bench RUN_DIR CERTLATCH KUBECTL [N]");
  const size_t n = argc > 4 ? static_cast<size_t>(ParseUint(argv[4], 10000).value_or(0)) : 20;
  if (n < 1) Fail("N must be a number from 1 to 10000");
  const Cluster cluster = ReadCluster(argv[1]);
  Result<std::string> ca = test::ReadFile(cluster.ca_file);
  if (!ca) Fail(ca.error().text);
  Bench bench(cluster, *std::move(ca), argv[2], argv[3]);
  bench.Measure(n);
  bench.Print(n);
  return 0;
}

}  // namespace
}  // namespace certlatch::bench

int main(int argc, char** argv) { return certlatch::bench::Main(argc, argv); }
