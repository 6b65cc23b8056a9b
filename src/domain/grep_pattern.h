// GrepPattern is a pattern of grep, compiled: a bounded subset of basic and extended regular
// expressions, on bytes. Pure; matching takes time in the length of the line times that of the
// pattern, whatever the pattern, and never more memory than the pattern.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace certlatch {

constexpr size_t kMaxGrepPattern = 256;  // bytes
constexpr int kMaxGrepDepth = 16;        // groups in groups

// grep's options; their letters.
struct GrepFlags {
  bool extended = false;     // -E
  bool fixed = false;        // -F
  bool ignore_case = false;  // -i
  bool word = false;         // -w
  bool line = false;         // -x
  bool inverted = false;     // -v
};

class GrepPattern {
 public:
  // Literals, ^ $ . [..] * and groups, repetitions and alternatives: ( ) + ? | in an extended
  // expression, \( \) \+ \? \| in a basic one. Error (kConfig): what is not understood, named.
  static Result<GrepPattern> Parse(std::string_view text, GrepFlags flags);

  // Whether grep would select this line, given without its newline.
  bool Selects(std::string_view line) const;

  // One step of the compiled pattern: x and y say how far to jump.
  struct Step {
    enum class Kind : uint8_t { kByte, kAny, kSet, kStart, kEnd, kJump, kFork, kMatch };
    Kind kind = Kind::kMatch;
    int16_t x = 0;  // kByte: the byte; kSet: which set
    int16_t y = 0;
  };
  using Set = std::array<uint8_t, 32>;  // a bit for each byte

 private:
  struct Run;

  GrepFlags flags_;
  std::vector<Step> steps_;
  std::vector<Set> sets_;
};

}  // namespace certlatch
