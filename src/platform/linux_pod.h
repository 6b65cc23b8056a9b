// LinuxPod is the real Pod: the mount through Volume, the app through AppTeller, what it serves
// through ProbeTls. Owns them; what is not configured costs nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/pod.h"
#include "platform/http.h"
#include "platform/loop.h"
#include "platform/tell_app.h"
#include "platform/volume.h"

namespace certlatch {

class LinuxPod : public Pod {
 public:
  LinuxPod(Loop& loop, HttpClient& http, PodOptions options);

  Result<VolumeReading> ReadVolume() override;
  void OnVolumeHint(std::function<void()> hint) override { hint_ = std::move(hint); }
  std::string VolumeTrouble() const override { return volume_.blind(); }
  std::optional<Instant> FindApp() override { return tell_.FindApp(); }
  Handle Tell(ReloadMethod method, std::optional<Instant> answered,
              std::function<void(const TellOutcome&)> then) override;
  Handle Probe(KeyKind kind, Duration deadline,
               std::function<void(const Result<CertFacts>&)> then) override;
  uint64_t ResidentBytes() const override;

 private:
  Loop& loop_;
  PodOptions options_;
  std::function<void()> hint_;
  Volume volume_;
  AppTeller tell_;
};

}  // namespace certlatch
