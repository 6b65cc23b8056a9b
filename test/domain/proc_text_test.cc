#include "domain/proc_text.h"

#include <gtest/gtest.h>

#include <string>

namespace certlatch {
namespace {

TEST(ProcField, IsWhatFollowsTheName) {
  const std::string text = "pos:\t0\nflags:\t0100000\nmnt_id:\t24\nino:\t3\n";
  EXPECT_EQ(ProcField(text, "mnt_id"), "24");
  EXPECT_EQ(ProcField(text, "pos"), "0");
  EXPECT_EQ(ProcField(text, "ino"), "3");
}

TEST(ProcField, IsEmptyWhereThereIsNone) {
  EXPECT_EQ(ProcField("", "mnt_id"), "");
  EXPECT_EQ(ProcField("mnt_id", "mnt_id"), "");
  EXPECT_EQ(ProcField("mnt_id:", "mnt_id"), "");
  EXPECT_EQ(ProcField("xmnt_id:\t1\nmnt_idx:\t2\n", "mnt_id"), "");
}

TEST(ProcField, TheFirstOfANameCounts) { EXPECT_EQ(ProcField("Uid:\t1\nUid:\t2\n", "Uid"), "1"); }

constexpr char kMounts[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "731 720 0:92 / /certs ro,relatime - tmpfs tmpfs rw,size=16212100k\n"
    "732 720 0:92 /..2026_01_02_03_04_05.678/tls.crt /etc/tls.crt ro - tmpfs tmpfs rw\n"
    "1732 720 8:1 /var/lib/docker/a\\040b//deleted /data rw shared:1 - ext4 /dev/sda1 rw\n"
    "73";

TEST(MountRoot, IsTheFourthFieldOfTheMountOfThatNumber) {
  EXPECT_EQ(MountRoot(kMounts, 731), "/");
  EXPECT_EQ(MountRoot(kMounts, 732), "/..2026_01_02_03_04_05.678/tls.crt");
  EXPECT_EQ(MountRoot(kMounts, 1732), "/var/lib/docker/a\\040b//deleted");
}

TEST(MountRoot, IsEmptyForAnUnknownOrCutOffMount) {
  EXPECT_EQ(MountRoot(kMounts, 720), "");
  EXPECT_EQ(MountRoot(kMounts, 73), "");
  EXPECT_EQ(MountRoot("", 1), "");
  EXPECT_EQ(MountRoot("\n\n \n1\n1 \n", 1), "");
}

TEST(IsPinnedRoot, IsTrueInsideAGenerationOfAnAtomicWriter) {
  for (const char* root :
       {"/..2026_01_02_03_04_05.678/tls.crt", "/..2026_01_02_03_04_05.678",
        "/..2026_01_02_03_04_05.678//deleted",
        "/var/lib/kubelet/pods/uid/volumes/kubernetes.io~csi/certs/mount/..2026_01_02.3/certs",
        "/var/lib/kubelet/pods/uid/volume-subpaths/certs/app/0"}) {
    EXPECT_TRUE(IsPinnedRoot(root)) << root;
  }
}

TEST(IsPinnedRoot, IsFalseForWholeVolumesAndOtherDirectories) {
  for (const char* root : {"", "/", "/certs", "/..", "/..data", "/a..2026", "/..a/..", "//deleted",
                           "/var/lib/kubelet/pods/uid/volumes/kubernetes.io~empty-dir/certs"}) {
    EXPECT_FALSE(IsPinnedRoot(root)) << root;
  }
}

// Fields 4 to 21 count up from the parent's PID.
std::string Stat(const std::string& name, const std::string& state = "S",
                 const std::string& parent = "7", const std::string& start = "4711") {
  std::string text = "41 (" + name + ") " + state + " " + parent;
  for (int field = 5; field < 22; ++field) text += " " + std::to_string(field);
  return text + " " + start + " 23 24\n";
}

TEST(ParseProcStat, ReadsWhateverTheNameIs) {
  for (const char* name : {"nginx", "", " ", "a b", "a)", ") S 1 (", "a\n41 (b) R 1", "((", "))"}) {
    const std::string text = Stat(name);
    const auto stat = ParseProcStat(text);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->name, name);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->start_ticks, 4711U);
  }
}

TEST(ParseProcStat, RefusesWhatItDoesNotUnderstand) {
  for (const std::string& text :
       {std::string(), std::string("41"), std::string("41 (a"), std::string("41 (a)"),
        std::string("41 a) S 1"), std::string(") (a S"), Stat("a", "SS"), Stat("a", "S", "-1"),
        Stat("a", "S", "99999999999"), Stat("a", "S", "7", ""), Stat("a", "S", "7", "x"),
        Stat("a").substr(0, 40)}) {
    EXPECT_FALSE(ParseProcStat(text)) << text;
  }
}

constexpr char kStatus[] =
    "Name:\tSigCgt:\\n\nState:\tS (sleeping)\nUid:\t1000\t0\t0\t0\nNSpid:\t41\t1\n"
    "SigBlk:\t0000000000000002\nSigIgn:\t8000000000000000\nSigCgt:\t0000000000000001\n";

TEST(ParseSignalMasks, ReadsMasksUserAndWhetherItIsPid1) {
  const auto masks = ParseSignalMasks(kStatus);
  ASSERT_TRUE(masks);
  EXPECT_EQ(masks->caught, 1U);
  EXPECT_EQ(masks->blocked, 2U);
  EXPECT_EQ(masks->ignored, uint64_t{1} << 63);
  EXPECT_EQ(masks->uid, 1000U);
  EXPECT_TRUE(masks->is_init);
  std::string other = kStatus;
  other.replace(other.find("\t41\t1\n"), 6, "\t41\t11\n");
  const auto another = ParseSignalMasks(other);
  ASSERT_TRUE(another);
  EXPECT_FALSE(another->is_init);
}

TEST(ParseSignalMasks, RefusesWhatLacksAFieldOrHasABadMask) {
  for (const char* field : {"Uid", "SigBlk", "SigIgn", "SigCgt:\t0"}) {
    std::string text = kStatus;
    text.replace(text.rfind(field), 3, "Xxx");
    EXPECT_FALSE(ParseSignalMasks(text)) << field;
  }
  for (const char* mask : {"", "g", "00000000000000001", "0x1", "F", "-1"}) {
    std::string text = kStatus;
    text.replace(text.find("0000000000000002"), 16, mask);
    EXPECT_FALSE(ParseSignalMasks(text)) << mask;
  }
}

TEST(FateOf, IsHandledOnlyWhereTheSignalIsCaughtOrBlocked) {
  const auto masks = ParseSignalMasks(kStatus);
  ASSERT_TRUE(masks);
  EXPECT_EQ(FateOf(1, *masks), SignalFate::kHandled);
  EXPECT_EQ(FateOf(2, *masks), SignalFate::kHandled);
  EXPECT_EQ(FateOf(64, *masks), SignalFate::kIgnored);
  EXPECT_EQ(FateOf(3, *masks), SignalFate::kDefault);
}

}  // namespace
}  // namespace certlatch
