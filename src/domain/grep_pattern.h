// GrepPattern is a pattern of grep: a bounded subset of basic and extended regular expressions, on
// bytes. Pure; matching takes time in the length of the line times that of the pattern, whatever
// the pattern, and no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace certlatch {

constexpr size_t kMaxGrepPattern = 100;  // bytes

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
  // expression, \( \) \+ \? \| in a basic one. nullptr, or what is not understood: a part of `text`
  // that begins at `refused`, "" being its end.
  bool Read(std::string_view text, GrepFlags flags, std::string_view& refused);

  // Whether grep would select this line, given without its newline.
  bool Selects(std::string_view line) const;

  // The elements of a pattern: each is one of these, and a byte that it is about.
  enum Kind : uint8_t {
    kGroup,  // where its first alternative ends: a kOr or kClose
    kOr,     // where the alternative behind it ends
    kClose,  // where its kGroup is
    kStar,
    kPlus,
    kMaybe,
    kStart,
    kEnd,
    kMatch,
    kAny,   // this and what follows take a byte of the line
    kByte,  // which
    kSet,   // how many bytes follow: as between [ and ]
  };

 private:
  friend class GrepReader;
  friend struct GrepRun;

  GrepFlags flags_;
  uint8_t size_ = 0;
  uint8_t code_[2 * kMaxGrepPattern + 8] = {};
};

}  // namespace certlatch
