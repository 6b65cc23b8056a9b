// ReadSmallFile reads a whole file that someone else may replace, or have replaced by anything.
// Never blocks (a FIFO or device is refused) and never reads more than `most` bytes.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace certlatch {

// "PATH: PROBLEM", the path as it may be shown: it may come from argv, or from a mount.
[[gnu::noinline]] Error PathError(const std::string& path, const char* problem,
                                  Code code = Code::kRetry);

// Error (kRetry): "PATH: No such file or directory", "PATH: larger than N bytes", …
Result<std::string> ReadSmallFile(const std::string& path, size_t most);

// The same of a file that is open already, and read from where it stands; `path` is for the text.
Result<std::string> ReadOpenFile(int fd, const std::string& path, size_t most);

// Writes `text` over an existing file; does not create one.
Status OverwriteFile(const std::string& path, std::string_view text);

// Sets the times of what is there (through links; a directory, too) to now; creates nothing: a path
// mistyped must not look like success. A file that we may write to is opened for it, since watchers
// of inotify's CLOSE_WRITE would miss changed times alone.
// Errors: kNotFound, kDenied where the file or file system is not ours to write, else kRetry.
Status TouchFile(const std::string& path);

// What the kernel tells of files and clocks.
PreciseTime TimeOf(const timespec& time);

}  // namespace certlatch
