#include "domain/wait_jsonpath.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "domain/go_text.h"

namespace certlatch {
namespace {

Error Refused(const char* text) { return Error{Code::kConfig, text}; }

// At each "=" that is not one of a pair: "a==b=c" is "a==b" and "c".
std::vector<std::string> SplitAtSingleEquals(std::string_view text) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "==") {
      parts.back() += "==";
      ++i;
    } else if (text[i] == '=') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

// a, .a, {a} and {.a} as {.a}; "" stays empty.
Result<std::string> Relaxed(std::string_view path) {
  if (path.empty()) return std::string();
  if (path.size() > 2 && path.front() == '{' && path.back() == '}') {
    path = path.substr(1, path.size() - 2);
  }
  if (path.find_first_of("{}") != std::string_view::npos) {
    return Refused(
        "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
        "'{.name1.name2}'");
  }
  if (path.size() > 1 && path.front() == '.') path.remove_prefix(1);
  return "{." + std::string(path) + "}";
}

std::string_view WithoutQuotes(std::string_view text) {
  const size_t first = text.find_first_not_of("'\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of("'\"") - first + 1);
}

}  // namespace

Result<JsonPathWait> ParseJsonPathWait(std::string_view argument) {
  const std::vector<std::string> parts = SplitAtSingleEquals(argument);
  if (parts.size() > 2) {
    return Refused(
        "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
        "--for=jsonpath='{.status.readyReplicas}'");
  }
  Result<std::string> expression = Relaxed(parts[0]);
  if (!expression) return std::move(expression).error();
  std::string value;
  if (parts.size() == 2) {
    value = WithoutQuotes(parts[1]);
    if (value.empty()) {
      return Refused(
          "jsonpath wait has to have a value after equal sign, like "
          "--for=jsonpath='{.status.readyReplicas}'=3");
    }
  }
  if (expression->empty()) return Refused("jsonpath expression cannot be empty");
  Result<JsonPath> path = JsonPath::Parse(*expression);
  if (!path) return std::move(path).error();
  return JsonPathWait(*std::move(path), *std::move(expression), std::move(value));
}

Result<JsonPathWait::Outcome> JsonPathWait::Evaluate(const Json& object) const {
  const auto found = path_.Find(object, /*allow_missing_keys=*/true);
  if (!found) return found.error();
  if (found->empty() || found->front().empty()) return Outcome{};
  if (found->size() > 1) return Refused("given jsonpath expression matches more than one list");
  if (found->front().size() > 1) {
    return Refused("given jsonpath expression matches more than one value");
  }
  const Json& present = *found->front().front();
  if (value_.empty()) return Outcome{true, std::nullopt};
  if (present.is_array() || present.is_object()) {
    return Refused("jsonpath leads to a nested object or list which is not supported");
  }
  std::string text = GoText(present);
  const bool met = Trim(text) == Trim(value_);
  return Outcome{met, std::move(text)};
}

}  // namespace certlatch
