#include "test/support/atomic_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace certlatch::test {
namespace {

namespace fs = std::filesystem;

void Need(bool done, const std::string& what) {
  if (done) return;
  std::perror(what.c_str());
  std::abort();
}

std::string FirstPart(const std::string& name) { return name.substr(0, name.find('/')); }

}  // namespace

std::string AtomicWriter::Write(const Payload& payload, mode_t mode) {
  const std::string old = Current();
  std::string generation = WriteGeneration(payload, mode);
  LinkNames(payload);
  Swap(generation);
  UnlinkOthers(payload);
  if (!old.empty()) Remove(old);
  return generation;
}

std::string AtomicWriter::WriteGeneration(const Payload& payload, mode_t mode) {
  char dated[64];
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::strftime(dated, sizeof dated, "..%Y_%m_%d_%H_%M_%S.XXXXXX", &utc);
  std::string path = directory_ + "/" + dated;
  Need(mkdtemp(path.data()) != nullptr && chmod(path.c_str(), 0755) == 0, path);
  for (const auto& [name, bytes] : payload) {
    const std::string file = path + "/" + name;
    fs::create_directories(fs::path(file).parent_path());
    std::ofstream(file) << bytes;
    Need(chmod(file.c_str(), mode) == 0, file);
  }
  return path.substr(directory_.size() + 1);
}

void AtomicWriter::LinkNames(const Payload& payload) {
  for (const auto& [name, bytes] : payload) {
    const std::string link = directory_ + "/" + FirstPart(name);
    const std::string target = "..data/" + FirstPart(name);
    Need(symlink(target.c_str(), link.c_str()) == 0 || errno == EEXIST, link);
  }
}

void AtomicWriter::Swap(const std::string& generation) {
  const std::string aside = directory_ + "/..data_tmp";
  Need(symlink(generation.c_str(), aside.c_str()) == 0, aside);
  Need(rename(aside.c_str(), (directory_ + "/..data").c_str()) == 0, aside);
}

void AtomicWriter::UnlinkOthers(const Payload& payload) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename();
    bool wanted = name.starts_with("..");
    for (const auto& [path, bytes] : payload) wanted = wanted || FirstPart(path) == name;
    if (!wanted) fs::remove(entry.path());
  }
}

void AtomicWriter::Remove(const std::string& generation) {
  fs::remove_all(directory_ + "/" + generation);
}

std::string AtomicWriter::Current() const {
  std::error_code absent;
  return fs::read_symlink(directory_ + "/..data", absent);
}

}  // namespace certlatch::test
