#include "platform/volume.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "base/text.h"
#include "test/platform/loop_fixture.h"
#include "test/platform/volume_fixture.h"
#include "test/support/atomic_writer.h"
#include "test/support/child.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

namespace fs = std::filesystem;
using test::AtomicWriter;
using test::OwnMounts;
using test::Payload;
using test::TempDir;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Overwrites in place, as `>` in a shell does.
void Overwrite(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

void Link(const std::string& target, const std::string& path) {
  ASSERT_EQ(symlink(target.c_str(), path.c_str()), 0) << path;
}

void ReplaceLink(const std::string& target, const std::string& path) {
  Link(target, path + "_tmp");
  ASSERT_EQ(rename((path + "_tmp").c_str(), path.c_str()), 0) << path;
}

// --- reading ------------------------------------------------------------------------------------

class VolumeSnapshotTest : public ::testing::Test {
 protected:
  Result<VolumeSnapshot> Read() const { return ReadVolume(top_, kNames); }
  std::string ReadText() const { return Describe(Read()); }
  std::string File(const std::string& name) const { return top_ + "/" + name; }
  // Waits for the coarse clock of the file system, which stands still for milliseconds.
  PreciseTime NextTick() const {
    const std::string clock = directory_.File("clock");
    const auto now = [&] {
      Overwrite(clock, "x");
      struct stat info {};
      stat(clock.c_str(), &info);
      return PreciseTime(std::chrono::seconds(info.st_ctim.tv_sec) +
                         Duration(info.st_ctim.tv_nsec));
    };
    const PreciseTime before = now();
    PreciseTime tick = before;
    while (tick == before) tick = now();
    return tick;
  }
  void WritePlain(int serial) const {
    for (const auto& [name, bytes] : Generation(serial)) {
      ASSERT_TRUE(test::WriteFile(File(name), bytes));
    }
  }
  // The problem of tls.crt, whose path it names.
  std::string Problem() const {
    const auto read = Read();
    if (read) return "no problem";
    EXPECT_EQ(read.error().code, Code::kRetry);
    EXPECT_THAT(read.error().text, StartsWith(File("tls.crt: ")));
    return read.error().text.substr(File("tls.crt: ").size());
  }

  const TempDir directory_;
  const std::string top_ = directory_.File("volume");
  const bool made_ = mkdir(top_.c_str(), 0755) == 0;
  AtomicWriter writer_{top_};
};

TEST_F(VolumeSnapshotTest, HoldsWhatTheKubeletWrote) {
  const Payload payload = Generation(1);
  const std::string generation = writer_.Write(payload);
  const auto read = Read();
  ASSERT_TRUE(read) << read.error().text;
  for (size_t i = 0; i < kNames.size(); ++i) {
    EXPECT_EQ(read->files[i].bytes.Reveal(), payload.at(kNames[i])) << kNames[i];
  }
  EXPECT_EQ(read->generation, generation);
  EXPECT_EQ(read->holds, "");
}

TEST_F(VolumeSnapshotTest, TheSameGenerationHasTheSameIdentityAndTheNextAnother) {
  writer_.Write(Generation(1));
  const auto first = Read();
  const auto again = Read();
  writer_.Write(Generation(1));  // the same bytes
  const auto next = Read();
  ASSERT_TRUE(first && again && next);
  EXPECT_EQ(first->identity, again->identity);
  EXPECT_NE(first->identity, next->identity);
  EXPECT_GE(next->appeared, first->appeared);
}

TEST_F(VolumeSnapshotTest, TellsWhenTheGenerationAppeared) {
  const std::string generation = writer_.WriteGeneration(Generation(1));
  writer_.LinkNames(Generation(1));
  const PreciseTime written = NextTick();
  writer_.Swap(generation);
  const PreciseTime swapped = NextTick();
  const auto read = Read();
  ASSERT_TRUE(read);
  EXPECT_GE(read->appeared, written);
  EXPECT_LE(read->appeared, swapped);
}

TEST_F(VolumeSnapshotTest, SeesTheOldGenerationUntilTheSwap) {
  const std::string old = writer_.Write(Generation(1));
  const std::string generation = writer_.WriteGeneration(Generation(2));
  EXPECT_EQ(ReadText(), "1");
  writer_.LinkNames(Generation(2));
  EXPECT_EQ(ReadText(), "1");
  writer_.Swap(generation);
  EXPECT_EQ(ReadText(), "2");
  writer_.Remove(old);
  EXPECT_EQ(ReadText(), "2");
}

TEST_F(VolumeSnapshotTest, SaysWhichFileIsMissingAndWhatThereIs) {
  writer_.Write({{"tls.crt", "1"}, {"server.key", "1"}});
  const auto read = Read();
  ASSERT_TRUE(read);
  EXPECT_EQ(Describe(read), "1 missing missing");
  EXPECT_EQ(read->files[1].missing, File("tls.key: No such file or directory"));
  EXPECT_THAT(read->holds, AllOf(HasSubstr("server.key"), HasSubstr("tls.crt")));
  EXPECT_EQ(read->holds.size(), std::string("tls.crt, server.key").size());
}

TEST_F(VolumeSnapshotTest, FollowsKeysThatComeAndGo) {
  writer_.Write({{"tls.crt", "1"}, {"tls.key", "1"}});
  EXPECT_EQ(ReadText(), "1 1 missing");
  writer_.Write(Generation(2));
  EXPECT_EQ(ReadText(), "2");
  writer_.Write({{"ca.crt", "3"}});
  EXPECT_EQ(ReadText(), "missing missing 3");
}

TEST_F(VolumeSnapshotTest, ANewKeysLinkThatDanglesUntilTheSwapIsAMissingFile) {
  writer_.Write({{"tls.crt", "1"}, {"tls.key", "1"}});
  writer_.LinkNames(Generation(2));
  EXPECT_EQ(ReadText(), "1 1 missing");
}

TEST_F(VolumeSnapshotTest, AnEmptyVolumeHoldsNothing) {
  for (int i = 0; i < 2; ++i) {
    const auto read = Read();
    ASSERT_TRUE(read);
    EXPECT_EQ(Describe(read), "missing");
    EXPECT_EQ(read->holds, "nothing");
    writer_.Write({});  // an optional Secret that was deleted
  }
}

TEST_F(VolumeSnapshotTest, ListsOnlySomeOfManyNamesAndMakesThemPrintable) {
  Payload payload{{"a\nb", "x"}};
  for (int i = 0; i < 20; ++i) payload["f" + std::to_string(i)] = "x";
  writer_.Write(payload);
  const auto read = Read();
  ASSERT_TRUE(read);
  EXPECT_THAT(read->holds, EndsWith(", ..."));
  EXPECT_EQ(std::count(read->holds.begin(), read->holds.end(), ','), 8);
  EXPECT_EQ(read->holds.find('\n'), std::string::npos);
}

TEST_F(VolumeSnapshotTest, ReadsFilesInDirectoriesBelow) {
  writer_.Write({{"certs/web/tls.crt", "1"}});
  const std::vector<std::string> names = {"certs/web/tls.crt", "certs/tls.key", "tls.crt"};
  EXPECT_EQ(Describe(ReadVolume(top_, names)), "1 missing missing");
}

TEST_F(VolumeSnapshotTest, ReadsPlainFiles) {
  WritePlain(1);
  const auto read = Read();
  ASSERT_TRUE(read);
  EXPECT_EQ(Describe(read), "1");
  EXPECT_EQ(read->generation, "");
  Overwrite(File("tls.key"), "2");
  const auto next = Read();
  ASSERT_TRUE(next);
  EXPECT_NE(read->identity, next->identity);
  EXPECT_EQ(Describe(next), "1 2 1");
}

TEST_F(VolumeSnapshotTest, FollowsChainsOfLinksAlsoOutOfTheVolume) {
  fs::create_directories(directory_.File("archive/web"));
  for (const std::string& name : kNames) {
    ASSERT_TRUE(test::WriteFile(directory_.File("archive/web/1." + name), "1"));
    ASSERT_TRUE(test::WriteFile(directory_.File("archive/web/2." + name), "2"));
    Link("../archive//web/1." + name, File(name));
  }
  Link(directory_.File("archive"), directory_.File("absolute"));
  EXPECT_EQ(ReadText(), "1");
  for (const std::string& name : kNames) ReplaceLink("../absolute/web/2." + name, File(name));
  EXPECT_EQ(ReadText(), "2");
}

TEST_F(VolumeSnapshotTest, ALinkHalfWayUpIsPartOfTheGeneration) {
  for (const char* number : {"1", "2"}) {
    mkdir(File(std::string("gen") + number).c_str(), 0755);
    for (const std::string& name : kNames) {
      ASSERT_TRUE(test::WriteFile(File(std::string("gen") + number + "/" + name), number));
    }
  }
  Link("gen1", File("current"));
  for (const std::string& name : kNames) Link("current/" + name, File(name));
  const auto first = Read();
  NextTick();
  ReplaceLink("gen2", File("current"));
  const auto second = Read();
  ReplaceLink("gen1", File("current"));
  const auto third = Read();
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(Describe(first) + Describe(second) + Describe(third), "121");
  EXPECT_NE(first->identity, third->identity);
  EXPECT_GT(third->appeared, first->appeared);
}

TEST_F(VolumeSnapshotTest, SaysThatThereIsNoDirectory) {
  const auto absent = ReadVolume(directory_.File("absent"), kNames);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::kNotFound);
  EXPECT_EQ(absent.error().text, directory_.File("absent: No such file or directory"));
  WritePlain(1);
  const auto file = ReadVolume(File("tls.crt"), kNames);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().text, File("tls.crt: Not a directory"));
}

TEST_F(VolumeSnapshotTest, ShowsItsPathAsText) {
  const std::string hostile = directory_.File("a\nb");
  const std::string shown = directory_.File("a\\x0ab");
  EXPECT_EQ(ReadVolume(hostile, kNames).error().text, shown + ": No such file or directory");
  std::filesystem::create_directory(hostile);
  const auto empty = ReadVolume(hostile, kNames);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->files[0].missing, shown + "/tls.crt: No such file or directory");
  std::filesystem::create_symlink("nowhere", hostile + "/..data");
  EXPECT_EQ(ReadVolume(hostile, kNames).error().text, shown + "/..data: No such file or directory");
}

TEST_F(VolumeSnapshotTest, RefusesAFifoWithoutWaitingForAWriter) {
  ASSERT_EQ(mkfifo(File("tls.crt").c_str(), 0644), 0);
  EXPECT_EQ(Problem(), "not a regular file");
}

TEST_F(VolumeSnapshotTest, RefusesAFifoInsideAGeneration) {
  const std::string generation = writer_.Write(Generation(1));
  ASSERT_EQ(unlink(File(generation + "/tls.crt").c_str()), 0);
  ASSERT_EQ(mkfifo(File(generation + "/tls.crt").c_str(), 0644), 0);
  EXPECT_EQ(Problem(), "not a regular file");
}

TEST_F(VolumeSnapshotTest, RefusesDirectoriesSocketsAndDevices) {
  ASSERT_EQ(mkdir(File("tls.crt").c_str(), 0755), 0);
  EXPECT_EQ(Problem(), "not a regular file");
  ASSERT_EQ(rmdir(File("tls.crt").c_str()), 0);

  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(File("tls.crt").size(), sizeof address.sun_path);
  std::strncpy(address.sun_path, File("tls.crt").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(Problem(), "not a regular file");
  ASSERT_EQ(unlink(File("tls.crt").c_str()), 0);

  Link("/dev/zero", File("tls.crt"));
  EXPECT_EQ(Problem(), "not a regular file");
}

TEST_F(VolumeSnapshotTest, RefusesALinkLoop) {
  Link("tls.key", File("tls.crt"));
  Link("tls.crt", File("tls.key"));
  EXPECT_EQ(Problem(), "Too many levels of symbolic links");
}

TEST_F(VolumeSnapshotTest, RefusesALinkInsideAGeneration) {
  const std::string generation = writer_.Write(Generation(1));
  ASSERT_TRUE(test::WriteFile(directory_.File("elsewhere"), "1"));
  ReplaceLink(directory_.File("elsewhere"), File(generation + "/tls.crt"));
  EXPECT_EQ(Problem(), "a symbolic link inside ..data");
}

TEST_F(VolumeSnapshotTest, ALinkToNothingIsAMissingFile) {
  WritePlain(1);
  ReplaceLink("nowhere", File("tls.crt"));
  EXPECT_EQ(ReadText(), "missing 1 1");
}

TEST_F(VolumeSnapshotTest, SaysThatDataLeadsToNothing) {
  writer_.Remove(writer_.Write(Generation(1)));
  EXPECT_EQ(ReadText(), File("..data: No such file or directory"));
  ReplaceLink("tls.crt", File("..data"));
  EXPECT_EQ(ReadText(), File("..data: Too many levels of symbolic links"));
  ASSERT_EQ(unlink(File("..data").c_str()), 0);
  ASSERT_TRUE(test::WriteFile(File("..data"), ""));
  EXPECT_EQ(ReadText(), File("..data: Not a directory"));
}

TEST_F(VolumeSnapshotTest, ReadsADataDirectoryThatIsNoLinkAsPlainFiles) {
  ASSERT_EQ(mkdir(File("..data").c_str(), 0755), 0);
  for (const auto& [name, bytes] : Generation(1)) {
    ASSERT_TRUE(test::WriteFile(File("..data/" + name), bytes));
  }
  const auto read = Read();
  EXPECT_EQ(Describe(read), "1");
  EXPECT_EQ(read->generation, "");
}

TEST_F(VolumeSnapshotTest, RefusesAFilePastItsBound) {
  WritePlain(1);
  ASSERT_TRUE(test::WriteFile(File("tls.crt"), std::string(kMaxVolumeFile, 'x')));
  EXPECT_TRUE(Read());
  ASSERT_TRUE(test::WriteFile(File("tls.crt"), std::string(kMaxVolumeFile + 1, 'x')));
  EXPECT_EQ(Problem(), "larger than 1048576 bytes");
  ASSERT_EQ(truncate(File("tls.crt").c_str(), off_t{1} << 40), 0);
  EXPECT_EQ(Problem(), "larger than 1048576 bytes");
}

TEST_F(VolumeSnapshotTest, SaysWhoMayNotRead) {
  writer_.Write(Generation(1), 0400);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  EXPECT_IN_CHILD([&]() -> std::string {
    if (setuid(65534) != 0) return "skip: cannot become another user";
    const std::string expected = File(
        "tls.crt: Permission denied; give uid 65534 the right to read it: fsGroup, or defaultMode");
    return ReadText() == expected ? "" : ReadText();
  });
}

// --- never mixed --------------------------------------------------------------------------------

// A child that writes generations 1 to `last`, without pause.
pid_t StartWriter(AtomicWriter writer, int last) {
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int serial = 1; serial <= last; ++serial) writer.Write(Generation(serial));
  _exit(0);
}

TEST_F(VolumeSnapshotTest, NeverMixesGenerationsNorMissesAFileInAStormOfSwaps) {
  constexpr int kLast = 1000;
  writer_.Write(Generation(0));
  const pid_t child = StartWriter(writer_, kLast);
  int last = 0;
  int reads = 0;
  int retries = 0;
  bool ended = false;
  while (true) {
    const auto read = Read();
    ++reads;
    if (!read) {
      EXPECT_EQ(read.error().text, top_ + ": keeps changing while it is read");
      ++retries;
    } else {
      const auto serial = ParseUint(Describe(read), kLast);
      ASSERT_TRUE(serial) << Describe(read);
      ASSERT_GE(static_cast<int>(*serial), last);
      last = static_cast<int>(*serial);
    }
    if (ended) break;
    ended = waitpid(child, nullptr, WNOHANG) == child;
  }
  EXPECT_EQ(last, kLast);
  EXPECT_GT(reads, 100);
  EXPECT_LT(retries * 20, reads);
}

// --- noticing -----------------------------------------------------------------------------------

class VolumeTest : public EventLoopTest {
 protected:
  void SetUp() override {
    EventLoopTest::SetUp();
    ASSERT_EQ(mkdir(top_.c_str(), 0755), 0);
  }
  void TearDown() override {
    volume_.reset();
    EventLoopTest::TearDown();
  }
  std::string File(const std::string& name) const { return top_ + "/" + name; }

  // Reads, and then at each hint, until that reads `wanted`. False: not within a minute.
  bool Follow(Loop& loop, std::string wanted, Duration poll = 24h) {
    volume_ = std::make_unique<Volume>(
        loop, top_, kNames, [&] { Look(loop); }, poll);
    return Until(loop, std::move(wanted));
  }
  bool Until(Loop& loop, std::string wanted) {
    wanted_ = std::move(wanted);
    bool hung = false;
    const Handle guard = loop.After(20s, [&] {
      hung = true;
      loop.Stop();
    });
    const Handle first = loop.After(Duration::zero(), [&] {
      if (hints_ == 0) Look(loop);
    });
    if (seen_ == wanted_) return true;
    loop.Run();
    return !hung;
  }
  void Look(Loop& loop) {
    ++hints_;
    seen_ = Describe(volume_->Read());
    if (seen_ == wanted_) loop.Stop();
  }

  const TempDir directory_;
  const std::string top_ = directory_.File("volume");
  AtomicWriter writer_{top_};
  std::unique_ptr<Volume> volume_;
  std::string wanted_;
  std::string seen_;
  int hints_ = 0;
};

TEST_F(VolumeTest, NoticesEverySwap) {
  writer_.Write(Generation(1));
  ASSERT_TRUE(Follow(*loop_, "1"));
  for (int serial = 2; serial < 20; ++serial) {
    writer_.Write(Generation(serial));
    ASSERT_TRUE(Until(*loop_, std::to_string(serial)));
  }
  EXPECT_EQ(volume_->blind(), "");
}

TEST_F(VolumeTest, NoticesTheFirstGeneration) {
  ASSERT_TRUE(Follow(*loop_, "missing"));
  writer_.Write(Generation(1));
  EXPECT_TRUE(Until(*loop_, "1"));
}

TEST_F(VolumeTest, ReadingIsNoChange) {
  writer_.Write(Generation(1));
  ASSERT_TRUE(Follow(*loop_, "1"));
  RunDue();
  hints_ = 0;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Describe(volume_->Read()), "1");
  RunDue();
  EXPECT_EQ(hints_, 0);
}

// Only by events: no resync and no poll helps.
TEST_F(VolumeTest, TheLastOfAThousandGenerationsWins) {
  writer_.Write(Generation(0));
  ASSERT_TRUE(Follow(*loop_, "0"));
  const pid_t writer = StartWriter(writer_, 1000);
  int status = -1;
  const Handle exit = loop_->OnChildExit(writer, [&](int its_status) { status = its_status; });
  EXPECT_TRUE(Until(*loop_, "1000"));
  while (status == -1) RunDue();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(seen_, "1000");
}

TEST_F(VolumeTest, NoticesPlainFilesWrittenInPlaceRenamedAndRemoved) {
  for (const std::string& name : kNames) ASSERT_TRUE(test::WriteFile(File(name), "1"));
  ASSERT_TRUE(Follow(*loop_, "1"));
  Overwrite(File("tls.key"), "2");
  EXPECT_TRUE(Until(*loop_, "1 2 1"));
  ASSERT_TRUE(test::WriteFile(File("ca.crt"), "3"));
  EXPECT_TRUE(Until(*loop_, "1 2 3"));
  fs::remove(File("tls.crt"));
  EXPECT_TRUE(Until(*loop_, "missing 2 3"));
}

TEST_F(VolumeTest, NoticesWhatHappensWhereLinksLead) {
  fs::create_directories(directory_.File("a"));
  fs::create_directories(directory_.File("b"));
  for (const std::string& name : kNames) {
    Link("../a/" + name, File(name));
    Link("../b/1." + name, directory_.File("a/" + name));
    ASSERT_TRUE(test::WriteFile(directory_.File("b/1." + name), "1"));
  }
  ASSERT_TRUE(Follow(*loop_, "1"));
  ASSERT_TRUE(test::WriteFile(directory_.File("b/1.tls.crt"), "2"));
  EXPECT_TRUE(Until(*loop_, "2 1 1"));
  fs::create_directories(directory_.File("c"));
  ReplaceLink("../c/tls.key", directory_.File("a/tls.key"));
  EXPECT_TRUE(Until(*loop_, "2 missing 1"));
  ASSERT_TRUE(test::WriteFile(directory_.File("c/tls.key"), "3"));
  EXPECT_TRUE(Until(*loop_, "2 3 1"));
}

TEST_F(VolumeTest, DirectoriesThatNoLinkLeadsToAnyMoreAreNotWatched) {
  fs::create_directories(directory_.File("a"));
  ASSERT_TRUE(test::WriteFile(directory_.File("a/tls.crt"), "1"));
  Link("../a/tls.crt", File("tls.crt"));
  ASSERT_TRUE(Follow(*loop_, "1 missing missing"));
  ASSERT_TRUE(test::WriteFile(File("plain"), "2"));
  ReplaceLink("plain", File("tls.crt"));
  ASSERT_TRUE(Until(*loop_, "2 missing missing"));
  RunDue();
  hints_ = 0;
  ASSERT_TRUE(test::WriteFile(directory_.File("a/tls.crt"), "3"));
  RunDue();
  EXPECT_EQ(hints_, 0);
}

TEST_F(VolumeTest, WatchesABoundedNumberOfDirectoriesAndSaysSo) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kMaxWatchedDirectories + 5; ++i) {
    names.push_back("d" + std::to_string(i) + "/tls.crt");
    fs::create_directories(File("d" + std::to_string(i)));
    ASSERT_TRUE(test::WriteFile(File(names.back()), "1"));
  }
  int hints = 0;
  const auto on_hint = [&] {
    ++hints;
    loop_->Stop();
  };
  volume_ = std::make_unique<Volume>(*loop_, top_, names, on_hint, 1ms);
  EXPECT_EQ(Describe(volume_->Read()), "1");
  EXPECT_EQ(volume_->blind(), "files in too many directories");
  EXPECT_TRUE(Run());
  EXPECT_EQ(hints, 1);
}

// The kernel keeps 16,384 events (fs.inotify.max_queued_events) and then only says that it lost
// some.
class OverflowTest : public VolumeTest {
 protected:
  void SetUp() override {
    VolumeTest::SetUp();
    std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
    ASSERT_TRUE(limit >> most_);
    if (most_ > 100'000) GTEST_SKIP() << "the queue of this machine is too long to fill";
  }
  void Overflow() {
    for (int i = 0; i <= most_ / 2; ++i) {
      UniqueFd created(open(File("a").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
      created.Reset();
      unlink(File("a").c_str());
    }
  }
  int most_ = 0;
};

TEST_F(OverflowTest, ALostEventIsAChange) {
  DirectoryWatches watches;
  const UniqueFd directory(open(top_.c_str(), O_PATH | O_CLOEXEC));
  watches.BeginRound();
  watches.Add(directory.get());
  EXPECT_TRUE(watches.EndRound());
  Overflow();
  watches.BeginRound();
  watches.EndRound();  // now all events but one are of nothing that is watched
  bool changed = false;
  for (int i = 0; i < 100 && !changed; ++i) changed = watches.Drain();
  EXPECT_TRUE(changed);
}

TEST_F(OverflowTest, TheLastGenerationIsSeen) {
  writer_.Write(Generation(1));
  ASSERT_TRUE(Follow(*loop_, "1"));
  Overflow();
  writer_.Write(Generation(2));
  EXPECT_TRUE(Until(*loop_, "2"));
  RunDue();
  writer_.Write(Generation(3));
  EXPECT_TRUE(Until(*loop_, "3"));
}

TEST_F(VolumeTest, ADirectoryThatIsNotToldAgainIsNoLongerWatched) {
  DirectoryWatches watches;
  const UniqueFd directory(open(top_.c_str(), O_PATH | O_CLOEXEC));
  watches.BeginRound();
  watches.Add(directory.get());
  EXPECT_TRUE(watches.EndRound());
  watches.BeginRound();
  watches.Add(directory.get());
  EXPECT_FALSE(watches.EndRound());
  EXPECT_FALSE(watches.empty());
  watches.BeginRound();
  EXPECT_FALSE(watches.EndRound());
  EXPECT_TRUE(watches.empty());
  EXPECT_FALSE(watches.Drain());  // that its watch is gone is nothing to look at
}

TEST_F(VolumeTest, FollowsADirectoryThatIsReplaced) {
  writer_.Write(Generation(1));
  ASSERT_TRUE(Follow(*loop_, "1", 1ms));
  const std::string next = directory_.File("next");
  ASSERT_EQ(mkdir(next.c_str(), 0755), 0);
  AtomicWriter(next).Write(Generation(2));
  ASSERT_EQ(rename(top_.c_str(), directory_.File("old").c_str()), 0);
  ASSERT_EQ(rename(next.c_str(), top_.c_str()), 0);
  EXPECT_TRUE(Until(*loop_, "2"));
  writer_.Write(Generation(3));
  EXPECT_TRUE(Until(*loop_, "3"));
}

TEST_F(VolumeTest, FollowsADirectoryThatIsRemovedAndComesBack) {
  writer_.Write(Generation(1));
  ASSERT_TRUE(Follow(*loop_, "1", 1ms));
  fs::remove_all(top_);
  EXPECT_TRUE(Until(*loop_, top_ + ": No such file or directory"));
  ASSERT_EQ(mkdir(top_.c_str(), 0755), 0);
  writer_.Write(Generation(2));
  EXPECT_TRUE(Until(*loop_, "2"));
  RunDue();
  hints_ = 0;
  RunDue();
  EXPECT_EQ(hints_, 0) << "still polling";
}

// --- in namespaces of their own -----------------------------------------------------------------

class VolumeNamespaceTest : public VolumeTest {
 protected:
  static std::string Wanted(bool done, const std::string& what) {
    return done ? "" : what + ": " + std::strerror(errno);
  }
  // A child's Loop, and what it is for.
  std::string WithLoop(const std::function<std::string(Loop&)>& body) {
    auto loop = Loop::Create();
    if (!loop) return loop.error().text;
    std::string wrong = body(**loop);
    volume_.reset();
    return wrong;
  }
  std::string MountTmpfs() const {
    return Wanted(mount("tmpfs", top_.c_str(), "tmpfs", 0, nullptr) == 0, "mount");
  }
};

TEST_F(VolumeNamespaceTest, FollowsAVolumeThatIsUnmountedAndMountedAgain) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = OwnMounts();
    if (wrong.empty()) wrong = MountTmpfs();
    if (!wrong.empty()) return wrong;
    writer_.Write(Generation(1));
    return WithLoop([&](Loop& loop) -> std::string {
      if (!Follow(loop, "1")) return "not 1: " + seen_;
      if (umount2(top_.c_str(), 0) != 0) return std::string("umount: ") + std::strerror(errno);
      if (!Until(loop, "missing")) return "not unmounted: " + seen_;
      writer_.Write(Generation(2));  // on what is below
      return Until(loop, "2") ? "" : "not 2: " + seen_;
    });
  });
}

TEST_F(VolumeNamespaceTest, ALookSeesAVolumeMountedOverTheWatchedOneAndWatchesIt) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = OwnMounts();
    if (!wrong.empty()) return wrong;
    return WithLoop([&](Loop& loop) -> std::string {
      if (!Follow(loop, "missing")) return "not empty: " + seen_;
      std::string mounted = MountTmpfs();
      if (!mounted.empty()) return mounted;
      writer_.Write(Generation(1));
      if (Describe(volume_->Read()) != "1") return "not 1";  // the caller's resync
      writer_.Write(Generation(2));
      return Until(loop, "2") ? "" : "not 2: " + seen_;
    });
  });
}

TEST_F(VolumeNamespaceTest, RefusesAFileMountedWithSubPath) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = OwnMounts();
    if (wrong.empty()) wrong = MountTmpfs();
    if (!wrong.empty()) return wrong;
    writer_.Write(Generation(1));
    const std::string app = directory_.File("app");
    mkdir(app.c_str(), 0755);
    Overwrite(app + "/tls.crt", "");
    Overwrite(app + "/tls.key", "1");
    Overwrite(app + "/ca.crt", "1");
    const std::string path = app + "/tls.crt";
    wrong = Wanted(mount(File("tls.crt").c_str(), path.c_str(), "", MS_BIND, nullptr) == 0, "bind");
    if (!wrong.empty()) return wrong;
    return WithLoop([&](Loop& loop) -> std::string {
      Volume volume(loop, app, kNames, [] {});
      for (int i = 0; i < 2; ++i) {
        const auto read = volume.Read();
        if (read) return "read: " + Describe(read);
        if (read.error().code != Code::kConfig) return "another code";
        if (!read.error().text.starts_with(path + ": mounted with subPath")) {
          return read.error().text;
        }
        // Who only waits may take what is there.
        if (Describe(volume.Look()) != "1") return "look: " + Describe(volume.Look());
        if (volume.updates()) return "nothing said";
      }
      return "";
    });
  });
}

TEST_F(VolumeNamespaceTest, RefusesAFileOfAnyKindOfVolumeThatIsMountedByItself) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = OwnMounts();
    if (!wrong.empty()) return wrong;
    for (const std::string& name : kNames) Overwrite(File(name), "1");
    Overwrite(directory_.File("plain"), "1");
    const std::string plain = directory_.File("plain");
    wrong =
        Wanted(mount(plain.c_str(), File("tls.key").c_str(), "", MS_BIND, nullptr) == 0, "bind");
    if (!wrong.empty()) return wrong;
    const Status status = RefuseSubPath(top_, kNames);
    if (status) return "not refused";
    return status.error().text.starts_with(File("tls.key: ")) ? "" : status.error().text;
  });
}

TEST_F(VolumeNamespaceTest, RefusesADirectoryMountedWithSubPath) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = OwnMounts();
    if (wrong.empty()) wrong = MountTmpfs();
    if (!wrong.empty()) return wrong;
    writer_.Write({{"web/tls.crt", "1"}, {"web/tls.key", "1"}, {"web/ca.crt", "1"}});
    const std::string app = directory_.File("app");
    mkdir(app.c_str(), 0755);
    wrong = Wanted(mount(File("web").c_str(), app.c_str(), "", MS_BIND, nullptr) == 0, "bind");
    if (!wrong.empty()) return wrong;
    for (int i = 0; i < 2; ++i) {
      const Status status = RefuseSubPath(app, kNames);
      if (status) return "not refused";
      if (!status.error().text.starts_with(app + ": mounted with subPath")) {
        return status.error().text;
      }
      writer_.Write({});  // now its directory is gone
    }
    return "";
  });
}

TEST_F(VolumeNamespaceTest, AWholeVolumeIsNoSubPathAlsoReadOnlyAndThroughLinks) {
  EXPECT_IN_CHILD([&]() -> std::string {
    std::string wrong = OwnMounts();
    if (wrong.empty()) wrong = MountTmpfs();
    if (!wrong.empty()) return wrong;
    writer_.Write(Generation(1));
    const std::string app = directory_.File("app");
    mkdir(app.c_str(), 0755);
    wrong = Wanted(mount(top_.c_str(), app.c_str(), "", MS_BIND, nullptr) == 0, "bind");
    if (!wrong.empty()) return wrong;
    const std::string outside = directory_.File("outside");
    mkdir(outside.c_str(), 0755);
    for (const std::string& name : kNames) {
      Link(Format("%s/%s", app.c_str(), name.c_str()),
           Format("%s/%s", outside.c_str(), name.c_str()));
    }
    for (const std::string& path : {top_, app, outside}) {
      const Status status = RefuseSubPath(path, kNames);
      if (!status) return status.error().text;
    }
    return "";
  });
}

std::string SetLimit(const std::string& name, int limit) {
  std::ofstream file("/proc/sys/user/" + name);
  file << limit << std::flush;
  return file ? "" : "skip: cannot set user." + name;
}

TEST_F(VolumeNamespaceTest, PollsWhereInotifysLimitIsReachedAndWatchesWhenItIsNot) {
  for (const std::string name : {"max_inotify_instances", "max_inotify_watches"}) {
    fs::remove_all(top_);
    mkdir(top_.c_str(), 0755);
    writer_.Write(Generation(1));
    EXPECT_IN_CHILD([&]() -> std::string {
      std::string wrong = test::OwnUsers();
      if (wrong.empty()) wrong = SetLimit(name, 0);
      if (!wrong.empty()) return wrong;
      return WithLoop([&](Loop& loop) -> std::string {
        if (!Follow(loop, "1", 1ms)) return "not 1: " + seen_;
        if (volume_->blind().find("inotify: ") != 0) return "says: " + volume_->blind();
        if (volume_->blind().find("fs.inotify.max_user_") == std::string::npos) {
          return "says: " + volume_->blind();
        }
        writer_.Write(Generation(2));
        if (!Until(loop, "2")) return "not polled: " + seen_;
        if (volume_->blind().empty()) return "says nothing any more";
        std::string limit = SetLimit(name, 100);
        if (!limit.empty()) return limit;
        writer_.Write(Generation(3));
        if (!Until(loop, "3")) return "not 3: " + seen_;
        if (!volume_->blind().empty()) return "still says: " + volume_->blind();
        writer_.Write(Generation(4));
        return Until(loop, "4") ? "" : "not watched: " + seen_;
      });
    });
  }
}

TEST_F(VolumeNamespaceTest, PollsWhereNoDescriptorIsLeftForInotify) {
  writer_.Write(Generation(1));
  EXPECT_IN_CHILD([&]() -> std::string {
    return WithLoop([&](Loop& loop) -> std::string {
      const int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
      close(next);
      const rlimit few{static_cast<rlim_t>(next), static_cast<rlim_t>(next) + 100};
      volume_ = std::make_unique<Volume>(
          loop, top_, kNames, [&] { Look(loop); }, 1ms);
      rlimit old{};
      getrlimit(RLIMIT_NOFILE, &old);
      if (setrlimit(RLIMIT_NOFILE, &few) != 0) return "setrlimit";
      const auto read = volume_->Read();
      if (read || read.error().text != top_ + ": Too many open files") return Describe(read);
      const rlimit enough{few.rlim_max, few.rlim_max};
      if (setrlimit(RLIMIT_NOFILE, &enough) != 0) return "setrlimit back";
      return Until(loop, "1") && volume_->blind().empty() ? "" : "not 1: " + seen_;
    });
  });
}

// Tokens and keys are kept from other processes (PR_SET_DUMPABLE): /proc/self belongs to root then.
TEST_F(VolumeNamespaceTest, WatchesAlsoAsAnUndumpableProcessOfAnotherUser) {
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(chown(top_.c_str(), 65534, 65534), 0) << "needs root";
  EXPECT_IN_CHILD([&]() -> std::string {
    if (setgid(65534) != 0 || setuid(65534) != 0) return "skip: cannot become another user";
    prctl(PR_SET_DUMPABLE, 0);
    writer_.Write(Generation(1));
    return WithLoop([&](Loop& loop) -> std::string {
      if (!Follow(loop, "1")) return "not 1: " + seen_;
      if (!volume_->blind().empty()) return "says: " + volume_->blind();
      writer_.Write(Generation(2));
      return Until(loop, "2") ? "" : "not 2: " + seen_;
    });
  });
}

}  // namespace
}  // namespace certlatch
