#include "domain/shell_words.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kNone = std::string_view::npos;

// The longest first.
constexpr std::string_view kOperators[] = {"&>>", "<<<", "&&", "||", ";;", "|&", "&>",
                                           ">>",  ">&",  ">|", "<<", "<&", "<>", "\n",
                                           ";",   "&",   "|",  "(",  ")",  "<",  ">"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool EndsWord(char c) { return std::string_view(" \t\n;&|<>()").find(c) != kNone; }

// Where the part of a word that begins at `at` ends; kNone: nowhere. All recursion is through here.
size_t PartEnd(std::string_view text, size_t at, int depth);

// Behind the `close` that is not within quotes or a deeper pair; `at` is behind the opening one.
size_t BehindClosing(std::string_view text, size_t at, char open, char close, int depth) {
  int nested = 1;
  while (at < text.size()) {
    const char c = text[at];
    if (c == close && --nested == 0) return at + 1;
    if (c == open) ++nested;
    const size_t end = PartEnd(text, at, depth);
    if (end == kNone) return kNone;
    at = end;
  }
  return kNone;
}

size_t BehindDoubleQuote(std::string_view text, size_t at, int depth) {
  while (at < text.size()) {
    if (text[at] == '"') return at + 1;
    // Single quotes mean nothing here.
    at = text[at] == '\'' ? at + 1 : PartEnd(text, at, depth);
    if (at == kNone) return kNone;
  }
  return kNone;
}

size_t Behind(size_t found) { return found == kNone ? kNone : found + 1; }

size_t PartEnd(std::string_view text, size_t at, int depth) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  if (c == '\\') return at + 2 > text.size() ? kNone : at + 2;
  if (c == '\'') return Behind(text.find('\'', at + 1));
  if (c == '`') return Behind(text.find('`', at + 1));
  if (c != '"' && (c != '$' || (next != '(' && next != '{'))) return at + 1;
  if (depth >= kMaxShellDepth) return kNone;
  if (c == '"') return BehindDoubleQuote(text, at + 1, depth + 1);
  return next == '(' ? BehindClosing(text, at + 2, '(', ')', depth + 1)
                     : BehindClosing(text, at + 2, '{', '}', depth + 1);
}

size_t WordEnd(std::string_view text, size_t at) {
  while (at < text.size() && !EndsWord(text[at])) {
    at = PartEnd(text, at, 0);
    if (at == kNone) return kNone;
  }
  return at;
}

// An operator at `at`, or with its number ("2>"); 0: none.
size_t OperatorSize(std::string_view rest) {
  size_t digits = 0;
  while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
  if (digits > 0 && (digits == rest.size() || (rest[digits] != '>' && rest[digits] != '<')))
    return 0;
  for (const std::string_view text : kOperators) {
    if (rest.substr(digits).starts_with(text)) return digits + text.size();
  }
  return 0;
}

// White space, joined lines and a comment.
size_t SkipBlanks(std::string_view script, size_t at) {
  while (at < script.size()) {
    if (script.substr(at).starts_with("\\\n")) {
      at += 2;
    } else if (script[at] == ' ' || script[at] == '\t' || script[at] == '\r') {
      ++at;
    } else {
      break;
    }
  }
  return at < script.size() && script[at] == '#' ? std::min(script.find('\n', at), script.size())
                                                 : at;
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
  Expansion(const ShellVariables& variables, bool dates) : variables_(variables), dates_(dates) {}

  Status Expand(std::string_view raw, int depth, bool in_quotes) {
    for (size_t at = 0; at < raw.size();) {
      const char c = raw[at];
      if (c == '"') {
        in_quotes = !in_quotes;
        word.quoted = true;
        ++at;
      } else if (c == '\'' && !in_quotes) {
        const size_t end = raw.find('\'', at + 1);
        if (end == kNone) return CannotDo("'");
        word.quoted = true;
        word.text += raw.substr(at + 1, end - at - 1);
        at = end + 1;
      } else if (c == '\\') {
        at = Escape(raw, at, in_quotes);
      } else if (c == '$' || c == '`') {
        Status status = Dollar(raw, at, depth, in_quotes);
        if (!status) return status;
      } else {
        word.pattern = word.pattern || (!in_quotes && (c == '*' || c == '?' || c == '['));
        word.text += c;
        ++at;
      }
    }
    return {};
  }

  ShellWord word;

 private:
  size_t Escape(std::string_view raw, size_t at, bool in_quotes) {
    if (at + 1 >= raw.size()) return raw.size();
    const char next = raw[at + 1];
    if (next == '\n') return at + 2;  // a joined line
    const bool escapes = !in_quotes || std::string_view("$`\"\\").find(next) != kNone;
    if (!escapes) word.text += '\\';
    word.text += next;
    word.quoted = word.quoted || !in_quotes;
    return at + 2;
  }

  Status Dollar(std::string_view raw, size_t& at, int depth, bool in_quotes) {
    const std::string_view rest = raw.substr(at);
    const size_t end = PartEnd(raw, at, 0);
    if (end == kNone) return CannotDo(rest.substr(0, 2));
    if (rest[0] == '`' || rest.starts_with("$(")) return Command(raw, at, end);
    if (rest.starts_with("${")) {
      const std::string_view inside = raw.substr(at + 2, end - at - 3);
      at = end;
      return Braces(inside, depth, in_quotes);
    }
    const std::string_view next = rest.substr(1, 1);
    if (!in_quotes && (next == "'" || next == "\"")) return CannotDo(rest.substr(0, 2));
    const size_t size = NameSize(rest.substr(1));
    // The shell joins lines before it looks for names.
    if (rest.substr(1 + size).starts_with("\\\n")) return CannotDo(rest.substr(0, size + 2));
    if (size > 0) {
      at += 1 + size;
      return Value(rest.substr(1, size), in_quotes);
    }
    if (!next.empty() && std::string_view("0123456789@*#?$!-").find(next[0]) != kNone) {
      return CannotDo(rest.substr(0, 2));
    }
    word.text += '$';
    ++at;
    return {};
  }

  Status Command(std::string_view raw, size_t& at, size_t end) {
    const bool dollar = raw[at] == '$';
    const std::string_view inside = raw.substr(at + (dollar ? 2 : 1), end - at - (dollar ? 3 : 2));
    if (inside.starts_with('(')) return CannotDo("$((");
    std::string_view name = Trim(inside);
    name = name.substr(0, name.find_first_of(" \t\n"));
    const bool date = name == "date" && inside.find_first_of(";|&<>$`\n") == kNone;
    if (!dates_ || !date) {
      const std::string shown = Printable(name, 40);
      return CannotDo(Format(dollar ? "$(%s)" : "`%s`", shown.c_str()));
    }
    at = end;
    return {};
  }

  // NAME, NAME-DEFAULT or NAME:-DEFAULT.
  Status Braces(std::string_view inside, int depth, bool in_quotes) {
    const size_t size = NameSize(inside);
    const std::string_view name = inside.substr(0, size);
    if (size > 0 && size == inside.size()) return Value(name, in_quotes);
    const bool or_empty = inside.substr(size).starts_with(":-");
    if (size == 0 || depth >= kMaxShellDepth ||
        (!or_empty && !inside.substr(size).starts_with("-"))) {
      return CannotDo(Format("${%s}", Printable(inside, 40).c_str()));
    }
    std::string_view value;
    if (variables_.Find(name, value) && !(or_empty && value.empty())) return Value(name, in_quotes);
    return Expand(inside.substr(size + (or_empty ? 2 : 1)), depth + 1, in_quotes);
  }

  Status Value(std::string_view name, bool in_quotes) {
    std::string_view value;
    if (!variables_.Find(name, value) && variables_.must_be_set) {
      return Failure(Code::kConfig, "$%s is not set", Printable(name, 100).c_str());
    }
    if (!in_quotes && value.find_first_of(" \t\n*?[") != kNone) {
      return Failure(Code::kConfig, "cannot split $%s into words: put it in double quotes",
                     Printable(name, 100).c_str());
    }
    word.text += value;
    return {};
  }

  const ShellVariables& variables_;
  const bool dates_;
};

}  // namespace

Error CannotDo(std::string_view construct) {
  return Failure(Code::kConfig, "cannot do \"%s\"", Printable(construct, 80).c_str());
}

bool IsVariableName(std::string_view text) {
  return !text.empty() && NameSize(text) == text.size();
}

bool ShellVariables::Find(std::string_view name, std::string_view& value) const {
  for (size_t i = assigned.size(); i > 0; --i) {
    if (assigned[i - 1].first != name) continue;
    value = assigned[i - 1].second;
    return true;
  }
  for (const std::string_view entry : environment) {
    if (entry.size() <= name.size() || !entry.starts_with(name) || entry[name.size()] != '=') {
      continue;
    }
    value = entry.substr(name.size() + 1);
    return true;
  }
  return false;
}

Result<std::vector<ShellToken>> ReadShellTokens(std::string_view script) {
  std::vector<ShellToken> tokens;
  for (size_t at = SkipBlanks(script, 0); at < script.size(); at = SkipBlanks(script, at)) {
    ShellToken token;
    size_t end = at + OperatorSize(script.substr(at));
    token.kind = end > at ? ShellToken::Kind::kOperator : ShellToken::Kind::kWord;
    if (end == at) end = WordEnd(script, at);
    if (end == kNone) {
      return Failure(Code::kConfig, "cannot find the end of the quotes or brackets in \"%s\"",
                     Printable(script.substr(at), 40).c_str());
    }
    token.text = script.substr(at, end - at);
    tokens.push_back(token);
    at = end;
  }
  tokens.push_back({});
  return tokens;
}

Result<ShellWord> ExpandWord(std::string_view raw, const ShellVariables& variables, bool dates) {
  Expansion expansion(variables, dates);
  Status status = expansion.Expand(raw, 0, false);
  if (!status) return std::move(status).error();
  expansion.word.present = expansion.word.quoted || !expansion.word.text.empty();
  return std::move(expansion.word);
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
