// Selector is a labelSelector or fieldSelector: requirements that all must hold.
// Pure. Understands =, ==, !=, KEY and !KEY, of fields only metadata.name and metadata.namespace;
// sets ("in (...)") are an Error, never ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/json.h"

namespace certlatch::test {

struct Requirement {
  enum class Kind { kEquals, kNotEquals, kExists, kMissing };
  Kind kind = Kind::kEquals;
  std::string key;
  std::string value;
};

class Selector {
 public:
  static Result<Selector> OfLabels(std::string_view text);  // "" selects everything
  static Result<Selector> OfFields(std::string_view text);

  bool Matches(const Json& object) const;
  bool empty() const { return requirements_.empty(); }
  // The value that `key` must equal; "" where it need not.
  std::string_view Required(std::string_view key) const;

 private:
  static Result<Selector> Parse(std::string_view text);

  std::vector<Requirement> requirements_;
  bool of_fields_ = false;
};

}  // namespace certlatch::test
