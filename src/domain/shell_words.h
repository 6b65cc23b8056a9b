// ShellToken is a word or an operator of a shell script; ExpandWord turns a word into the text that
// the shell would pass on. Pure, nothing is run: what would run something, or looks at more than
// named variables, is an Error (kConfig) that names it. Tokens are views into the script.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace certlatch {

constexpr int kMaxShellDepth = 8;  // substitutions in substitutions

struct ShellToken {
  enum class Kind { kWord, kOperator, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // a word as written, with its quotes; an operator: "&&", "\n", "2>", …
};

// The last one is kEnd.
Result<std::vector<ShellToken>> ReadShellTokens(std::string_view script);

// cannot do "CONSTRUCT".
Error CannotDo(std::string_view construct);

struct ShellVariables {
  std::vector<std::string_view> environment;  // NAME=VALUE each; the first one counts
  std::vector<std::pair<std::string, std::string>> assigned;  // by the script; the last one counts
  bool must_be_set = false;                                   // set -u

  // nullptr: it is not set. The view lives until the next assignment.
  bool Find(std::string_view name, std::string_view& value) const;
};

struct ShellWord {
  std::string text;
  bool present = false;  // false: empty and not quoted; the shell drops it
  bool quoted = false;   // a part of it was
  bool pattern = false;  // an unquoted *, ? or [
};

bool IsVariableName(std::string_view text);

// With `dates`, $(date …) and `date …` give nothing instead of an Error.
Result<ShellWord> ExpandWord(std::string_view raw, const ShellVariables& variables,
                             bool dates = false);

// The script within a word that is a command substitution and nothing else, $(…) or "$(…)"; ""
// otherwise. `quoted`: whether in double quotes.
std::string_view SubstitutionOf(std::string_view raw, bool& quoted);

}  // namespace certlatch
