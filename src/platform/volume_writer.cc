#include "platform/volume_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/text.h"
#include "base/unique_fd.h"
#include "domain/base64.h"
#include "domain/secret_files.h"
#include "platform/file.h"

namespace certlatch {
namespace {

constexpr const char* kData = "..data";
constexpr const char* kAside = "..data_tmp";
constexpr const char* kProgram = "certlatch";
constexpr const char* kNewProgram = ".certlatch.new";
constexpr size_t kMaxProgram = size_t{1} << 30;

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Of what errno says.
Error Problem(const std::string& path) {
  const int problem = errno;
  const std::string shown = Printable(path);
  Code code = Code::kConfig;
  const char* step = "mount an emptyDir there, to be written to";
  switch (problem) {
    case ENOENT:
    case ENOTDIR:
    case EROFS:
      break;
    case EACCES:
    case EPERM:
      return Failure(code, "%s: %s; give uid %u the right to write there: fsGroup", shown.c_str(),
                     std::strerror(problem), geteuid());
    default:
      code = Code::kRetry;
      step = "there must be room for two generations (the emptyDir's sizeLimit)";
      if (problem != ENOSPC && problem != EDQUOT) step = "trying again may help";
  }
  return Failure(code, "%s: %s; %s", shown.c_str(), std::strerror(problem), step);
}

Error Foreign(const std::string& directory, const char* name) {
  return PathError(Format("%s/%s", directory.c_str(), name),
                   "was not made by certlatch; use an empty directory", Code::kConfig);
}

// One at a time: the lock goes with the descriptor, however this ends.
Status OpenLocked(const std::string& directory, UniqueFd& top) {
  // A slash at the end would follow a link.
  const size_t last = directory.find_last_not_of('/');
  const std::string path(directory, 0, last == std::string::npos ? 1 : last + 1);
  top = UniqueFd(open(path.c_str(), kOpenDirectory));
  if (!top.valid()) return Problem(directory);
  if (flock(top.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return Problem(directory);
  return PathError(directory, "another certlatch is writing there");
}

// A new file, whole and with its mode before it is closed. False: see errno.
bool WriteNew(int directory, const char* name, std::string_view bytes, mode_t mode) {
  const UniqueFd fd(openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           S_IRUSR | S_IWUSR));
  if (!fd.valid()) return false;
  while (!bytes.empty()) {
    const ssize_t count = write(fd.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return fchmod(fd.get(), mode) == 0;
}

std::vector<std::string> NamesIn(int directory) {
  std::vector<std::string> names;
  DIR* entries = fdopendir(openat(directory, ".", kOpenDirectory));
  if (entries == nullptr) return names;
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(entries);
  return names;
}

// Where the link leads; "": there is none.
std::string LinkAt(int directory, const char* name) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(directory, name, target, sizeof target);
  return {target, length > 0 ? static_cast<size_t>(length) : 0};
}

// "..2026_01_02_03_04_05.678901234"
bool IsGeneration(std::string_view name) {
  constexpr std::string_view kForm = "..0000_00_00_00_00_00.";
  if (name.size() <= kForm.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char form = i < kForm.size() ? kForm[i] : '0';
    const bool digit = name[i] >= '0' && name[i] <= '9';
    if (form == '0' ? !digit : name[i] != form) return false;
  }
  return true;
}

std::string NewGeneration() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  return Format("..%04d_%02d_%02d_%02d_%02d_%02d.%09ld", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec);
}

// One write.
class Writing {
 public:
  Writing(const std::string& directory, const Json& data, mode_t mode)
      : directory_(directory), files_(data.members()), mode_(mode) {}

  Status Do(std::string& written);

 private:
  Status LookAround();
  bool HasAll() const;
  bool WriteFiles(const char* generation) const;
  bool Swap(const char* generation) const;
  bool LinkNames() const;
  void Remove(const char* generation) const;
  void Tidy() const;

  const std::string& directory_;
  const Json::Object& files_;
  mode_t mode_;
  UniqueFd top_;
  std::string current_;  // what `..data` leads to
};

std::string VisibleLink(const std::string& name) { return Format("%s/%s", kData, name.c_str()); }

// Whether all names are ours or free.
Status Writing::LookAround() {
  struct stat info {};
  current_ = LinkAt(top_.get(), kData);
  const bool exists = fstatat(top_.get(), kData, &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (exists && !IsGeneration(current_)) return Foreign(directory_, kData);
  const bool has_aside = fstatat(top_.get(), kAside, &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (has_aside && LinkAt(top_.get(), kAside).empty()) return Foreign(directory_, kAside);
  for (const Json::Member& file : files_) {
    const char* const name = file.key.c_str();
    if (fstatat(top_.get(), name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (LinkAt(top_.get(), name) != VisibleLink(file.key)) return Foreign(directory_, name);
  }
  return {};
}

// Whether the present generation holds these very files, and for the same readers.
bool Writing::HasAll() const {
  const UniqueFd generation(openat(top_.get(), current_.c_str(), kOpenDirectory));
  if (current_.empty() || !generation.valid()) return false;
  if (NamesIn(generation.get()).size() != files_.size()) return false;
  for (const Json::Member& file : files_) {
    const UniqueFd fd(openat(generation.get(), file.key.c_str(),
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat info {};
    if (!fd.valid() || fstat(fd.get(), &info) != 0 || (info.st_mode & 07777) != mode_) return false;
    Result<std::string> text = ReadOpenFile(fd.get(), file.key, kMaxSecretBytes);
    if (!text) return false;
    const Secret found(*std::move(text));
    const Result<Secret> wanted = DecodeBase64Secret(file.value.AsString());
    if (!wanted || found.Reveal() != wanted->Reveal()) return false;
  }
  return true;
}

bool Writing::WriteFiles(const char* generation) const {
  if (mkdirat(top_.get(), generation, S_IRWXU) != 0) return false;
  const UniqueFd fd(openat(top_.get(), generation, kOpenDirectory));
  if (!fd.valid()) return false;
  for (const Json::Member& file : files_) {
    const Result<Secret> bytes = DecodeBase64Secret(file.value.AsString());
    if (!bytes || !WriteNew(fd.get(), file.key.c_str(), bytes->Reveal(), mode_)) return false;
  }
  // To be searched by whom it may be read; and to be emptied by us.
  const mode_t readers = mode_ & 0444;
  return fchmod(fd.get(), S_IRWXU | readers | readers >> 2) == 0;
}

bool Writing::LinkNames() const {
  for (const Json::Member& file : files_) {
    const int made = symlinkat(VisibleLink(file.key).c_str(), top_.get(), file.key.c_str());
    if (made != 0 && errno != EEXIST) return false;
  }
  return true;
}

// New names lead nowhere until the rename: they appear with the generation.
bool Writing::Swap(const char* generation) const {
  if (!LinkAt(top_.get(), kAside).empty()) unlinkat(top_.get(), kAside, 0);
  return LinkNames() && symlinkat(generation, top_.get(), kAside) == 0 &&
         renameat(top_.get(), kAside, top_.get(), kData) == 0;
}

void Writing::Remove(const char* generation) const {
  const UniqueFd fd(openat(top_.get(), generation, kOpenDirectory));
  if (!fd.valid()) return;
  for (const std::string& name : NamesIn(fd.get())) unlinkat(fd.get(), name.c_str(), 0);
  unlinkat(top_.get(), generation, AT_REMOVEDIR);
}

// Older generations, what a crash left, and links of names that the present generation has not: it
// is the old one where the new could not be written.
void Writing::Tidy() const {
  struct stat info {};
  for (const std::string& name : NamesIn(top_.get())) {
    const std::string target = LinkAt(top_.get(), name.c_str());
    if (IsGeneration(name) && name != current_) Remove(name.c_str());
    bool stale = name == kAside && !target.empty();
    if (target == VisibleLink(name)) {
      stale = fstatat(top_.get(), name.c_str(), &info, 0) != 0 && errno == ENOENT;
    }
    if (stale) unlinkat(top_.get(), name.c_str(), 0);
  }
}

Status Writing::Do(std::string& written) {
  Status status = OpenLocked(directory_, top_);
  if (status) status = LookAround();
  if (!status) return status;
  if (HasAll()) {
    if (!LinkNames()) return Problem(directory_);
  } else {
    const std::string generation = NewGeneration();
    if (!WriteFiles(generation.c_str()) || !Swap(generation.c_str())) {
      status = Problem(directory_);
    } else {
      current_ = written = generation;
    }
  }
  Tidy();
  return status;
}

}  // namespace

Status WriteVolume(const std::string& directory, const Json& data, mode_t mode,
                   std::string& written) {
  return Writing(directory, data, mode).Do(written);
}

Status InstallProgram(const std::string& directory) {
  UniqueFd top;
  Status status = OpenLocked(directory, top);
  if (!status) return status;
  const Result<std::string> program = ReadSmallFile("/proc/self/exe", kMaxProgram);
  if (!program) return program.error();
  unlinkat(top.get(), kNewProgram, 0);
  if (!WriteNew(top.get(), kNewProgram, *program, 0555) ||
      renameat(top.get(), kNewProgram, top.get(), kProgram) != 0) {
    status = Problem(directory);
    unlinkat(top.get(), kNewProgram, 0);
  }
  return status;
}

}  // namespace certlatch
