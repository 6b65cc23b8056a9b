#include "platform/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include "base/unique_fd.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

std::string Problem(const std::string& path, size_t most = 100) {
  const Result<std::string> read = ReadSmallFile(path, most);
  if (read) return "read " + *read;
  EXPECT_EQ(read.error().code, Code::kRetry);
  EXPECT_THAT(read.error().text, StartsWith(path + ": "));
  return read.error().text.substr(path.size() + 2);
}

class FileTest : public ::testing::Test {
 protected:
  const test::TempDir directory_;
  const std::string path_ = directory_.File("file");
};

TEST_F(FileTest, ReadsWhatIsThereUpToItsBound) {
  const std::string text = std::string("a\0b\n", 4) + std::string(96, 'x');
  ASSERT_TRUE(test::WriteFile(path_, text));
  EXPECT_EQ(ReadSmallFile(path_, 100).value(), text);
  EXPECT_EQ(ReadSmallFile(path_, 101).value(), text);
  EXPECT_EQ(Problem(path_, 99), "larger than 99 bytes");
}

TEST_F(FileTest, ReadsAnEmptyFile) {
  ASSERT_TRUE(test::WriteFile(path_, ""));
  EXPECT_EQ(ReadSmallFile(path_, 100).value(), "");
}

TEST_F(FileTest, FollowsLinksAsTheKubeletMakesThem) {
  ASSERT_EQ(mkdir(directory_.File("..2026").c_str(), 0700), 0);
  ASSERT_TRUE(test::WriteFile(directory_.File("..2026/token"), "abc"));
  ASSERT_EQ(symlink("..2026", directory_.File("..data").c_str()), 0);
  ASSERT_EQ(symlink("..data/token", path_.c_str()), 0);
  EXPECT_EQ(ReadSmallFile(path_, 100).value(), "abc");
}

TEST_F(FileTest, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(Problem(directory_.File("missing")), "No such file or directory");
  EXPECT_EQ(Problem(directory_.path()), "not a regular file");
  EXPECT_EQ(Problem("/dev/zero"), "not a regular file");
  EXPECT_EQ(Problem(path_ + "/below"), "No such file or directory");
  ASSERT_EQ(symlink("file", path_.c_str()), 0);
  EXPECT_EQ(Problem(path_), "Too many levels of symbolic links");
}

TEST_F(FileTest, APathIsShownAsText) {
  EXPECT_EQ(ReadSmallFile("/none\n\033[2J", 100).error().text,
            "/none\\x0a\\x1b[2J: No such file or directory");
  const std::string path = directory_.File("a\nb");
  std::ofstream(path) << "long";
  EXPECT_EQ(ReadSmallFile(path, 2).error().text, directory_.File("a\\x0ab: larger than 2 bytes"));
}

TEST_F(FileTest, AFifoDoesNotBlock) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(Problem(path_), "not a regular file");
}

TEST_F(FileTest, RefusesASocket) {
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path_.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path_.data(), path_.size());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(Problem(path_), "No such device or address");
}

TEST_F(FileTest, ReadsFilesOfProcThoughTheySayThatTheyAreEmpty) {
  const auto status = ReadSmallFile("/proc/self/status", size_t{64} * 1024);
  ASSERT_TRUE(status) << status.error().text;
  EXPECT_THAT(*status, StartsWith("Name:"));
  EXPECT_EQ(Problem("/proc/self/status", 10), "larger than 10 bytes");
}

TEST_F(FileTest, OverwritesAFileThatExists) {
  ASSERT_TRUE(test::WriteFile(path_, "something longer", 0640));
  ASSERT_TRUE(OverwriteFile(path_, "new"));
  EXPECT_EQ(test::ReadFile(path_).value(), "new");
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST_F(FileTest, OverwritingDoesNotCreate) {
  EXPECT_FALSE(OverwriteFile(path_, "new"));
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(FileTest, OverwritingDoesNotBlockOnAFifoThatNobodyReads) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const Status written = OverwriteFile(path_, "new");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().text, EndsWith("No such device or address"));
}

TEST_F(FileTest, OverwritingSaysWhenTheDiskIsFull) {
  const Status written = OverwriteFile("/dev/full", "new");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text, "/dev/full: No space left on device");
}

timespec ChangedAt(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mtim;
}

void SetLongAgo(const std::string& path) {
  const timespec times[] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

TEST_F(FileTest, TouchingChangesTheTimeAndNothingElse) {
  ASSERT_TRUE(test::WriteFile(path_, "text", 0640));
  SetLongAgo(path_);
  ASSERT_TRUE(TouchFile(path_));
  EXPECT_GT(ChangedAt(path_).tv_sec, 1'000'000'000);
  EXPECT_EQ(test::ReadFile(path_).value(), "text");
}

TEST_F(FileTest, TouchingFollowsLinksAndTakesDirectoriesAndFifos) {
  const std::string link = directory_.File("link");
  const std::string fifo = directory_.File("fifo");
  const std::string below = directory_.File("below");
  ASSERT_EQ(mkdir(below.c_str(), 0700), 0);
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_TRUE(test::WriteFile(path_, ""));
  ASSERT_EQ(symlink("file", link.c_str()), 0);
  for (const std::string& path : {path_, fifo, below}) SetLongAgo(path);
  for (const std::string& path : {link, fifo, below}) EXPECT_TRUE(TouchFile(path)) << path;
  for (const std::string& path : {path_, fifo, below}) {
    EXPECT_GT(ChangedAt(path).tv_sec, 1'000'000'000) << path;
  }
}

TEST_F(FileTest, TouchingIsSeenByThoseWhoWatchForWriting) {
  ASSERT_TRUE(test::WriteFile(path_, "text"));
  const UniqueFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ASSERT_GE(inotify_add_watch(watch.get(), path_.c_str(), IN_ATTRIB | IN_CLOSE_WRITE), 0);
  ASSERT_TRUE(TouchFile(path_));
  uint32_t seen = 0;
  inotify_event event{};
  while (read(watch.get(), &event, sizeof event) > 0) seen |= event.mask;
  EXPECT_EQ(seen, static_cast<uint32_t>(IN_ATTRIB | IN_CLOSE_WRITE));
}

TEST_F(FileTest, TouchingDoesNotCreateAndSaysWhy) {
  const Status touched = TouchFile(path_);
  ASSERT_FALSE(touched);
  EXPECT_EQ(touched.error().text, path_ + ": No such file or directory");
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
  ASSERT_TRUE(test::WriteFile(path_, ""));
  const Status below = TouchFile(path_ + "/below");
  ASSERT_FALSE(below);
  EXPECT_EQ(below.error().text, path_ + "/below: Not a directory");
}

}  // namespace
}  // namespace certlatch
