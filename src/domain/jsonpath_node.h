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
    kList,        // an action: nodes, each on the results of the one before
    kText,        // value, once
    kLiteral,     // value, once for each value
    kField,       // value: its name
    kWildcard,    // .*
    kRecursive,   // ..
    kSlice,       // [0], [1:3], [*]
    kUnion,       // nodes, all lists: the results of each in turn
    kFilter,      // nodes[0] value nodes[1]; value "": nodes[0], a list, has a result
    kIdentifier,  // value: range, end, or an error once it is run
  };
  struct Bound {
    int64_t value = 0;
    bool known = false;
    bool derived = false;  // [i] means [i:i+1]
  };

  Kind kind = Kind::kList;
  Json value;
  std::array<Bound, 3> slice;  // start, end, step
  std::vector<Node> nodes;
};

Result<std::vector<JsonPath::Node>> ParseJsonPathNodes(std::string_view text);

}  // namespace certlatch
