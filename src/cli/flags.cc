#include "cli/flags.h"

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kHelpColumn = 40;
constexpr size_t kHelpWidth = 100;
constexpr int kMaxCount = 100000;

std::string Quoted(std::string_view text) { return Format("\"%s\"", Printable(text, 200).c_str()); }

class Reader {
 public:
  Reader(const std::vector<std::string_view>& arguments, std::span<const FlagTable> tables,
         void* const* parts)
      : arguments_(arguments), tables_(tables), parts_(parts) {}

  Status Read(Positional& positional) {
    std::vector<std::string_view>& words = positional.words;
    bool dashes = false;
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      Status status;
      if (dashes || argument.size() < 2 || argument[0] != '-') {
        words.push_back(argument);
        if (!dashes) positional.before_dashes = words.size();
      } else if (argument == "--") {
        dashes = true;
      } else {
        status = argument[1] == '-' ? ReadLong(argument) : ReadShort(argument);
      }
      if (!status) return status;
    }
    return CheckNeeds();
  }

 private:
  Status ReadLong(std::string_view argument) {
    const size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view name = argument.substr(2, equals - 2);
    const std::string shown = Format("--%s", Printable(name, 100).c_str());
    const Flag* flag = Find(name, 0);
    if (flag == nullptr) return Refuse("unknown flag: %s", shown.c_str());
    if (equals < argument.size()) return Apply(*flag, argument.substr(equals + 1));
    return ApplyNext(*flag, shown);
  }

  // "-n", "-nX", "-n=X", and "-ab" for two switches.
  Status ReadShort(std::string_view argument) {
    std::string_view letters = argument.substr(1);
    while (!letters.empty()) {
      const std::string shown =
          Format("'%s' in -%s", Printable(letters.substr(0, 1)).c_str(),
                 Printable(letters.substr(0, letters.find('=')), 100).c_str());
      const Flag* flag = Find("", letters[0]);
      if (flag == nullptr) {
        return Refuse("unknown shorthand flag: %s", shown.c_str());
      }
      letters.remove_prefix(1);
      if (letters.starts_with('=')) return Apply(*flag, letters.substr(1));
      if (*flag->value != '\0' && !letters.empty()) return Apply(*flag, letters);
      Status status = ApplyNext(*flag, shown);
      if (!status || *flag->value != '\0') return status;
    }
    return {};
  }

  // By its name, or by its letter if that is not 0.
  const Flag* Find(std::string_view name, char letter) const {
    for (const FlagTable table : tables_) {
      for (const Flag& flag : table) {
        if (name == flag.name || (letter != 0 && letter == flag.letter)) return &flag;
      }
    }
    return nullptr;
  }

  bool Given(const Flag* wanted) const {
    for (const Flag* flag : given_) {
      if (flag == wanted) return true;
    }
    return false;
  }

  Status CheckNeeds() const {
    for (const Flag* flag : given_) {
      if (flag->needs == nullptr) continue;
      const Flag* const needed = Find(flag->needs, 0);
      if (Given(needed)) continue;
      return Refuse("--%s needs --%s", flag->name, flag->needs);
    }
    return {};
  }

  // A switch means itself, another flag the next argument.
  Status ApplyNext(const Flag& flag, const std::string& shown) {
    if (*flag.value == '\0') return Apply(flag, "true");
    if (next_ < arguments_.size()) return Apply(flag, arguments_[next_++]);
    return Refuse("flag needs an argument: %s", shown.c_str());
  }

  Status Apply(const Flag& flag, std::string_view value) {
    given_.push_back(&flag);
    std::string_view meant = value;
    Status status;
    if (*flag.value == '\0') {
      const Result<bool> truth = ParseBool(value);
      if (!truth) status = truth.error();
      meant = truth && *truth ? "true" : "false";
    }
    if (status) {
      status = flag.set(static_cast<char*>(parts_[flag.place.part]) + flag.place.offset, meant);
    }
    if (status) return {};
    const char letter[] = {'-', flag.letter, ',', ' ', '\0'};
    return Refuse("invalid argument %s for \"%s--%s\" flag: %s", Quoted(value).c_str(),
                  flag.letter == 0 ? "" : letter, flag.name, status.error().text.c_str());
  }

  const std::vector<std::string_view>& arguments_;
  const std::span<const FlagTable> tables_;
  void* const* const parts_;
  size_t next_ = 0;
  std::vector<const Flag*> given_;
};

Status SetNumber(void* place, std::string_view value, uint64_t least) {
  const auto number = ParseUint(value, kMaxCount);
  if (!number || *number < least) {
    return Refuse("not a number from %d to %d", static_cast<int>(least), kMaxCount);
  }
  *static_cast<int*>(place) = static_cast<int>(*number);
  return {};
}

Status SetDurationFrom(Duration least, const char* refusal, void* place, std::string_view value) {
  const Result<Duration> duration = ParseDuration(value);
  if (!duration) return duration.error();
  if (*duration < least) return Refuse("%s", refusal);
  *static_cast<Duration*>(place) = *duration;
  return {};
}

}  // namespace

Status ReadFlags(const std::vector<std::string_view>& arguments, std::span<const FlagTable> tables,
                 void* const* parts, Positional& positional) {
  return Reader(arguments, tables, parts).Read(positional);
}

Status Refuse(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  std::string text = FormatList(pattern, arguments);
  va_end(arguments);
  return Error{Code::kConfig, std::move(text)};
}

void DescribeFlags(FlagTable flags, std::string& text) {
  for (const Flag& flag : flags) {
    if (*flag.help == '\0') continue;
    const char letter[] = {'-', flag.letter, ',', '\0'};
    std::string line =
        Format("  %3s --%s %s", flag.letter == 0 ? "" : letter, flag.name, flag.value);
    line.resize(std::max(kHelpColumn, line.size() + 1), ' ');
    text += Format("%s%s\n", line.c_str(), flag.help);
  }
}

void NameFlags(FlagTable flags, std::string& text) {
  text += ' ';
  size_t column = 1;
  for (const Flag& flag : flags) {
    const std::string name = Format(" --%s", flag.name);
    column += name.size();
    if (column > kHelpWidth) {
      text += "\n ";
      column = 1 + name.size();
    }
    text += name;
  }
  text += '\n';
}

Status SetText(void* place, std::string_view value) {
  *static_cast<std::string*>(place) = value;
  return {};
}

Status SetFilled(void* place, std::string_view value) {
  if (value.empty()) return Refuse("must not be empty");
  return SetText(place, value);
}

Status AddText(void* place, std::string_view value) {
  static_cast<std::vector<std::string>*>(place)->emplace_back(value);
  return {};
}

Status SetSwitch(void* place, std::string_view value) {
  *static_cast<bool*>(place) = value == "true";
  return {};
}

Status SetDuration(void* place, std::string_view value) {
  return SetDurationFrom(Duration::min(), "", place, value);
}

Status SetDelay(void* place, std::string_view value) {
  return SetDurationFrom(Duration::zero(), "must not be negative", place, value);
}

Status SetLimit(void* place, std::string_view value) {
  return SetDurationFrom(Duration(1), "must be more than 0", place, value);
}

Status SetCount(void* place, std::string_view value) { return SetNumber(place, value, 0); }

Status SetPositive(void* place, std::string_view value) { return SetNumber(place, value, 1); }

int IndexOf(std::string_view value, std::string_view choices) {
  int index = 0;
  for (const std::string_view choice : Split(choices, '|')) {
    if (choice == value) return index;
    ++index;
  }
  return -1;
}

Status SetChoice(void* place, std::string_view value, const char* choices, const char* refusal) {
  const int index = IndexOf(value, choices);
  if (index < 0) return Refuse("must be %s", refusal);
  std::memcpy(place, &index, sizeof index);
  return {};
}

Result<bool> ParseBool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return Failure(Code::kConfig, "strconv.ParseBool: parsing %s: invalid syntax",
                 Quoted(text).c_str());
}

}  // namespace certlatch
