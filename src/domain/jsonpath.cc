#include "domain/jsonpath.h"

#include <algorithm>
#include <optional>
#include <utility>

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

std::string TypeName(const Json& value) {
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
  static const std::vector<Json> values = [] {
    std::vector<Json> all;
    all.reserve(256);
    for (int i = 0; i < 256; ++i) all.emplace_back(Json::Number{std::to_string(i)});
    return all;
  }();
  return &values[static_cast<unsigned char>(c)];
}

int64_t Add(int64_t a, int64_t b) {  // wraps, as in Go
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// The order of two values of one kind; nullopt and a problem: they cannot be compared.
std::optional<int> Compare(const Json& left, const Json& right, bool equality,
                           std::string& problem) {
  auto comparable = [](const Json& value) {
    return !value.is_null() && !value.is_array() && !value.is_object();
  };
  GoNumber a;
  GoNumber b;
  if (left.is_number()) a = ReadGoNumber(left.NumberText());
  if (right.is_number()) b = ReadGoNumber(right.NumberText());
  problem = "invalid type for comparison";
  if (!comparable(left) || !comparable(right)) return std::nullopt;
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
  Error TakeError() { return Error{code_, std::move(problem_)}; }

 private:
  bool Rounds(size_t from, const Values& elements, std::vector<Values>& out);
  bool List(const Nodes& nodes, const Values& in, Values& out);
  bool Step(const Node& node, const Values& in, Values& out);
  bool Field(const std::string& name, const Values& in, Values& out);
  bool Wildcard(const Values& in, Values& out);
  bool Recursive(const Json& value, Values& out);
  bool Slice(const Node& node, const Values& in, Values& out);
  bool Cut(const Node& node, const Json::Array& items, Values& out);
  bool Union(const Node& node, const Values& in, Values& out);
  bool Filter(const Node& node, const Values& in, Values& out);
  bool Passes(const Node& node, const Json& item, bool& passes);
  bool Identifier(const std::string& name, const Values& in, Values& out);

  bool Charge(size_t steps);
  bool Fail(std::string problem, Code code = Code::kConfig) {
    problem_ = std::move(problem);
    code_ = code;
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
  Code code_ = Code::kBug;
  std::string problem_;
};

bool Evaluation::Charge(size_t steps) {
  if (steps > steps_left_) {
    exhausted_ = true;
    return Fail("jsonpath takes too many steps");
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
  if (ranges_inside_ >= kMaxJsonPathDepth) return Fail("jsonpath has too many nested ranges");
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
      return List(node.lists[0], in, out);
    case Node::Kind::kText:
      out.push_back(&node.literal);
      return true;
    case Node::Kind::kLiteral:
      out.assign(in.size(), &node.literal);
      return true;
    case Node::Kind::kField:
      return Field(node.text, in, out);
    case Node::Kind::kWildcard:
      return Wildcard(in, out);
    case Node::Kind::kRecursive:
      return std::all_of(in.begin(), in.end(),
                         [&](const Json* value) { return Recursive(*value, out); });
    case Node::Kind::kSlice:
      return Slice(node, in, out);
    case Node::Kind::kUnion:
      return Union(node, in, out);
    case Node::Kind::kFilter:
      return Filter(node, in, out);
    case Node::Kind::kIdentifier:
      return Identifier(node.text, in, out);
  }
  return Fail("unexpected node", Code::kBug);
}

bool Evaluation::Field(const std::string& name, const Values& in, Values& out) {
  for (const Json* value : in) {
    if (!Charge(value->members().size() / 8)) return false;
    if (const Json* found = value->Find(name)) out.push_back(found);
  }
  if (in.empty() || !out.empty() || allow_missing_keys_) return true;
  return Fail(name + " is not found", Code::kNotFound);
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
  return std::all_of(value.items().begin(), value.items().end(),
                     [&](const Json& item) { return Recursive(item, out); });
}

bool Evaluation::Slice(const Node& node, const Values& in, Values& out) {
  for (const Json* value : in) {
    if (value->is_null()) continue;
    bool good = value->is_array();
    if (!good) Fail(TypeName(*value) + " is not array or slice");
    const size_t before = out.size();
    good = good && Cut(node, value->items(), out);
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
  auto [start, end, step] = node.slice;
  if (start.value < 0) start.value = Add(start.value, length);
  if (!end.known) end.value = length;
  if (end.value < 0 || (end.value == 0 && end.derived)) end.value = Add(end.value, length);
  if (start.value == end.value) return true;
  const bool bad_start = start.value >= length || start.value < 0;
  if (bad_start || end.value > length || end.value < 0) {
    const int64_t index = bad_start ? start.value : Add(end.value, -1);
    return Fail("array index out of bounds: index " + std::to_string(index) + ", length " +
                    std::to_string(length),
                Code::kNotFound);
  }
  if (start.value > end.value) {
    return Fail("starting index " + std::to_string(start.value) + " is greater than ending index " +
                std::to_string(end.value));
  }
  if (step.known && step.value <= 0) return Fail("step must be > 0");
  if (!Charge(static_cast<size_t>(end.value - start.value))) return false;
  const int64_t stride = step.known ? step.value : 1;
  for (int64_t left = end.value - start.value, i = start.value;; i += stride, left -= stride) {
    out.push_back(&items[static_cast<size_t>(i)]);
    if (left <= stride) return true;
  }
}

bool Evaluation::Union(const Node& node, const Values& in, Values& out) {
  for (const Nodes& list : node.lists) {
    Values part;
    if (!Charge(in.size()) || !List(list, in, part)) {
      out = in;
      return false;
    }
    out.insert(out.end(), part.begin(), part.end());
  }
  return true;
}

bool Evaluation::Filter(const Node& node, const Values& in, Values& out) {
  for (const Json* value : in) {
    if (!value->is_array()) {
      const std::string shown =
          value == &kNoValue ? "<invalid reflect.Value>" : GoText(*value, kMaxValueInError);
      out = in;
      return Fail(shown.substr(0, kMaxValueInError) +
                  " is not array or slice and cannot be filtered");
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
  const bool good = List(node.lists[0], {&item}, left);
  if (exhausted_) return false;
  if (node.text.empty()) {
    passes = !left.empty();  // even if it is what an error left behind
    return true;
  }
  constexpr const char* kOneAtATime = "can only compare one element at a time";
  if (!good) return false;
  if (left.empty()) return true;
  if (left.size() > 1) return Fail(kOneAtATime);
  if (!List(node.lists[1], {&item}, right)) return false;
  if (right.empty()) return true;
  if (right.size() > 1) return Fail(kOneAtATime);
  // Long texts are not compared a million times.
  if (!Charge((left[0]->AsString().size() + left[0]->NumberText().size()) / 64)) return false;

  const std::string_view op = node.text;
  const bool equality = op == "==" || op == "!=";
  if (!equality && op != "<" && op != "<=" && op != ">" && op != ">=") {
    return Fail("unrecognized filter operator " + node.text);
  }
  const auto order = Compare(*left[0], *right[0], equality, problem_);
  code_ = Code::kConfig;
  if (!order) return false;
  if (equality) {
    passes = (*order == 0) == (op == "==");
  } else {
    passes = (op.size() == 2 && *order == 0) || (op[0] == '<' ? *order < 0 : *order > 0);
  }
  return true;
}

bool Evaluation::Identifier(const std::string& name, const Values& in, Values& out) {
  if (name == "range") {
    ++ranges_begun_;
    out = in;
    return true;
  }
  if (name != "end") {
    out = in;
    return Fail("unrecognized identifier " + name);
  }
  if (ranges_inside_ == 0) return Fail("not in range, nothing to end");
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

JsonPath::JsonPath(std::vector<Node> nodes) : nodes_(std::move(nodes)) {}
JsonPath::JsonPath(const JsonPath& other) = default;
JsonPath::JsonPath(JsonPath&& other) noexcept = default;
JsonPath& JsonPath::operator=(const JsonPath& other) = default;
JsonPath& JsonPath::operator=(JsonPath&& other) noexcept = default;
JsonPath::~JsonPath() = default;

Result<JsonPath> JsonPath::Parse(std::string_view text) {
  Result<std::vector<Node>> nodes = ParseJsonPathNodes(text);
  if (!nodes) return std::move(nodes).error();
  return JsonPath(*std::move(nodes));
}

Result<std::vector<JsonPath::Values>> JsonPath::Find(const Json& root,
                                                     bool allow_missing_keys) const {
  Evaluation evaluation(nodes_, allow_missing_keys);
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
