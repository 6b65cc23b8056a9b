#include "test/support/words.h"

namespace certlatch::test {

std::string Fill(std::string text, const Words& words) {
  for (const auto& [name, value] : words) {
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

}  // namespace certlatch::test
