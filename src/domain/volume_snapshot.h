// VolumeSnapshot is what one reading of a mounted Secret gave: the files' bytes, all of one
// generation. Plain values; platform/volume_snapshot fills them in.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace certlatch {

struct VolumeFile {
  Secret bytes;
  std::string missing;  // "PATH: No such file or directory"; empty: the file is there
};

struct VolumeSnapshot {
  std::vector<VolumeFile> files;  // in the order of the names
  std::string holds;              // where a file is missing, what there is: "ca.crt, server.crt"

  // What `..data` leads to, e.g. "..2026_01_02_03_04_05.678"; empty: there is no `..data`.
  std::string generation;
  // Equal for two looks at the same generation: device, inode and times of all links and files on
  // the way. Opaque bytes. Other identities may hold equal files: compare digests.
  std::string identity;
  // The last change of what leads to the files, by their file system's clock: a process that
  // started later has read this generation. It may be later than the content: changing a link's
  // owner changes it, too.
  PreciseTime appeared{};
};

}  // namespace certlatch
