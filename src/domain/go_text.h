// GoText and GoJson write a value as Go programs do: fmt's %v, and encoding/json's Marshal.
// kubectl prints and compares through them, so "1.0" is 1, 1e6 is 1e+06, and keys come sorted.
// Pure; the output is at most six times as long as the value's own text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/json.h"

namespace certlatch {

// A JSON number as Kubernetes' decoder holds it: an int64 if it is spelled as one and fits, else a
// float64.
struct GoNumber {
  bool is_integer = true;
  int64_t integer = 0;
  double real = 0;  // infinite where the spelling is out of range
};
GoNumber ReadGoNumber(std::string_view spelling);

// %v: strings bare, null as <nil>, {"a":[1]} as map[a:[1]]. Stops soon after `limit` bytes.
std::string GoText(const Json& value, size_t limit = SIZE_MAX);

// Marshal: sorted keys, and <, >, & escaped for HTML.
void AppendGoJson(const Json& value, std::string& out);

// The members as a Go map holds them: each key once, with its last value. Sorted by key.
std::vector<const Json::Member*> SortedMembers(const Json& object);

}  // namespace certlatch
