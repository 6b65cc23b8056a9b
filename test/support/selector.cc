#include "test/support/selector.h"

#include <cstddef>
#include <utility>

#include "base/text.h"

namespace certlatch::test {
namespace {

using Kind = Requirement::Kind;

constexpr std::string_view kFieldPrefix = "metadata.";

Requirement ParseRequirement(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    if (text.substr(0, 1) == "!") return {Kind::kMissing, std::string(Trim(text.substr(1))), ""};
    return {Kind::kExists, std::string(text), ""};
  }
  std::string_view key = text.substr(0, equals);
  std::string_view value = text.substr(equals + 1);
  const bool negated = !key.empty() && key.back() == '!';
  if (negated) key.remove_suffix(1);
  if (!value.empty() && value.front() == '=') value.remove_prefix(1);
  return {negated ? Kind::kNotEquals : Kind::kEquals, std::string(Trim(key)),
          std::string(Trim(value))};
}

bool Holds(const Requirement& requirement, const Json* found) {
  const std::string_view value = found != nullptr ? found->AsString() : std::string_view();
  switch (requirement.kind) {
    case Kind::kEquals:
      return found != nullptr && value == requirement.value;
    case Kind::kNotEquals:
      return found == nullptr || value != requirement.value;
    case Kind::kExists:
      return found != nullptr;
    case Kind::kMissing:
      return found == nullptr;
  }
  return false;
}

}  // namespace

Result<Selector> Selector::Parse(std::string_view text) {
  Selector selector;
  if (Trim(text).empty()) return selector;
  for (const std::string_view part : Split(text, ',')) {
    Requirement requirement = ParseRequirement(Trim(part));
    if (requirement.key.empty() || requirement.key.find_first_of(" ()") != std::string::npos) {
      return Error{Code::kConfig,
                   "unable to parse requirement: " + Printable(part) + " (test server)"};
    }
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

Result<Selector> Selector::OfLabels(std::string_view text) { return Parse(text); }

Result<Selector> Selector::OfFields(std::string_view text) {
  Result<Selector> selector = Parse(text);
  if (!selector) return selector;
  selector->of_fields_ = true;
  for (const Requirement& requirement : selector->requirements_) {
    if (requirement.key != "metadata.name" && requirement.key != "metadata.namespace") {
      return Error{Code::kConfig, "field label not supported: " + requirement.key};
    }
  }
  return selector;
}

bool Selector::Matches(const Json& object) const {
  const Json& metadata = object["metadata"];
  for (const Requirement& requirement : requirements_) {
    const Json* found = of_fields_ ? metadata.Find(requirement.key.substr(kFieldPrefix.size()))
                                   : metadata["labels"].Find(requirement.key);
    if (!Holds(requirement, found)) return false;
  }
  return true;
}

std::string_view Selector::Required(std::string_view key) const {
  for (const Requirement& requirement : requirements_) {
    if (requirement.kind == Kind::kEquals && requirement.key == key) return requirement.value;
  }
  return "";
}

}  // namespace certlatch::test
