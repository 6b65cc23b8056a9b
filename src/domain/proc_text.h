// The texts that Linux shows below /proc, as facts (proc(5)).
// Pure; any bytes at all may come in: names of processes and paths are chosen by others. Bounded by
// what the caller has read. What is not understood is nullopt or empty, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace certlatch {

// What follows `name` and its colon in "name:\tvalue" lines, trimmed: fdinfo, status. The first
// counts: the kernel escapes line breaks in names, so no later line can be forged before it.
std::string_view ProcField(std::string_view text, std::string_view name);

// The root of mount number `id` in mountinfo: the directory of its file system that is mounted, as
// it stands there (spaces are "\040"). Empty: no such mount.
std::string_view MountRoot(std::string_view mountinfo, uint64_t id);

// Whether a mount of `root` stays at one generation of a volume for ever, as a subPath does: it
// leads into one of the dated directories that the kubelet's AtomicWriter makes and replaces.
bool IsPinnedRoot(std::string_view root);

// The start of /proc/PID/stat. The name may hold anything: spaces, ")" and line breaks.
struct ProcStat {
  std::string_view name;  // the kernel keeps 15 bytes of it
  char state = 0;         // R running, S sleeping, T stopped, Z zombie, …
  int parent = 0;
  uint64_t start_ticks = 0;  // since boot; with the PID it names one process for ever
};
std::optional<ProcStat> ParseProcStat(std::string_view stat);

// What a signal does to a process, from /proc/PID/status.
struct SignalMasks {
  // Bit n-1 stands for signal n.
  uint64_t caught = 0;
  uint64_t blocked = 0;
  uint64_t ignored = 0;
  uint32_t uid = 0;      // its real one
  bool is_init = false;  // PID 1 of its namespace: what it does not handle is dropped
};
std::optional<SignalMasks> ParseSignalMasks(std::string_view status);

enum class SignalFate {
  kHandled,  // it has a handler, or blocks it to read it from a signalfd
  kIgnored,  // nothing would happen
  kDefault,  // no handler (yet): most signals would end it
};
SignalFate FateOf(int signal, const SignalMasks& masks);

}  // namespace certlatch
