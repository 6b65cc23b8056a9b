// Flags reads arguments by a constant table of flags, as kubectl's pflag does: --flag=value,
// --flag value, -f=value, -fvalue, -f value, --switch, --switch=false, flags anywhere, "--" ends
// them, no abbreviations. The table also gives the help text. Pure; errors have pflag's words.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace certlatch {

struct Flag {
  const char* name;   // without dashes
  char letter;        // 0: none
  const char* value;  // what stands for the value in the help, e.g. "DURATION"; "": a switch
  const char* help;
  // Puts a value where it belongs: a switch's is "true" or "false".
  Status (*set)(void* place, std::string_view value);
  // Where that is, in the options that ReadFlags() was given.
  void* (*place)(void* options);
};

// Sets `options` by the flags; returns the arguments that are no flags, in order.
Result<std::vector<std::string_view>> ReadFlags(const std::vector<std::string_view>& arguments,
                                                std::span<const Flag> flags, void* options);

// One line a flag: "  -n, --namespace NAME   …".
std::string DescribeFlags(std::span<const Flag> flags);

// --- setters: how a flag's value becomes an option ---

Status SetText(void* place, std::string_view value);      // a std::string
Status AddText(void* place, std::string_view value);      // one more in a std::vector<std::string>
Status SetSwitch(void* place, std::string_view value);    // a bool
Status SetDuration(void* place, std::string_view value);  // a Duration, in Go's form
Status SetCount(void* place, std::string_view value);     // an int from 0 to 100,000
Status SetPositive(void* place, std::string_view value);  // an int from 1 to 100,000

// Go's strconv.ParseBool.
Result<bool> ParseBool(std::string_view text);

}  // namespace certlatch
