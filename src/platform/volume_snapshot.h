// ReadVolume reads the files of a mounted Secret so that all are of one generation.
// The kubelet's AtomicWriter writes each generation into a directory of its own and renames the
// link `..data` to it: all files are read through one descriptor of that directory. Without
// `..data`, files and chains of links are read until two looks see the same.
// Files are hostile input: only regular ones, of at most kMaxVolumeFile bytes; never blocks.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "domain/volume_snapshot.h"
#include "platform/directory_watches.h"

namespace certlatch {

constexpr size_t kMaxVolumeFile = size_t{1024} * 1024;  // the bound of a Secret's data

// `names` are relative to `directory` and may name files in directories below. `watches` gets the
// directories that decide about the answer: the volume, and those of links and files on the way.
// Links may lead out of the volume, except inside the generation of an AtomicWriter.
// Errors, each names the path: kNotFound, no such directory; kRetry, everything else: not a regular
// file, too large, not permitted, changed while it was read.
Result<VolumeSnapshot> ReadVolume(const std::string& directory, std::span<const std::string> names,
                                  DirectoryWatches* watches = nullptr);

// Error kConfig: the volume, or a file of it, is mounted with subPath and so never changes. Says
// nothing where the machine does not tell (no /proc, or more mounts than we read).
Status RefuseSubPath(const std::string& directory, std::span<const std::string> names);

}  // namespace certlatch
