#include "base/secret.h"

#include <cstring>

namespace certlatch {

void Wipe(void* data, size_t size) {
  if (size == 0) return;
  std::memset(data, 0, size);
  __asm__ volatile("" : : "r"(data) : "memory");  // the compiler must assume that it is read
}

void Wipe(std::string& text) {
  text.resize(text.capacity());
  Wipe(text.data(), text.size());
  text.clear();
}

}  // namespace certlatch
