// DirectoryWatches tells that something happened in some directories (inotify), not what.
// Owns one inotify descriptor and at most kMaxWatchedDirectories watches. The directories are told
// anew in rounds; those of the last round are watched. What cannot be watched is a problem to tell
// and to poll for, never an error.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace certlatch {

// More than the files of a volume can lie in by links that people make.
constexpr size_t kMaxWatchedDirectories = 32;

class DirectoryWatches {
 public:
  void BeginRound();
  // Watches what `directory` (a descriptor, O_PATH will do) is, whatever its path leads to later.
  void Add(int directory);
  // True: a directory is watched that was not before, so look again: what happened in it between
  // the look and the watch has gone unnoticed.
  bool EndRound();

  // Reads what is queued. True: look again. Also where events were lost, or a directory with all
  // its watches: deleted, moved away, unmounted.
  bool Drain();

  int fd() const { return inotify_.get(); }  // readable: Drain. -1: there is none yet
  bool empty() const { return watched_.empty(); }
  // Why some directory of the last round is not watched; empty: all are.
  const std::string& problem() const { return problem_; }

 private:
  struct Watched {
    int number;
    bool used;  // in this round
  };
  Watched* Find(int number);
  void Fail(const char* setting);

  UniqueFd inotify_;
  std::vector<Watched> watched_;
  std::string problem_;
  bool fresh_ = false;
};

}  // namespace certlatch
