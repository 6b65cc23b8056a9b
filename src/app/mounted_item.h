// MountedItem is a target of --mounted: the files that a container has in its mount are a verified
// pair, and are what a Secret or a Lease says, both seen at one look. Watches the object and the
// volume; looks anew after each change of either, and slowly besides. Owns watch, mount and nudge.
#pragma once

#include <memory>
#include <string>

#include "app/expectation.h"
#include "app/nudge.h"
#include "app/object_watcher.h"
#include "app/wait_item.h"
#include "domain/mounted_pair.h"
#include "domain/nudge_pace.h"

namespace certlatch {

class MountedItem : public WaitItem {
 public:
  // `name` as --mounted gave it.
  MountedItem(Host& host, const WaitOptions& options, WaitBoard& board, const TargetName& name);

  void Start(Instant deadline) override;
  void Close() override;
  std::string Label() const override;                       // "mounted /tls"
  std::string Name() const override { return directory_; }  // as it is printed

 private:
  // What has to change before it can be met.
  enum class Lack { kMount, kKubelet, kElsewhere };

  Function<void()> Looking();
  void OnHint();
  bool KnowsExpected();
  void Look();
  std::string Judge();
  const char* Compare(bool nothing, const Mounted& mounted);
  const char* AskKubelet();
  void TellMet();

  std::string directory_;  // printable
  ExpectOptions expect_;   // of nobody, for a pair
  std::unique_ptr<Mount> mount_;
  std::unique_ptr<ObjectWatcher> watcher_;  // of what is expected
  Handle timer_;
  Instant settled_at_{};  // before then, another change is no reason to look at once
  ExaminedPair pair_;     // as last read
  Expected expected_;     // at the last look, and what it lacked
  Lack lack_ = Lack::kMount;
  Instant behind_since_ = kNever;  // the first look that found the kubelet behind

  Nudge nudge_;
  NudgePace pace_;
};

}  // namespace certlatch
