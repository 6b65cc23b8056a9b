#include "platform/volume_snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.h"
#include "domain/proc_text.h"
#include "platform/file.h"

namespace certlatch {
namespace {

constexpr int kMaxLinks = 16;
constexpr int kMaxLooks = 10;  // a swap takes a millisecond, a look a tenth of one
constexpr size_t kMaxListed = 8;
constexpr size_t kMaxMountInfo = size_t{256} * 1024;
constexpr const char* kData = "..data";

// Where a name leads, once all links are followed.
struct Place {
  UniqueFd directory;
  std::string name;  // in it
  struct stat info {};
};

constexpr int kWithoutReading = O_PATH | O_NOFOLLOW | O_CLOEXEC;

// One look at the volume.
class Look {
 public:
  Look(int top, const std::string& directory, DirectoryWatches* watches)
      : top_(top), directory_(directory), watches_(watches) {}

  void Read(std::span<const std::string> names);
  // 0, or errno.
  int Follow(int from, std::string rest, int max_links, Place& place);

  // All files are there, and of one generation by construction.
  bool IsWhole() const { return problem_.empty() && !snapshot_.generation.empty() && !misses_; }
  bool SawTheSame(const Look& other) const;
  Result<VolumeSnapshot> Take() &&;

 private:
  [[gnu::noinline]] void ReadFile(int base, const std::string& name, VolumeFile& file);
  void Fail(const std::string& path, const char* problem);
  void Note(const struct stat& info);
  void Watch(int directory) {
    if (watches_ != nullptr) watches_->Add(directory);
  }

  int top_;
  const std::string& directory_;
  DirectoryWatches* watches_;
  std::string last_link_;  // where the last link that was followed leads
  bool misses_ = false;
  std::string problem_;
  VolumeSnapshot snapshot_;
};

void Look::Fail(const std::string& path, const char* problem) {
  problem_ = PathError(path, problem).text;
}

void Look::Note(const struct stat& info) {
  const PreciseTime changed = TimeOf(info.st_ctim);
  const int64_t facts[] = {static_cast<int64_t>(info.st_dev), static_cast<int64_t>(info.st_ino),
                           info.st_size, TimeOf(info.st_mtim).time_since_epoch().count(),
                           changed.time_since_epoch().count()};
  snapshot_.identity.append(reinterpret_cast<const char*>(facts), sizeof facts);
  snapshot_.appeared = std::max(snapshot_.appeared, changed);
}

// As the kernel does, but noting each link: whoever replaces one makes a new generation.
int Look::Follow(int from, std::string rest, int max_links, Place& place) {
  UniqueFd at(openat(from, ".", kWithoutReading));
  for (int links = 0;;) {
    rest.erase(0, rest.find_first_not_of('/'));
    place.name = rest.empty() ? "." : rest.substr(0, rest.find('/'));
    rest.erase(0, place.name.size());
    rest.erase(0, rest.find_first_not_of('/'));
    UniqueFd next(openat(at.get(), place.name.c_str(), kWithoutReading));
    if (!next.valid() || fstat(next.get(), &place.info) != 0) {
      const int problem = errno;
      Watch(at.get());
      return problem;
    }
    if (S_ISDIR(place.info.st_mode) && !rest.empty()) {
      at = std::move(next);
      continue;
    }
    Note(place.info);
    Watch(at.get());
    if (!S_ISLNK(place.info.st_mode)) {
      place.directory = std::move(at);
      return rest.empty() ? 0 : ENOTDIR;
    }
    if (++links > max_links) return ELOOP;
    char target[PATH_MAX];
    const ssize_t length = readlinkat(next.get(), "", target, sizeof target);
    if (length <= 0) return ENOENT;
    last_link_.assign(target, static_cast<size_t>(length));
    if (target[0] == '/') at = UniqueFd(open("/", kWithoutReading));
    rest = Format("%s/%s", last_link_.c_str(), rest.c_str());
  }
}

// "ca.crt, server.crt": helps to find a misspelt name.
std::string List(int directory) {
  DIR* entries = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries == nullptr) return "";
  std::string names;
  size_t count = 0;
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name.starts_with("..")) continue;
    if (++count > 1) names += ", ";
    names += count > kMaxListed ? "..." : Printable(name, 64);
    if (count > kMaxListed) break;
  }
  closedir(entries);
  return count == 0 ? "nothing" : names;
}

void Look::Read(std::span<const std::string> names) {
  Place data;
  UniqueFd base;
  int problem = Follow(top_, kData, kMaxLinks, data);
  const bool has_data = problem != ENOENT || !last_link_.empty();
  if (problem == 0) {
    base = UniqueFd(openat(data.directory.get(), data.name.c_str(), kWithoutReading | O_DIRECTORY));
    problem = base.valid() ? 0 : errno;
  }
  if (has_data && problem != 0) {
    return Fail(Format("%s/%s", directory_.c_str(), kData), std::strerror(problem));
  }
  snapshot_.generation = last_link_;
  if (!last_link_.empty()) watches_ = nullptr;  // nothing is changed inside a generation
  const int base_fd = has_data ? base.get() : top_;
  snapshot_.files.resize(names.size());
  for (size_t i = 0; i < names.size() && problem_.empty(); ++i) {
    ReadFile(base_fd, names[i], snapshot_.files[i]);
  }
  if (misses_) snapshot_.holds = List(base_fd);
}

void Look::ReadFile(int base, const std::string& name, VolumeFile& file) {
  const std::string path = Printable(Format("%s/%s", directory_.c_str(), name.c_str()));
  const bool is_generation = !snapshot_.generation.empty();
  Place place;
  int problem = Follow(base, name, is_generation ? 0 : kMaxLinks, place);
  if (problem == ENOENT) {
    misses_ = true;
    file.missing = Format("%s: %s", path.c_str(), std::strerror(problem));
    return;
  }
  if (problem == ELOOP && is_generation) return Fail(path, "a symbolic link inside ..data");
  if (problem == 0 && !S_ISREG(place.info.st_mode)) return Fail(path, "not a regular file");
  UniqueFd fd;
  if (problem == 0) {
    fd = UniqueFd(openat(place.directory.get(), place.name.c_str(),
                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd.valid()) problem = errno;
  }
  if (problem == EACCES) {
    problem_ =
        Format("%s: Permission denied; give uid %u the right to read it: fsGroup, or defaultMode",
               path.c_str(), geteuid());
    return;
  }
  if (problem != 0) return Fail(path, std::strerror(problem));
  Result<std::string> text = ReadOpenFile(fd.get(), path, kMaxVolumeFile);
  if (!text) {
    problem_ = std::move(text).error().text;
    return;
  }
  file.bytes = Secret(*std::move(text));
  const size_t before = snapshot_.identity.size();
  fstat(fd.get(), &place.info);
  Note(place.info);
  const std::string_view identity = snapshot_.identity;
  if (!identity.substr(0, before).ends_with(identity.substr(before))) {
    Fail(path, "changed while it was read");
  }
}

bool Look::SawTheSame(const Look& other) const {
  return problem_ == other.problem_ && snapshot_.identity == other.snapshot_.identity &&
         std::equal(snapshot_.files.begin(), snapshot_.files.end(), other.snapshot_.files.begin(),
                    other.snapshot_.files.end(), [](const VolumeFile& a, const VolumeFile& b) {
                      return a.missing == b.missing && a.bytes.Reveal() == b.bytes.Reveal();
                    });
}

Result<VolumeSnapshot> Look::Take() && {
  if (!problem_.empty()) return Error{Code::kRetry, std::move(problem_)};
  return std::move(snapshot_);
}

// The number of the mount that a descriptor is on; nullopt: the kernel does not say.
std::optional<uint64_t> MountOf(int fd) {
  const auto info = ReadSmallFile(Format("/proc/self/fdinfo/%d", fd), 4096);
  return info ? ParseUint(ProcField(*info, "mnt_id")) : std::nullopt;
}

Error SubPath(const std::string& path) {
  return PathError(path,
                   "mounted with subPath, which the kubelet never updates; mount the whole volume "
                   "on a directory of its own",
                   Code::kConfig);
}

}  // namespace

[[gnu::noinline]] Result<VolumeSnapshot> ReadVolume(const std::string& directory,
                                                    std::span<const std::string> names,
                                                    DirectoryWatches* watches) {
  const UniqueFd top(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top.valid()) {
    const int problem = errno;
    return PathError(directory, std::strerror(problem),
                     problem == ENOENT ? Code::kNotFound : Code::kRetry);
  }
  std::optional<Look> last;
  for (int i = 0; i < kMaxLooks; ++i) {
    Look look(top.get(), directory, watches);
    look.Read(names);
    if (look.IsWhole() || (last && look.SawTheSame(*last))) return std::move(look).Take();
    last.emplace(std::move(look));
  }
  return PathError(directory, "keeps changing while it is read");
}

[[gnu::noinline]] Status RefuseSubPath(const std::string& directory,
                                       std::span<const std::string> names) {
  const UniqueFd top(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto mounts = ReadSmallFile("/proc/self/mountinfo", kMaxMountInfo);
  if (!top.valid() || !mounts) return {};
  const auto is_pinned = [&](std::optional<uint64_t> mount) {
    return mount && IsPinnedRoot(MountRoot(*mounts, *mount));
  };
  if (is_pinned(MountOf(top.get()))) return SubPath(directory);
  for (const std::string& name : names) {
    Place place;
    if (Look(top.get(), directory, nullptr).Follow(top.get(), name, kMaxLinks, place) != 0)
      continue;
    const UniqueFd file(openat(place.directory.get(), place.name.c_str(), kWithoutReading));
    const auto mount = MountOf(file.get());
    if (mount != MountOf(place.directory.get()) || is_pinned(mount)) {
      return SubPath(Format("%s/%s", directory.c_str(), name.c_str()));
    }
  }
  return {};
}

}  // namespace certlatch
