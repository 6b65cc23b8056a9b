#include "platform/directory_watches.h"

#include <sys/inotify.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace certlatch {
namespace {

// Reading a file makes none of these, so our own looks do not wake us.
constexpr uint32_t kChanges = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
                              IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

void DirectoryWatches::BeginRound() {
  if (!inotify_.valid()) inotify_ = UniqueFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  for (Watched& watched : watched_) watched.used = false;
  fresh_ = false;
  problem_.clear();
  if (!inotify_.valid()) Fail("instances");
}

void DirectoryWatches::Add(int directory) {
  if (!inotify_.valid()) return;
  const std::string path = Format("/proc/self/fd/%d", directory);
  const int number = inotify_add_watch(inotify_.get(), path.c_str(), kChanges | IN_ONLYDIR);
  if (number < 0) return Fail("watches");
  if (Watched* known = Find(number)) {
    known->used = true;
  } else if (watched_.size() < kMaxWatchedDirectories) {
    watched_.push_back({number, true});
    fresh_ = true;
  } else {
    inotify_rm_watch(inotify_.get(), number);
    problem_ = "files in too many directories";
  }
}

bool DirectoryWatches::EndRound() {
  std::erase_if(watched_, [this](const Watched& watched) {
    if (!watched.used) inotify_rm_watch(inotify_.get(), watched.number);
    return !watched.used;
  });
  return fresh_;
}

bool DirectoryWatches::Drain() {
  bool changed = false;
  alignas(inotify_event) char buffer[4096];
  // Bounded: a writer that never rests must not hold the loop. What is left makes it readable.
  for (int i = 0; i < 64; ++i) {
    const ssize_t length = read(inotify_.get(), buffer, sizeof buffer);
    if (length <= 0) break;
    inotify_event event{};
    for (const char* at = buffer; at < buffer + length; at += sizeof event + event.len) {
      std::memcpy(&event, at, sizeof event);
      if ((event.mask & IN_Q_OVERFLOW) != 0) changed = true;
      // Of a watch that we have not removed. A lost one is dropped in the next round.
      if (Find(event.wd) != nullptr) changed = true;
    }
  }
  return changed;
}

DirectoryWatches::Watched* DirectoryWatches::Find(int number) {
  for (Watched& watched : watched_) {
    if (watched.number == number) return &watched;
  }
  return nullptr;
}

void DirectoryWatches::Fail(const char* setting) {
  const bool limit = errno == EMFILE || errno == ENOSPC;
  problem_ = Format(limit ? "inotify: %s (see fs.inotify.max_user_%s)" : "inotify: %s",
                    std::strerror(errno), setting);
}

}  // namespace certlatch
