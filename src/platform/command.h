// RunCommand runs a program to its end: no shell, a process group of its own, the signals'
// defaults, nothing to read, its output on our standard error, no other descriptor, our
// environment. Owns the group until the program ends: whoever is left in it then is killed.
#pragma once

#include "app/pod.h"
#include "base/function.h"
#include "platform/loop.h"

namespace certlatch {

// At the timeout the group gets SIGTERM, kCommandGrace later SIGKILL. Destroying the handle kills
// at once. What became of it: kDone; kStatus, exit code or signal; kTimeout; kNotFound, kDenied or
// kOther, it could not be started. `method` must outlive the handle.
[[nodiscard]] Handle RunCommand(Loop& loop, const ExecMethod& method,
                                Function<void(const TellOutcome&)> then);

constexpr Duration kCommandGrace = 2s;

}  // namespace certlatch
