#include "domain/shell_words.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kNone = std::string_view::npos;

// The longest first.
constexpr std::string_view kOperators = "&>> <<< && || ;; |& &> >> >& >| << <& <> \n ; & | ( ) < >";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsIn(char c, std::string_view set) { return set.find(c) != kNone; }

// Takes the next word off a list.
std::string_view TakeWord(std::string_view& list) {
  const std::string_view word = list.substr(0, list.find(' '));
  list.remove_prefix(std::min(word.size() + 1, list.size()));
  return word;
}

// Where the part of a word that begins at `at` ends; kNone: nowhere. All recursion is through here.
size_t PartEnd(std::string_view text, size_t at, int depth);

// Behind the `close` that is not within quotes or a deeper pair; `at` is behind the opening one. In
// double quotes single ones mean nothing.
size_t BehindClosing(std::string_view text, size_t at, char open, char close, int depth) {
  int nested = 1;
  while (at < text.size()) {
    const char c = text[at];
    if (c == close && --nested == 0) return at + 1;
    if (c == open) ++nested;
    at = close == '"' && c == '\'' ? at + 1 : PartEnd(text, at, depth);
    if (at == kNone) break;
  }
  return kNone;
}

size_t PartEnd(std::string_view text, size_t at, int depth) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  if (c == '\\') return at + 2 > text.size() ? kNone : at + 2;
  if (c == '\'' || c == '`') {
    const size_t end = text.find(c, at + 1);
    return end == kNone ? kNone : end + 1;
  }
  if (c != '"' && (c != '$' || (next != '(' && next != '{'))) return at + 1;
  if (depth >= kMaxShellDepth) return kNone;
  if (c == '"') return BehindClosing(text, at + 1, '\0', '"', depth + 1);
  return BehindClosing(text, at + 2, next, next == '(' ? ')' : '}', depth + 1);
}

size_t WordEnd(std::string_view text, size_t at) {
  while (at < text.size() && !IsIn(text[at], " \t\n;&|<>()")) {
    at = PartEnd(text, at, 0);
    if (at == kNone) return kNone;
  }
  return at;
}

// Of an operator, with its number ("2>"); 0: none.
size_t OperatorSize(std::string_view rest) {
  size_t digits = 0;
  while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
  if (digits > 0 && (digits == rest.size() || !IsIn(rest[digits], "<>"))) return 0;
  std::string_view list = kOperators;
  while (!list.empty()) {
    const std::string_view text = TakeWord(list);
    if (rest.substr(digits).starts_with(text)) return digits + text.size();
  }
  return 0;
}

// White space, joined lines and a comment.
size_t SkipBlanks(std::string_view script, size_t at) {
  for (; at < script.size(); ++at) {
    if (script.substr(at).starts_with("\\\n")) {
      ++at;
    } else if (!IsIn(script[at], " \t\r")) {
      return script[at] == '#' ? std::min(script.find('\n', at), script.size()) : at;
    }
  }
  return script.size();
}

// How much of the beginning can be a variable's name.
size_t NameSize(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && ConsistsOf(text.substr(size, 1), "_")) ++size;
  return size > 0 && IsDigit(text[0]) ? 0 : size;
}

// $(…), ${…} or $NAME in a word, or what a quote holds.
class Expansion {
 public:
  Expansion(ShellReading& reading, ShellWord& word, bool dates)
      : reading_(reading), word_(word), dates_(dates) {}

  bool Expand(std::string_view raw, int depth, bool in_quotes) {
    if (!reading_.HasRoom(raw.size())) return false;
    for (size_t at = 0; at < raw.size();) {
      const char c = raw[at];
      if (c == '"') {
        in_quotes = !in_quotes;
        word_.quoted = true;
        ++at;
      } else if (c == '\'' && !in_quotes) {
        const size_t end = raw.find('\'', at + 1);
        if (end == kNone) return reading_.Cannot("'");
        word_.quoted = true;
        Put(raw.substr(at + 1, end - at - 1));
        at = end + 1;
      } else if (c == '\\') {
        at = Escape(raw, at, in_quotes);
      } else if (c == '$' || c == '`') {
        if (!Dollar(raw, at, depth, in_quotes)) return false;
      } else {
        word_.pattern = word_.pattern || (!in_quotes && IsIn(c, "*?["));
        Put(raw.substr(at++, 1));
      }
    }
    return true;
  }

 private:
  void Put(std::string_view text) { reading_.text.append(text); }

  size_t Escape(std::string_view raw, size_t at, bool in_quotes) {
    if (at + 1 >= raw.size()) return raw.size();
    const char next = raw[at + 1];
    if (next == '\n') return at + 2;  // a joined line
    const bool escapes = !in_quotes || IsIn(next, "$`\"\\");
    Put(raw.substr(at + (escapes ? 1 : 0), escapes ? 1 : 2));
    word_.quoted = word_.quoted || !in_quotes;
    return at + 2;
  }

  bool Dollar(std::string_view raw, size_t& at, int depth, bool in_quotes) {
    const std::string_view rest = raw.substr(at);
    const size_t end = PartEnd(raw, at, 0);
    const std::string_view next = rest.substr(1, 1);
    const bool quote = !in_quotes && (next == "'" || next == "\"");
    if (end == kNone || quote) return reading_.Cannot(rest.substr(0, 2));
    if (rest[0] == '`' || next == "(") {
      const size_t open = rest[0] == '`' ? 1 : 2;
      const std::string_view inside = raw.substr(at + open, end - at - open - 1);
      at = end;
      return Command(inside, open == 2, in_quotes);
    }
    if (next == "{") {
      const std::string_view inside = raw.substr(at + 2, end - at - 3);
      at = end;
      return Braces(inside, depth, in_quotes);
    }
    const size_t size = NameSize(rest.substr(1));
    // The shell joins lines before it looks for names.
    const bool joins = rest.substr(1 + size).starts_with("\\\n");
    if (joins || (size == 0 && !next.empty() && IsIn(next[0], "0123456789@*#?$!-"))) {
      return reading_.Cannot(rest.substr(0, size + 2));
    }
    at += 1 + size;
    if (size > 0) return Value(rest.substr(1, size), in_quotes);
    Put("$");
    return true;
  }

  bool Command(std::string_view inside, bool dollar, bool in_quotes) {
    if (inside.starts_with('(')) return reading_.Cannot("$((");
    const std::string_view command = Trim(inside);
    const std::string_view name = command.substr(0, command.find_first_of(" \t\n"));
    const bool plain = command.find_first_of(";|&<>$`\n") == kNone;
    if (plain && dates_ && name == "date") return true;
    std::string_view value;
    if (plain && name == "cat" && reading_.Find(Trim(command.substr(3)), value)) {
      return Value(Trim(command.substr(3)), in_quotes);
    }
    return reading_.Fail(dollar ? "cannot do \"$(%s)\"" : "cannot do \"`%s`\"", name);
  }

  // NAME, NAME-DEFAULT or NAME:-DEFAULT.
  bool Braces(std::string_view inside, int depth, bool in_quotes) {
    const size_t size = NameSize(inside);
    const std::string_view name = inside.substr(0, size);
    std::string_view other = inside.substr(size);
    if (size > 0 && other.empty()) return Value(name, in_quotes);
    const bool or_empty = other.starts_with(':');
    if (or_empty) other.remove_prefix(1);
    if (size == 0 || depth >= kMaxShellDepth || !other.starts_with('-')) {
      return reading_.Fail("cannot do \"${%s}\"", inside);
    }
    std::string_view value;
    if (reading_.Find(name, value) && !(or_empty && value.empty())) return Value(name, in_quotes);
    return Expand(other.substr(1), depth + 1, in_quotes);
  }

  bool Value(std::string_view name, bool in_quotes) {
    std::string_view value;
    const bool is_set = reading_.Find(name, value);
    const bool splits = !in_quotes && value.find_first_of(" \t\n*?[") != kNone;
    if (splits || (!is_set && reading_.must_be_set)) {
      return reading_.Fail(
          splits ? "cannot split $%s into words: put it in double quotes" : "$%s is not set", name);
    }
    // What comes behind it needs room, too.
    if (!reading_.HasRoom(value.size() + kMaxShellText / 2)) return false;
    Put(value);
    return true;
  }

  ShellReading& reading_;
  ShellWord& word_;
  const bool dates_;
};

}  // namespace

ShellReading::ShellReading(std::string& buffer, const std::vector<std::string_view>& environment)
    : text(buffer), variables(environment.rbegin(), environment.rend()) {
  text.clear();
  text.reserve(kMaxShellText);
}

bool ShellReading::Fail(const char* pattern, std::string_view a, std::string_view b,
                        std::string_view c) {
  if (!error.empty()) return false;
  const std::string_view texts[] = {a, b, c};
  size_t next = 0;
  for (; *pattern != '\0'; ++pattern) {
    if (*pattern != '%') {
      error += *pattern;
      continue;
    }
    error += Printable(texts[next++], 200);
    ++pattern;
  }
  return false;
}

bool ShellReading::Cannot(std::string_view construct, std::string_view more) {
  return Fail("cannot do \"%s%s\"", construct, more);
}

bool ShellReading::HasRoom(size_t size) {
  return text.size() + size <= kMaxShellText || Fail("cannot do a script with so much text");
}

std::string_view ShellReading::Keep(std::string_view words) {
  if (!HasRoom(words.size())) return "";
  text += words;
  return Since(text.size() - words.size());
}

bool ShellReading::Find(std::string_view name, std::string_view& value) const {
  for (size_t i = variables.size(); i > 0; --i) {
    const std::string_view entry = variables[i - 1];
    if (entry.size() <= name.size() || !entry.starts_with(name) || entry[name.size()] != '=') {
      continue;
    }
    value = entry.substr(name.size() + 1);
    return true;
  }
  return false;
}

int WordIn(std::string_view word, const char* words) {
  std::string_view list = words;
  for (int i = 0; !list.empty(); ++i) {
    if (TakeWord(list) == word) return i;
  }
  return -1;
}

void ShellCursor::Advance(ShellReading& reading) {
  const size_t start = SkipBlanks(script, at);
  next = {};
  at = start;
  if (start >= script.size()) return;
  size_t end = start + OperatorSize(script.substr(start));
  next.kind = end > start ? ShellToken::Kind::kOperator : ShellToken::Kind::kWord;
  if (end == start) end = WordEnd(script, start);
  at = std::min(end, script.size());
  if (end != kNone) {
    next.text = script.substr(start, end - start);
    return;
  }
  next.kind = ShellToken::Kind::kEnd;
  reading.Fail("cannot find the end of the quotes or brackets in \"%s\"", script.substr(start, 40));
}

bool IsVariableName(std::string_view text) {
  return !text.empty() && NameSize(text) == text.size();
}

bool ExpandWord(std::string_view raw, ShellReading& reading, ShellWord& word, bool dates) {
  const size_t start = reading.text.size();
  if (!Expansion(reading, word, dates).Expand(raw, 0, false)) return false;
  word.text = reading.Since(start);
  word.present = word.quoted || !word.text.empty();
  return true;
}

std::string_view SubstitutionOf(std::string_view raw, bool& quoted) {
  quoted = raw.size() > 1 && raw.starts_with('"') && raw.ends_with('"');
  if (quoted) raw = raw.substr(1, raw.size() - 2);
  if (!raw.starts_with("$(") || raw.starts_with("$((") || PartEnd(raw, 0, 0) != raw.size()) {
    return "";
  }
  return raw.substr(2, raw.size() - 3);
}

}  // namespace certlatch
