// LoopProbe is what a pasted loop looks at again and again, read from the words of one command:
// kubectl, nc, pg_isready, curl, wget, nslookup, getent or host. Pure; nothing is looked up. An
// option that would change what the command means and is not understood is refused by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/grep_pattern.h"
#include "domain/reachable.h"
#include "domain/shell_words.h"

namespace certlatch {

constexpr size_t kMaxGreps = 4;  // grep | grep | …

// All texts are the plan's.
struct LoopProbe {
  enum class Kind { kGet, kWait, kReach };
  // The first two nobody looks at. kName: a line TYPE/NAME for each object.
  enum class Printed { kOther, kTable, kJsonPath, kName, kHttpStatus };
  Kind kind = Kind::kGet;
  Printed printed = Printed::kOther;

  // kGet: `kubectl get`. It succeeds when the object exists; a list always does, once it is
  // answered. The path is applied to the object, or to a List: {"items": […]}.
  std::string_view type;
  std::string_view name;  // "": a list
  std::string_view ns;    // "": the command's namespace
  std::string_view selector;
  std::string_view field_selector;
  std::string_view path;  // kJsonPath; it can be parsed
  bool all_namespaces = false;
  bool ignore_not_found = false;  // it succeeds without the object, too, and prints nothing

  // kWait: `kubectl wait` with these arguments. kubectl's connection flags of a kGet.
  std::vector<std::string_view> arguments;
  bool own_rules = false;  // kWait: `certlatch wait`, to be ready

  // kReach: kHttpStatus prints three digits, 000 without an answer.
  std::unique_ptr<Reachable> reachable;
};

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
  Sign sign = Sign::kEqual;  // kText: kEqual or kNotEqual
  bool negated = false;      // the opposite is waited for
  bool one_word = false;     // $(…) without quotes: the shell can compare one word only
  bool empty_is_0 = false;   // [[ "" -lt 1 ]]
  int64_t number = 0;
  std::string_view text;  // the plan's
  size_t greps = 0;
  GrepPattern patterns[kMaxGreps];
};

// Whether an attempt ends the waiting: whether the command succeeded, and what it printed ("" where
// it failed). Where the shell itself could not compare ("" with a number), waiting goes on.
bool Holds(const LoopCondition& condition, bool succeeded, std::string_view printed);

struct ScriptTest {
  LoopProbe probe;
  LoopCondition condition;
};
using ScriptTests = std::vector<std::unique_ptr<ScriptTest>>;

// `words` are the command's, its name first. Adds one test, of kubectl and several names one each.
bool ReadLoopProbe(const std::vector<ShellWord>& words, ShellReading& reading, ScriptTests& tests);

// `[ -f PATH ]`: it must be there, or also hold something.
bool ReadFileProbe(std::string_view path, bool empty_too, ShellReading& reading,
                   ScriptTests& tests);

// The target of `certlatch wait` that comes closest: "certificate/web@prod", "tcp://db:5432"; "".
std::string TargetOf(const LoopProbe& probe);

// Reads the options of a command as getopt_long() does. `table` is "c+name …" an option: its
// letter, ':' where it takes a value, else '-', and its long name, if any. One without a letter has
// a control character for it.
class OptionReader {
 public:
  OptionReader(const std::vector<ShellWord>& words, const char* table, ShellReading& reading)
      : words_(words), table_(table), reading_(reading) {}

  // The next option's letter, 0 for another word; both with `value`. False: no more, or refused.
  bool Next(char& letter, std::string_view& value);
  std::string_view name() const { return name_; }  // of the last one, as in --name
  bool fine() const { return fine_; }

 private:
  bool Find(std::string_view name, char letter);
  bool Refuse(std::string_view option);
  bool Take(bool has_value, char& letter, std::string_view& value);

  const std::vector<ShellWord>& words_;
  const char* table_;
  ShellReading& reading_;
  size_t at_ = 0;
  std::string_view letters_;  // of the word -abc that are still to come
  std::string_view name_;
  char letter_ = '\0';
  bool takes_value_ = false;
  bool fine_ = true;
};

}  // namespace certlatch
