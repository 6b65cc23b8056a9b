// LoopPlan is what `sh -c SCRIPT` would do, where the script is of the family that init containers
// have: wait in loops around kubectl get, nc, pg_isready, curl or wget, `kubectl wait`, and echo.
// Pure: nothing is run. Script, depth and number of steps are bounded. Everything else is an Error
// (kConfig): one line that names what is not understood, and the targets for what is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/grep_pattern.h"
#include "domain/loop_probe.h"

namespace certlatch {

constexpr size_t kMaxLoopScript = size_t{16} * 1024;  // bytes
constexpr size_t kMaxLoopSteps = 100;

// What an attempt at a probe must give.
struct LoopCondition {
  enum class Kind {
    kSucceeds,  // exit status 0
    kGrep,      // a line of what is printed that every pattern selects
    kText,      // what is printed, without its last newlines, is (not) `text`
    kNumber,    // as a number, it stands to `number` as `sign` says
  };
  enum class Sign { kEqual, kNotEqual, kLess, kLessOrEqual, kMore, kMoreOrEqual };
  Kind kind = Kind::kSucceeds;
  bool negated = false;  // the opposite is waited for
  std::vector<GrepPattern> patterns;
  Sign sign = Sign::kEqual;  // kText: kEqual or kNotEqual
  std::string text;
  int64_t number = 0;
  bool one_word = false;    // $(…) without quotes: the shell can compare one word only
  bool empty_is_0 = false;  // [[ "" -lt 1 ]]
};

// Whether an attempt ends the waiting: whether the command succeeded, and what it printed ("" where
// it failed). Where the shell itself could not compare ("" with a number), waiting goes on.
bool Holds(const LoopCondition& condition, bool succeeded, std::string_view printed);

struct LoopTest {
  LoopProbe probe;
  LoopCondition condition;
};

struct LoopStep {
  enum class Kind {
    kSay,      // print `text`
    kPause,    // for `pause`
    kUntil,    // wait, for ever, until all tests hold in one round
    kKubectl,  // run `kubectl` with the test's arguments, once
    kExit,     // end the script: success
  };
  Kind kind = Kind::kSay;
  std::string text;  // with its newline, if any
  bool to_stderr = false;
  Duration pause{};  // kUntil: the loop's own, between two rounds; 0: none
  std::vector<LoopTest> tests;
  std::vector<LoopStep> says;  // kUntil: kSay alone, said in each round that does not hold
  size_t if_failed = 0;        // kKubectl: the step to go on with; the number of steps: the end
};

// The steps are taken one after the other. The exit status is that of the last one taken: all but
// kKubectl succeed.
struct LoopPlan {
  std::vector<LoopStep> steps;
};

// `environment`: NAME=VALUE each. The plan has copies of all it needs.
Result<LoopPlan> ParseShellLoop(std::string_view script,
                                const std::vector<std::string_view>& environment);

}  // namespace certlatch
