#include "platform/manifest_files.h"

#include <dirent.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "domain/manifest.h"
#include "platform/file.h"
#include "platform/loop.h"

namespace certlatch {
namespace {

constexpr int kMaxDepth = 16;  // of directories

bool HasManifestName(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".yaml") || name.ends_with(".yml");
}

// Waits for bytes, or for the end. nullptr: they are there; else why there is nothing to wait for.
const char* AwaitInput(int signals, Instant deadline) {
  pollfd ready[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
  int count = 0;
  while (count <= 0) {
    const Duration left = deadline - Loop::Now();
    if (left <= 0s) return "timed out";
    count = poll(ready, 2, static_cast<int>((std::min<Duration>(left, 24h) + 1ms) / 1ms));
  }
  if (ready[1].revents == 0) return nullptr;
  signalfd_siginfo info{};
  (void)!read(signals, &info, sizeof info);
  return info.ssi_signo == SIGTERM ? "interrupted by SIGTERM" : "interrupted by SIGINT";
}

// Up to its end. As PID 1 nobody is ended by a signal that is not asked for.
Result<std::string> ReadInput(Instant deadline) {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&ends, signal);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  const UniqueFd signals(signalfd(-1, &ends, SFD_CLOEXEC));
  std::string text(kMaxManifestFile + 1, '\0');
  size_t length = 0;
  while (length < text.size()) {
    if (const char* const why = AwaitInput(signals.get(), deadline)) {
      return Failure(Code::kConfig, "%s: standard input has not ended; close it, or name a file",
                     why);
    }
    const ssize_t count = read(STDIN_FILENO, text.data() + length, text.size() - length);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return Failure(Code::kConfig, "standard input cannot be read");
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  if (length == text.size()) {
    return Failure(Code::kConfig, "standard input is larger than %zu bytes", kMaxManifestFile);
  }
  text.resize(length);
  return text;
}

// nullptr: it was the last.
const std::string* Following(const std::string& name, const std::vector<std::string>& names) {
  const std::string* next = nullptr;
  for (const std::string& other : names) {
    if (other > name && (next == nullptr || other < *next)) next = &other;
  }
  return next;
}

class Files {
 public:
  Files(bool recursive, Duration limit, std::vector<TargetName>& targets)
      : recursive_(recursive), deadline_(SaturatingAdd(Loop::Now(), limit)), targets_(targets) {}

  // What the command line names.
  Status AddNamed(const std::string& path) {
    if (path.starts_with("http://") || path.starts_with("https://")) {
      return Failure(Code::kConfig, "%s: manifests are not fetched; give a file, or - and a pipe",
                     Printable(path, 300).c_str());
    }
    struct stat info {};
    if (path == "-") return Add(path, ReadInput(deadline_));
    if (stat(path.c_str(), &info) != 0 && errno == ENOENT) {
      return Failure(Code::kConfig, "the path \"%s\" does not exist", Printable(path, 300).c_str());
    }
    return S_ISDIR(info.st_mode) ? AddDirectory(path, 0)
                                 : Add(path, ReadSmallFile(path, kMaxManifestFile));
  }

 private:
  Status Add(const std::string& path, const Result<std::string>& text) {
    if (!text) return Error{Code::kConfig, Printable(text.error().text)};
    return ReadManifest(*text, path, targets_);
  }

  // In the order of the names; ".." and what the kubelet keeps beside a volume's files are no
  // manifests.
  Status AddDirectory(const std::string& path, int depth) {  // NOLINT(misc-no-recursion)
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr || depth > kMaxDepth) {
      return Failure(Code::kConfig, "%s: cannot be read", Printable(path, 300).c_str());
    }
    std::vector<std::string> names;
    while (const dirent* entry = readdir(directory)) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view name = entry->d_name;
      if (name != "." && !name.starts_with("..")) names.emplace_back(name);
    }
    closedir(directory);
    // Directories of manifests are small: no sorting, but always the next name.
    std::string last;
    while (const std::string* next = Following(last, names)) {
      last = *next;
      Status status = AddEntry(Format("%s/%s", path.c_str(), last.c_str()), depth);
      if (!status) return status;
    }
    return {};
  }

  Status AddEntry(const std::string& path, int depth) {  // NOLINT(misc-no-recursion)
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return {};  // gone meanwhile
    if (S_ISDIR(info.st_mode)) {
      if (recursive_) return AddDirectory(path, depth + 1);
    } else if (HasManifestName(path)) {
      return Add(path, ReadSmallFile(path, kMaxManifestFile));
    }
    return {};
  }

  bool recursive_;
  Instant deadline_;
  std::vector<TargetName>& targets_;
};

}  // namespace

Status ReadManifestFiles(const std::vector<std::string>& files, bool recursive, Duration limit,
                         std::vector<TargetName>& targets) {
  Files all(recursive, limit, targets);
  for (const std::string& file : files) {
    Status status = all.AddNamed(file);
    if (!status) return status;
  }
  return {};
}

}  // namespace certlatch
