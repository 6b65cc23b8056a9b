// HideMemory keeps what this process holds, tokens and keys among it, from core dumps and from other
// processes of the same user (ptrace, /proc/PID/mem, /proc/PID/environ). Children inherit it; an
// executed program does not inherit the second.
// Does nothing under sanitizers: LeakSanitizer looks at the process from outside.
#pragma once

namespace certlatch {

void HideMemory();

}  // namespace certlatch
