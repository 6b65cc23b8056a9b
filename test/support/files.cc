#include "test/support/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace certlatch::test {
namespace {

Error SystemError(const std::string& what) {
  const int number = errno;
  return Error{number == ENOENT ? Code::kNotFound : Code::kConfig,
               what + ": " + std::strerror(number)};
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/certlatch-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
}

TempDir::~TempDir() {
  std::error_code ignored;  // a file may vanish while we remove the tree
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::File(std::string_view name) const { return path_ + "/" + std::string(name); }

Status WriteFile(const std::string& path, std::string_view bytes, mode_t mode) {
  std::string aside = path + ".XXXXXX";
  const int fd = mkostemp(aside.data(), O_CLOEXEC);
  if (fd < 0) return SystemError(path);
  const bool written = WriteAll(fd, bytes) && fchmod(fd, mode) == 0;
  Status status;
  if (!written) status = SystemError(path);
  close(fd);
  if (written && rename(aside.c_str(), path.c_str()) != 0) status = SystemError(path);
  if (!status) unlink(aside.c_str());
  return status;
}

Result<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(path);
  std::string bytes;
  char block[64 * 1024];
  ssize_t got = 0;
  while ((got = read(fd, block, sizeof block)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || bytes.size() + static_cast<size_t>(got) > kMaxFileBytes) break;
    bytes.append(block, static_cast<size_t>(got));
  }
  Result<std::string> result = Error{Code::kConfig, path + ": too large"};
  if (got < 0) result = SystemError(path);
  if (got == 0) result = std::move(bytes);
  close(fd);
  return result;
}

}  // namespace certlatch::test
