#include "base/function.h"

namespace certlatch {

FunctionBase::FunctionBase(FunctionBase&& other) noexcept
    : call_(std::exchange(other.call_, nullptr)),
      destroy_(std::exchange(other.destroy_, nullptr)),
      held_{other.held_[0], other.held_[1]} {}

FunctionBase& FunctionBase::operator=(FunctionBase&& other) noexcept {
  if (this != &other) {
    this->~FunctionBase();
    new (this) FunctionBase(std::move(other));
  }
  return *this;
}

FunctionBase::~FunctionBase() {
  if (destroy_ != nullptr) destroy_(held_[0]);
}

}  // namespace certlatch
