// Volume notices changes of a mounted Secret, and reads it.
// Every event, a lost one and a lost watch are the same hint: call Read() and compare digests.
// Where directories cannot be watched (inotify's limits), it hints every `poll` instead, and each
// Read() tries again. The caller owns debounce, and a slow resync for what no event tells: a mount
// over the directory, a link far up the path.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "platform/directory_watches.h"
#include "platform/loop.h"
#include "platform/volume_snapshot.h"

namespace certlatch {

constexpr Duration kVolumePoll = 5s;

class Volume : public Mount {
 public:
  // Watches from the first Read() on. `hint` comes from the loop; it may come without any change.
  Volume(Loop& loop, std::string directory, std::vector<std::string> names, Function<void()> hint,
         Duration poll = kVolumePoll)
      : loop_(loop),
        directory_(std::move(directory)),
        names_(std::move(names)),
        hint_(std::make_shared<Function<void()>>(std::move(hint))),
        poll_(poll) {}
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  // Watches before it reads: a change after what it returns will be hinted. Errors: as ReadVolume.
  Result<VolumeSnapshot> Look() override;
  // The same; error kConfig for a subPath mount, which never changes.
  Result<VolumeSnapshot> Read();

  const Status& updates() const override { return updates_; }

  // After Read(): why changes are noticed by looking every `poll` only, for a log line when it
  // becomes another; empty: they are noticed at once, or Read() has failed and said why.
  const std::string& blind() const { return watches_.problem(); }

 private:
  void Hint();

  Loop& loop_;
  std::string directory_;
  std::vector<std::string> names_;
  std::shared_ptr<Function<void()>> hint_;
  Duration poll_;
  DirectoryWatches watches_;
  Status updates_;  // or why there will be none
  Handle events_;   // before the watches' descriptor is closed
  Handle timer_;
};

std::unique_ptr<Volume> MakeVolume(Loop& loop, const std::string& directory,
                                   const VolumeOptions& names, Function<void()> hint);

}  // namespace certlatch
