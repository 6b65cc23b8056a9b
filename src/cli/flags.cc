#include "cli/flags.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kHelpColumn = 40;
constexpr int kMaxCount = 100000;

std::string Quoted(std::string_view text) { return Format("\"%s\"", Printable(text, 200).c_str()); }

Error Refusal(std::string text) { return Error{Code::kConfig, std::move(text)}; }

class Reader {
 public:
  Reader(const std::vector<std::string_view>& arguments, std::span<const Flag> flags, void* options)
      : arguments_(arguments), flags_(flags), options_(options) {}

  Result<std::vector<std::string_view>> Read() {
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      if (argument == "--") {
        while (next_ < arguments_.size()) positional_.push_back(arguments_[next_++]);
        break;
      }
      Status status;
      if (argument.starts_with("--")) {
        status = ReadLong(argument);
      } else if (argument.size() > 1 && argument[0] == '-') {
        status = ReadShort(argument);
      } else {
        positional_.push_back(argument);
      }
      if (!status) return status.error();
    }
    return std::move(positional_);
  }

 private:
  Status ReadLong(std::string_view argument) {
    const size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view name = argument.substr(2, equals - 2);
    const std::string shown = Format("--%s", Printable(name, 100).c_str());
    for (const Flag& flag : flags_) {
      if (name != flag.name) continue;
      if (equals < argument.size()) return Apply(flag, argument.substr(equals + 1));
      return ApplyNext(flag, shown);
    }
    return Refusal(Format("unknown flag: %s", shown.c_str()));
  }

  // "-n", "-nX", "-n=X", and "-ab" for two switches.
  Status ReadShort(std::string_view argument) {
    std::string_view letters = argument.substr(1);
    while (!letters.empty()) {
      const std::string shown =
          Format("'%s' in -%s", Printable(letters.substr(0, 1)).c_str(),
                 Printable(letters.substr(0, letters.find('=')), 100).c_str());
      const Flag* flag = ByLetter(letters[0]);
      if (flag == nullptr) {
        return Refusal(Format("unknown shorthand flag: %s", shown.c_str()));
      }
      letters.remove_prefix(1);
      if (letters.starts_with('=')) return Apply(*flag, letters.substr(1));
      if (*flag->value != '\0' && !letters.empty()) return Apply(*flag, letters);
      Status status = ApplyNext(*flag, shown);
      if (!status || *flag->value != '\0') return status;
    }
    return {};
  }

  const Flag* ByLetter(char letter) const {
    for (const Flag& flag : flags_) {
      if (letter != 0 && flag.letter == letter) return &flag;
    }
    return nullptr;
  }

  // A switch means itself, another flag the next argument.
  Status ApplyNext(const Flag& flag, const std::string& shown) {
    if (*flag.value == '\0') return Apply(flag, "true");
    if (next_ < arguments_.size()) return Apply(flag, arguments_[next_++]);
    return Refusal(Format("flag needs an argument: %s", shown.c_str()));
  }

  Status Apply(const Flag& flag, std::string_view value) const {
    std::string_view meant = value;
    Status status;
    if (*flag.value == '\0') {
      const Result<bool> truth = ParseBool(value);
      if (!truth) status = truth.error();
      meant = truth && *truth ? "true" : "false";
    }
    if (status) status = flag.set(flag.place(options_), meant);
    if (status) return {};
    const char letter[] = {'-', flag.letter, ',', ' ', '\0'};
    return Refusal(Format("invalid argument %s for \"%s--%s\" flag: %s", Quoted(value).c_str(),
                          flag.letter == 0 ? "" : letter, flag.name, status.error().text.c_str()));
  }

  const std::vector<std::string_view>& arguments_;
  const std::span<const Flag> flags_;
  void* const options_;
  size_t next_ = 0;
  std::vector<std::string_view> positional_;
};

Status SetNumber(void* place, std::string_view value, uint64_t least) {
  const auto number = ParseUint(value, kMaxCount);
  if (!number || *number < least) {
    return Refusal(Format("not a number from %d to %d", static_cast<int>(least), kMaxCount));
  }
  *static_cast<int*>(place) = static_cast<int>(*number);
  return {};
}

}  // namespace

Result<std::vector<std::string_view>> ReadFlags(const std::vector<std::string_view>& arguments,
                                                std::span<const Flag> flags, void* options) {
  return Reader(arguments, flags, options).Read();
}

std::string DescribeFlags(std::span<const Flag> flags) {
  std::string text;
  for (const Flag& flag : flags) {
    const char letter[] = {'-', flag.letter, ',', '\0'};
    std::string line =
        Format("  %3s --%s %s", flag.letter == 0 ? "" : letter, flag.name, flag.value);
    line.resize(std::max(kHelpColumn, line.size() + 1), ' ');
    text += Format("%s%s\n", line.c_str(), flag.help);
  }
  return text;
}

Status SetText(void* place, std::string_view value) {
  *static_cast<std::string*>(place) = value;
  return {};
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
  const Result<Duration> duration = ParseDuration(value);
  if (!duration) return duration.error();
  *static_cast<Duration*>(place) = *duration;
  return {};
}

Status SetCount(void* place, std::string_view value) { return SetNumber(place, value, 0); }

Status SetPositive(void* place, std::string_view value) { return SetNumber(place, value, 1); }

Result<bool> ParseBool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return Refusal(Format("strconv.ParseBool: parsing %s: invalid syntax", Quoted(text).c_str()));
}

}  // namespace certlatch
