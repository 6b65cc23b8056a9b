#include "platform/volume_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>

#include "domain/base64.h"
#include "platform/volume_snapshot.h"
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Json Data(const Payload& payload) {
  Json::Object data;
  for (const auto& [name, bytes] : payload) data.push_back({name, Json(EncodeBase64(bytes))});
  return Json(std::move(data));
}

Status Write(const std::string& directory, const Payload& payload, mode_t mode = 0440) {
  std::string written;
  return WriteVolume(directory, Data(payload), mode, written);
}

// "" if nothing was to be written.
std::string Written(const std::string& directory, const Payload& payload) {
  std::string written;
  const Status status = WriteVolume(directory, Data(payload), 0440, written);
  return status ? written : status.error().text;
}

// What apps see that read by path: the files without dots.
Payload Visible(const std::string& directory) {
  Payload payload;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("..")) continue;
    const Result<std::string> bytes = test::ReadFile(entry.path());
    payload[name] = bytes ? *bytes : "unreadable";
  }
  return payload;
}

// "tls.crt -> ..data/tls.crt 120777", one line for each entry below, dates as '#'.
std::set<std::string> Layout(const std::string& directory) {
  static const std::regex dated(R"(\.\.\d{4}(_\d\d){5}\.\w+)");
  std::set<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    std::string line = entry.path().string().substr(directory.size() + 1);
    if (entry.is_symlink()) line += " -> " + fs::read_symlink(entry.path()).string();
    if (entry.is_directory() && !entry.is_symlink()) line += "/";
    lines.insert(std::regex_replace(line, dated, "#"));
  }
  return lines;
}

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

std::string Text(const Status& status) { return status ? "" : status.error().text; }

TEST(WriteVolume, MakesTheLayoutOfTheKubelet) {
  const TempDir ours;
  const TempDir kubelets;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Text(Write(ours.path(), Generation(i))), "");
    AtomicWriter(kubelets.path()).Write(Generation(i));
    EXPECT_EQ(Layout(ours.path()), Layout(kubelets.path()));
    EXPECT_EQ(Visible(ours.path()), Generation(i));
  }
}

TEST(WriteVolume, TakesOverWhatTheKubeletsOwnWriterHasWritten) {
  const TempDir dir;
  AtomicWriter writer(dir.path());
  writer.Write({{"tls.crt", "1"}}, 0440);
  fs::rename(dir.File(writer.Current()), dir.File("..2026_01_02_03_04_05.678"));
  fs::remove(dir.File("..data"));
  fs::create_symlink("..2026_01_02_03_04_05.678", dir.File("..data"));
  EXPECT_EQ(Written(dir.path(), {{"tls.crt", "1"}}), "");
  EXPECT_THAT(Written(dir.path(), {{"tls.crt", "2"}}), StartsWith("..2"));
  EXPECT_EQ(Visible(dir.path()), (Payload{{"tls.crt", "2"}}));
}

TEST(WriteVolume, GivesTheModesWhateverTheUmaskSays) {
  const mode_t before = umask(0777);
  const TempDir dir;
  chmod(dir.path().c_str(), 0755);
  for (const auto& [mode, directory] : std::map<mode_t, mode_t>{
           {0440, 0750}, {0400, 0700}, {0444, 0755}, {0660, 0750}, {0600, 0700}}) {
    ASSERT_EQ(Text(Write(dir.path(), Generation(static_cast<int>(mode)), mode)), "");
    EXPECT_EQ(ModeOf(dir.File("tls.key")), mode);
    EXPECT_EQ(ModeOf(dir.File("..data")), directory);
  }
  umask(before);
}

TEST(WriteVolume, LeavesWhatIsThereAlreadyByteForByte) {
  const TempDir dir;
  EXPECT_THAT(Written(dir.path(), Generation(1)), StartsWith("..2"));
  const std::string generation = fs::read_symlink(dir.File("..data"));
  EXPECT_EQ(Written(dir.path(), Generation(1)), "");
  EXPECT_EQ(fs::read_symlink(dir.File("..data")), generation);
  EXPECT_EQ(Written(dir.path(), {}).substr(0, 3), "..2");  // a Secret may be empty
  EXPECT_THAT(Visible(dir.path()), IsEmpty());
  EXPECT_EQ(Written(dir.path(), {}), "");
}

TEST(WriteVolume, NarrowsTheModeOfWhatIsThereAlready) {
  const TempDir dir;
  ASSERT_EQ(Text(Write(dir.path(), Generation(1), 0444)), "");
  ASSERT_EQ(Text(Write(dir.path(), Generation(1), 0400)), "");
  EXPECT_EQ(ModeOf(dir.File("tls.key")), 0400U);
  EXPECT_EQ(ModeOf(dir.File("..data")), 0700U);
}

TEST(WriteVolume, DropsNamesThatAreGoneAndAddsNewOnes) {
  const TempDir dir;
  const Payload first = {{"tls.crt", "1"}, {"old", "1"}};
  const Payload second = {{"tls.crt", "1"}, {"new", "1"}};
  for (const Payload& payload : {first, second, first}) {
    EXPECT_THAT(Written(dir.path(), payload), StartsWith("..2"));
    EXPECT_EQ(Visible(dir.path()), payload);
  }
  fs::remove(dir.File("old"));
  EXPECT_EQ(Written(dir.path(), first), "");
  EXPECT_EQ(Visible(dir.path()), first) << "a link that is missing comes back";
}

TEST(WriteVolume, ClearsAwayWhatACrashLeft) {
  const TempDir dir;
  ASSERT_EQ(Text(Write(dir.path(), Generation(1))), "");
  const auto layout = Layout(dir.path());
  for (const bool changes : {false, true}) {
    fs::create_directory(dir.File("..2020_01_01_00_00_00.123456789"));
    std::ofstream(dir.File("..2020_01_01_00_00_00.123456789/tls.key")) << "half";
    fs::create_symlink("..2020_01_01_00_00_00.123456789", dir.File("..data_tmp"));
    fs::create_symlink("..data/planned", dir.File("planned"));
    ASSERT_EQ(Text(Write(dir.path(), Generation(changes ? 2 : 1))), "");
    EXPECT_EQ(Layout(dir.path()), layout);
  }
}

TEST(WriteVolume, TouchesNothingThatItHasNotMade) {
  const TempDir dir;
  std::ofstream(dir.File("notes")) << "mine";
  fs::create_symlink("notes", dir.File("link"));
  fs::create_symlink("..data/other", dir.File("alias"));
  fs::create_directory(dir.File("..2020_01_01"));
  fs::create_directories(dir.File("..2020_01_01_00_00_00.1/below"));
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Text(Write(dir.path(), Generation(i))), "");
    EXPECT_EQ(*test::ReadFile(dir.File("notes")), "mine");
    EXPECT_EQ(fs::read_symlink(dir.File("link")), "notes");
    EXPECT_TRUE(fs::is_symlink(dir.File("alias")));
    EXPECT_TRUE(fs::exists(dir.File("..2020_01_01")));
    EXPECT_TRUE(fs::exists(dir.File("..2020_01_01_00_00_00.1/below")));
  }
}

TEST(WriteVolume, RefusesNamesThatSomebodyElseHas) {
  const TempDir dir;
  std::ofstream(dir.File("tls.key")) << "mine";
  const Status taken = Write(dir.path(), Generation(1));
  EXPECT_EQ(Text(taken),
            dir.File("tls.key") + ": was not made by certlatch; use an empty directory");
  EXPECT_EQ(taken.error().code, Code::kConfig);
  EXPECT_EQ(Visible(dir.path()), (Payload{{"tls.key", "mine"}}));
  fs::rename(dir.File("tls.key"), dir.File("..data_tmp"));
  EXPECT_EQ(Text(Write(dir.path(), Generation(1))),
            dir.File("..data_tmp") + ": was not made by certlatch; use an empty directory");
  fs::remove(dir.File("..data_tmp"));
  fs::create_symlink("/etc/passwd", dir.File("tls.key"));
  EXPECT_THAT(Text(Write(dir.path(), Generation(1))), HasSubstr("not made by certlatch"));
  EXPECT_EQ(fs::read_symlink(dir.File("tls.key")), "/etc/passwd");
}

TEST(WriteVolume, RefusesADataLinkThatSomebodyElseHasMade) {
  const TempDir other;
  for (const std::string& target : {other.path(), std::string("../x"), std::string("v1")}) {
    const TempDir dir;
    fs::create_symlink(target, dir.File("..data"));
    EXPECT_EQ(Text(Write(dir.path(), Generation(1))),
              dir.File("..data") + ": was not made by certlatch; use an empty directory");
    EXPECT_EQ(fs::read_symlink(dir.File("..data")), target);
  }
  EXPECT_TRUE(fs::is_empty(other.path()));
}

TEST(WriteVolume, WantsADirectoryThatIsNoLink) {
  const TempDir dir;
  fs::create_directory(dir.File("real"));
  fs::create_symlink("real", dir.File("link"));
  EXPECT_THAT(Text(Write(dir.File("link"), Generation(1))),
              AllOf(StartsWith(dir.File("link") + ": Not a directory; "), HasSubstr("emptyDir")));
  EXPECT_THAT(Text(Write(dir.File("none"), Generation(1))),
              HasSubstr("No such file or directory; mount an emptyDir"));
  EXPECT_TRUE(fs::is_empty(dir.File("real")));
}

TEST(WriteVolume, FollowsNoLinkInPlaceOfAGeneration) {
  const TempDir dir;
  const TempDir other;
  std::ofstream(other.File("tls.key")) << "mine";
  fs::create_symlink(other.path(), dir.File("..2020_01_01_00_00_00.1"));
  fs::create_symlink("..2020_01_01_00_00_00.1", dir.File("..data"));
  ASSERT_EQ(Text(Write(dir.path(), Generation(1))), "");
  EXPECT_EQ(*test::ReadFile(other.File("tls.key")), "mine");
  EXPECT_EQ(Visible(dir.path()), Generation(1));
}

TEST(WriteVolume, IsOneAtATime) {
  const TempDir dir;
  const int other = open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  const Status busy = Write(dir.path(), Generation(1));
  EXPECT_EQ(Text(busy), dir.path() + ": another certlatch is writing there");
  EXPECT_EQ(busy.error().code, Code::kRetry);
  close(other);
  EXPECT_EQ(Text(Write(dir.path(), Generation(1))), "");
}

// Runs `body` with a file system of 64 KiB on `directory`; see EXPECT_IN_CHILD.
std::string OnASmallDisk(const std::string& directory, const std::function<std::string()>& body) {
  if (std::string skip = OwnMounts(); !skip.empty()) return skip;
  if (mount("none", directory.c_str(), "tmpfs", 0, "size=64k") != 0) return "skip: no tmpfs";
  return body();
}

TEST(WriteVolume, KeepsWhatIsThereWhereThereIsNoRoomForMore) {
  const TempDir dir;
  const auto body = [&]() -> std::string {
    if (!Write(dir.path(), Generation(1))) return "the first does not fit";
    const auto layout = Layout(dir.path());
    Payload large = Generation(2);
    large["ca.crt"] = std::string(100'000, 'x');
    const Status full = Write(dir.path(), large);
    std::string text = Text(full);
    if (text != dir.path() +
                    ": No space left on device; there must be room for two generations "
                    "(the emptyDir's sizeLimit)") {
      return text;
    }
    if (full.error().code != Code::kRetry) return "gives up";
    if (Visible(dir.path()) != Generation(1)) return "the files have changed";
    if (Layout(dir.path()) != layout) return "leaves something behind";
    return Text(Write(dir.path(), Generation(2)));
  };
  EXPECT_IN_CHILD([&] { return OnASmallDisk(dir.path(), body); });
}

TEST(WriteVolume, KeepsTheNamesThatAreThereWhereTheNewOnesDoNotFit) {
  const TempDir dir;
  const auto body = [&]() -> std::string {
    const Payload old = {{"tls.crt", "1"}, {"old", "1"}};
    if (!Write(dir.path(), old)) return "the first does not fit";
    const auto layout = Layout(dir.path());
    const Payload large = {{"tls.crt", "2"}, {"new", std::string(100'000, 'x')}};
    if (Write(dir.path(), large)) return "fits";
    if (Visible(dir.path()) != old) return "a file of the old generation is gone";
    return Layout(dir.path()) == layout ? "" : "leaves something behind";
  };
  EXPECT_IN_CHILD([&] { return OnASmallDisk(dir.path(), body); });
}

TEST(WriteVolume, SaysWhatToMountWhereItMayNotBeWritten) {
  const TempDir dir;
  const auto body = [&]() -> std::string {
    if (!Write(dir.path(), Generation(1))) return "the first does not fit";
    if (mount("none", dir.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return "skip: cannot be remounted";
    }
    const Status refused = Write(dir.path(), Generation(2));
    std::string text = Text(refused);
    if (text != dir.path() + ": Read-only file system; mount an emptyDir there, to be written to") {
      return text;
    }
    if (refused.error().code != Code::kConfig) return "goes on trying";
    if (Visible(dir.path()) != Generation(1)) return "the files have changed";
    return Text(Write(dir.path(), Generation(1)));  // there is nothing to be written
  };
  EXPECT_IN_CHILD([&] { return OnASmallDisk(dir.path(), body); });
}

TEST(WriteVolume, SaysWhoNeedsWhichRight) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  const TempDir dir;
  chmod(dir.path().c_str(), 0755);
  ASSERT_EQ(seteuid(65532), 0);
  const std::string text = Text(Write(dir.path(), Generation(1)));
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(text,
            dir.path() + ": Permission denied; give uid 65532 the right to write there: fsGroup");
}

// --- killed ---

bool CanTrace() {
  const pid_t child = fork();
  if (child == 0) _exit(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0;
}

// Runs `what` in a child that is killed at its `stop`th entry into or exit from the kernel. False:
// it had ended before.
template <typename F>
bool KilledAt(int stop, const F& what) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    what();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  for (int i = 0; i < stop; ++i) {
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) return false;
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return true;
}

std::string SerialsIn(const std::string& directory) {
  return Describe(ReadVolume(directory, kNames));
}

// `before` < 0: an empty directory. `after` always differs from it.
void KillAtEveryInstant(int before, int after) {
  if (!CanTrace()) GTEST_SKIP() << "NOT RUN: no program may be traced here";
  std::set<std::string> seen;
  int stops = 0;
  for (bool killed = true; killed; ++stops) {
    const TempDir dir;
    if (before >= 0) {
      ASSERT_EQ(Text(Write(dir.path(), Generation(before))), "");
    }
    const std::string old = SerialsIn(dir.path());
    killed = KilledAt(stops, [&] { (void)Write(dir.path(), Generation(after)).has_value(); });
    const std::string found = SerialsIn(dir.path());
    seen.insert(found);
    ASSERT_TRUE(found == old || found == std::to_string(after)) << found << " at stop " << stops;
    if (found != old) {
      EXPECT_EQ(Visible(dir.path()), Generation(after)) << "by their paths, too";
    }
    ASSERT_EQ(Text(Write(dir.path(), Generation(7))), "") << "at stop " << stops;
    EXPECT_EQ(Visible(dir.path()), Generation(7));
    EXPECT_EQ(Layout(dir.path()).size(), 2 * kNames.size() + 2) << "leftovers of stop " << stops;
  }
  EXPECT_GT(stops, 60);
  EXPECT_EQ(seen.size(), 2U);
}

TEST(WriteVolume, KilledAtAnyInstantLeavesTheOldGenerationOrTheNewOne) { KillAtEveryInstant(1, 2); }

TEST(WriteVolume, KilledAtAnyInstantLeavesNothingOrTheFirstGeneration) {
  KillAtEveryInstant(-1, 2);
}

TEST(WriteVolume, IsNeverSeenHalfDoneByThoseWhoReadMeanwhile) {
  const TempDir dir;
  ASSERT_EQ(Text(Write(dir.path(), Generation(0))), "");
  const pid_t writer = fork();
  if (writer == 0) {
    for (int i = 1; i <= 300; ++i) {
      if (!Write(dir.path(), Generation(i % 10))) _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  int reads = 0;
  while (waitpid(writer, &status, WNOHANG) == 0) {
    const std::string found = SerialsIn(dir.path());
    ++reads;
    if (found.ends_with("keeps changing while it is read")) continue;
    EXPECT_EQ(found.size(), 1U) << found;
  }
  EXPECT_EQ(status, 0);
  EXPECT_GT(reads, 0);
}

// --- the program itself ---

TEST(InstallProgram, PutsACopyThereThatRunsOverAnOlderOneInUse) {
  const TempDir dir;
  ASSERT_EQ(Text(InstallProgram(dir.path())), "");
  const std::string copy = dir.File("certlatch");
  EXPECT_EQ(ModeOf(copy), 0555U);
  EXPECT_EQ(fs::file_size(copy), fs::file_size("/proc/self/exe"));
  const std::string list = copy + " --gtest_list_tests > " + dir.File("out");
  EXPECT_EQ(std::system(list.c_str()), 0);
  const int busy = open(copy.c_str(), O_RDONLY | O_CLOEXEC);
  std::ofstream(dir.File(".certlatch.new")) << "left by a crash";
  ASSERT_EQ(Text(InstallProgram(dir.path())), "");
  struct stat old {};
  struct stat now {};
  fstat(busy, &old);
  stat(copy.c_str(), &now);
  EXPECT_NE(old.st_ino, now.st_ino);
  EXPECT_FALSE(fs::exists(dir.File(".certlatch.new")));
  close(busy);
}

TEST(InstallProgram, SaysWhatIsWrongWithTheDirectory) {
  const TempDir dir;
  std::ofstream(dir.File("file")) << "";
  EXPECT_EQ(Text(InstallProgram(dir.File("file"))),
            dir.File("file") + ": Not a directory; mount an emptyDir there, to be written to");
  EXPECT_THAT(Text(InstallProgram(dir.File("none"))), HasSubstr("No such file"));
  fs::create_directory(dir.File("certlatch"));
  EXPECT_THAT(Text(InstallProgram(dir.path())), HasSubstr("Is a directory"));
  EXPECT_FALSE(fs::exists(dir.File(".certlatch.new")));
}

TEST(InstallProgram, FollowsNoLinkInPlaceOfTheDirectoryOrTheProgram) {
  const TempDir dir;
  fs::create_directory(dir.File("real"));
  fs::create_symlink("real", dir.File("link"));
  for (const char* name : {"link", "link/", "link//"}) {
    EXPECT_THAT(Text(InstallProgram(dir.File(name))), HasSubstr("Not a directory")) << name;
  }
  EXPECT_TRUE(fs::is_empty(dir.File("real")));
  std::ofstream(dir.File("another's")) << "";
  for (const char* name : {"real/certlatch", "real/.certlatch.new"}) {
    fs::create_symlink(dir.File("another's"), dir.File(name));
  }
  ASSERT_EQ(Text(InstallProgram(dir.File("real/"))), "");
  EXPECT_TRUE(fs::is_empty(dir.File("another's")));
  EXPECT_FALSE(fs::is_symlink(dir.File("real/certlatch")));
}

// What comes from argv must not move a terminal's cursor or make a line of its own.
TEST(WriteVolume, ShowsADirectoryAsText) {
  const TempDir dir;
  const std::string hostile = dir.File("a\nb\033[2J");
  const std::string shown = dir.File("a\\x0ab\\x1b[2J");
  EXPECT_THAT(Text(Write(hostile, Generation(1))), StartsWith(shown + ": No such file"));
  fs::create_directory(hostile);
  std::ofstream(hostile + "/..data") << "";
  EXPECT_THAT(Text(Write(hostile, Generation(1))), StartsWith(shown + "/..data: was not made by"));
  const int other = open(hostile.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  EXPECT_THAT(Text(Write(hostile, Generation(1))), StartsWith(shown + ": another certlatch"));
  close(other);
}

TEST(InstallProgram, KilledAtAnyInstantLeavesNoHalfProgram) {
  if (!CanTrace()) GTEST_SKIP() << "NOT RUN: no program may be traced here";
  const TempDir dir;
  const auto size = fs::file_size("/proc/self/exe");
  for (int stop = 0; KilledAt(stop, [&] { (void)InstallProgram(dir.path()).has_value(); });
       stop += 5) {  // odd: entries and exits; a large program takes its time
    if (fs::exists(dir.File("certlatch"))) {
      ASSERT_EQ(fs::file_size(dir.File("certlatch")), size) << stop;
      fs::remove(dir.File("certlatch"));
    }
  }
  EXPECT_EQ(fs::file_size(dir.File("certlatch")), size);
}

}  // namespace
}  // namespace certlatch
