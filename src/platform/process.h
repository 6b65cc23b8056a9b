// Process is one other process: found, looked at and signalled through one descriptor of its
// directory in /proc, so that none that got its number later is ever hit.
// Owns that descriptor, nothing else; never blocks. Needs Linux 5.1. The caller decides when a
// signal may be sent (FateOf) and repeats what failed with kNotFound.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "domain/proc_text.h"

namespace certlatch {

class Process {
 public:
  // The one whose name is `name`: as the kernel shows it (comm), or the file name of its program or
  // of argv[0]. Workers, whose parent has the name too, do not count, nor do zombies, this process
  // and its children. Errors: kNotFound, there is none, with what may hide it; kConfig, several,
  // with their PIDs.
  static Result<Process> FindByName(std::string_view name);

  // The one whose PID is the first line of the file. A PID may have gone to another process since:
  // it must have `name`, or without one have started before the file was written (it must not be
  // PID 1 then). Errors: kRetry, about the file; kNotFound, no such process, or another one.
  static Result<Process> FromPidFile(const std::string& path, std::string_view name = {});

  pid_t pid() const { return pid_; }
  // With pid(), names this process for ever.
  uint64_t start_ticks() const { return start_ticks_; }
  // By the wall clock as it is now; up to one tick of the kernel (10 ms) early.
  PreciseTime started() const;
  // Since it started, whatever the wall clock did; up to one tick too long.
  Duration Age() const;

  // How it takes signals now. Errors: kNotFound, it has ended (or is a zombie).
  Result<SignalMasks> Look() const;

  // Errors: kNotFound, it has ended; kDenied, not permitted, with what to change.
  Status Signal(int number) const;

 private:
  static Result<Process> Open(pid_t pid);
  Result<std::string> Read(const char* name) const;
  bool IsNamed(std::string_view name) const;
  Error Denied(int problem) const;

  pid_t pid_ = 0;
  UniqueFd directory_;
  std::string name_;  // comm
  char state_ = 0;
  pid_t parent_ = 0;
  uint64_t start_ticks_ = 0;
};

}  // namespace certlatch
