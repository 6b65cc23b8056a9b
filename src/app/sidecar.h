// Sidecar is `certlatch sidecar`: it keeps what is expected, mounted and served the same. It waits
// for its targets first, then runs the state machine (domain/reload) on Host and Pod until it is
// interrupted, which is success. Tells its owner the outcome once; the owner must not destroy it
// from there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/expectation.h"
#include "app/host.h"
#include "app/mode.h"
#include "app/nudge.h"
#include "app/object_watcher.h"
#include "app/pod.h"
#include "app/wait.h"
#include "base/function.h"
#include "domain/metrics.h"
#include "domain/mounted_pair.h"
#include "domain/reload.h"
#include "domain/status_request.h"

namespace certlatch {

struct SidecarOptions {
  PodOptions pod;
  ExpectOptions expect;
  ReloadOptions reload;  // its bounds; what is said elsewhere is filled in by the sidecar
  std::string require_name;
  UnreadyWhen unready_when = UnreadyWhen::kExpired;
  std::string listen = ":9847";    // as ParseListenAddress takes it; "": no status pages
  std::vector<TargetName> writes;  // none, or the Secret that is expected; its text: where to
  WaitOptions wait;  // without targets: nothing to wait for. Its `nudge` is the sidecar's
  WatchSettings watch;
};

class Sidecar : public Mode {
 public:
  // `options` are completed, and must outlive this.
  Sidecar(Host& host, Pod& pod, SidecarOptions& options, BuildInfo build,
          Function<void(WaitResult&&)> done);
  ~Sidecar() override;

  void Start() override;
  void Interrupt(const char* signal) override;  // met

  // /healthz, /startupz, /readyz, /metrics; anything else is not found.
  StatusPage Page(std::string_view path);

 private:
  // Starting
  void OnWaited(WaitResult&& result);
  void Begin();
  ReloadOptions CompleteReload() const;
  void WatchExpected();

  // Facts
  Now At() { return {host_.Now(), host_.WallNow()}; }
  void OnVolumeHint();
  void Prepare();
  void ReadVolume();
  void LookForApp();
  ExaminedPair Examine(const VolumeSnapshot& snapshot) const;
  void OnExpectedObject();
  void Expect();
  void OnWatchNews(ObjectWatcher::WatchNews news);
  void OnExpectedAnswer(const ApiAnswer& answer);
  void OnTold(size_t method, const TellOutcome& outcome);
  void OnProbed(const Result<CertFacts>& served);

  // Actions
  void Proceed();
  void Act(const ReloadActions& actions);
  void FetchExpected();
  void Probe();
  void Tell(size_t method);
  void Write(const ReloadNote& note);
  void SayWatch(LogLevel level, const char* event, const char* what);
  void SayTrouble(bool api, const std::string& trouble);  // false: of the volume
  void SayWritten(const std::string& trouble);
  void Finish(WaitOutcome outcome, std::vector<std::string> errors);

  // Pages
  StatusPage Startup() const;
  StatusPage Readiness();
  std::string ReadMetrics();
  void UpdateAgreements();

  Host& host_;
  Pod& pod_;
  SidecarOptions& options_;
  Function<void(WaitResult&&)> done_;
  bool finished_ = false;
  Instant start_by_{};
  std::unique_ptr<Wait> wait_;
  Handle waited_;  // between the targets' being met and the beginning

  std::vector<ReloadMethod> methods_;  // by their bits in the state machine
  std::optional<Reload> reload_;       // once it has begun
  bool proceeding_ = false;
  Handle wake_;
  Handle tells_[kReloadMethods];
  Handle probe_;
  Nudge nudge_;
  std::optional<Instant> answered_;  // when the app answered a probe last
  ExaminedPair pair_;                // as last read
  ExaminedPair prepared_;            // as read before a burst of changes has settled
  Handle preparing_;

  std::unique_ptr<ObjectWatcher> watcher_;  // of what is expected
  Handle write_again_;
  std::string write_trouble_;  // as last said; "": none
  uint64_t seen_revision_ = 0;
  Handle fetch_;
  bool said_established_ = false;
  bool said_immutable_ = false;
  std::string api_trouble_;     // as last said; "": none
  std::string volume_trouble_;  // likewise

  Metrics metrics_;
  WatchMetrics api_watch_;
};

}  // namespace certlatch
