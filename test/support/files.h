// Files for tests: a directory that vanishes with its owner, and whole files written and read.
// TempDir owns its directory and everything below; ReadFile reads at most kMaxFileBytes.
// The caller keeps its own paths; nothing here changes the working directory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace certlatch::test {

constexpr size_t kMaxFileBytes = size_t{64} * 1024 * 1024;

// Aborts where the directory cannot be made: no test can go on without it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const;  // path()/name; makes nothing

 private:
  std::string path_;
};

// Replaces the file in one step (write aside, rename), so that a reader sees all or nothing.
Status WriteFile(const std::string& path, std::string_view bytes, mode_t mode = 0600);

// Error kNotFound: no such file; kConfig: anything else, among it a file past the bound.
Result<std::string> ReadFile(const std::string& path);

}  // namespace certlatch::test
