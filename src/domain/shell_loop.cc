#include "domain/shell_loop.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

using Condition = LoopCondition;
using Sign = LoopCondition::Sign;

constexpr Duration kMaxPause = 24h;
constexpr size_t kMaxTests = 100;  // in the script
constexpr size_t kMaxAdvice = 20;  // targets in the error

constexpr const char* kGrepOptions =
    "q-quiet s-no-messages i-ignore-case w-word-regexp x-line-regexp F-fixed-strings "
    "v-invert-match E-extended-regexp e:regexp G-basic-regexp";

// As many as Sign, then those on texts.
constexpr const char* kSigns = "-eq -ne -lt -le -gt -ge = != ==";

// One command of the script, its words expanded.
struct Call {
  std::vector<ShellWord> words;
  bool drops_output = false;  // >/dev/null
  bool joins_errors = false;  // 2>&1 while output is read
  bool to_stderr = false;     // >&2

  std::string_view name() const { return words[0].text; }
  std::string_view Word(size_t i) const { return i < words.size() ? words[i].text : ""; }
};

// Its functions return false once something is refused.
class Parser {
 public:
  Parser(std::string_view script, ShellReading& reading, LoopPlan& plan)
      : reading_(reading), plan_(plan) {
    cursor_.script = script;
    Advance();
  }

  bool Script();
  std::string Advice();  // also from the loops that follow what is refused

 private:
  void Advance() { cursor_.Advance(reading_); }
  const ShellToken& Next() const { return cursor_.next; }
  bool IsEnd() const { return Next().kind == ShellToken::Kind::kEnd; }
  bool IsWord() const { return Next().kind == ShellToken::Kind::kWord; }
  bool Is(const char* text) const { return !IsEnd() && Next().text == text; }
  bool IsAny(const char* list) const { return !IsEnd() && WordIn(Next().text, list) >= 0; }
  bool IsFollowedBy(const char* first, const char* second);
  bool Take(const char* text);
  bool TakeSeparator();  // any number of ; and newlines
  bool NeedSeparator() { return TakeSeparator() || Refuse(); }
  void SkipNewlines();
  bool Refuse();  // what comes next
  bool Need(const char* word) { return Take(word) || Refuse(); }
  bool Cannot(std::string_view construct, std::string_view more = {}) {
    return reading_.Cannot(construct, more);
  }
  ScriptTest& Test() { return *plan_.tests.back(); }

  bool Statement();
  bool Step();
  bool Builtin(const Call& call);
  bool Set(const Call& call);
  bool Assignments(bool& any);
  bool Loop();
  bool Tests(bool until, const char* joint);
  bool Body(LoopStep& step, bool for_ever, std::vector<LoopStep>& after);
  bool BodyCommand(std::vector<LoopStep>& says, Duration& pause);
  bool WayOut(LoopStep& step, std::vector<LoopStep>& after);
  bool Say(const Call& call, LoopStep& step);
  bool Sleep(const Call& call, Duration& pause);
  bool OneTest(bool negated);
  bool Pipeline(const Call& call);
  [[gnu::noinline]] bool Grep(const Call& call);
  bool Bracket(const Call& call);
  bool Compare(const Call& call, size_t first, bool twice);
  bool Operand(const Call& call, const ShellWord& word);
  bool Substituted();
  bool ReadCall(Call& call);
  bool Redirect(Call& call);
  bool IsRedirect() const;
  bool TooMany(size_t count, size_t most) { return count > most && !Cannot("so many steps"); }

  ShellReading& reading_;
  LoopPlan& plan_;
  ShellCursor cursor_;
  bool stop_on_error_ = false;  // set -e
};

bool IsTest(std::string_view name) { return WordIn(name, "[ [[ test") >= 0; }

bool IsNothing(std::string_view name) { return WordIn(name, "true :") >= 0; }

bool IsSay(std::string_view name) { return WordIn(name, "echo printf") >= 0; }

// What the backslashes of printf and `echo -e` mean, as far as people use them.
void AppendUnescaped(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t known = text[i] == '\\' && i + 1 < text.size()
                             ? std::string_view("nt\\").find(text[i + 1])
                             : std::string_view::npos;
    if (known != std::string_view::npos) ++i;
    out += known > 1 ? text[i] : "\n\t"[known];
  }
}

// "5", "0.5", "5s", "1m".
bool ReadPause(std::string_view text, Duration& pause) {
  const std::string_view number = text.substr(0, text.find_first_not_of("0123456789."));
  const std::string_view unit = text.substr(number.size());
  if (number.empty() || (!unit.empty() && WordIn(unit, "s m h") < 0)) return false;
  const Result<Duration> parsed =
      ParseDuration(Format("%.*s%c", Length(number), number.data(), unit.empty() ? 's' : unit[0]));
  if (!parsed || *parsed > kMaxPause) return false;
  pause = *parsed;
  return true;
}

// 3 -gt "$(…)" is "$(…)" -lt 3.
Sign Mirrored(Sign sign) {
  if (sign < Sign::kLess) return sign;
  return static_cast<Sign>(static_cast<int>(Sign::kLess) +
                           (static_cast<int>(sign) - static_cast<int>(Sign::kLess) + 2) % 4);
}

bool Compares(Sign sign, int64_t a, int64_t b) {
  const bool order[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
  return order[static_cast<size_t>(sign)];
}

bool AnyLineSelected(const Condition& condition, std::string_view printed) {
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(std::min(line.size() + 1, printed.size()));
    bool selected = true;
    for (size_t i = 0; i < condition.greps; ++i) {
      selected = selected && condition.patterns[i].Selects(line);
    }
    if (selected) return true;
  }
  return false;
}

// --- reading tokens ---

bool Parser::Take(const char* text) {
  if (!Is(text)) return false;
  Advance();
  return true;
}

void Parser::SkipNewlines() {
  while (Take("\n")) {
  }
}

bool Parser::TakeSeparator() {
  bool any = false;
  while (Take(";") || Take("\n")) any = true;
  return any;
}

// The words behind the next one, which are taken with it.
bool Parser::IsFollowedBy(const char* first, const char* second) {
  const ShellCursor here = cursor_;
  Advance();
  if (Take(first) && Take(second)) return true;
  cursor_ = here;
  return false;
}

// A command behind a pipe says more than the pipe.
bool Parser::Refuse() {
  if (IsEnd()) return reading_.Fail("cannot do a script that ends too early");
  if (Is("|")) {
    Advance();
    return Cannot(IsWord() ? BaseName(Next().text) : "|");
  }
  return Cannot(Is("\n") ? "newline" : Next().text);
}

bool Parser::IsRedirect() const {
  return Next().kind == ShellToken::Kind::kOperator &&
         Next().text.find_first_of("<>") != std::string_view::npos;
}

// Only such as change nothing that matters: to /dev/null, to each other.
bool Parser::Redirect(Call& call) {
  const std::string_view sign = Next().text;
  Advance();
  if (!IsWord()) return Refuse();
  const std::string_view target = Next().text;
  Advance();
  const bool null = target == "/dev/null";
  if (sign == "<" && null) return true;
  const bool errors = sign.starts_with('2');
  const bool out = std::string_view("&>1").find(sign[0]) != std::string_view::npos;
  const bool to_null = null && sign.ends_with('>');
  const bool to_output = target == "1";
  const bool copies = (sign.ends_with(">&") && (to_output || target == "2")) ||
                      (sign.ends_with('>') && target == "/dev/stderr");
  if ((!errors && !out) || (!to_null && !copies)) return Cannot(sign, target);
  if (to_null && out) call.drops_output = true;
  if (copies && errors && to_output) call.joins_errors = !call.drops_output;
  if (copies && out && !to_output) call.to_stderr = true;
  return true;
}

// The words of one command, and its redirections.
bool Parser::ReadCall(Call& call) {
  while (IsWord() || IsRedirect()) {
    if (IsRedirect()) {
      if (!Redirect(call)) return false;
      continue;
    }
    const std::string_view raw = Next().text;
    const bool first = call.words.empty();
    const std::string_view name = first ? "" : call.name();
    ShellWord word;
    if (IsTest(name)) word.script = SubstitutionOf(raw, word.quoted);
    if (word.script.empty()) {
      word.quoted = false;
      if (!ExpandWord(raw, reading_, word, IsSay(name))) return false;
    }
    Advance();
    // In [[ ]] no word is dropped.
    if (word.script.empty() && !word.present && name != "[[") continue;
    call.words.push_back(word);
  }
  return !call.words.empty() || Refuse();
}

// --- conditions ---

bool Parser::OneTest(bool negated) {
  while (Take("!")) negated = !negated;
  if (IsAny("{ if case for")) return Refuse();
  Call call;
  if (!ReadCall(call)) return false;
  const size_t first = plan_.tests.size();
  if (!(IsTest(call.name()) ? Bracket(call) : Pipeline(call))) return false;
  Test().condition.negated = Test().condition.negated != negated;
  const bool several = plan_.tests.size() - first > 1;
  if (!several) return true;
  const bool plain = Test().condition.kind == Condition::Kind::kSucceeds && !negated;
  return plain || Cannot("this with several names");
}

// COMMAND [| grep …]….
bool Parser::Pipeline(const Call& call) {
  if (!ReadLoopProbe(call.words, reading_, plan_.tests)) return false;
  while (Is("|")) {
    Advance();
    SkipNewlines();
    const std::string_view name = IsEnd() ? "|" : BaseName(Next().text);
    if (WordIn(name, "grep egrep fgrep") < 0) return Cannot(name);
    if (call.joins_errors) return Cannot("2>&1 |");
    if (call.drops_output) return Cannot(">/dev/null |");
    Call grep;
    if (!ReadCall(grep) || !Grep(grep)) return false;
    if (Test().probe.printed > LoopProbe::Printed::kTable) continue;
    return reading_.Fail("cannot do \"%s\" of what %s prints: want -o jsonpath=...", name,
                         call.name());
  }
  return true;
}

// Only whether kubectl's table is empty matters to some: names do as well.
void OnlyWhether(LoopProbe& probe) {
  if (probe.printed == LoopProbe::Printed::kTable) probe.printed = LoopProbe::Printed::kName;
}

bool Parser::Grep(const Call& call) {
  GrepFlags flags;
  const std::string_view name = BaseName(call.name());
  flags.extended = name == "egrep";
  flags.fixed = name == "fgrep";
  OptionReader options(call.words, kGrepOptions, reading_);
  char letter = 0;
  std::string_view value;
  std::string_view text;
  int texts = 0;
  while (options.Next(letter, value)) {
    if (letter == 'E') flags.extended = true;
    if (letter == 'F') flags.fixed = true;
    if (letter == 'i') flags.ignore_case = true;
    if (letter == 'w') flags.word = true;
    if (letter == 'x') flags.line = true;
    if (letter == 'v') flags.inverted = true;
    if (letter != 'e' && letter != 0) continue;
    text = value;
    ++texts;
  }
  if (!options.fine()) return false;
  Condition& condition = Test().condition;
  if (texts != 1) return Cannot("grep without one pattern");
  if (condition.greps == kMaxGreps) return Cannot("so many greps");
  if (text == "." && !flags.fixed && !flags.inverted) OnlyWhether(Test().probe);
  condition.kind = Condition::Kind::kGrep;
  std::string_view refused;
  if (condition.patterns[condition.greps++].Read(text, flags, refused)) return true;
  if (refused.empty()) refused = "the end";
  return reading_.Fail("cannot do \"%s\" in the pattern \"%s\"", refused, text);
}

// The script within $(…): one pipeline.
bool Parser::Substituted() {
  Advance();
  SkipNewlines();
  Call call;
  if (!ReadCall(call) || !Pipeline(call)) return false;
  if (call.joins_errors) return Cannot("$(... 2>&1)");
  if (call.drops_output) return Cannot("$(... >/dev/null)");
  TakeSeparator();
  return IsEnd() || Refuse();
}

bool Parser::Operand(const Call& call, const ShellWord& word) {
  if (word.script.empty()) return Cannot(call.name(), " without $(...)");
  const ShellCursor here = cursor_;
  cursor_ = {word.script, 0, {}};
  const bool fine = Substituted();
  cursor_ = here;
  if (fine) Test().condition.one_word = call.name() != "[[" && !word.quoted;
  return fine;
}

// [ … ], test …, [[ … ]]: with one $(…), or of a file.
bool Parser::Bracket(const Call& call) {
  const std::string_view name = call.name();
  size_t end = call.words.size();
  if (name != "test" && call.Word(--end) != (name == "[" ? "]" : "]]")) return Cannot(name);
  size_t first = 1;
  bool negated = false;
  for (; end - first > 1 && call.Word(first) == "!"; ++first) negated = !negated;
  const size_t count = end - first;
  const std::string_view sign = call.Word(first + (count == 3 ? 1 : 0));
  const bool whether = count == 1 || (count == 2 && WordIn(sign, "-n -z") >= 0);
  if (count == 3) {
    if (!Compare(call, first, name == "[[")) return false;
  } else if (count == 2 && WordIn(sign, "-f -e -s") >= 0) {
    if (!ReadFileProbe(call.Word(first + 1), sign != "-s", reading_, plan_.tests)) return false;
  } else if (!whether) {
    return reading_.Fail("cannot do \"%s %s\"", name, count == 2 ? sign : "...");
  } else {
    if (!Operand(call, call.words[end - 1])) return false;
    Condition& condition = Test().condition;
    condition.one_word = false;  // nothing is empty, too
    negated = negated != (count == 2 && sign == "-z");
    OnlyWhether(Test().probe);
    if (Test().probe.printed <= LoopProbe::Printed::kTable) {
      return Cannot(name, " of what the command prints");
    }
    // grep prints what it selects.
    if (condition.kind != Condition::Kind::kGrep) {
      condition.kind = Condition::Kind::kText;
      condition.sign = Sign::kNotEqual;
    }
  }
  Test().condition.negated = negated;
  return true;
}

// LEFT SIGN RIGHT.
bool Parser::Compare(const Call& call, size_t first, bool twice) {
  const std::string_view sign = call.Word(first + 1);
  const int which = WordIn(sign, kSigns);
  const std::string_view name = call.name();
  if (which < 0) {
    return reading_.Fail("cannot do \"%s ... %s\"", name, sign);
  }
  const bool mirrored = call.words[first].script.empty();
  const ShellWord& value = call.words[mirrored ? first : first + 2];
  if (!value.script.empty()) return Cannot("$(...) on both sides");
  if (!Operand(call, call.words[mirrored ? first + 2 : first])) return false;
  Condition& condition = Test().condition;
  if (condition.kind == Condition::Kind::kGrep ||
      Test().probe.printed <= LoopProbe::Printed::kTable) {
    return Cannot(name, " of what the command prints");
  }
  const bool is_text = which > static_cast<int>(Sign::kMoreOrEqual);
  if (twice && value.pattern && is_text) {
    return reading_.Fail("cannot do \"[[ ... %s PATTERN ]]\"", sign);
  }
  condition.text = value.text;
  condition.empty_is_0 = twice;
  condition.kind = is_text ? Condition::Kind::kText : Condition::Kind::kNumber;
  if (is_text) {
    condition.sign = sign == "!=" ? Sign::kNotEqual : Sign::kEqual;
    return true;
  }
  condition.sign = static_cast<Sign>(which);
  if (mirrored) condition.sign = Mirrored(condition.sign);
  const auto number = ParseInt(value.text);
  condition.number = number.value_or(0);
  return number || reading_.Fail("cannot do \"%s %s\"", sign, value.text);
}

// --- loops ---

// A list of tests, all of which must hold: until A && B, while A || B.
bool Parser::Tests(bool until, const char* joint) {
  while (true) {
    if (TooMany(plan_.tests.size(), kMaxTests) || !OneTest(!until)) return false;
    if (!Is(joint)) return true;
    const ShellCursor here = cursor_;
    Advance();
    if (Is("break")) {
      cursor_ = here;
      return true;
    }
    SkipNewlines();
  }
}

bool Parser::Loop() {
  const bool until = Is("until");
  Advance();
  LoopStep step;
  step.kind = LoopStep::Kind::kUntil;
  step.first_test = plan_.tests.size();
  step.first_say = plan_.says.size();
  const bool for_ever = until ? Take("false") : Take("true") || Take(":");
  if (!for_ever && !Tests(until, until ? "&&" : "||")) return false;
  std::vector<LoopStep> after;
  if (!NeedSeparator() || !Need("do") || !Body(step, for_ever, after)) return false;
  Call ignored;
  while (IsRedirect()) {
    if (!Redirect(ignored)) return false;
  }
  step.last_test = plan_.tests.size();
  step.last_say = plan_.says.size();
  plan_.steps.push_back(step);
  plan_.steps.insert(plan_.steps.end(), after.begin(), after.end());
  return true;
}

// Up to `done`. A loop without an end of its own needs a way out, in the body.
bool Parser::Body(LoopStep& step, bool for_ever, std::vector<LoopStep>& after) {
  bool any = false;
  TakeSeparator();
  while (!Take("done")) {
    const bool is_way_out =
        for_ever && IsAny("if ! [ [[ test kubectl nc pg_isready curl wget nslookup getent host");
    if (!(is_way_out ? WayOut(step, after) : BodyCommand(plan_.says, step.pause))) return false;
    if (is_way_out) for_ever = false;
    any = true;
    if (!TakeSeparator() && !Take("&&") && !Is("done")) return Refuse();
    SkipNewlines();
  }
  if (!any) return Cannot("done");
  return !for_ever || Cannot("while true");
}

bool Parser::Say(const Call& call, LoopStep& step) {
  const bool echo = call.name() == "echo";
  bool newline = echo;
  bool escapes = !echo;
  size_t i = 1;
  for (; echo && WordIn(call.Word(i), "-n -e -ne -en") >= 0; ++i) {
    newline = newline && call.Word(i) == "-e";
    escapes = escapes || call.Word(i) != "-n";
  }
  // printf's own language: a text alone is taken.
  const bool format = !echo && (call.words.size() != 2 || call.Word(1).starts_with('-') ||
                                call.Word(1).find('%') != std::string_view::npos);
  if (format) return Cannot("printf with a format");
  step.to_stderr = call.to_stderr;
  if (call.drops_output) return true;
  std::string& text = reading_.text;
  const size_t start = text.size();
  for (const size_t first = i; i < call.words.size(); ++i) {
    if (!reading_.HasRoom(call.Word(i).size() + 2)) return false;
    if (i > first) text += ' ';
    if (escapes) {
      AppendUnescaped(call.Word(i), text);
    } else {
      text += call.Word(i);
    }
  }
  if (!reading_.HasRoom(1)) return false;
  if (newline) text += '\n';
  step.text = reading_.Since(start);
  return true;
}

bool Parser::Sleep(const Call& call, Duration& pause) {
  return (call.words.size() == 2 && ReadPause(call.Word(1), pause)) ||
         Cannot("sleep ", call.Word(1));
}

bool Parser::BodyCommand(std::vector<LoopStep>& says, Duration& pause) {
  const std::string_view first = Next().text;
  Call call;
  if (!ReadCall(call)) return false;
  const std::string_view name = call.name();
  if (IsNothing(name) || name == "date") return true;
  if (name == "sleep") return Sleep(call, pause);
  LoopStep say;
  if (!IsSay(name)) return Cannot(first);
  if (!Say(call, say) || TooMany(says.size(), kMaxLoopSteps)) return false;
  if (!say.text.empty()) says.push_back(say);
  return true;
}

// TEST && break; if TEST; then [echo …;] break; fi.
bool Parser::WayOut(LoopStep& step, std::vector<LoopStep>& after) {
  if (!Take("if")) return Tests(true, "&&") && Need("&&") && Need("break");
  if (!Tests(true, "&&") || !NeedSeparator() || !Need("then")) return false;
  Duration ignored{};
  TakeSeparator();
  while (!IsAny("break exit")) {
    if (!BodyCommand(after, ignored) || !NeedSeparator()) return false;
  }
  if (!Take("break")) {
    Advance();
    if (!Need("0")) return false;
    after.emplace_back().kind = LoopStep::Kind::kExit;
  }
  if (!NeedSeparator()) return false;
  // What else the round does is of no interest to us, as long as it is harmless.
  if (!Take("else")) return Need("fi");
  TakeSeparator();
  while (!Take("fi")) {
    if (!BodyCommand(plan_.says, step.pause) || !NeedSeparator()) return false;
  }
  return true;
}

// --- the script ---

bool Parser::Set(const Call& call) {
  for (size_t i = 1; i < call.words.size(); ++i) {
    const std::string_view word = call.Word(i);
    const int name = WordIn(word, "pipefail errexit nounset");
    // After -o; alone they would be arguments.
    if (name >= 0 && !call.Word(i - 1).ends_with('o')) return Cannot("set");
    const bool on = word.starts_with('-') || name >= 0;
    const std::string_view letters = name == 0 ? "-o" : name == 1 ? "-e" : name == 2 ? "-u" : word;
    if (letters.size() < 2 || (!on && word[0] != '+') ||
        letters.find_first_not_of("euxo", 1) != std::string_view::npos) {
      return Cannot("set ", word);
    }
    if (letters.find('e') != std::string_view::npos) stop_on_error_ = on;
    if (letters.find('u') != std::string_view::npos) reading_.must_be_set = on;
  }
  return true;
}

// NAME=VALUE, alone or after `export`.
bool Parser::Assignments(bool& any) {
  const std::string_view start = Next().text;
  const bool exports = Take("export");
  while (IsWord()) {
    const std::string_view raw = Next().text;
    const size_t equals = std::min(raw.find('='), raw.size());
    if (equals == raw.size() || !IsVariableName(raw.substr(0, equals))) {
      return !(exports || any) || Cannot(start);
    }
    bool quoted = false;
    if (!SubstitutionOf(raw.substr(equals + 1), quoted).empty() &&
        raw.find("$(cat ") == std::string_view::npos) {
      return Cannot(raw.substr(0, equals), "=$(...)");
    }
    const size_t begin = reading_.text.size();
    reading_.Keep(raw.substr(0, equals + 1));
    ShellWord value;
    if (!ExpandWord(raw.substr(equals + 1), reading_, value)) return false;
    reading_.variables.push_back(reading_.Since(begin));
    any = true;
    Advance();
  }
  return !exports || any || Cannot("export");
}

// Commands outside of loops.
bool Parser::Builtin(const Call& call) {
  const std::string_view name = call.name();
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
    if (call.words.size() != 2 || call.Word(1) != "0") return Cannot("exit");
  } else if (!IsNothing(name)) {
    step.kind = LoopStep::Kind::kKubectl;
    step.first_test = plan_.tests.size();
    if (!Pipeline(call)) return false;
    step.last_test = plan_.tests.size();
    const LoopProbe::Kind kind = Test().probe.kind;
    if (kind != LoopProbe::Kind::kWait) {
      return reading_.Fail("cannot do \"%s%s\" outside of a loop", name,
                           kind == LoopProbe::Kind::kGet ? " get" : "");
    }
  }
  plan_.steps.push_back(step);
  return true;
}

bool Parser::Step() {
  if (TooMany(plan_.steps.size(), kMaxLoopSteps)) return false;
  if (IsAny("until while")) return Loop();
  bool assigned = false;
  if (!Assignments(assigned)) return false;
  if (assigned) return true;
  Call call;
  if (IsAny("if for case { !")) return Refuse();
  return ReadCall(call) && Builtin(call);
}

// A && B && C [|| exit 1].
bool Parser::Statement() {
  const size_t first = plan_.steps.size();
  size_t last = first;
  if (!Step()) return false;
  while (Take("&&")) {
    SkipNewlines();
    last = plan_.steps.size();
    if (!Step()) return false;
  }
  const bool stops = Is("||") && IsFollowedBy("exit", "1");
  // set -e looks at the last of a list alone.
  for (size_t i = first; i < plan_.steps.size(); ++i) {
    const bool end = stops || (stop_on_error_ && i >= last);
    plan_.steps[i].if_failed = end ? SIZE_MAX : plan_.steps.size();
  }
  return true;
}

bool Parser::Script() {
  TakeSeparator();
  while (!IsEnd()) {
    if (!Statement()) return false;
    if (!IsEnd() && !TakeSeparator()) return Refuse();
  }
  const size_t count = plan_.steps.size();
  if (TooMany(count, kMaxLoopSteps)) return false;
  for (LoopStep& step : plan_.steps) step.if_failed = std::min(step.if_failed, count);
  return true;
}

std::string Parser::Advice() {
  while (!IsEnd()) {
    if (!IsAny("until while") || (!Loop() && !IsEnd())) Advance();
    if (plan_.tests.size() >= kMaxAdvice) break;
  }
  std::string text;
  for (const auto& test : plan_.tests) {
    const std::string target = TargetOf(test->probe);
    if (target.empty() || text.find(Format(" %s ", target.c_str())) != std::string::npos) continue;
    text += Format(text.empty() ? " %s " : "%s ", target.c_str());
  }
  return text;
}

// Whether it holds; -1: the shell could not tell.
int Judge(const Condition& condition, bool succeeded, std::string_view printed) {
  if (condition.kind == Condition::Kind::kSucceeds) return succeeded ? 1 : 0;
  if (condition.kind == Condition::Kind::kGrep) return AnyLineSelected(condition, printed) ? 1 : 0;
  while (printed.ends_with('\n')) printed.remove_suffix(1);
  const std::string_view trimmed = Trim(printed);
  if (condition.one_word) {
    printed = trimmed;
    if (trimmed.empty() || trimmed.find_first_of(" \t\n") != std::string_view::npos) return -1;
  }
  if (condition.kind == Condition::Kind::kText) {
    return (printed == condition.text) == (condition.sign == Sign::kEqual) ? 1 : 0;
  }
  const auto number = trimmed.empty() && condition.empty_is_0 ? 0 : ParseInt(trimmed);
  if (!number) return -1;
  return Compares(condition.sign, *number, condition.number) ? 1 : 0;
}

}  // namespace

bool Holds(const LoopCondition& condition, bool succeeded, std::string_view printed) {
  return Judge(condition, succeeded, printed) == (condition.negated ? 0 : 1);
}

Status ParseShellLoop(std::string_view script, const std::vector<std::string_view>& environment,
                      LoopPlan& plan) {
  ShellReading reading(plan.text, environment);
  const bool readable =
      script.size() <= kMaxLoopScript && script.find('\0') == std::string_view::npos;
  if (!readable) {
    return Failure(Code::kConfig, "cannot do a script of more than %zu bytes, or with a NUL",
                   kMaxLoopScript);
  }
  Parser parser(script, reading, plan);
  if (parser.Script() && reading.error.empty()) return {};
  const std::string advice = parser.Advice();
  return Failure(Code::kConfig, advice.empty() ? "%s" : "%s; for the rest: certlatch wait%.*s",
                 reading.error.c_str(), std::max(Length(advice) - 1, 0), advice.c_str());
}

}  // namespace certlatch
