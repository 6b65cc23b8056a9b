// Result<T> is a value or an Error; it must be looked at. Member names are std::expected's.
// Holds exactly one of the two. Reading the wrong one is a bug and aborts.
// Status is the Result of a function that has nothing to return.
#pragma once

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"

namespace certlatch {

template <typename T>
class Result;

using Status = Result<void>;

// An error is rare: kept apart, it costs a Result no more than a pointer.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(const Error& error);  // NOLINT: as std::expected
  Result(Error&& error);       // NOLINT
  Result(Result&&) = default;
  Result& operator=(Result&&) = default;
  ~Result();

  bool has_value() const { return error_ == nullptr; }
  explicit operator bool() const { return has_value(); }

  Error& error() &;
  const Error& error() const& { return const_cast<Result*>(this)->error(); }
  Error&& error() && { return std::move(error()); }

 private:
  std::unique_ptr<Error> error_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  // By reference, not by value: there is a call in every function that can fail.
  Result(const T& value) : value_(value) {}             // NOLINT: as std::expected
  Result(T&& value) : value_(std::move(value)) {}       // NOLINT
  Result(const Error& error) : status_(error) {}        // NOLINT
  Result(Error&& error) : status_(std::move(error)) {}  // NOLINT

  bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    if (!value_) std::abort();
    return *value_;
  }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return status_.error(); }
  const Error& error() const& { return status_.error(); }
  Error&& error() && { return std::move(status_.error()); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace certlatch
