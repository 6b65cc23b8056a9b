// HideMemory keeps what this process holds, tokens and keys among it, from core dumps and from
// other processes of the same user (ptrace, and what /proc/PID shows of memory and surroundings).
// Children inherit both; an executed program only the first. Does nothing under sanitizers:
// LeakSanitizer looks at the process from outside.
#pragma once

namespace certlatch {

void HideMemory();

}  // namespace certlatch
