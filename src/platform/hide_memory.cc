#include "platform/hide_memory.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define CERTLATCH_SANITIZED true
#elif defined(__has_feature)
#define CERTLATCH_SANITIZED __has_feature(address_sanitizer)
#else
#define CERTLATCH_SANITIZED false
#endif

namespace certlatch {

void HideMemory() {
  if (CERTLATCH_SANITIZED) return;
  // Neither can fail: less is always allowed.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace certlatch
