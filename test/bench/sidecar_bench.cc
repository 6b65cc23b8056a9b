// sidecar_bench CERTLATCH [N [SECONDS]]: `certlatch sidecar` beside the usual loop of inotifywait
// and kill, in one run. N (20): how often the volume is swapped for each, in turns. SECONDS (60):
// how long both are left alone, to see what idling costs.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/text.h"
#include "test/bench/measure.h"
#include "test/support/atomic_writer.h"
#include "test/support/files.h"
#include "test/support/pki.h"
#include "test/support/subprocess.h"

namespace certlatch::bench {
namespace {

constexpr Duration kDebounce = 100ms;       // certlatch's own default
constexpr Duration kQuiet = 5 * kDebounce;  // rotations are not the tail of others
constexpr Duration kPatience = 30s;
// Until inotifywait surely watches: it says so to nobody. Not part of any figure.
constexpr Duration kSettle = 1s;

[[noreturn]] void Fail(const std::string& text) {
  std::fprintf(stderr, "sidecar_bench: %s\n", text.c_str());
  std::exit(1);
}

// A process that tells when it gets a HUP.
class Target {
 public:
  explicit Target(const char* name) {
    if (pipe2(ends_, O_CLOEXEC) != 0) Fail("pipe");
    pid_ = fork();
    if (pid_ == 0) Serve(name);
    TakeNext();  // it is ready
  }
  ~Target() { kill(pid_, SIGKILL); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  pid_t pid() const { return pid_; }
  Instant TakeNext() const {
    Instant at{};
    if (read(ends_[0], &at, sizeof at) != sizeof at) Fail("a target ended");
    return at;
  }

 private:
  [[noreturn]] void Serve(const char* name) const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, name);
    told = ends_[1];
    std::signal(SIGHUP, [](int) { Tell(); });
    Tell();
    while (true) pause();
  }

  static void Tell() {
    const Instant at = Now();
    if (write(told, &at, sizeof at) != sizeof at) _exit(1);
  }

  static inline int told = -1;  // in the target
  int ends_[2];
  pid_t pid_ = -1;
};

class Volume {
 public:
  Volume() : writer_(directory_.path()) { Swap(); }
  const std::string& path() const { return directory_.path(); }

  // As the kubelet does. Returns when `..data` was about to change.
  Instant Swap() {
    const test::PemPair pair = authority_.Issue({});
    const test::Payload payload = {{"tls.crt", pair.cert}, {"tls.key", pair.key}};
    const std::string old = writer_.Current();
    const std::string generation = writer_.WriteGeneration(payload);
    writer_.LinkNames(payload);
    const Instant at = Now();
    writer_.Swap(generation);
    if (!old.empty()) writer_.Remove(old);
    return at;
  }

 private:
  test::CertAuthority authority_;
  test::TempDir directory_;
  test::AtomicWriter writer_;
};

std::unique_ptr<test::Subprocess> Start(const Argv& argv) {
  test::Command command;
  command.path = argv[0];
  command.argv = argv;
  command.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  auto process = test::Subprocess::Start(std::move(command));
  if (!process) Fail(process.error().text);
  return *std::move(process);
}

// --- what a process and its children have cost so far --------------------------------------------

struct Use {
  int processes = 0;
  double memory_kib = 0;  // resident
  double wakes = 0;       // how often it had slept
  double cpu_ms = 0;
};

std::string ReadProc(pid_t pid, const char* file) {
  const auto text = test::ReadFile("/proc/" + std::to_string(pid) + "/" + file);
  if (!text) Fail(text.error().text);
  return *text;
}

double Number(std::string_view text) {
  text = Trim(text);
  return static_cast<double>(ParseUint(text.substr(0, text.find_first_of(" \t\n"))).value_or(0));
}

double Field(const std::string& status, std::string_view name) {
  const size_t at = status.find(name);
  return at == std::string::npos ? 0 : Number(std::string_view(status).substr(at + name.size()));
}

void AddUse(pid_t pid, Use& use) {
  const std::string status = ReadProc(pid, "status");
  ++use.processes;
  use.memory_kib += Field(status, "\nVmRSS:");
  use.wakes += Field(status, "\nvoluntary_ctxt_switches:");
  use.cpu_ms += Number(ReadProc(pid, "schedstat")) / 1e6;
  const std::string task = "task/" + std::to_string(pid) + "/children";
  const std::string children = ReadProc(pid, task.c_str());
  for (const std::string_view child : Split(children, ' ')) {
    if (const auto number = ParseUint(child)) AddUse(static_cast<pid_t>(*number), use);
  }
}

Use UseOf(const test::Subprocess& process) {
  Use use;
  AddUse(process.pid(), use);
  return use;
}

Use Since(const Use& before, Use now) {
  now.wakes -= before.wakes;
  now.cpu_ms -= before.cpu_ms;
  return now;
}

// --- the run -------------------------------------------------------------------------------------

double Ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void PrintLatency(const char* who, std::vector<double> values) {
  const size_t n = values.size();
  const Summary summary = Summarise(std::move(values));
  std::printf("%-28s %-20s %4zu %10.2f %10.2f %10.2f\n", "swap to signal, ms", who, n,
              summary.median, summary.least, summary.most);
}

void PrintIdle(const char* who, const Use& use, int seconds) {
  std::printf("%-28s %-20s %d processes, %.0f KiB resident, %.0f wake-ups and %.2f ms of CPU\n",
              ("idle for " + std::to_string(seconds) + " s").c_str(), who, use.processes,
              use.memory_kib, use.wakes, use.cpu_ms);
}

int Main(int argc, char** argv) {
  if (argc < 2) Fail("usage: sidecar_bench CERTLATCH [N [SECONDS]]");
  const size_t n = argc > 2 ? static_cast<size_t>(ParseUint(argv[2], 10000).value_or(0)) : 20;
  const int seconds = argc > 3 ? static_cast<int>(ParseUint(argv[3], 3600).value_or(0)) : 60;
  if (n < 1 || seconds < 1) Fail("N and SECONDS must be numbers from 1 on");
  if (access("/usr/bin/inotifywait", X_OK) != 0) Fail("inotifywait is missing: inotify-tools");

  Volume our_volume;
  Volume their_volume;
  const Target our_target("bench_ours");
  const Target their_target("bench_theirs");
  const auto ours = Start({argv[1], "sidecar", "--volume=" + our_volume.path(), "--signal=HUP",
                           "--process=bench_ours", "--first-signal-after=1ms", "--listen=off",
                           "--log-format=logfmt"});
  const char* const loop =
      R"(inotifywait -q -m -e moved_to "$0" | while read -r event; do kill -HUP "$1"; done)";
  const auto theirs =
      Start({"/bin/sh", "-c", loop, their_volume.path(), std::to_string(their_target.pid())});
  if (!ours->WaitForStderr("event=converged", kPatience)) Fail("no convergence: " + ours->Err());
  std::this_thread::sleep_for(kSettle);

  std::vector<double> our_ms;
  std::vector<double> their_ms;
  for (size_t i = 0; i < n; ++i) {
    std::this_thread::sleep_for(kQuiet);
    const Instant our_swap = our_volume.Swap();
    our_ms.push_back(Ms(our_target.TakeNext() - our_swap - kDebounce));
    const Instant their_swap = their_volume.Swap();
    their_ms.push_back(Ms(their_target.TakeNext() - their_swap));
  }
  std::printf("%-28s %-20s %4s %10s %10s %10s\n", "", "", "n", "median", "min", "max");
  PrintLatency("certlatch - debounce", our_ms);
  PrintLatency("inotifywait and kill", their_ms);

  std::this_thread::sleep_for(kSettle);
  const Use our_use = UseOf(*ours);
  const Use their_use = UseOf(*theirs);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  PrintIdle("certlatch", Since(our_use, UseOf(*ours)), seconds);
  PrintIdle("inotifywait and kill", Since(their_use, UseOf(*theirs)), seconds);
  return 0;
}

}  // namespace
}  // namespace certlatch::bench

int main(int argc, char** argv) { return certlatch::bench::Main(argc, argv); }
