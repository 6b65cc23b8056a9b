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

}  // namespace
}  // namespace certlatch
