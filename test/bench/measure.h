// Measured runs of a program: from its start to its end, what it cost, and the peak of its memory.
// Time and CPU come from wait4. Memory does not: the kernel counts there what the parent held when
// it started the child. So PeakMemory stops the program at its exit (ptrace) and reads VmHWM, the
// peak of its own address space since its exec.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace certlatch::bench {

using Argv = std::vector<std::string>;

struct Cost {
  bool ok = false;  // started, and ended with 0
  Instant ended{};
  Duration wall{};
  Duration cpu{};  // user and system
};

Instant Now();

// With this process's environment; its output goes to /dev/null. -1: it could not be started.
pid_t Start(const Argv& argv);
Cost Await(pid_t pid, Instant started);
Cost Run(const Argv& argv);

// In bytes, of a run that ends with 0; -1 otherwise.
int64_t PeakMemory(const Argv& argv);

struct Summary {
  double median = 0;
  double least = 0;
  double most = 0;
};
Summary Summarise(std::vector<double> values);

}  // namespace certlatch::bench
