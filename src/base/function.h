// Function<void(int)> is something to call later: a lambda with what it holds. As std::function,
// but it only moves, and moving and destroying are one piece of code for all of them: small.
// Calling an empty one is a bug and aborts.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace certlatch {

// What does not depend on the call.
class FunctionBase {
 public:
  explicit operator bool() const { return call_ != nullptr; }

 protected:
  using AnyCall = void (*)();
  using Destroy = void (*)(void*);

  FunctionBase() = default;
  FunctionBase(FunctionBase&& other) noexcept;
  FunctionBase& operator=(FunctionBase&& other) noexcept;
  ~FunctionBase();

  AnyCall call_ = nullptr;     // of the type that Function knows
  Destroy destroy_ = nullptr;  // of what `held_` points to; nullptr: it is in `held_` itself
  void* held_[2] = {};         // the lambda, where it is plain and fits, else its address
};

template <typename Signature>
class Function;

template <typename R, typename... Args>
class Function<R(Args...)> : public FunctionBase {
 public:
  Function() = default;
  Function(std::nullptr_t) {}  // NOLINT: as std::function
  template <typename F, typename Held = std::decay_t<F>,
            typename = std::enable_if_t<!std::is_same_v<Held, Function> &&
                                        std::is_invocable_r_v<R, Held&, Args...>>>
  Function(F&& function) {  // NOLINT: as std::function
    constexpr bool kFits = std::is_trivially_copyable_v<Held> && sizeof(Held) <= sizeof held_ &&
                           alignof(Held) <= alignof(void*);
    Call* const call = [](void** held, Args... arguments) -> R {
      void* const at = kFits ? held : *held;
      return (*static_cast<Held*>(at))(std::forward<Args>(arguments)...);
    };
    call_ = reinterpret_cast<AnyCall>(call);
    if constexpr (kFits) {
      new (held_) Held(std::forward<F>(function));
    } else {
      held_[0] = new Held(std::forward<F>(function));
      destroy_ = [](void* held) { delete static_cast<Held*>(held); };
    }
  }

  R operator()(Args... arguments) const {
    if (call_ == nullptr) std::abort();
    return reinterpret_cast<Call*>(call_)(const_cast<void**>(held_),
                                          std::forward<Args>(arguments)...);
  }

 private:
  using Call = R(void** held, Args...);
};

}  // namespace certlatch
