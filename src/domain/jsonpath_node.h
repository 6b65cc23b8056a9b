// The parsed form of a JSONPath template, between the parser and the evaluation.
// A template is a list of texts and actions; an action is a list of steps, each of which turns a
// list of values into another. Internal to domain/jsonpath*.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/jsonpath.h"

namespace certlatch {

struct JsonPath::Node {
  enum class Kind : uint8_t {
    kList,        // lists[0]: an action
    kText,        // literal, once
    kLiteral,     // literal, once for each value
    kField,       // text
    kWildcard,    // .*
    kRecursive,   // ..
    kSlice,       // [0], [1:3], [*]
    kUnion,       // lists: the results of each in turn
    kFilter,      // lists[0] text lists[1]; no text: lists[0] has a result
    kIdentifier,  // text: range, end, or an error once it is run
  };
  struct Bound {
    int64_t value = 0;
    bool known = false;
    bool derived = false;  // [i] means [i:i+1]
  };

  Kind kind = Kind::kList;
  std::string text;
  Json literal;
  std::array<Bound, 3> slice;  // start, end, step
  std::vector<std::vector<Node>> lists;
};

Result<std::vector<JsonPath::Node>> ParseJsonPathNodes(std::string_view text);

}  // namespace certlatch
