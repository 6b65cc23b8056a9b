#include "platform/linux_pod.h"

#include <unistd.h>

#include <ctime>
#include <utility>

#include "base/text.h"
#include "platform/file.h"
#include "platform/tls_probe.h"

namespace certlatch {

LinuxPod::LinuxPod(Loop& loop, HttpClient& http, const PodOptions& options)
    : loop_(loop),
      options_(options),
      volume_(MakeVolume(loop, options_.volume.directory, options_.volume,
                         [this] {
                           if (hint_) hint_();
                         })),
      tell_(loop, http, options_.tell) {}

Result<VolumeReading> LinuxPod::ReadVolume() {
  Result<VolumeSnapshot> snapshot = volume_->Read();
  if (!snapshot) return std::move(snapshot).error();
  timespec wall{};
  clock_gettime(CLOCK_REALTIME, &wall);
  const Duration age = TimeOf(wall) - snapshot->appeared;
  VolumeReading reading;
  reading.snapshot = *std::move(snapshot);
  reading.appeared = Loop::Now() - age;
  return reading;
}

Handle LinuxPod::Tell(ReloadMethod method, std::optional<Instant> answered,
                      Function<void(const TellOutcome&)> then) {
  return tell_.Tell(method, answered, std::move(then));
}

Handle LinuxPod::Probe(KeyKind kind, Duration deadline,
                       Function<void(const Result<CertFacts>&)> then) {
  return ProbeTls(loop_, *options_.prove, kind, deadline, std::move(then));
}

// The second number of statm is the pages in memory (proc(5)).
uint64_t LinuxPod::ResidentBytes() const {
  const auto text = ReadSmallFile("/proc/self/statm", 256);
  const std::vector<std::string_view> numbers =
      text ? Split(*text, ' ') : std::vector<std::string_view>();
  const auto pages = numbers.size() > 1 ? ParseUint(numbers[1]) : std::nullopt;
  return pages.value_or(0) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace certlatch
