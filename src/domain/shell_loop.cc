#include "domain/shell_loop.h"

#include <algorithm>
#include <optional>

#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

constexpr Duration kMaxPause = 24h;
constexpr size_t kMaxTests = 20;    // in one loop's condition
constexpr size_t kMaxPatterns = 8;  // grep | grep | …
constexpr size_t kMaxAdvice = 20;   // targets in the error

constexpr ShellOption kGrepOptions[] = {
    {'q', false, "quiet"},        {'s', false, "no-messages"},     {'i', false, "ignore-case"},
    {'w', false, "word-regexp"},  {'x', false, "line-regexp"},     {'F', false, "fixed-strings"},
    {'v', false, "invert-match"}, {'E', false, "extended-regexp"}, {'e', true, "regexp"},
    {'G', false, "basic-regexp"},
};

// One command of the script, its words expanded.
struct Call {
  std::vector<std::string> words;
  std::vector<bool> patterns;             // of each word: *, ? or [ without quotes
  std::vector<std::string_view> scripts;  // of each word: what is within $(...), in a test; else ""
  std::vector<bool> quoted;               // of those
  std::string_view first;                 // the first word as written
  bool drops_output = false;              // >/dev/null
  bool joins_errors = false;              // 2>&1 while output is read
  bool to_stderr = false;                 // >&2
};

// What all parsers of one script share. Their functions return false with an error.
struct Context {
  ShellVariables variables;
  std::vector<std::string> advice;  // what is understood, as targets
  bool stop_on_error = false;       // set -e
  Error error;                      // the first, once a parser has returned false
};

class Parser {
 public:
  Parser(std::vector<ShellToken> tokens, Context& context, int depth)
      : tokens_(std::move(tokens)), context_(context), depth_(depth) {}

  bool Script(LoopPlan& plan);
  bool Substituted(LoopTest& test);  // the script within $(…): one pipeline
  void CollectAdvice();              // from the loops that follow what is refused

 private:
  const ShellToken& Next() const { return tokens_[at_]; }
  bool IsEnd() const { return Next().kind == ShellToken::Kind::kEnd; }
  bool Is(std::string_view text) const { return !IsEnd() && Next().text == text; }
  bool Take(std::string_view text);
  bool TakeSeparator();  // any number of ; and newlines
  void SkipNewlines();
  bool Refuse();  // what comes next
  bool Fail(Error error);
  bool Cannot(std::string_view construct) { return Fail(CannotDo(construct)); }
  bool Need(std::string_view word);

  bool Statement(LoopPlan& plan);
  bool Step(LoopPlan& plan);
  bool Builtin(const Call& call, LoopPlan& plan);
  bool Set(const Call& call);
  bool Assignments(bool& any);
  bool Loop(LoopPlan& plan);
  bool Head(LoopStep& step, bool until);
  bool Tests(LoopStep& step, bool until, std::string_view joint);
  bool Body(LoopStep& step, bool for_ever, LoopPlan& after);
  bool BodyCommand(LoopStep& step);
  bool Say(const Call& call, LoopStep& step);
  bool Sleep(const Call& call, Duration& pause);
  bool WayOut(LoopStep& step, LoopPlan& after);
  bool Condition(LoopTest& test);
  bool Pipeline(Call& call, LoopTest& test);
  bool Grep(const Call& call, LoopTest& test);
  bool Bracket(const Call& call, LoopTest& test);
  bool Compare(const Call& call, const std::vector<size_t>& words, bool twice, LoopTest& test);
  bool Operand(const Call& call, size_t word, LoopTest& test);

  bool ReadCall(Call& call);
  bool Redirect(Call& call);
  bool IsRedirect() const;

  std::vector<ShellToken> tokens_;
  Context& context_;
  int depth_;
  size_t at_ = 0;
};

bool IsTest(std::string_view name) { return name == "[" || name == "[[" || name == "test"; }

bool IsNothing(std::string_view name) { return name == "true" || name == ":"; }

bool IsSay(std::string_view name) { return name == "echo" || name == "printf"; }

// What the backslashes of printf and `echo -e` mean, as far as people use them.
std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool known = text[i] == '\\' && (next == 'n' || next == 't' || next == '\\');
    out += !known ? text[i] : next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
    if (known) ++i;
  }
  return out;
}

// False: a format of printf's.
bool ReadSay(const Call& call, LoopStep& step) {
  const bool echo = call.words[0] == "echo";
  bool newline = echo;
  bool escapes = !echo;
  size_t i = 1;
  for (; echo && i < call.words.size(); ++i) {
    const std::string_view word = call.words[i];
    if (word != "-n" && word != "-e" && word != "-ne" && word != "-en") break;
    newline = newline && word == "-e";
    escapes = escapes || word != "-n";
  }
  // printf's own language: a text alone is taken.
  const bool format = !echo && (call.words.size() != 2 || call.words[1].starts_with('-') ||
                                call.words[1].find('%') != std::string::npos);
  if (format) return false;
  for (const size_t first = i; i < call.words.size(); ++i) {
    if (i > first) step.text += ' ';
    step.text += escapes ? Unescape(call.words[i]) : call.words[i];
  }
  if (newline) step.text += '\n';
  step.to_stderr = call.to_stderr;
  if (call.drops_output) step.text.clear();
  return true;
}

// "5", "0.5", "5s", "1m".
bool ReadPause(std::string_view text, Duration& pause) {
  std::string with_unit(text);
  if (!text.empty() && text.back() >= '0' && text.back() <= '9') with_unit += 's';
  std::string_view number = text;
  if (with_unit.size() == text.size()) number.remove_suffix(std::min<size_t>(1, text.size()));
  if (text.ends_with('d') || !ConsistsOf(number, ".") ||
      number.find_first_not_of("0123456789.") != std::string_view::npos) {
    return false;
  }
  const Result<Duration> parsed = ParseDuration(with_unit);
  if (!parsed || *parsed > kMaxPause) return false;
  pause = *parsed;
  return true;
}

bool ReadSign(std::string_view word, LoopCondition& condition) {
  constexpr std::string_view kSigns[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
  condition.kind = LoopCondition::Kind::kNumber;
  for (size_t i = 0; i < 6; ++i) {
    condition.sign = static_cast<LoopCondition::Sign>(i);
    if (word == kSigns[i]) return true;
  }
  condition.kind = LoopCondition::Kind::kText;
  condition.sign = word == "!=" ? LoopCondition::Sign::kNotEqual : LoopCondition::Sign::kEqual;
  return word == "=" || word == "==" || word == "!=";
}

// 3 -gt "$(…)" is "$(…)" -lt 3.
LoopCondition::Sign Mirrored(LoopCondition::Sign sign) {
  using Sign = LoopCondition::Sign;
  switch (sign) {
    case Sign::kLess:
      return Sign::kMore;
    case Sign::kMore:
      return Sign::kLess;
    case Sign::kLessOrEqual:
      return Sign::kMoreOrEqual;
    case Sign::kMoreOrEqual:
      return Sign::kLessOrEqual;
    default:
      return sign;
  }
}

bool Compares(LoopCondition::Sign sign, int64_t a, int64_t b) {
  using Sign = LoopCondition::Sign;
  switch (sign) {
    case Sign::kEqual:
      return a == b;
    case Sign::kNotEqual:
      return a != b;
    case Sign::kLess:
      return a < b;
    case Sign::kLessOrEqual:
      return a <= b;
    case Sign::kMore:
      return a > b;
    case Sign::kMoreOrEqual:
      return a >= b;
  }
  return false;
}

bool AnyLineSelected(const std::vector<GrepPattern>& patterns, std::string_view printed) {
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(std::min(line.size() + 1, printed.size()));
    bool selected = true;
    for (const GrepPattern& pattern : patterns) selected = selected && pattern.Selects(line);
    if (selected) return true;
  }
  return false;
}

// Only whether kubectl's table is empty matters: names do as well.
void OnlyWhether(LoopProbe& probe) {
  if (probe.printed == LoopProbe::Printed::kTable) probe.printed = LoopProbe::Printed::kName;
}

// --- reading tokens ---

bool Parser::Take(std::string_view text) {
  if (!Is(text)) return false;
  ++at_;
  return true;
}

void Parser::SkipNewlines() {
  while (Take("\n")) {
  }
}

bool Parser::TakeSeparator() {
  const size_t before = at_;
  while (Take(";") || Take("\n")) {
  }
  return at_ > before;
}

bool Parser::Fail(Error error) {
  context_.error = std::move(error);
  return false;
}

// A command behind a pipe says more than the pipe.
bool Parser::Refuse() {
  const ShellToken& token = Next();
  const bool pipe = token.text == "|" && tokens_[at_ + 1].kind == ShellToken::Kind::kWord;
  if (IsEnd()) return Fail(Failure(Code::kConfig, "cannot do a script that ends too early"));
  return Cannot(pipe                 ? BaseName(tokens_[at_ + 1].text)
                : token.text == "\n" ? "newline"
                                     : token.text);
}

bool Parser::Need(std::string_view word) {
  if (Take(word)) return true;
  return Refuse();
}

bool Parser::IsRedirect() const {
  return Next().kind == ShellToken::Kind::kOperator &&
         Next().text.find_first_of("<>") != std::string_view::npos;
}

// Only such as change nothing that matters: to /dev/null, to each other.
bool Parser::Redirect(Call& call) {
  const std::string_view sign = Next().text;
  ++at_;
  if (Next().kind != ShellToken::Kind::kWord) return Refuse();
  const std::string_view target = Next().text;
  ++at_;
  if (sign == "<" && target == "/dev/null") return true;
  const bool errors = sign.starts_with('2');
  const bool both = sign.starts_with('&');
  const bool out = both || sign.starts_with('>') || sign.starts_with('1');
  const bool to_null = target == "/dev/null" && sign.ends_with('>');
  const bool copies = (sign.ends_with(">&") && (target == "1" || target == "2")) ||
                      (sign.ends_with('>') && target == "/dev/stderr");
  if ((!errors && !out) || (!to_null && !copies)) {
    return Cannot(Format("%.*s%.*s", Length(sign), sign.data(), Length(target), target.data()));
  }
  if (to_null && out) call.drops_output = true;
  if (copies && errors && target == "1") call.joins_errors = !call.drops_output;
  if (copies && out && target != "1") call.to_stderr = true;
  return true;
}

// The words of one command, and its redirections.
bool Parser::ReadCall(Call& call) {
  while (Next().kind == ShellToken::Kind::kWord || IsRedirect()) {
    if (IsRedirect()) {
      if (!Redirect(call)) return false;
      continue;
    }
    const std::string_view raw = Next().text;
    const bool first = call.words.empty();
    if (first) call.first = raw;
    bool quoted = false;
    const bool in_test = !first && IsTest(call.words[0]);
    const std::string_view script = in_test ? SubstitutionOf(raw, quoted) : "";
    ShellWord word;
    if (script.empty()) {
      Result<ShellWord> expanded =
          ExpandWord(raw, context_.variables, !first && IsSay(call.words[0]));
      if (!expanded) return Fail(std::move(expanded).error());
      word = *std::move(expanded);
    }
    ++at_;
    // In [[ ]] no word is dropped.
    if (script.empty() && !word.present && (first || call.words[0] != "[[")) continue;
    call.words.push_back(std::move(word.text));
    call.patterns.push_back(word.pattern);
    call.scripts.push_back(script);
    call.quoted.push_back(quoted);
  }
  return !call.words.empty() || Refuse();
}

// --- conditions ---

bool Parser::Condition(LoopTest& test) {
  while (Take("!")) test.condition.negated = !test.condition.negated;
  if (Is("{") || Is("if") || Is("case") || Is("for")) return Refuse();
  Call call;
  if (!ReadCall(call)) return false;
  return IsTest(call.words[0]) ? Bracket(call, test) : Pipeline(call, test);
}

// COMMAND [| grep …]….
bool Parser::Pipeline(Call& call, LoopTest& test) {
  Status status = ReadLoopProbe(call.words, context_.variables, test.probe);
  if (!status) return Fail(std::move(status).error());
  for (std::string& target : TargetsOf(test.probe)) {
    const auto& known = context_.advice;
    if (std::find(known.begin(), known.end(), target) == known.end()) {
      context_.advice.push_back(std::move(target));
    }
  }
  while (Is("|")) {
    const size_t pipe = at_++;
    SkipNewlines();
    const std::string_view name = BaseName(Next().text);
    if (name != "grep" && name != "egrep" && name != "fgrep") {
      if (IsEnd()) at_ = pipe;
      return Cannot(name);
    }
    if (call.joins_errors) return Cannot("2>&1 |");
    if (call.drops_output) return Cannot(">/dev/null |");
    Call grep;
    if (!ReadCall(grep) || !Grep(grep, test)) return false;
    if (test.probe.printed > LoopProbe::Printed::kTable) continue;
    return Fail(Failure(Code::kConfig, "cannot do \"%s\" of what %s prints: want -o jsonpath=...",
                        Printable(name, 40).c_str(), Printable(call.words[0], 40).c_str()));
  }
  return true;
}

bool Parser::Grep(const Call& call, LoopTest& test) {
  GivenOptions given;
  Status status = ReadShellOptions(call.words, kGrepOptions, given);
  if (!status) return Fail(std::move(status).error());
  GrepFlags flags;
  const std::string_view name = BaseName(call.words[0]);
  flags.extended = name == "egrep";
  flags.fixed = name == "fgrep";
  std::vector<std::string>& texts = given.others;
  for (const GivenOption& option : given.options) {
    if (option.id == 'E') flags.extended = true;
    if (option.id == 'F') flags.fixed = true;
    if (option.id == 'i') flags.ignore_case = true;
    if (option.id == 'w') flags.word = true;
    if (option.id == 'x') flags.line = true;
    if (option.id == 'v') flags.inverted = true;
    if (option.id == 'e') texts.push_back(option.value);
  }
  LoopCondition& condition = test.condition;
  if (texts.size() != 1) return Cannot("grep without one pattern");
  if (condition.patterns.size() >= kMaxPatterns) return Cannot("| grep | grep ...");
  Result<GrepPattern> pattern = GrepPattern::Parse(texts[0], flags);
  if (!pattern) return Fail(std::move(pattern).error());
  condition.patterns.push_back(*std::move(pattern));
  if (texts[0] == "." && !flags.fixed && !flags.inverted) OnlyWhether(test.probe);
  condition.kind = LoopCondition::Kind::kGrep;
  return true;
}

bool Parser::Substituted(LoopTest& test) {
  SkipNewlines();
  Call call;
  if (!ReadCall(call) || !Pipeline(call, test)) return false;
  if (call.joins_errors) return Cannot("$(... 2>&1)");
  if (call.drops_output) return Cannot("$(... >/dev/null)");
  TakeSeparator();
  return IsEnd() || Refuse();
}

bool Parser::Operand(const Call& call, size_t word, LoopTest& test) {
  if (call.scripts[word].empty()) return Cannot(Format("%s without $(...)", call.words[0].c_str()));
  if (depth_ >= kMaxShellDepth) return Cannot("$($(...))");
  Result<std::vector<ShellToken>> tokens = ReadShellTokens(call.scripts[word]);
  if (!tokens) return Fail(std::move(tokens).error());
  test.condition.one_word = call.words[0] != "[[" && !call.quoted[word];
  return Parser(*std::move(tokens), context_, depth_ + 1).Substituted(test);
}

// [ … ], test …, [[ … ]]: with one $(…).
bool Parser::Bracket(const Call& call, LoopTest& test) {
  const std::string& name = call.words[0];
  size_t end = call.words.size();
  if (name != "test" && call.words[--end] != (name == "[" ? "]" : "]]")) return Cannot(name);
  std::vector<size_t> words;
  for (size_t i = 1; i < end; ++i) words.push_back(i);
  const auto is = [&](size_t i, std::string_view text) {
    return call.scripts[words[i]].empty() && call.words[words[i]] == text;
  };
  while (words.size() > 1 && is(0, "!")) {
    test.condition.negated = !test.condition.negated;
    words.erase(words.begin());
  }
  if (words.size() == 3) return Compare(call, words, name == "[[", test);
  if (words.empty() || words.size() > 2)
    return Cannot(
        Format("%s ... %s", name.c_str(), words.empty() ? "" : call.words[words.back()].c_str()));
  const bool empty = words.size() == 2 && is(0, "-z");
  if (words.size() == 2 && !empty && !is(0, "-n")) {
    return Cannot(Format("%s %s", name.c_str(), Printable(call.words[words[0]], 40).c_str()));
  }
  if (!Operand(call, words.back(), test)) return false;
  LoopCondition& condition = test.condition;
  condition.one_word = false;  // nothing is empty, too
  condition.negated = condition.negated != empty;
  if (condition.kind == LoopCondition::Kind::kGrep) return true;  // which prints what it selects
  OnlyWhether(test.probe);
  if (test.probe.printed <= LoopProbe::Printed::kTable) {
    return Cannot(Format("%s of what the command prints", name.c_str()));
  }
  condition.kind = LoopCondition::Kind::kText;
  condition.sign = LoopCondition::Sign::kNotEqual;
  return true;
}

// LEFT SIGN RIGHT.
bool Parser::Compare(const Call& call, const std::vector<size_t>& words, bool twice,
                     LoopTest& test) {
  LoopCondition& condition = test.condition;
  LoopCondition compared;
  const std::string& sign = call.words[words[1]];
  if (!ReadSign(sign, compared)) {
    return Cannot(Format("%s ... %s", call.words[0].c_str(), Printable(sign, 40).c_str()));
  }
  const bool mirrored = call.scripts[words[0]].empty();
  const size_t value = words[mirrored ? 0 : 2];
  if (!call.scripts[value].empty()) return Cannot("$(...) on both sides");
  if (!Operand(call, words[mirrored ? 2 : 0], test)) return false;
  if (condition.kind == LoopCondition::Kind::kGrep ||
      test.probe.printed <= LoopProbe::Printed::kTable) {
    return Cannot(Format("%s of what the command prints", call.words[0].c_str()));
  }
  if (twice && call.patterns[value] && compared.kind == LoopCondition::Kind::kText) {
    return Cannot(Format("[[ ... %s PATTERN ]]", sign.c_str()));
  }
  condition.kind = compared.kind;
  condition.sign = mirrored ? Mirrored(compared.sign) : compared.sign;
  condition.empty_is_0 = twice;
  condition.text = call.words[value];
  if (condition.kind == LoopCondition::Kind::kText) return true;
  const auto number = ParseInt(condition.text);
  if (!number) return Cannot(Format("%s %s", sign.c_str(), Printable(condition.text, 40).c_str()));
  condition.number = *number;
  return true;
}

// --- loops ---

// A list of tests, all of which must hold: until A && B, while A || B.
bool Parser::Tests(LoopStep& step, bool until, std::string_view joint) {
  while (true) {
    LoopTest test;
    test.condition.negated = !until;
    if (!Condition(test)) return false;
    step.tests.push_back(std::move(test));
    if (step.tests.size() > kMaxTests) return Cannot("so many conditions");
    if (!Is(joint) || (joint == "&&" && tokens_[at_ + 1].text == "break")) return true;
    ++at_;
    SkipNewlines();
  }
}

bool Parser::Head(LoopStep& step, bool until) {
  if (!Tests(step, until, until ? "&&" : "||")) return false;
  if (!TakeSeparator()) return Refuse();
  return true;
}

bool Parser::Loop(LoopPlan& plan) {
  const bool until = Next().text == "until";
  ++at_;
  LoopStep step;
  step.kind = LoopStep::Kind::kUntil;
  const bool for_ever = until ? Take("false") : Take("true") || Take(":");
  const bool head = for_ever ? TakeSeparator() || Refuse() : Head(step, until);
  LoopPlan after;
  if (!head || !Need("do") || !Body(step, for_ever, after)) return false;
  Call ignored;
  while (IsRedirect()) {
    if (!Redirect(ignored)) return false;
  }
  plan.steps.push_back(std::move(step));
  for (LoopStep& said : after.steps) plan.steps.push_back(std::move(said));
  return true;
}

// Up to `done`. A loop without an end of its own needs a way out, in the body.
bool Parser::Body(LoopStep& step, bool for_ever, LoopPlan& after) {
  bool any = false;
  TakeSeparator();
  while (!Take("done")) {
    const bool is_way_out =
        for_ever && step.tests.empty() &&
        (Is("if") || Is("!") || Is("[") || Is("[[") || Is("test") || Is("kubectl") || Is("nc") ||
         Is("pg_isready") || Is("curl") || Is("wget"));
    if (!(is_way_out ? WayOut(step, after) : BodyCommand(step))) return false;
    any = true;
    if (!TakeSeparator() && !Take("&&") && !Is("done")) return Refuse();
    SkipNewlines();
  }
  if (!any) return Cannot("done");
  if (step.tests.empty()) return Cannot("while true");
  return true;
}

bool Parser::Say(const Call& call, LoopStep& step) {
  return ReadSay(call, step) || Cannot("printf with a format");
}

bool Parser::Sleep(const Call& call, Duration& pause) {
  if (call.words.size() == 2 && ReadPause(call.words[1], pause)) return true;
  return Cannot(
      Format("sleep %s", call.words.size() > 1 ? Printable(call.words[1], 40).c_str() : ""));
}

bool Parser::BodyCommand(LoopStep& step) {
  const ShellToken first = Next();
  Call call;
  if (!ReadCall(call)) return false;
  const std::string& name = call.words[0];
  if (IsNothing(name) || name == "date") return true;
  if (name == "sleep") return Sleep(call, step.pause);
  if (!IsSay(name)) return Cannot(first.text);
  LoopStep say;
  if (!Say(call, say)) return false;
  if (step.says.size() >= kMaxLoopSteps) return Cannot("so many steps");
  if (!say.text.empty()) step.says.push_back(std::move(say));
  return true;
}

// TEST && break; if TEST; then [echo …;] break; fi.
bool Parser::WayOut(LoopStep& step, LoopPlan& after) {
  if (!Take("if")) {
    return Tests(step, true, "&&") && Need("&&") && Need("break");
  }
  if (!Head(step, true) || !Need("then")) return false;
  LoopStep then;
  TakeSeparator();
  while (!Is("break") && !Is("exit")) {
    if (!BodyCommand(then) || !(TakeSeparator() || Refuse())) return false;
  }
  after.steps = std::move(then.says);
  if (Take("exit")) {
    if (!Need("0")) return false;
    LoopStep end;
    end.kind = LoopStep::Kind::kExit;
    after.steps.push_back(std::move(end));
  } else {
    Take("break");
  }
  if (!TakeSeparator()) return Refuse();
  // What else the round does is of no interest to us, as long as it is harmless.
  if (!Take("else")) return Need("fi");
  TakeSeparator();
  while (!Take("fi")) {
    if (!BodyCommand(step) || !(TakeSeparator() || Refuse())) return false;
  }
  return true;
}

// --- the script ---

bool Parser::Set(const Call& call) {
  for (size_t i = 1; i < call.words.size(); ++i) {
    std::string_view word = call.words[i];
    const bool on = word.starts_with('-');
    if (word == "pipefail" || word == "errexit" || word == "nounset") {
      // after -o; alone they would be arguments
      if (i == 1 || !call.words[i - 1].ends_with('o')) return Cannot("set");
      if (word == "errexit") context_.stop_on_error = true;
      if (word == "nounset") context_.variables.must_be_set = true;
      continue;
    }
    if (word.size() < 2 || (!on && word[0] != '+') ||
        word.find_first_not_of("euxo", 1) != std::string_view::npos) {
      return Cannot(Format("set %s", Printable(word, 40).c_str()));
    }
    if (word.find('e') != std::string_view::npos) context_.stop_on_error = on;
    if (word.find('u') != std::string_view::npos) context_.variables.must_be_set = on;
  }
  return true;
}

// NAME=VALUE, alone or after `export`.
bool Parser::Assignments(bool& any) {
  const size_t start = at_;
  const bool exports = Take("export");
  while (Next().kind == ShellToken::Kind::kWord) {
    const std::string_view raw = Next().text;
    const size_t equals = raw.find('=');
    const std::string_view name = raw.substr(0, equals);
    if (equals == std::string_view::npos || !IsVariableName(name)) {
      if (exports || any) return Cannot(tokens_[start].text);
      return true;
    }
    bool quoted = false;
    const std::string_view script = SubstitutionOf(raw.substr(equals + 1), quoted);
    if (!script.empty()) return Cannot(Format("%.*s=$(...)", Length(name), name.data()));
    Result<ShellWord> value = ExpandWord(raw.substr(equals + 1), context_.variables);
    if (!value) return Fail(std::move(value).error());
    if (context_.variables.assigned.size() >= kMaxLoopSteps) return Cannot("so many variables");
    context_.variables.assigned.emplace_back(name, std::move(value->text));
    any = true;
    ++at_;
  }
  return !exports || any || Cannot("export");
}

// Commands outside of loops.
bool Parser::Builtin(const Call& call, LoopPlan& plan) {
  const std::string& name = call.words[0];
  LoopStep step;
  if (name == "set") return Set(call);
  if (name == "date") return true;
  if (IsSay(name)) {
    if (!Say(call, step)) return false;
  } else if (name == "sleep") {
    step.kind = LoopStep::Kind::kPause;
    if (!Sleep(call, step.pause)) return false;
  } else if (name == "exit") {
    step.kind = LoopStep::Kind::kExit;
    if (call.words.size() != 2 || call.words[1] != "0") return Cannot("exit");
  } else if (!IsNothing(name)) {
    LoopTest test;
    test.probe.kind = LoopProbe::Kind::kGet;
    Call copy = call;
    if (!Pipeline(copy, test)) return false;
    if (test.probe.kind != LoopProbe::Kind::kWait) {
      const bool get = test.probe.kind == LoopProbe::Kind::kGet;
      return Fail(Failure(Code::kConfig, "cannot do \"%s%s\" outside of a loop",
                          Printable(name, 40).c_str(), get ? " get" : ""));
    }
    step.kind = LoopStep::Kind::kKubectl;
    step.tests.push_back(std::move(test));
  }
  plan.steps.push_back(std::move(step));
  return true;
}

bool Parser::Step(LoopPlan& plan) {
  if (plan.steps.size() > kMaxLoopSteps) return Cannot("so many steps");
  if (Is("until") || Is("while")) return Loop(plan);
  bool assigned = false;
  if (!Assignments(assigned)) return false;
  if (assigned) return true;
  Call call;
  if (Is("if") || Is("for") || Is("case") || Is("{") || Is("!")) return Refuse();
  return ReadCall(call) && Builtin(call, plan);
}

// A && B && C [|| exit 1].
bool Parser::Statement(LoopPlan& plan) {
  const size_t first = plan.steps.size();
  size_t last = first;
  bool fine = Step(plan);
  while (fine && Take("&&")) {
    SkipNewlines();
    last = plan.steps.size();
    fine = Step(plan);
  }
  if (!fine) return false;
  bool stops = false;
  if (Is("||") && tokens_[at_ + 1].text == "exit" && tokens_[at_ + 2].text == "1") {
    at_ += 3;
    stops = true;
  }
  // set -e looks at the last of a list alone.
  for (size_t i = first; i < plan.steps.size(); ++i) {
    const bool end = stops || (context_.stop_on_error && i >= last);
    plan.steps[i].if_failed = end ? SIZE_MAX : plan.steps.size();
  }
  return true;
}

bool Parser::Script(LoopPlan& plan) {
  TakeSeparator();
  while (!IsEnd()) {
    if (!Statement(plan)) return false;
    if (!IsEnd() && !TakeSeparator()) return Refuse();
  }
  if (plan.steps.size() > kMaxLoopSteps) return Cannot("so many steps");
  for (LoopStep& step : plan.steps) step.if_failed = std::min(step.if_failed, plan.steps.size());
  return true;
}

void Parser::CollectAdvice() {
  while (!IsEnd()) {
    LoopPlan ignored;
    const bool loop = Is("until") || Is("while");
    if (loop ? !Loop(ignored) && !IsEnd() : true) ++at_;
    if (context_.advice.size() >= kMaxAdvice) return;
  }
}

std::string_view Stripped(std::string_view printed) {
  while (printed.ends_with('\n')) printed.remove_suffix(1);
  return printed;
}

// nullopt: the shell could not tell.
std::optional<bool> Judge(const LoopCondition& condition, bool succeeded,
                          std::string_view printed) {
  using Kind = LoopCondition::Kind;
  if (condition.kind == Kind::kSucceeds) return succeeded;
  if (condition.kind == Kind::kGrep) return AnyLineSelected(condition.patterns, printed);
  std::string_view text = Stripped(printed);
  if (condition.one_word) {
    text = Trim(text);
    if (text.empty() || text.find_first_of(" \t\n") != std::string_view::npos) return {};
  }
  const bool equal = condition.sign == LoopCondition::Sign::kEqual;
  if (condition.kind == Kind::kText) return (text == condition.text) == equal;
  text = Trim(text);
  const auto number = text.empty() && condition.empty_is_0 ? 0 : ParseInt(text);
  if (!number) return {};
  return Compares(condition.sign, *number, condition.number);
}

}  // namespace

bool Holds(const LoopCondition& condition, bool succeeded, std::string_view printed) {
  const std::optional<bool> truth = Judge(condition, succeeded, printed);
  return truth && *truth != condition.negated;
}

Result<LoopPlan> ParseShellLoop(std::string_view script,
                                const std::vector<std::string_view>& environment) {
  if (script.size() > kMaxLoopScript || script.find('\0') != std::string_view::npos) {
    return Failure(Code::kConfig, "cannot do a script of more than %zu bytes, or with a NUL",
                   kMaxLoopScript);
  }
  Result<std::vector<ShellToken>> tokens = ReadShellTokens(script);
  if (!tokens) return std::move(tokens).error();
  Context context;
  context.variables.environment = environment;
  Parser parser(*std::move(tokens), context, 0);
  LoopPlan plan;
  if (parser.Script(plan)) return plan;
  std::string text = std::move(context.error.text);
  parser.CollectAdvice();
  for (size_t i = 0; i < context.advice.size(); ++i) {
    text += i == 0 ? "; for the rest: certlatch wait " : " ";
    text += Printable(context.advice[i], 300);
  }
  return Error{Code::kConfig, std::move(text)};
}

}  // namespace certlatch
