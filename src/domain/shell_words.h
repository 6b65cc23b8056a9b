// ShellCursor reads the words and operators of a shell script one by one; ExpandWord turns a word
// into the text that the shell would pass on. Pure, nothing is run: what would run something, or
// looks at more than named variables, is refused by name. Tokens are views into the script,
// expanded text into one buffer that never moves.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace certlatch {

constexpr int kMaxShellDepth = 8;                    // substitutions in substitutions
constexpr size_t kMaxShellText = size_t{64} * 1024;  // bytes, of all words expanded

// What all that read one script share. Their functions return false once something is refused.
struct ShellReading {
  // `buffer` is the caller's, and gets its full capacity here.
  ShellReading(std::string& buffer, const std::vector<std::string_view>& environment);

  std::string& text;
  std::string error;                        // the first; "": none
  std::vector<std::string_view> variables;  // NAME=VALUE each; the last one counts
  bool must_be_set = false;                 // set -u

  // Both return false. The pattern has a %s for each of the texts, which are made printable.
  bool Fail(const char* pattern, std::string_view a = {}, std::string_view b = {},
            std::string_view c = {});
  bool Cannot(std::string_view construct, std::string_view more = {});  // cannot do "…"
  bool HasRoom(size_t size);
  std::string_view Keep(std::string_view words);  // a copy in `text`; "" where it has no room
  std::string_view Since(size_t start) const { return std::string_view(text).substr(start); }
  // False: it is not set.
  bool Find(std::string_view name, std::string_view& value) const;
};

// The place of `word` in "first second …"; -1: it is none of them.
int WordIn(std::string_view word, const char* list);

struct ShellToken {
  enum class Kind { kWord, kOperator, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // a word as written, with its quotes; an operator: "&&", "\n", "2>", …
};

// A copy is a way to look ahead, and back.
struct ShellCursor {
  std::string_view script;
  size_t at = 0;  // behind `next`
  ShellToken next;

  // After what cannot be read comes kEnd, and an error.
  void Advance(ShellReading& reading);
};

struct ShellWord {
  std::string_view text;
  std::string_view script;  // in a test, the word is this command substitution; "": none
  bool present = false;     // false: empty and not quoted; the shell drops it
  bool quoted = false;      // a part of it was
  bool pattern = false;     // an unquoted *, ? or [
};

bool IsVariableName(std::string_view text);

// With `dates`, $(date …) and `date …` give nothing instead of an error. $(cat FILE) gives what the
// environment has under the file's name.
bool ExpandWord(std::string_view raw, ShellReading& reading, ShellWord& word, bool dates = false);

// The script within a word that is a command substitution and nothing else, $(…) or "$(…)"; ""
// otherwise. `quoted`: whether in double quotes.
std::string_view SubstitutionOf(std::string_view raw, bool& quoted);

}  // namespace certlatch
