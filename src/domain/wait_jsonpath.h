// JsonPathWait is the condition of `kubectl wait --for=jsonpath=PATH[=VALUE]`: one value of an
// object exists, or reads VALUE. Pure; owns its parsed path; bounds are JsonPath's.
// Error texts are kubectl's without "error: ", which the caller prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/json.h"
#include "domain/jsonpath.h"

namespace certlatch {

class JsonPathWait {
 public:
  struct Outcome {
    bool met = false;
    std::optional<std::string> present;  // what the object has instead; nullopt: nothing
  };

  JsonPathWait(JsonPath path, std::string expression, std::string value)
      : path_(std::move(path)), expression_(std::move(expression)), value_(std::move(value)) {}

  // An Error ends kubectl's wait. Code::kNotFound: an index past the end of a list, which a later
  // object may have; Code::kConfig: several values, an object or a list, or values that the path
  // cannot compare. A key that is not there is merely unmet.
  Result<Outcome> Evaluate(const Json& object) const;

  const std::string& expression() const { return expression_; }  // {.status.phase}
  const std::string& value() const { return value_; }            // "": any will do

 private:
  JsonPath path_;
  std::string expression_;
  std::string value_;
};

// `argument` is what follows "jsonpath=". Error: Code::kConfig.
Result<JsonPathWait> ParseJsonPathWait(std::string_view argument);

}  // namespace certlatch
