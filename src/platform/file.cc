#include "platform/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/secret.h"
#include "base/text.h"
#include "base/unique_fd.h"

namespace certlatch {
namespace {

Error TooLarge(const std::string& path, size_t most) {
  return PathError(path, Format("larger than %zu bytes", most).c_str());
}

}  // namespace

Error PathError(const std::string& path, const char* problem, Code code) {
  return Failure(code, "%s: %s", Printable(path).c_str(), problem);
}

Result<std::string> ReadSmallFile(const std::string& path, size_t most) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return PathError(path, std::strerror(errno));
  return ReadOpenFile(fd.get(), path, most);
}

Result<std::string> ReadOpenFile(int fd, const std::string& path, size_t most) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return PathError(path, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return PathError(path, "not a regular file");
  if (static_cast<uint64_t>(info.st_size) > most) return TooLarge(path, most);
  // Files of /proc, and of some FUSE file systems, say that they are empty and are not.
  const size_t expected = info.st_size > 0 ? static_cast<size_t>(info.st_size) : most;
  // One byte more than it should have, to notice growth. Reserved at once: a secret must not leave
  // copies behind in buffers outgrown.
  std::string text(expected + 1, '\0');
  size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = read(fd, text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Wipe(text);
      return PathError(path, std::strerror(errno));
    }
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  if (length == text.size()) {
    Wipe(text);
    if (expected == most) return TooLarge(path, most);
    return PathError(path, "changed while it was read");
  }
  text.resize(length);
  return text;
}

Status OverwriteFile(const std::string& path, std::string_view text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_TRUNC));
  if (!fd.valid()) return PathError(path, std::strerror(errno));
  while (!text.empty()) {
    const ssize_t count = write(fd.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return PathError(path, std::strerror(errno));
    text.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Status TouchFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  // Whoever owns the file may do it without the right to write.
  const int failed =
      fd.valid() ? futimens(fd.get(), nullptr) : utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  if (failed == 0) return {};
  const int problem = errno;
  Error error = PathError(path, std::strerror(problem));
  if (problem == ENOENT || problem == ENOTDIR) error.code = Code::kNotFound;
  if (problem == EACCES || problem == EPERM || problem == EROFS) error.code = Code::kDenied;
  return error;
}

PreciseTime TimeOf(const timespec& time) {
  return PreciseTime(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
}

}  // namespace certlatch
