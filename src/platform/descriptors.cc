#include "platform/descriptors.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace certlatch {

// By number, since musl has no function for it.
void CloseAllBut(int kept) {
  constexpr int kFirst = STDERR_FILENO + 1;
  const auto close_range = [](int first, unsigned last) {
    syscall(SYS_close_range, static_cast<unsigned>(first), last, 0U);
  };
  if (kept > kFirst) close_range(kFirst, static_cast<unsigned>(kept) - 1);
  close_range(std::max(kept + 1, kFirst), ~0U);
}

}  // namespace certlatch
