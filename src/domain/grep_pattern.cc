#include "domain/grep_pattern.h"

#include <bitset>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kNone = std::string_view::npos;

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

bool IsLetter(uint8_t c) { return (c | 0x20U) >= 'a' && (c | 0x20U) <= 'z'; }

uint8_t Lower(uint8_t c) { return IsLetter(c) ? static_cast<uint8_t>(c | 0x20U) : c; }

bool IsWordByte(char c) { return ConsistsOf({&c, 1}, "_"); }

}  // namespace

// Turns the text into elements. All of it is within one group.
class GrepReader {
 public:
  GrepReader(std::string_view text, GrepPattern& pattern) : text_(text), pattern_(pattern) {}

  bool Read(std::string_view& refused) {
    Open();
    while (at_ < text_.size()) {
      if (pattern_.flags_.fixed) {
        Put(GrepPattern::kByte, Byte(text_[at_++]));
      } else if (!Element()) {
        refused = text_.substr(at_, text_[at_] == '\\' ? 2 : 1);
        return false;
      }
    }
    refused = "";
    if (depth_ != 1) return false;
    Close();
    Put(GrepPattern::kMatch, 0);
    return true;
  }

 private:
  void Put(GrepPattern::Kind kind, uint8_t byte) {
    pattern_.code_[pattern_.size_++] = kind;
    pattern_.code_[pattern_.size_++] = byte;
    atom_ = kind == GrepPattern::kClose || kind >= GrepPattern::kAny ||
            (atom_ && kind >= GrepPattern::kStar && kind <= GrepPattern::kMaybe);
    first_ = kind <= GrepPattern::kOr;
  }

  void Open() {
    open_[depth_] = part_[depth_] = pattern_.size_;
    ++depth_;
    Put(GrepPattern::kGroup, 0);
  }

  void EndPart() { pattern_.code_[part_[depth_ - 1] + 1] = pattern_.size_; }

  void Close() {
    EndPart();
    Put(GrepPattern::kClose, open_[--depth_]);
  }

  // What is an operator in one kind of expressions stands behind a backslash in the other.
  bool Element() {
    const char c = text_[at_];
    const bool escaped = c == '\\';
    if (escaped && at_ + 1 == text_.size()) return false;
    const char meant = text_[at_ + (escaped ? 1 : 0)];
    const bool plain = escaped == pattern_.flags_.extended;
    bool done = false;
    if (!plain && Operator(meant, done)) {
      at_ += escaped ? 2 : 1;
      return true;
    }
    if (done) return false;
    if (!escaped) return Character(c);
    // Letters and digits have meanings of their own: \b, \w, \<, \1.
    if (IsWordByte(meant) || std::string_view("<>`'").find(meant) != kNone) return false;
    at_ += 2;
    Literal(meant);
    return true;
  }

  // False with `refused`: it is one that cannot stand here.
  bool Operator(char c, bool& refused) {
    refused = true;
    switch (c) {
      case '(':
        if (depth_ == kMaxDepth) return false;
        Open();
        return true;
      case ')':
        if (depth_ == 1) return false;
        Close();
        return true;
      case '|':
        EndPart();
        part_[depth_ - 1] = pattern_.size_;
        Put(GrepPattern::kOr, 0);
        return true;
      case '+':
      case '?':
        if (!atom_) return false;
        Put(c == '+' ? GrepPattern::kPlus : GrepPattern::kMaybe, 0);
        return true;
      default:
        refused = c == '{';
        return false;
    }
  }

  bool Character(char c) {
    const bool extended = pattern_.flags_.extended;
    if (c == '[') return Set();
    if (c == '*' && !atom_ && extended) return false;
    ++at_;
    if (c == '*' && atom_) {
      Put(GrepPattern::kStar, 0);
    } else if (c == '^' && (first_ || extended)) {
      Put(GrepPattern::kStart, 0);
    } else if (c == '$' && (extended || EndsHere())) {
      Put(GrepPattern::kEnd, 0);
    } else if (c == '.') {
      Put(GrepPattern::kAny, 0);
    } else {
      Literal(c);
    }
    return true;
  }

  bool EndsHere() const {
    const std::string_view rest = text_.substr(at_);
    return rest.empty() || rest.starts_with("\\|") || (depth_ > 1 && rest.starts_with("\\)"));
  }

  void Literal(char c) { Put(GrepPattern::kByte, Byte(c)); }

  // No classes: [[:alpha:]].
  bool Set() {
    size_t end = at_ + 1;
    if (text_.substr(end).starts_with('^')) ++end;
    end = text_.find(']', end + 1);
    if (end == kNone) return false;
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    const size_t bracket = inside.find('[');
    const bool is_class = bracket != kNone && bracket + 1 < inside.size() &&
                          std::string_view(":.=").find(inside[bracket + 1]) != kNone;
    if (is_class) {
      at_ += bracket + 1;
      return false;
    }
    Put(GrepPattern::kSet, static_cast<uint8_t>(inside.size()));
    for (const char c : inside) pattern_.code_[pattern_.size_++] = Byte(c);
    at_ = end + 1;
    return true;
  }

  static constexpr size_t kMaxDepth = 17;

  std::string_view text_;
  GrepPattern& pattern_;
  size_t at_ = 0;
  size_t depth_ = 0;
  uint8_t open_[kMaxDepth];
  uint8_t part_[kMaxDepth];  // the kGroup or kOr before the alternative that is being read
  bool first_ = true;        // nothing before it in its alternative
  bool atom_ = false;        // there is something to be repeated
};

// All ways through the pattern at once: the elements that are reached at one place of the line.
struct GrepRun {
  using Places = std::bitset<256>;

  const GrepPattern& pattern;
  std::string_view line;
  Places now;  // those that take a byte
  Places seen;
  bool met = false;

  const uint8_t* At(size_t place) const { return pattern.code_ + place; }

  // Goes on behind an atom or group that ends before `next`.
  size_t Behind(size_t next, bool& optional, bool& again) const {
    for (; *At(next) >= GrepPattern::kStar && *At(next) <= GrepPattern::kMaybe; next += 2) {
      optional = optional || *At(next) != GrepPattern::kPlus;
      again = again || *At(next) != GrepPattern::kMaybe;
    }
    return next;
  }

  size_t AtomEnd(size_t place) const {
    return place + 2 + (*At(place) == GrepPattern::kSet ? At(place)[1] : 0U);
  }

  // Follows what takes no byte from element `place` on, at place `at` of the line.
  void Reach(size_t place, size_t at) {
    if (seen[place]) return;
    seen[place] = true;
    bool optional = false;
    bool again = false;
    size_t next = place;
    switch (*At(place)) {
      case GrepPattern::kGroup:
        for (; *At(next) != GrepPattern::kClose; next = At(next)[1]) Reach(next + 2, at);
        next = Behind(next + 2, optional, again);
        if (optional) Reach(next, at);
        return;
      case GrepPattern::kOr:
      case GrepPattern::kClose:
        while (*At(next) != GrepPattern::kClose) next = At(next)[1];
        place = At(next)[1];
        next = Behind(next + 2, optional, again);
        if (again) Reach(place, at);
        return Reach(next, at);
      case GrepPattern::kStart:
        if (at == 0) Reach(place + 2, at);
        return;
      case GrepPattern::kEnd:
        if (at == line.size()) Reach(place + 2, at);
        return;
      case GrepPattern::kMatch:
        met = met || IsBorder(at);
        return;
      default:
        now[place] = true;
        next = Behind(AtomEnd(place), optional, again);
        if (optional) Reach(next, at);
    }
  }

  // Whether a match may end, or begin, beside the byte `neighbour`.
  bool IsBorder(size_t neighbour) const {
    return neighbour >= line.size() ||
           !(pattern.flags_.line || (pattern.flags_.word && IsWordByte(line[neighbour])));
  }

  bool Takes(const uint8_t* element, uint8_t c) const {
    const bool fold = pattern.flags_.ignore_case;
    if (element[0] == GrepPattern::kAny) return true;
    if (element[0] == GrepPattern::kSet) {
      return HasByte(element + 2, element[1], c, fold && IsLetter(c));
    }
    return fold ? Lower(element[1]) == Lower(c) : element[1] == c;
  }

  static bool HasByte(const uint8_t* set, size_t size, uint8_t c, bool fold) {
    size_t i = size > 0 && set[0] == '^' ? 1 : 0;
    const bool others = i > 0;
    bool has = false;
    while (i < size) {
      const bool range = i + 2 < size && set[i + 1] == '-';
      const uint8_t last = set[range ? i + 2 : i];
      const auto other = static_cast<uint8_t>(c ^ 0x20U);
      has = has || (c >= set[i] && c <= last) || (fold && other >= set[i] && other <= last);
      i += range ? 3 : 1;
    }
    return has != others;
  }

  void Step(size_t place, size_t at) {
    bool optional = false;
    bool again = false;
    const size_t next = Behind(AtomEnd(place), optional, again);
    if (again) Reach(place, at);
    Reach(next, at);
  }

  bool Find() {
    for (size_t at = 0;; ++at) {
      // In -w and -x, what is before a match matters as what is behind it.
      if (IsBorder(at - 1)) Reach(0, at);
      if (met || at == line.size()) return met;
      const Places before = now;
      now.reset();
      seen.reset();
      for (size_t place = 0; place < pattern.size_; ++place) {
        if (before[place] && Takes(At(place), Byte(line[at]))) Step(place, at + 1);
      }
    }
  }
};

bool GrepPattern::Read(std::string_view text, GrepFlags flags, std::string_view& refused) {
  *this = {};
  flags_ = flags;
  refused = text;
  return text.size() <= kMaxGrepPattern && text.find('\n') == kNone &&
         GrepReader(text, *this).Read(refused);
}

bool GrepPattern::Selects(std::string_view line) const {
  return GrepRun{*this, line, {}, {}}.Find() != flags_.inverted;
}

}  // namespace certlatch
