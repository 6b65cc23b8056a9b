// Replays every file of a fuzz target's corpus, and every prefix of the small ones, as a test.
// Linked with one target each; CERTLATCH_CORPUS is its directory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxForPrefixes = 512;

std::vector<std::filesystem::path> Corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(CERTLATCH_CORPUS)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<uint8_t> Bytes(const std::filesystem::path& path) {
  std::vector<uint8_t> bytes(std::filesystem::file_size(path));
  std::FILE* file = std::fopen(path.c_str(), "rb");
  EXPECT_NE(file, nullptr) << path;
  if (file == nullptr) return {};
  EXPECT_EQ(std::fread(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fclose(file);
  return bytes;
}

TEST(FuzzCorpus, HoldsForEveryFile) {
  const auto files = Corpus();
  EXPECT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    const std::vector<uint8_t> bytes = Bytes(file);
    EXPECT_EQ(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()), 0);
  }
}

TEST(FuzzCorpus, HoldsForEveryPrefixOfTheSmallFiles) {
  for (const auto& file : Corpus()) {
    SCOPED_TRACE(file.filename());
    const std::vector<uint8_t> bytes = Bytes(file);
    if (bytes.size() > kMaxForPrefixes) continue;
    for (size_t length = 0; length < bytes.size(); ++length) {
      // A copy of its own, so that a sanitizer sees a read past the end.
      const std::vector<uint8_t> prefix(bytes.begin(),
                                        bytes.begin() + static_cast<ptrdiff_t>(length));
      EXPECT_EQ(LLVMFuzzerTestOneInput(prefix.data(), prefix.size()), 0);
    }
  }
}

}  // namespace
