// libFuzzer target: a JSONPath template, a NUL, and the JSON text to apply it to.
// What must hold for any input is asserted here, and every corpus file is replayed by fuzz_test.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "domain/jsonpath.h"
#include "domain/wait_jsonpath.h"

namespace certlatch {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckTemplate(std::string_view text, const Json& root) {
  const Result<JsonPath> path = JsonPath::Parse(text);
  if (!path) return Require(!path.error().text.empty());
  for (const bool allow_missing_keys : {true, false}) {
    const auto found = path->Find(root, allow_missing_keys);
    if (!found) {
      Require(!found.error().text.empty());
      continue;
    }
    for (const JsonPath::Values& values : *found) {
      for (const Json* value : values) Require(value != nullptr);
    }
    // A copy is as good, and a second run no different: nothing of a run stays in the path.
    const auto printed = path->Print(root, allow_missing_keys);
    const auto again = JsonPath(*path).Print(root, allow_missing_keys);
    Require(again.has_value() == printed.has_value());
    if (!printed) continue;
    Require(*again == *printed);
    Require(printed->size() <= kMaxJsonPathOutput);
  }
}

void CheckWait(std::string_view argument, const Json& root) {
  const Result<JsonPathWait> wait = ParseJsonPathWait(argument);
  if (!wait) return Require(!wait.error().text.empty());
  const auto outcome = wait->Evaluate(root);
  if (outcome && wait->value().empty()) Require(!outcome->present.has_value());
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  if (end == std::string_view::npos) return 0;
  const certlatch::Result<certlatch::Json> root = certlatch::ParseJson(input.substr(end + 1));
  if (!root) return 0;
  certlatch::CheckTemplate(input.substr(0, end), *root);
  certlatch::CheckWait(input.substr(0, end), *root);
  return 0;
}
