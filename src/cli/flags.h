// Flags reads arguments by constant tables of flags, as kubectl's pflag does: --flag=value,
// --flag value, -f=value, -fvalue, -f value, --switch, --switch=false, flags anywhere, "--" ends
// them, no abbreviations. The tables also give the help text. Pure; errors have pflag's words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace certlatch {

// Where a flag's value goes: so many bytes into one of the parts that ReadFlags() was given. A
// number instead of a function for each flag, since there are many.
struct Place {
  uint8_t part;
  uint16_t offset;
};
#define CERTLATCH_PLACE(part, Type, member) (Place{part, offsetof(Type, member)})

struct Flag {
  const char* name;   // without dashes
  const char* value;  // what stands for the value in the help, e.g. "DURATION"; "": a switch
  const char* help;   // "": another flag's help tells of it
  // Puts a value where it belongs: a switch's is "true" or "false".
  Status (*set)(void* place, std::string_view value);
  Place place;
  char letter = 0;              // 0: none
  const char* needs = nullptr;  // the flag without which this one means nothing
};

using FlagTable = std::span<const Flag>;

// The arguments that are no flags, in order.
struct Positional {
  std::vector<std::string_view> words;
  size_t before_dashes = 0;  // how many of them stand before a "--"; without one all
};

// Puts the flags' values into `parts`, and the other arguments into `positional`.
Status ReadFlags(const std::vector<std::string_view>& arguments, std::span<const FlagTable> tables,
                 void* const* parts, Positional& positional);

// Adds one line a flag to `text`: "  -n, --namespace NAME   …".
void DescribeFlags(FlagTable flags, std::string& text);

// Adds their names alone, on as few lines as they need: "  --namespace --server …".
void NameFlags(FlagTable flags, std::string& text);

// The one way to say what is wrong with a command line (kConfig); as printf.
[[gnu::noinline, gnu::format(printf, 1, 2)]] Status Refuse(const char* pattern, ...);

// --- setters: how a flag's value becomes an option ---

Status SetText(void* place, std::string_view value);      // a std::string
Status SetFilled(void* place, std::string_view value);    // a std::string that is not empty
Status AddText(void* place, std::string_view value);      // one more in a std::vector<std::string>
Status SetSwitch(void* place, std::string_view value);    // a bool
Status SetDuration(void* place, std::string_view value);  // a Duration, in Go's form
Status SetDelay(void* place, std::string_view value);     // the same, not negative
Status SetLimit(void* place, std::string_view value);     // the same, more than 0
Status SetCount(void* place, std::string_view value);     // an int from 0 to 100,000
Status SetPositive(void* place, std::string_view value);  // an int from 1 to 100,000

// Which of "first|second|…" the value is, from 0; -1: none of them.
int IndexOf(std::string_view value, std::string_view choices);

// That index as an enum of int's size; `refusal` lists the choices for people.
Status SetChoice(void* place, std::string_view value, const char* choices, const char* refusal);

// Go's strconv.ParseBool.
Result<bool> ParseBool(std::string_view text);

}  // namespace certlatch
