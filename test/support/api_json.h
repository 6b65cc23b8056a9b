// What an API server sends, as text: the answer to a list, and one line of a watch.
#pragma once

#include <string>

namespace certlatch::test {

// `items` with commas between them.
inline std::string List(const std::string& items, int version = 10) {
  return R"({"metadata":{"resourceVersion":")" + std::to_string(version) + R"("},"items":[)" +
         items + "]}";
}

inline std::string Event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

}  // namespace certlatch::test
