// ParseJson turns the text of one JSON object or array into a small tree of values.
// Pure and bounded: at most kMaxJsonDepth levels and kMaxJsonNodes values, else an Error; the
// tree owns copies of its strings, so the text may go. Numbers keep their own spelling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace certlatch {

constexpr int kMaxJsonDepth = 64;
// A Kubernetes object is at most 1.5 MiB in etcd and seldom has more than a few thousand values;
// this many take at most some 20 MB.
constexpr size_t kMaxJsonNodes = size_t{256} * 1024;

class Json {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  struct Member;
  struct Number {
    std::string text;  // as spelled, e.g. "1", "-2.50", "1e3"; always a valid JSON number
  };
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;  // in the order of the text

  Json() = default;  // null
  static const Json& Null();
  explicit Json(bool value);
  explicit Json(Number value);
  explicit Json(std::string value);
  explicit Json(Array value);
  explicit Json(Object value);

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_number() const { return kind() == Kind::kNumber; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // Lookups never fail: a missing key, a wrong index or a value of another kind reads as null,
  // "", empty or nullopt, so that object["status"]["conditions"] needs no ladder of checks.
  const Json& operator[](std::string_view key) const;  // of duplicate keys the last, as in Go
  const Json& operator[](size_t index) const;
  const Json* Find(std::string_view key) const;  // nullptr: no such key
  const Json& At(std::string_view path) const;   // At("a.b") is ["a"]["b"]
  std::string_view AsString() const;             // "" unless a string
  std::string_view NumberText() const;           // "" unless a number
  std::optional<int64_t> AsInt() const;          // nullopt unless a number spelled as an integer
  std::optional<bool> AsBool() const;
  const Array& items() const;     // empty unless an array
  const Object& members() const;  // empty unless an object

  // Moves the value of `key` out, leaving null in its place; null if there is none.
  Json Take(std::string_view key);
  Array TakeItems() &&;  // likewise all items of an array

  std::string Dump() const;  // compact JSON text

 private:
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;  // as Kind
};

struct Json::Member {
  std::string key;
  Json value;
};

// Error (Code::kRetry, since a server may do better next time): not one JSON object or array,
// invalid UTF-8, or past a bound.
Result<Json> ParseJson(std::string_view text);

// `text` in double quotes with JSON's escapes.
std::string JsonQuote(std::string_view text);

}  // namespace certlatch
