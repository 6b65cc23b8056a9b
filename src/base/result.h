// Result<T> is a value or an Error; it must be looked at. Member names are std::expected's.
// Holds exactly one of the two. Reading the wrong one is a bug and aborts.
// Status is the Result of a function that has nothing to return.
#pragma once

#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"

namespace certlatch {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: as std::expected
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return held_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return *Checked(std::get_if<0>(&held_)); }
  const T& value() const& { return *Checked(std::get_if<0>(&held_)); }
  T&& value() && { return std::move(*Checked(std::get_if<0>(&held_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return *Checked(std::get_if<1>(&held_)); }
  const Error& error() const& { return *Checked(std::get_if<1>(&held_)); }
  Error&& error() && { return std::move(*Checked(std::get_if<1>(&held_))); }

 private:
  template <typename P>
  static P* Checked(P* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }

  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: as std::expected

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  Error& error() & { return Checked(); }
  const Error& error() const& { return const_cast<Result*>(this)->Checked(); }
  Error&& error() && { return std::move(Checked()); }

 private:
  Error& Checked() {
    if (!error_.has_value()) std::abort();
    return *error_;
  }

  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace certlatch
