#include "platform/volume.h"

#include <sys/epoll.h>

#include <utility>

#include "app/pod.h"

namespace certlatch {

// Looks again for as long as that brings directories that were not watched before: what happens
// between look and watch has no event. Bounded; the caller's resync is behind it.
Result<VolumeSnapshot> Volume::Look() {
  Result<VolumeSnapshot> read = Error{};
  bool is_new = false;
  for (int i = 0; i < 4; ++i) {
    watches_.BeginRound();
    read = ReadVolume(directory_, names_, &watches_);
    if (!watches_.EndRound()) break;
    is_new = true;
  }
  const bool is_watched = watches_.problem().empty() && !watches_.empty();
  if (is_new || !is_watched) updates_ = RefuseSubPath(directory_, names_);
  if (!events_ && watches_.fd() >= 0) {
    events_ = loop_.WatchFd(watches_.fd(), EPOLLIN, [this](uint32_t) {
      if (watches_.Drain()) Hint();
    });
  }
  if (is_watched) {
    timer_.reset();
  } else if (!timer_) {
    timer_ = loop_.After(poll_, [this] { Hint(); });
  }
  return read;
}

Result<VolumeSnapshot> Volume::Read() {
  Result<VolumeSnapshot> read = Look();
  if (!updates_) return updates_.error();
  return read;
}

std::unique_ptr<Volume> MakeVolume(Loop& loop, const std::string& directory,
                                   const VolumeOptions& names, Function<void()> hint) {
  std::vector<std::string> all;
  for (const std::string* name : {&names.cert_file, &names.key_file, &names.ca_file}) {
    all.push_back(*name);
  }
  return std::make_unique<Volume>(loop, directory, std::move(all), std::move(hint));
}

void Volume::Hint() {
  timer_.reset();
  const auto hint = hint_;  // may destroy this
  (*hint)();
}

}  // namespace certlatch
