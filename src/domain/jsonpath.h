// JsonPath is a template in kubectl's JSONPath, as `kubectl get -o jsonpath=` takes it: parsed
// once, applied to any number of objects, with kubectl's results, quirks and error texts. Pure;
// template, nesting, steps and output are bounded, past which there is an Error.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/json.h"

namespace certlatch {

constexpr size_t kMaxJsonPathTemplate = size_t{64} * 1024;  // bytes
constexpr int kMaxJsonPathDepth = 64;                       // filters in filters, ranges in ranges
constexpr size_t kMaxJsonPathSteps = size_t{1024} * 1024;   // values looked at in one evaluation
constexpr size_t kMaxJsonPathOutput = size_t{16} * 1024 * 1024;  // bytes printed

class JsonPath {
 public:
  struct Node;
  using Values = std::vector<const Json*>;  // never null pointers

  // Code::kConfig: kubectl's words for what is wrong with the template, without a prefix.
  static Result<JsonPath> Parse(std::string_view text);

  // One list for each text or {action} that was run, in order; those within a range come once a
  // round. The values belong to `root` or to this path. Without `allow_missing_keys`, a field that
  // no value has is an Error. Code::kNotFound: a key or index is not there (yet); Code::kConfig:
  // the path does not fit the object.
  Result<std::vector<Values>> Find(const Json& root, bool allow_missing_keys) const;

  // What `kubectl get -o jsonpath=` writes: strings bare, objects and arrays as JSON, the values of
  // one list separated by a space. Errors as Find's; kubectl then prints nothing, too.
  Result<std::string> Print(const Json& root, bool allow_missing_keys) const;

 private:
  using Nodes = std::vector<Node>;

  explicit JsonPath(std::shared_ptr<const Nodes> nodes) : nodes_(std::move(nodes)) {}

  std::shared_ptr<const Nodes> nodes_;  // never changed: shared by all copies
};

}  // namespace certlatch
