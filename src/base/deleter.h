// Deleter lets std::unique_ptr own what a C library made, by that library's own function:
// std::unique_ptr<X509, Deleter<X509_free>>.
#pragma once

namespace certlatch {

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};

}  // namespace certlatch
