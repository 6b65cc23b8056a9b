// Result<T> is a value or an Error; it must be looked at. Member names are std::expected's.
// Holds exactly one of the two. Reading the wrong one is a bug and aborts.
// Status is the Result of a function that has nothing to return.
#pragma once

#include <cstdlib>
#include <optional>
#include <utility>

#include "base/error.h"

namespace certlatch {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: as std::expected
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }

  T& value() & { return *Held(true); }
  const T& value() const& { return *const_cast<Result*>(this)->Held(true); }
  T&& value() && { return std::move(*Held(true)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return Held(false), error_; }
  const Error& error() const& { return const_cast<Result*>(this)->Held(false), error_; }
  Error&& error() && { return Held(false), std::move(error_); }

 private:
  std::optional<T>& Held(bool expected) {
    if (has_value() != expected) std::abort();
    return value_;
  }

  // Not a variant: its visitors for copies, moves and destruction are code in every caller.
  std::optional<T> value_;
  Error error_;  // empty beside a value
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
