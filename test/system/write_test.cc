// Without a kubelet in between: `--write` of wait and sidecar, from the API server to the app's
// directory; and `certlatch install`.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "platform/volume_snapshot.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const ObjectRef kSecret = {"secrets", "default", "web-tls"};

class WriteSystem : public SystemTest {
 protected:
  PemPair NewPair() const {
    CertSpec spec;
    spec.dns_names = {"web.example"};
    return authority().Issue(spec);
  }
  std::string directory() const { return directory_.path(); }
  std::string WriteFlag() const { return "--write=" + directory() + "=secret/web-tls"; }

  // What is in the directory by the paths that apps use.
  bool Holds(const PemPair& pair) const {
    const Result<std::string> cert = ReadFile(directory() + "/tls.crt");
    const Result<std::string> key = ReadFile(directory() + "/tls.key");
    return cert && key && *cert == pair.cert && *key == pair.key;
  }
  // The same of what the app read when it was told last.
  bool AppHas(const PemPair& pair) const {
    const Result<std::string> read = ReadFile(TempFile("read-by-app"));
    return read && *read == pair.cert;
  }
  bool AppGets(const PemPair& pair) const {
    const auto deadline = std::chrono::steady_clock::now() + kHang;
    while (!AppHas(pair) && std::chrono::steady_clock::now() < deadline) usleep(10'000);
    return AppHas(pair);
  }
  std::unique_ptr<Subprocess> StartSidecar() {
    Args argv = {"certlatch", "sidecar", WriteFlag(), "--listen=off"};
    for (const std::string& flag : FlagsFor(api().url())) argv.push_back(flag);
    const Args exec = {"--exec", "--", "/bin/cp", directory() + "/tls.crt",
                       TempFile("read-by-app")};
    argv.insert(argv.end(), exec.begin(), exec.end());
    return StartProgram(argv);
  }

 private:
  TempDir directory_;
};

TEST_F(WriteSystem, AnInitContainerPutsThePairWhereTheAppReadsIt) {
  const PemPair pair = NewPair();
  const auto run = Start({WriteFlag()});
  ASSERT_TRUE(run->WaitForStderr("=secret/web-tls: not found yet", kHang)) << run->Err();
  api().Put(TlsSecretJson("web-tls", pair));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.out, directory() + "=secret/web-tls condition met\n");
  EXPECT_THAT(outcome.err, HasSubstr("secret/web-tls: 2 files written to " + directory() + "/..2"));
  EXPECT_TRUE(Holds(pair));
  struct stat info {};
  ASSERT_EQ(stat((directory() + "/tls.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0440U);
  EXPECT_THAT(Run({WriteFlag()}), ExitsWith(0)) << "it is there already";
}

TEST_F(WriteSystem, WhatIsMountedReadOnlyOrMissingIsSaidAtOnce) {
  api().Put(TlsSecretJson("web-tls", NewPair()));
  const Outcome outcome = Run({"--write=" + directory() + "/none=secret/web-tls"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("none: No such file or directory; mount an emptyDir there"));
}

TEST_F(WriteSystem, ASidecarKeepsTheFilesInStep) {
  const PemPair first = NewPair();
  const PemPair second = NewPair();
  api().Put(TlsSecretJson("web-tls", first));
  const auto run = StartSidecar();
  ASSERT_TRUE(run->WaitForStderr("told, not proven", kHang)) << run->Err();
  EXPECT_TRUE(Holds(first));
  // As an issuer may leave it for a moment.
  PemPair mixed = second;
  mixed.key = first.key;
  api().Put(TlsSecretJson("web-tls", mixed));
  ASSERT_TRUE(run->WaitForStderr("what is in " + directory() + " stays", kHang)) << run->Err();
  EXPECT_TRUE(Holds(first));
  EXPECT_TRUE(AppHas(first));
  api().Put(TlsSecretJson("web-tls", second));
  ASSERT_TRUE(run->WaitForStderr("is in " + directory() + " again", kHang)) << run->Err();
  EXPECT_TRUE(Holds(second));
  ASSERT_TRUE(AppGets(second)) << run->Err();
  api().Delete(kSecret);
  ASSERT_TRUE(run->WaitForStderr("is not written: not found yet", kHang)) << run->Err();
  EXPECT_TRUE(Holds(second));
  ASSERT_TRUE(run->Signal(SIGTERM));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(outcome.err, Not(HasSubstr("PRIVATE")));
  EXPECT_THAT(outcome.err, Not(HasSubstr("kubelet")));
}

TEST_F(WriteSystem, ASidecarGoesOnFromWhatTheInitContainerWrote) {
  const PemPair pair = NewPair();
  api().Put(TlsSecretJson("web-tls", pair));
  ASSERT_THAT(Run({WriteFlag()}), ExitsWith(0));
  const std::string generation = fs::read_symlink(directory() + "/..data");
  const auto run = StartSidecar();
  ASSERT_TRUE(run->WaitForStderr("told, not proven", kHang)) << run->Err();
  EXPECT_EQ(fs::read_symlink(directory() + "/..data"), generation) << "the same bytes stay";
}

TEST_F(WriteSystem, IsNothingForTheNameKubectl) {
  Args argv = {"kubectl", "wait", "pod/a", "--for=condition=Ready", WriteFlag()};
  for (const std::string& flag : FlagsFor(api().url())) argv.push_back(flag);
  const Outcome outcome = StartProgram(argv)->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("--write is not kubectl's"));
}

TEST_F(WriteSystem, InstallPutsAProgramThereThatRuns) {
  const Outcome outcome = StartProgram({"certlatch", "install", directory()})->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(outcome.err, "");
  const Outcome copy = StartInShell("exec " + directory() + "/certlatch version", {})->Wait(kHang);
  EXPECT_THAT(copy, ExitsWith(0));
  EXPECT_THAT(copy.out, HasSubstr("certlatch "));
}

TEST_F(WriteSystem, InstallSaysWhatItNeeds) {
  const auto error_of = [](const Args& argv) {
    const Outcome outcome = StartProgram(argv)->Wait(kHang);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(error_of({"certlatch", "install"}), HasSubstr("install needs one directory"));
  EXPECT_THAT(error_of({"certlatch", "install", "/none"}),
              HasSubstr("error: /none: No such file or directory; mount an emptyDir there"));
  EXPECT_THAT(error_of({"certlatch", "install", "/dev/null"}), HasSubstr("Not a directory"));
}

}  // namespace
}  // namespace certlatch::test
