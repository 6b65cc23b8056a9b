// Secret holds bytes that must not outlive their use: tokens and private keys.
// Move-only; its memory is overwritten when it is destroyed, moved from or replaced. It converts to
// a view only by name (Reveal), so that a search finds every place where a secret is looked at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace certlatch {

// Overwrites `size` bytes in a way that the compiler may not drop.
void Wipe(void* data, size_t size);
void Wipe(std::string& text);  // all of its capacity, and leaves it empty

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) { Wipe(bytes); }
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { Wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe(bytes_);
      bytes_ = std::move(other.bytes_);
      Wipe(other.bytes_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Wipe(bytes_); }

  std::string_view Reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;
};

}  // namespace certlatch
