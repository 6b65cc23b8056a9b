#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdarg>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "domain/decimal.h"
#include "domain/jsonpath_node.h"

namespace certlatch {
namespace {

using Node = JsonPath::Node;
using Nodes = std::vector<Node>;
constexpr size_t kNone = std::string_view::npos;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Go asks Unicode for letters. Counting all of its non-ASCII characters as such changes only when
// and how a wrong template is refused.
bool IsAlphanumeric(char c) {
  return c == '_' || IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr std::string_view kTerminators = " \t\r\n.,[]$@{}";

Node& Add(Node::Kind kind, Json value, Nodes& out) {
  Node& node = out.emplace_back();
  node.kind = kind;
  node.value = std::move(value);
  return node;
}

Node& Add(Node::Kind kind, std::string_view text, Nodes& out) {
  return Add(kind, Json(std::string(text)), out);
}

// As Go's Atoi: decimal with an optional sign, in 64 bits.
std::optional<int64_t> ReadInteger(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && IsDigit(text[1])) text.remove_prefix(1);
  return ParseInt(text);
}

// `text` is a sign, digits and dots. The spelling returned always reads as a float, never as an
// integer, since kubectl does not compare the two.
bool ReadFloat(std::string_view text, std::string& spelling) {
  const size_t dot = text.find('.');
  if (text.find_first_of("0123456789") == kNone) return false;
  if (dot != kNone && text.find('.', dot + 1) != kNone) return false;
  const double value = ToDouble(text);
  spelling = Format("%.17e", value);
  return !std::isinf(value);
}

void AppendUtf8(uint32_t rune, std::string& out) {
  constexpr unsigned kLeads[] = {0, 0xc0, 0xe0, 0xf0};
  unsigned tail = rune < 0x80 ? 0 : rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
  out += static_cast<char>(kLeads[tail] | (rune >> (6 * tail)));
  while (tail-- > 0) out += static_cast<char>(0x80 | ((rune >> (6 * tail)) & 0x3f));
}

// Takes a number of exactly `count` digits off the front of `text`.
bool TakeDigits(std::string_view& text, size_t count, uint32_t base, uint32_t& value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() < count) return false;
  for (const char c : text.substr(0, count)) {
    const bool upper = c >= 'A' && c <= 'F';
    const size_t digit = kDigits.find(upper ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit >= base) return false;
    value = value * base + static_cast<uint32_t>(digit);
  }
  text.remove_prefix(count);
  return true;
}

// Takes one escape, without its backslash, off the front of `text`: those of Go's string literals.
bool TakeEscape(std::string_view& text, char quote, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (text.empty()) return false;
  const char letter = text.front();
  uint32_t value = 0;
  if (letter >= '0' && letter <= '7') {
    if (!TakeDigits(text, 3, 8, value) || value > 0xff) return false;
    out += static_cast<char>(value);
    return true;
  }
  text.remove_prefix(1);
  if (const size_t found = kLetters.find(letter); found != kNone) {
    out += kMeanings[found];
    return true;
  }
  if (letter == quote) {
    out += quote;
    return true;
  }
  if (letter == 'x') {
    if (!TakeDigits(text, 2, 16, value)) return false;
    out += static_cast<char>(value);
    return true;
  }
  if (letter != 'u' && letter != 'U') return false;
  if (!TakeDigits(text, letter == 'u' ? 4 : 8, 16, value)) return false;
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return false;
  AppendUtf8(value, out);
  return true;
}

bool Unquote(std::string_view text, char quote, std::string& out) {
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == quote) return false;
    if (c != '\\') {
      out += c;
    } else if (!TakeEscape(text, quote, out)) {
      return false;
    }
  }
  return true;
}

// Bytes suffice where Go reads characters: everything that ends a token is ASCII.
class Parser {
 public:
  Parser(std::string_view input, int depth) : input_(input), depth_(depth) {}

  bool Template(Nodes& out);
  std::string&& TakeProblem() { return std::move(problem_); }

 private:
  bool Action(Nodes& out);
  bool Step(char c, Nodes& out);
  bool Number(Nodes& out);
  bool Field(Nodes& out);
  bool Identifier(Nodes& out);
  bool Recursive(Nodes& out);
  bool Quote(Nodes& out);
  bool Brackets(Nodes& out);
  bool Union(std::string_view text, Nodes& out);
  bool Slice(std::string_view text, Nodes& out);
  bool Filter(Nodes& out);
  bool FilterEnd();
  bool Nested(const char* open, std::string_view text, const char* close, Nodes& out);

  bool At(std::string_view prefix) const { return input_.substr(at_, prefix.size()) == prefix; }
  // False, always, for the caller to return.
  [[gnu::format(printf, 2, 3)]] bool Fail(const char* pattern, ...) {
    va_list arguments;
    va_start(arguments, pattern);
    problem_ = FormatList(pattern, arguments);
    va_end(arguments);
    return false;
  }

  std::string_view input_;
  size_t at_ = 0;
  int depth_;
  std::string problem_;
};

bool Parser::Template(Nodes& out) {
  if (depth_ > kMaxJsonPathDepth) return Fail("jsonpath is nested too deeply");
  while (at_ < input_.size()) {
    const size_t brace = input_.find('{', at_);
    const std::string_view text = input_.substr(at_, brace == kNone ? kNone : brace - at_);
    if (!text.empty()) Add(Node::Kind::kText, text, out);
    if (brace == kNone) break;
    at_ = brace + 1;
    if (!Action(out.emplace_back().nodes)) return false;
  }
  return true;
}

// Adds `text`, between `open` and `close`, as the inside of an action of its own. Where `text`
// closes that action, kubectl forgets the rest, once it has been parsed.
bool Parser::Nested(const char* open, std::string_view text, const char* close, Nodes& out) {
  std::string action = open;
  action.append(text).append(close);
  Parser parser(action, depth_ + 1);
  Nodes nodes;
  if (!parser.Template(nodes)) {
    problem_ = parser.TakeProblem();
    return false;
  }
  for (Node& node : nodes.front().nodes) out.push_back(std::move(node));
  return true;
}

bool Parser::Action(Nodes& out) {
  while (!At("}")) {
    if (at_ == input_.size() || At("\n") || At("\r")) return Fail("unclosed action");
    if (!Step(input_[at_], out)) return false;
  }
  ++at_;
  return true;
}

bool Parser::Step(char c, Nodes& out) {
  if (At("[?(")) return Filter(out);
  if (At("..")) return Recursive(out);
  if (c == '[') return Brackets(out);
  if (c == '"' || c == '\'') return Quote(out);
  if (c == '+' || c == '-' || IsDigit(c)) return Number(out);
  if (IsAlphanumeric(c)) return Identifier(out);
  ++at_;
  if (c == '.') return Field(out);
  if (c == ' ' || c == '@' || c == '$') return true;
  // As Go's %#U: U+007E '~', and without the character where it cannot be shown.
  const bool printable = c >= ' ' && c <= '~';
  return Fail(printable ? "unrecognized character in action: U+%04X '%c'"
                        : "unrecognized character in action: U+%04X",
              static_cast<unsigned>(static_cast<unsigned char>(c)), c);
}

bool Parser::Number(Nodes& out) {
  const size_t end = std::min(input_.find_first_not_of("0123456789.", at_ + 1), input_.size());
  const std::string_view text = input_.substr(at_, end - at_);
  at_ = end;
  Json::Number number;
  if (const auto integer = ReadInteger(text)) {
    number.text = Format("%" PRId64, *integer);
  } else if (!ReadFloat(text, number.text)) {
    return Fail("cannot parse number %.*s", Length(text), text.data());
  }
  Add(Node::Kind::kLiteral, Json(std::move(number)), out);
  return true;
}

bool Parser::Field(Nodes& out) {
  std::string name;
  const size_t start = at_;
  while (at_ < input_.size() && kTerminators.find(input_[at_]) == kNone) {
    if (input_[at_] == '\\' && ++at_ == input_.size()) break;
    if (input_[at_] != '\\') name += input_[at_];
    ++at_;
  }
  const bool wildcard = input_.substr(start, at_ - start) == "*";
  Add(wildcard ? Node::Kind::kWildcard : Node::Kind::kField, name, out);
  return true;
}

bool Parser::Identifier(Nodes& out) {
  const size_t end = std::min(input_.find_first_of(kTerminators, at_), input_.size());
  const std::string_view name = input_.substr(at_, end - at_);
  at_ = end;
  if (name == "true" || name == "false") {
    Add(Node::Kind::kLiteral, Json(name == "true"), out);
  } else {
    Add(Node::Kind::kIdentifier, name, out);
  }
  return true;
}

bool Parser::Recursive(Nodes& out) {
  if (!out.empty() && out.back().kind == Node::Kind::kRecursive) {
    return Fail("invalid multiple recursive descent");
  }
  at_ += 2;
  Add(Node::Kind::kRecursive, "", out);
  return at_ < input_.size() && IsAlphanumeric(input_[at_]) ? Field(out) : true;
}

bool Parser::Quote(Nodes& out) {
  const char quote = input_[at_];
  const size_t start = at_++;
  while (true) {
    if (at_ == input_.size() || input_[at_] == '\n') return Fail("unterminated quoted string");
    const char c = input_[at_++];
    if (c == quote && input_[at_ - 2] != '\\') break;
  }
  const std::string_view quoted = input_.substr(start, at_ - start);
  std::string text;
  if (!Unquote(quoted.substr(1, quoted.size() - 2), quote, text)) {
    return Fail("unquote string %.*s error invalid syntax", Length(quoted), quoted.data());
  }
  Add(Node::Kind::kText, text, out);
  return true;
}

bool Parser::Brackets(Nodes& out) {
  const size_t end = input_.find_first_of("]\n", at_);
  if (end == kNone || input_[end] == '\n') return Fail("unterminated array");
  std::string_view text = input_.substr(at_ + 1, end - at_ - 1);
  at_ = end + 1;
  if (text == "*") text = ":";
  if (text.find(',') != kNone) return Union(text, out);
  if (text.size() < 2 || text.front() != '\'' || text.find('\'', 1) != text.size() - 1) {
    return Slice(text, out);
  }
  return Nested("{.", text.substr(1, text.size() - 2), "}", out);
}

bool Parser::Union(std::string_view text, Nodes& out) {
  Node& node = Add(Node::Kind::kUnion, "", out);
  for (std::string_view part : Split(text, ',')) {
    const size_t first = part.find_first_not_of(' ');
    part.remove_prefix(std::min(first, part.size()));
    part = part.substr(0, part.find_last_not_of(' ') + 1);
    if (!Nested("{[", part, "]}", node.nodes.emplace_back().nodes)) return false;
  }
  return true;
}

bool Parser::Slice(std::string_view text, Nodes& out) {
  const std::vector<std::string_view> parts = Split(text, ':');
  bool good = parts.size() <= 3;
  for (const std::string_view part : parts) {
    good = good && part.find_first_not_of("0123456789", part.substr(0, 1) == "-") == kNone;
  }
  if (!good) return Fail("invalid array index %.*s", Length(text), text.data());
  Node& node = Add(Node::Kind::kSlice, "", out);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    const auto value = ReadInteger(parts[i]);
    if (!value) {
      return Fail("array index %.*s is not a number", Length(parts[i]), parts[i].data());
    }
    node.slice[i] = {*value, true, false};
  }
  if (parts.size() == 1) {
    const auto next = static_cast<uint64_t>(node.slice[0].value) + 1;  // may wrap, as in Go
    node.slice[1] = {static_cast<int64_t>(next), true, true};
  }
  return true;
}

// Moves to the closing ")": the first one that is not between the filter's first quote and the
// next of its sort. kubectl looks no closer, so a filter cannot have two quoted texts with a ")".
bool Parser::FilterEnd() {
  char quote = '\0';
  bool closed = false;
  for (; at_ < input_.size() && input_[at_] != '\n'; ++at_) {
    const char c = input_[at_];
    if (c == '"' || c == '\'') {
      if (quote == '\0') {
        quote = c;
      } else if (c == quote && input_[at_ - 1] != '\\') {
        closed = true;
      }
    } else if (c == ')' && (quote == '\0' || closed)) {
      return true;
    }
  }
  return Fail("unterminated filter");
}

bool Parser::Filter(Nodes& out) {
  at_ += 3;
  const size_t start = at_;
  if (!FilterEnd()) return false;
  const std::string_view text = input_.substr(start, at_ - start);
  if (!At(")]")) return Fail("unclosed array expect ]");
  at_ += 2;
  constexpr std::string_view kOperators = "!<>=";
  const size_t left = text.find_first_of(kOperators);
  size_t right = left == kNone ? kNone : text.find_first_not_of(kOperators, left);
  if (left != kNone && right == kNone) right = text.size() - 1;  // something must be on the right
  const bool compares = left != kNone && left != 0 && right > left;
  Node& node = Add(Node::Kind::kFilter, compares ? text.substr(left, right - left) : "", out);
  if (!Nested("{", text.substr(0, compares ? left : kNone), "}", node.nodes.emplace_back().nodes)) {
    return false;
  }
  return !compares || Nested("{", text.substr(right), "}", node.nodes.emplace_back().nodes);
}

}  // namespace

Result<std::vector<JsonPath::Node>> ParseJsonPathNodes(std::string_view text) {
  if (text.size() > kMaxJsonPathTemplate) return Error{Code::kConfig, "jsonpath is too long"};
  Parser parser(text, 0);
  Nodes nodes;
  if (!parser.Template(nodes)) return Error{Code::kConfig, parser.TakeProblem()};
  return nodes;
}

}  // namespace certlatch
