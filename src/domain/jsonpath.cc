#include "domain/jsonpath.h"

#include <algorithm>
#include <cstdarg>
#include <optional>
#include <utility>

#include "base/text.h"
#include "domain/go_text.h"
#include "domain/jsonpath_node.h"

namespace certlatch {
namespace {

using Node = JsonPath::Node;
using Nodes = std::vector<Node>;
using Values = JsonPath::Values;

// What a range hands to its body for an element that is null, or when there is no element: less
// than null to Go, which prints it differently.
const Json kNoValue;

constexpr size_t kMaxValueInError = 512;

const char* TypeName(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kBool:
      return "bool";
    case Json::Kind::kNumber:
      return ReadGoNumber(value.NumberText()).is_integer ? "int64" : "float64";
    case Json::Kind::kString:
      return "string";
    case Json::Kind::kObject:
      return "map[string]interface {}";
    default:
      return "[]interface {}";
  }
}

// The wildcard of a string is its bytes, as numbers.
const Json* ByteValue(char c) {
  static Json* const values = new Json[256];  // never freed: results point into it
  const auto byte = static_cast<unsigned char>(c);
  if (values[byte].is_null()) values[byte] = Json(Json::Number{Format("%d", byte)});
  return &values[byte];
}

int64_t Add(int64_t a, int64_t b) {  // wraps, as in Go
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

bool IsComparable(const Json& value) {
  return !value.is_null() && !value.is_array() && !value.is_object();
}

// The order of two values of one kind; nullopt and a problem: they cannot be compared.
std::optional<int> Compare(const Json& left, const Json& right, bool equality,
                           const char*& problem) {
  GoNumber a;
  GoNumber b;
  if (left.is_number()) a = ReadGoNumber(left.NumberText());
  if (right.is_number()) b = ReadGoNumber(right.NumberText());
  problem = "invalid type for comparison";
  if (!IsComparable(left) || !IsComparable(right)) return std::nullopt;
  if (left.kind() != right.kind() || a.is_integer != b.is_integer) {
    problem = "incompatible types for comparison";
    return std::nullopt;
  }
  if (left.is_string()) return left.AsString().compare(right.AsString());
  if (left.is_number()) {
    return a.is_integer ? (a.integer > b.integer) - (a.integer < b.integer)
                        : (a.real > b.real) - (a.real < b.real);
  }
  if (!equality) return std::nullopt;
  return *left.AsBool() - *right.AsBool();
}

// One evaluation. Its steps take `in` and an empty `out`. Where one returns false, `out` is what
// kubectl is left with beside the error: a filter without comparison looks at that alone.
class Evaluation {
 public:
  Evaluation(const Nodes& nodes, bool allow_missing_keys)
      : nodes_(nodes), allow_missing_keys_(allow_missing_keys) {}

  bool Block(size_t from, const Json* current, std::vector<Values>& out);
  Error TakeError() { return std::move(error_); }

 private:
  bool Rounds(size_t from, const Values& elements, std::vector<Values>& out);
  bool List(const Nodes& nodes, const Values& in, Values& out);
  bool Step(const Node& node, const Values& in, Values& out);
  bool Field(std::string_view name, const Values& in, Values& out);
  bool Wildcard(const Values& in, Values& out);
  bool Recursive(const Json& value, Values& out);
  bool Slice(const Node& node, const Values& in, Values& out);
  bool Cut(const Node& node, const Json::Array& items, Values& out);
  bool Union(const Node& node, const Values& in, Values& out);
  bool Filter(const Node& node, const Values& in, Values& out);
  bool Passes(const Node& node, const Json& item, bool& passes);
  bool Identifier(std::string_view name, const Values& in, Values& out);

  bool Charge(size_t steps);
  // False, always, for the caller to return.
  [[gnu::format(printf, 3, 4)]] bool Fail(Code code, const char* pattern, ...) {
    va_list arguments;
    va_start(arguments, pattern);
    error_ = Error{code, FormatList(pattern, arguments)};
    va_end(arguments);
    return false;
  }

  const Nodes& nodes_;
  const bool allow_missing_keys_;
  size_t steps_left_ = kMaxJsonPathSteps;
  bool exhausted_ = false;
  // kubectl's bookkeeping: an identifier only counts, and the block that ran it acts on that.
  int ranges_begun_ = 0;
  int ranges_inside_ = 0;
  int ranges_ended_ = 0;
  size_t last_end_ = 0;  // the node after which the latest range ended
  Error error_;
};

bool Evaluation::Charge(size_t steps) {
  if (steps > steps_left_) {
    exhausted_ = true;
    return Fail(Code::kConfig, "jsonpath takes too many steps");
  }
  steps_left_ -= steps;
  return true;
}

// Runs the nodes from `from` on, up to the end of the range that they are the body of.
bool Evaluation::Block(size_t from, const Json* current, std::vector<Values>& out) {
  const Values in{current};
  for (size_t i = from; i < nodes_.size(); ++i) {
    Values results;
    if (!Step(nodes_[i], in, results)) return false;
    if (ranges_ended_ > 0 && ranges_ended_ <= ranges_inside_) {
      --ranges_ended_;
      last_end_ = i;
      return true;
    }
    if (ranges_begun_ == 0) {
      out.push_back(std::move(results));
      continue;
    }
    --ranges_begun_;
    if (!Rounds(i + 1, results, out)) return false;
    i = std::max(i, last_end_);
  }
  return true;
}

bool Evaluation::Rounds(size_t from, const Values& elements, std::vector<Values>& out) {
  if (ranges_inside_ >= kMaxJsonPathDepth)
    return Fail(Code::kConfig, "jsonpath has too many nested ranges");
  ++ranges_inside_;
  for (const Json* element : elements) {
    if (!Block(from, element->is_null() ? &kNoValue : element, out)) return false;
  }
  // A body without elements still runs once, to find its end; what it finds does not count.
  std::vector<Values> ignored;
  if (elements.empty() && !Block(from, &kNoValue, ignored)) return false;
  --ranges_inside_;
  return true;
}

bool Evaluation::List(const Nodes& nodes, const Values& in, Values& out) {
  out = in;
  for (const Node& node : nodes) {
    Values next;
    const bool good = Step(node, out, next);
    out = std::move(next);
    if (!good) return false;
  }
  return true;
}

bool Evaluation::Step(const Node& node, const Values& in, Values& out) {
  if (!Charge(1 + in.size())) return false;
  switch (node.kind) {
    case Node::Kind::kList:
      return List(node.nodes, in, out);
    case Node::Kind::kText:
      out.push_back(&node.value);
      return true;
    case Node::Kind::kLiteral:
      for (size_t i = 0; i < in.size(); ++i) out.push_back(&node.value);
      return true;
    case Node::Kind::kField:
      return Field(node.value.AsString(), in, out);
    case Node::Kind::kWildcard:
      return Wildcard(in, out);
    case Node::Kind::kRecursive:
      for (const Json* value : in) {
        if (!Recursive(*value, out)) return false;
      }
      return true;
    case Node::Kind::kSlice:
      return Slice(node, in, out);
    case Node::Kind::kUnion:
      return Union(node, in, out);
    case Node::Kind::kFilter:
      return Filter(node, in, out);
    case Node::Kind::kIdentifier:
      return Identifier(node.value.AsString(), in, out);
  }
  return Fail(Code::kBug, "unexpected node");
}

bool Evaluation::Field(std::string_view name, const Values& in, Values& out) {
  for (const Json* value : in) {
    if (!Charge(value->members().size() / 8)) return false;
    if (const Json* found = value->Find(name)) out.push_back(found);
  }
  if (in.empty() || !out.empty() || allow_missing_keys_) return true;
  return Fail(Code::kNotFound, "%.*s is not found", Length(name), name.data());
}

bool Evaluation::Wildcard(const Values& in, Values& out) {
  for (const Json* value : in) {
    const std::string_view text = value->AsString();
    if (!Charge(value->members().size() + value->items().size() + text.size())) return false;
    for (const Json::Member* member : SortedMembers(*value)) out.push_back(&member->value);
    for (const Json& item : value->items()) out.push_back(&item);
    for (const char c : text) out.push_back(ByteValue(c));
  }
  return true;
}

// Everything that has something in it, from the outside in: objects, arrays, and strings.
bool Evaluation::Recursive(const Json& value, Values& out) {
  if (!Charge(1 + value.members().size() + value.items().size())) return false;
  if (value.members().empty() && value.items().empty() && value.AsString().empty()) return true;
  out.push_back(&value);
  for (const Json::Member* member : SortedMembers(value)) {
    if (!Recursive(member->value, out)) return false;
  }
  for (const Json& item : value.items()) {
    if (!Recursive(item, out)) return false;
  }
  return true;
}

bool Evaluation::Slice(const Node& node, const Values& in, Values& out) {
  for (const Json* value : in) {
    if (value->is_null()) continue;
    const size_t before = out.size();
    const bool good = value->is_array()
                          ? Cut(node, value->items(), out)
                          : Fail(Code::kConfig, "%s is not array or slice", TypeName(*value));
    if (!good) {
      out = in;
      return false;
    }
    if (out.size() == before) return true;  // an empty slice ends the step for all values
  }
  return true;
}

bool Evaluation::Cut(const Node& node, const Json::Array& items, Values& out) {
  const auto length = static_cast<int64_t>(items.size());
  Node::Bound start = node.slice[0];
  Node::Bound end = node.slice[1];
  const Node::Bound step = node.slice[2];
  if (start.value < 0) start.value = Add(start.value, length);
  if (!end.known) end.value = length;
  if (end.value < 0 || (end.value == 0 && end.derived)) end.value = Add(end.value, length);
  if (start.value == end.value) return true;
  const bool bad_start = start.value >= length || start.value < 0;
  if (bad_start || end.value > length || end.value < 0) {
    const int64_t index = bad_start ? start.value : Add(end.value, -1);
    return Fail(Code::kNotFound, "array index out of bounds: index %lld, length %zu",
                static_cast<long long>(index), items.size());
  }
  if (start.value > end.value) {
    return Fail(Code::kConfig, "starting index %lld is greater than ending index %lld",
                static_cast<long long>(start.value), static_cast<long long>(end.value));
  }
  if (step.known && step.value <= 0) return Fail(Code::kConfig, "step must be > 0");
  if (!Charge(static_cast<size_t>(end.value - start.value))) return false;
  const int64_t stride = step.known ? step.value : 1;
  for (int64_t left = end.value - start.value, i = start.value;; i += stride, left -= stride) {
    out.push_back(&items[static_cast<size_t>(i)]);
    if (left <= stride) return true;
  }
}

bool Evaluation::Union(const Node& node, const Values& in, Values& out) {
  for (const Node& list : node.nodes) {
    Values part;
    if (!Charge(in.size()) || !List(list.nodes, in, part)) {
      out = in;
      return false;
    }
    for (const Json* value : part) out.push_back(value);
  }
  return true;
}

bool Evaluation::Filter(const Node& node, const Values& in, Values& out) {
  for (const Json* value : in) {
    if (!value->is_array()) {
      std::string shown =
          value == &kNoValue ? "<invalid reflect.Value>" : GoText(*value, kMaxValueInError);
      if (shown.size() > kMaxValueInError) shown.resize(kMaxValueInError);
      out = in;
      error_.code = Code::kConfig;
      error_.text = shown + " is not array or slice and cannot be filtered";  // may have a NUL
      return false;
    }
    for (const Json& item : value->items()) {
      bool passes = false;
      if (!Passes(node, item, passes)) {
        out = in;
        return false;
      }
      if (passes) out.push_back(&item);
    }
  }
  return true;
}

bool Evaluation::Passes(const Node& node, const Json& item, bool& passes) {
  Values left;
  Values right;
  const Values in(1, &item);
  const bool good = List(node.nodes[0].nodes, in, left);
  if (exhausted_) return false;
  const std::string_view op = node.value.AsString();
  if (op.empty()) {
    passes = !left.empty();  // even if it is what an error left behind
    return true;
  }
  constexpr char kOneAtATime[] = "can only compare one element at a time";
  if (!good) return false;
  if (left.empty()) return true;
  if (left.size() > 1) return Fail(Code::kConfig, kOneAtATime);
  if (!List(node.nodes[1].nodes, in, right)) return false;
  if (right.empty()) return true;
  if (right.size() > 1) return Fail(Code::kConfig, kOneAtATime);
  // Long texts are not compared a million times.
  if (!Charge((left[0]->AsString().size() + left[0]->NumberText().size()) / 64)) return false;

  const bool equality = op == "==" || op == "!=";
  if (!equality && op != "<" && op != "<=" && op != ">" && op != ">=") {
    return Fail(Code::kConfig, "unrecognized filter operator %.*s", Length(op), op.data());
  }
  const char* problem = nullptr;
  const auto order = Compare(*left[0], *right[0], equality, problem);
  if (!order) return Fail(Code::kConfig, "%s", problem);
  if (equality) {
    passes = (*order == 0) == (op == "==");
  } else {
    passes = (op.size() == 2 && *order == 0) || (op[0] == '<' ? *order < 0 : *order > 0);
  }
  return true;
}

bool Evaluation::Identifier(std::string_view name, const Values& in, Values& out) {
  if (name == "range") {
    ++ranges_begun_;
    out = in;
    return true;
  }
  if (name != "end") {
    out = in;
    return Fail(Code::kConfig, "unrecognized identifier %.*s", Length(name), name.data());
  }
  if (ranges_inside_ == 0) return Fail(Code::kConfig, "not in range, nothing to end");
  ++ranges_ended_;
  return true;
}

void AppendPrinted(const Json& value, std::string& out) {
  if (&value == &kNoValue) {
    out += "<no value>";
  } else if (value.is_array() || value.is_object() || value.is_null()) {
    AppendGoJson(value, out);
  } else {
    out += GoText(value);
  }
}

}  // namespace

Result<JsonPath> JsonPath::Parse(std::string_view text) {
  Result<std::vector<Node>> nodes = ParseJsonPathNodes(text);
  if (!nodes) return std::move(nodes).error();
  return JsonPath(std::make_shared<const Nodes>(*std::move(nodes)));
}

Result<std::vector<JsonPath::Values>> JsonPath::Find(const Json& root,
                                                     bool allow_missing_keys) const {
  Evaluation evaluation(*nodes_, allow_missing_keys);
  std::vector<Values> results;
  if (!evaluation.Block(0, &root, results)) return evaluation.TakeError();
  return results;
}

Result<std::string> JsonPath::Print(const Json& root, bool allow_missing_keys) const {
  const Result<std::vector<Values>> results = Find(root, allow_missing_keys);
  if (!results) return results.error();
  std::string out;
  for (const Values& values : *results) {
    bool first = true;
    for (const Json* value : values) {
      if (!std::exchange(first, false)) out += ' ';
      AppendPrinted(*value, out);
      if (out.size() > kMaxJsonPathOutput) return Error{Code::kConfig, "jsonpath prints too much"};
    }
  }
  return out;
}

}  // namespace certlatch
