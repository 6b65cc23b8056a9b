#include "base/result.h"

namespace certlatch {

Result<void>::Result(const Error& error) : Result(Error(error)) {}

Result<void>::Result(Error&& error) : error_(std::make_unique<Error>(std::move(error))) {}

Result<void>::~Result() = default;

Error& Result<void>::error() & {
  if (!error_) std::abort();
  return *error_;
}

}  // namespace certlatch
