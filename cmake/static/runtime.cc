// The part of the C++ runtime that a program without exceptions and RTTI needs. Whatever would
// throw says what it is and aborts: the product asks before it acts, so this is a bug, or no
// memory.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

namespace {

[[noreturn, gnu::noinline]] void Die(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
  }
  std::abort();
}

void* Allocate(size_t size) { return std::malloc(size == 0 ? 1 : size); }

}  // namespace

void* operator new(size_t size) {
  void* memory = Allocate(size);
  if (memory == nullptr) Die("out of memory");
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

// What libstdc++'s headers call in place of throw.
namespace std {
void __throw_length_error(const char* text) { Die(text); }
void __throw_logic_error(const char* text) { Die(text); }
void __throw_invalid_argument(const char* text) { Die(text); }
void __throw_out_of_range(const char* text) { Die(text); }
void __throw_out_of_range_fmt(const char* text, ...) { Die(text); }
void __throw_bad_alloc() { Die("std::bad_alloc"); }
void __throw_bad_array_new_length() { Die("std::bad_array_new_length"); }
void __throw_bad_function_call() { Die("std::bad_function_call"); }
void __throw_bad_cast() { Die("std::bad_cast"); }
void __throw_bad_optional_access() { Die("std::bad_optional_access"); }
void __throw_system_error(int) { Die("std::system_error"); }
// Of std::make_shared as it was before GCC 8; libstdc++ without RTTI says the same.
bool _Sp_make_shared_tag::_S_eq(const type_info&) noexcept { return false; }
}  // namespace std

extern "C" {

void __cxa_pure_virtual() { Die("pure virtual function called"); }

// Initialisation of local statics: there is one thread.
int __cxa_guard_acquire(unsigned char* guard) { return *guard == 0; }
void __cxa_guard_release(unsigned char* guard) { *guard = 1; }
void __cxa_guard_abort(unsigned char*) {}
}
