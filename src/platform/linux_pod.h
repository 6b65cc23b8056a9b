// LinuxPod is the real Pod: the mount through Volume, the app through AppTeller, what it serves
// through ProbeTls. Owns them; what is not configured costs nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/pod.h"
#include "base/function.h"
#include "platform/http.h"
#include "platform/loop.h"
#include "platform/tell_app.h"
#include "platform/volume.h"

namespace certlatch {

class LinuxPod : public Pod {
 public:
  // `options` must outlive this.
  LinuxPod(Loop& loop, HttpClient& http, const PodOptions& options);
  LinuxPod(Loop&, HttpClient&, PodOptions&&) = delete;

  Result<VolumeReading> ReadVolume() override;
  void OnVolumeHint(Function<void()> hint) override { hint_ = std::move(hint); }
  std::string VolumeTrouble() const override { return volume_->blind(); }
  std::optional<Instant> FindApp() override { return tell_.FindApp(); }
  Handle Tell(ReloadMethod method, std::optional<Instant> answered,
              Function<void(const TellOutcome&)> then) override;
  Handle Probe(KeyKind kind, Duration deadline,
               Function<void(const Result<CertFacts>&)> then) override;
  uint64_t ResidentBytes() const override;

 private:
  Loop& loop_;
  const PodOptions& options_;
  Function<void()> hint_;
  std::unique_ptr<Volume> volume_;
  AppTeller tell_;
};

}  // namespace certlatch
