#include "cli/flags.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kHelpColumn = 40;

std::string Quoted(std::string_view text) { return "\"" + Printable(text, 200) + "\""; }

class Reader {
 public:
  Reader(const std::vector<std::string_view>& arguments, const std::vector<Flag>& flags)
      : arguments_(arguments), flags_(flags) {}

  Result<std::vector<std::string_view>> Read() {
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      if (argument == "--") {
        positional_.insert(positional_.end(), arguments_.begin() + static_cast<ptrdiff_t>(next_),
                           arguments_.end());
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
    return positional_;
  }

 private:
  Status ReadLong(std::string_view argument) {
    const size_t equals = argument.find('=');
    const std::string_view name =
        argument.substr(2, equals == std::string_view::npos ? std::string_view::npos : equals - 2);
    const auto flag = std::find_if(flags_.begin(), flags_.end(),
                                   [&](const Flag& known) { return known.name == name; });
    const std::string shown = "--" + Printable(name, 100);
    if (name.empty() || flag == flags_.end()) return Problem("unknown flag: " + shown);
    if (equals != std::string_view::npos) return Apply(*flag, argument.substr(equals + 1));
    if (flag->value.empty()) return Apply(*flag, "true");
    if (next_ == arguments_.size()) return Problem("flag needs an argument: " + shown);
    return Apply(*flag, arguments_[next_++]);
  }

  // "-n", "-nX", "-n=X", and "-ab" for two switches.
  Status ReadShort(std::string_view argument) {
    std::string_view letters = argument.substr(1);
    while (!letters.empty()) {
      const char letter = letters[0];
      const auto flag = std::find_if(flags_.begin(), flags_.end(),
                                     [&](const Flag& known) { return known.letter == letter; });
      const std::string shown = "'" + Printable(letters.substr(0, 1)) + "' in -" +
                                Printable(letters.substr(0, letters.find('=')), 100);
      if (letter == 0 || flag == flags_.end()) return Problem("unknown shorthand flag: " + shown);
      letters.remove_prefix(1);
      if (!letters.empty() && letters[0] == '=') return Apply(*flag, letters.substr(1));
      if (!flag->value.empty()) {
        if (!letters.empty()) return Apply(*flag, letters);
        if (next_ == arguments_.size()) return Problem("flag needs an argument: " + shown);
        return Apply(*flag, arguments_[next_++]);
      }
      Status status = Apply(*flag, "true");
      if (!status) return status;
    }
    return {};
  }

  static Status Apply(const Flag& flag, std::string_view value) {
    Status status;
    if (flag.value.empty()) {
      const Result<bool> truth = ParseBool(value);
      if (truth) return flag.apply(*truth ? "true" : "false");
      status = truth.error();
    } else {
      status = flag.apply(value);
    }
    if (status) return {};
    std::string name = flag.letter == 0 ? "" : std::string("-") + flag.letter + ", ";
    name += "--" + std::string(flag.name);
    return Problem("invalid argument " + Quoted(value) + " for " + Quoted(name) +
                   " flag: " + status.error().text);
  }

  static Error Problem(std::string text) { return Error{Code::kConfig, std::move(text)}; }

  const std::vector<std::string_view>& arguments_;
  const std::vector<Flag>& flags_;
  size_t next_ = 0;
  std::vector<std::string_view> positional_;
};

}  // namespace

Result<std::vector<std::string_view>> ReadFlags(const std::vector<std::string_view>& arguments,
                                                const std::vector<Flag>& flags) {
  return Reader(arguments, flags).Read();
}

std::string DescribeFlags(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    std::string line = flag.letter == 0 ? "      " : std::string("  -") + flag.letter + ", ";
    line += "--" + std::string(flag.name);
    if (!flag.value.empty()) line += " " + std::string(flag.value);
    line.resize(std::max(kHelpColumn, line.size() + 2), ' ');
    line += flag.help;
    text += line + "\n";
  }
  return text;
}

Result<bool> ParseBool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return Error{Code::kConfig, "strconv.ParseBool: parsing " + Quoted(text) + ": invalid syntax"};
}

}  // namespace certlatch
