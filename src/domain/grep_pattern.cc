#include "domain/grep_pattern.h"

#include "base/text.h"

namespace certlatch {
namespace {

using Step = GrepPattern::Step;
using Set = GrepPattern::Set;

unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

bool IsUpper(unsigned char c) { return c >= 'A' && c <= 'Z'; }

unsigned char Lower(unsigned char c) { return IsUpper(c) ? static_cast<unsigned char>(c + 32) : c; }

bool IsLetter(unsigned char c) { return Lower(c) >= 'a' && Lower(c) <= 'z'; }

bool IsWordByte(char c) { return IsLetter(Byte(c)) || (c >= '0' && c <= '9') || c == '_'; }

void Add(Set& set, unsigned char c) { set[c / 8] |= static_cast<uint8_t>(1U << (c % 8)); }

bool Has(const Set& set, unsigned char c) { return (set[c / 8] & (1U << (c % 8))) != 0; }

// Turns the text into steps. What a piece became stands at the end of `steps`, so that a repetition
// only puts a fork in front of it and a jump behind: all jumps are relative.
class Compiler {
 public:
  Compiler(std::string_view text, GrepFlags flags, std::vector<Step>& steps, std::vector<Set>& sets)
      : text_(text), flags_(flags), steps_(steps), sets_(sets) {}

  Status Compile() {
    const bool fine = flags_.fixed ? Literal() : Alternatives(0) && (at_ == text_.size() || Fail());
    if (!fine) return std::move(error_);
    Emit(Step::Kind::kMatch);
    return {};
  }

 private:
  void Emit(Step::Kind kind, int x = 0, int y = 0) {
    steps_.push_back({kind, static_cast<int16_t>(x), static_cast<int16_t>(y)});
  }

  void Insert(size_t at, int x, int y) {
    steps_.insert(steps_.begin() + static_cast<ptrdiff_t>(at),
                  {Step::Kind::kFork, static_cast<int16_t>(x), static_cast<int16_t>(y)});
  }

  void EmitByte(char c) { Emit(Step::Kind::kByte, flags_.ignore_case ? Lower(Byte(c)) : Byte(c)); }

  bool Literal() {
    for (const char c : text_) EmitByte(c);
    return true;
  }

  // What stands at the place where reading ended is not understood.
  bool Fail() {
    const std::string_view what = text_.substr(at_, text_.substr(at_).starts_with('\\') ? 2 : 1);
    error_ =
        Failure(Code::kConfig, "cannot do \"%s\" in the pattern \"%s\"",
                what.empty() ? "the end" : Printable(what).c_str(), Printable(text_, 100).c_str());
    return false;
  }

  // The operator `c` is next: `c` in an extended expression, `\c` in a basic one.
  bool Sees(char c) const {
    const std::string_view rest = text_.substr(at_);
    if (flags_.extended) return rest.starts_with(c);
    return rest.size() > 1 && rest[0] == '\\' && rest[1] == c;
  }

  bool Take(char c) {
    if (!Sees(c)) return false;
    at_ += flags_.extended ? 1 : 2;
    return true;
  }

  bool Alternatives(int depth) {
    const size_t start = steps_.size();
    if (!Sequence(depth)) return false;
    if (!Take('|')) return true;
    const int left = static_cast<int>(steps_.size() - start);
    Insert(start, 1, left + 2);
    const size_t jump = steps_.size();
    Emit(Step::Kind::kJump);
    if (++alternatives_ > kMaxGrepDepth * 4) return Fail();
    if (!Alternatives(depth)) return false;
    steps_[jump].x = static_cast<int16_t>(steps_.size() - jump);
    return true;
  }

  bool Sequence(int depth) {
    bool first = true;
    while (at_ < text_.size() && !Sees('|') && !(depth > 0 && Sees(')'))) {
      const size_t start = steps_.size();
      const bool anchor = text_[at_] == '^' && (first || flags_.extended);
      if (!Atom(depth, first)) return false;
      first = false;
      // A * after it is a star in a basic expression.
      if (!anchor && !Repetitions(start)) return false;
    }
    return true;
  }

  bool Repetitions(size_t start) {
    while (true) {
      const int size = static_cast<int>(steps_.size() - start);
      if (text_.substr(at_).starts_with('*')) {
        ++at_;
        Insert(start, 1, size + 2);
        Emit(Step::Kind::kJump, -(size + 1));
      } else if (Take('+')) {
        Emit(Step::Kind::kFork, -size, 1);
      } else if (Take('?')) {
        Insert(start, 1, size + 1);
      } else {
        return !Sees('{') || Fail();
      }
    }
  }

  bool Atom(int depth, bool first) {
    const char c = text_[at_];
    if (Sees('(')) return Group(depth);
    if (Sees(')') || Sees('{')) return Fail();
    if (c == '\\') return Escape();
    if (c == '[') return Bracket();
    // As the first thing, a repetition has nothing to repeat; grep's basic * is a star then.
    if (flags_.extended && (c == '*' || c == '+' || c == '?')) return Fail();
    ++at_;
    if (c == '^' && (first || flags_.extended)) {
      Emit(Step::Kind::kStart);
    } else if (c == '$' && EndsHere(depth)) {
      Emit(Step::Kind::kEnd);
    } else if (c == '.') {
      Emit(Step::Kind::kAny);
    } else {
      EmitByte(c);
    }
    return true;
  }

  bool EndsHere(int depth) const {
    return flags_.extended || at_ == text_.size() || Sees('|') || (depth > 0 && Sees(')'));
  }

  bool Group(int depth) {
    if (depth >= kMaxGrepDepth) return Fail();
    Take('(');
    if (!Alternatives(depth + 1)) return false;
    return Take(')') || Fail();
  }

  // Letters and digits have meanings of their own: \b, \w, \<, \1.
  bool Escape() {
    const std::string_view next = text_.substr(at_ + 1, 1);
    if (next.empty() || next[0] == '<' || next[0] == '>' || next[0] == '`' || next[0] == '\'' ||
        IsWordByte(next[0]) || Sees('+') || Sees('?')) {
      return Fail();
    }
    EmitByte(next[0]);
    at_ += 2;
    return true;
  }

  bool Bracket() {
    const size_t start = at_++;
    Set set{};
    const bool others = text_.substr(at_).starts_with('^');
    if (others) ++at_;
    const size_t first = at_;
    while (at_ < text_.size() && (text_[at_] != ']' || at_ == first)) {
      const std::string_view rest = text_.substr(at_);
      const bool is_class =
          rest.size() > 1 && rest[0] == '[' && (rest[1] == ':' || rest[1] == '.' || rest[1] == '=');
      if (is_class) return Fail();
      const bool range = rest.size() > 2 && rest[1] == '-' && rest[2] != ']';
      AddRange(set, Byte(rest[0]), Byte(rest[range ? 2 : 0]));
      at_ += range ? 3 : 1;
    }
    if (at_ == text_.size()) {
      at_ = start;
      return Fail();
    }
    ++at_;
    for (uint8_t& bits : set) bits = static_cast<uint8_t>(others ? ~bits : bits);
    Emit(Step::Kind::kSet, static_cast<int>(sets_.size()));
    sets_.push_back(set);
    return true;
  }

  void AddRange(Set& set, unsigned char from, unsigned char to) const {
    for (int c = from; c <= to; ++c) {
      const auto byte = static_cast<unsigned char>(c);
      Add(set, byte);
      if (!flags_.ignore_case || !IsLetter(byte)) continue;
      Add(set, byte ^ 0x20U);
    }
  }

  std::string_view text_;
  GrepFlags flags_;
  std::vector<Step>& steps_;
  std::vector<Set>& sets_;
  size_t at_ = 0;
  int alternatives_ = 0;
  Error error_;
};

}  // namespace

// All ways through the pattern at once: the steps that are reached at one place of the line.
struct GrepPattern::Run {
  Run(const GrepPattern& its_pattern, std::string_view its_line)
      : pattern(its_pattern), line(its_line) {}

  const GrepPattern& pattern;
  std::string_view line;
  std::vector<size_t> now;   // the steps that take a byte
  std::vector<size_t> todo;  // the steps to be followed to such
  std::vector<bool> seen;
  bool met = false;

  // Follows what takes no byte from step `from` on, at place `at`.
  void Reach(size_t from, size_t at) {
    todo.push_back(from);
    while (!todo.empty()) {
      const size_t index = todo.back();
      todo.pop_back();
      if (seen[index]) continue;
      seen[index] = true;
      const Step& step = pattern.steps_[index];
      const bool go_on = (step.kind == Step::Kind::kStart && at == 0) ||
                         (step.kind == Step::Kind::kEnd && at == line.size());
      if (step.kind == Step::Kind::kMatch) met = met || MayEnd(at);
      if (step.kind == Step::Kind::kFork) todo.push_back(index + static_cast<size_t>(step.y));
      if (step.kind == Step::Kind::kFork || step.kind == Step::Kind::kJump) {
        todo.push_back(index + static_cast<size_t>(step.x));
      }
      if (go_on) todo.push_back(index + 1);
      if (step.kind <= Step::Kind::kSet) now.push_back(index);
    }
  }

  bool MayStart(size_t at) const {
    if (pattern.flags_.line) return at == 0;
    return !pattern.flags_.word || at == 0 || !IsWordByte(line[at - 1]);
  }

  bool MayEnd(size_t at) const {
    if (pattern.flags_.line) return at == line.size();
    return !pattern.flags_.word || at == line.size() || !IsWordByte(line[at]);
  }

  bool Takes(const Step& step, unsigned char c) const {
    if (step.kind == Step::Kind::kAny) return true;
    if (step.kind == Step::Kind::kSet) return Has(pattern.sets_[static_cast<size_t>(step.x)], c);
    return step.x == (pattern.flags_.ignore_case ? Lower(c) : c);
  }

  bool Find() {
    seen.assign(pattern.steps_.size(), false);
    if (MayStart(0)) Reach(0, 0);
    for (size_t at = 0; at < line.size() && !met; ++at) {
      std::vector<size_t> before;
      before.swap(now);
      seen.assign(pattern.steps_.size(), false);
      for (const size_t index : before) {
        if (Takes(pattern.steps_[index], Byte(line[at]))) Reach(index + 1, at + 1);
      }
      if (MayStart(at + 1)) Reach(0, at + 1);
    }
    return met;
  }
};

Result<GrepPattern> GrepPattern::Parse(std::string_view text, GrepFlags flags) {
  if (text.size() > kMaxGrepPattern || text.find('\n') != std::string_view::npos) {
    return Failure(Code::kConfig, "cannot do a pattern of several lines or more than %zu bytes",
                   kMaxGrepPattern);
  }
  GrepPattern pattern;
  pattern.flags_ = flags;
  Status status = Compiler(text, flags, pattern.steps_, pattern.sets_).Compile();
  if (!status) return std::move(status).error();
  return pattern;
}

bool GrepPattern::Selects(std::string_view line) const {
  return Run(*this, line).Find() != flags_.inverted;
}

}  // namespace certlatch
