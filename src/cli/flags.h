// Flags reads arguments by a table of flags, as kubectl's pflag does: --flag=value, --flag value,
// -f=value, -fvalue, -f value, --switch, --switch=false, flags anywhere, "--" ends them, no
// abbreviations. The table also gives the help text. Pure; errors have pflag's words.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace certlatch {

struct Flag {
  std::string_view name;   // without dashes
  char letter = 0;         // 0: none
  std::string_view value;  // what stands for the value in the help, e.g. "DURATION"; "": a switch
  std::string_view help;
  std::function<Status(std::string_view)> apply;  // a switch gets "true" or "false"
};

// The arguments that are not flags, in order.
Result<std::vector<std::string_view>> ReadFlags(const std::vector<std::string_view>& arguments,
                                                const std::vector<Flag>& flags);

// One line a flag: "  -n, --namespace NAME   …".
std::string DescribeFlags(const std::vector<Flag>& flags);

// Go's strconv.ParseBool.
Result<bool> ParseBool(std::string_view text);

}  // namespace certlatch
