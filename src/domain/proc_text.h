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

}  // namespace certlatch
