// LoopPlan is what `sh -c SCRIPT` would do, where the script is of the family that init containers
// have: wait in loops around kubectl get, nc, pg_isready, curl, wget or nslookup, `kubectl wait`,
// and echo. Pure: nothing is run. Script, depth and number of steps are bounded. Everything else is
// an Error (kConfig): one line that names what is not understood, and the targets for what is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/loop_probe.h"

namespace certlatch {

constexpr size_t kMaxLoopScript = size_t{16} * 1024;  // bytes
constexpr size_t kMaxLoopSteps = 100;

// Plain values; the texts are the plan's.
struct LoopStep {
  enum class Kind {
    kSay,      // print `text`
    kPause,    // for `pause`
    kUntil,    // wait, for ever, until all tests hold in one round
    kKubectl,  // run `kubectl` with the test's arguments, once
    kExit,     // end the script: success
  };
  Kind kind = Kind::kSay;
  bool to_stderr = false;
  std::string_view text;  // with its newline, if any
  Duration pause{};       // kUntil: the loop's own, between two rounds; 0: none
  size_t if_failed = 0;   // kKubectl: the step to go on with; the number of steps: the end
  // kUntil, kKubectl: which of the plan's tests; kUntil: which of its `says` (kSay alone) are said
  // in each round that does not hold. The last ones are not among them.
  size_t first_test = 0;
  size_t last_test = 0;
  size_t first_say = 0;
  size_t last_say = 0;
};

// The steps are taken one after the other. The exit status is that of the last one taken: all but
// kKubectl succeed. A plan may be moved, and has copies of all it needs.
struct LoopPlan {
  std::string text;
  std::vector<LoopStep> steps;
  std::vector<LoopStep> says;
  ScriptTests tests;
};

// `environment`: NAME=VALUE each. `plan` is a new one, or with an error anything.
Status ParseShellLoop(std::string_view script, const std::vector<std::string_view>& environment,
                      LoopPlan& plan);

}  // namespace certlatch
