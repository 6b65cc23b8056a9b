// `--write` against the real API server: a Secret's way into the app's directory without a kubelet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/base64.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class WriteCluster : public ClusterTest {
 protected:
  PemPair NewPair() {
    CertSpec spec;
    spec.dns_names = {"web.example"};
    spec.not_after = 24h * ++generation_;
    return authority_.Issue(spec);
  }
  static std::string SecretJson(const PemPair& pair) {
    return R"({"metadata":{"name":"web-tls"},"type":"kubernetes.io/tls","data":{"tls.crt":")" +
           EncodeBase64(pair.cert) + R"(","tls.key":")" + EncodeBase64(pair.key) + R"("}})";
  }
  std::string directory() const { return dir_.path(); }
  std::string WriteFlag() const { return "--write=" + directory() + "=secret/web-tls"; }
  bool Holds(const PemPair& pair) const {
    const Result<std::string> cert = ReadFile(dir_.File("tls.crt"));
    const Result<std::string> key = ReadFile(dir_.File("tls.key"));
    return cert && key && *cert == pair.cert && *key == pair.key;
  }

 private:
  CertAuthority authority_;
  int generation_ = 0;
  TempDir dir_;
};

TEST_F(WriteCluster, AnInitContainerWritesWhatIsCreatedThen) {
  const Process wait = StartWait({WriteFlag()});
  ExpectSays(wait, "secret/web-tls: not found yet");
  const PemPair pair = NewPair();
  Create(Path("v1", "secrets"), SecretJson(pair));
  ExpectMet(wait, directory() + "=secret/web-tls condition met\n");
  EXPECT_TRUE(Holds(pair));
}

TEST_F(WriteCluster, ASidecarKeepsItInStepAndTheAppReloads) {
  const PemPair first = NewPair();
  Create(Path("v1", "secrets"), SecretJson(first));
  const std::string copy = directory() + "-read-by-app";
  const Process sidecar = StartMode("sidecar", {WriteFlag(), "--listen=off", "--exec", "--",
                                                "/bin/cp", directory() + "/tls.crt", copy});
  const auto app_has = [&](const PemPair& pair) {
    const Result<std::string> read = ReadFile(copy);
    return read && *read == pair.cert;
  };
  EXPECT_TRUE(Eventually([&] { return app_has(first); })) << sidecar->Err();
  for (int i = 0; i < 3; ++i) {
    const PemPair pair = NewPair();
    Patch(Path("v1", "secrets", "web-tls"), SecretJson(pair));
    EXPECT_TRUE(Eventually([&] { return app_has(pair); })) << sidecar->Err();
    EXPECT_TRUE(Holds(pair));
  }
  Delete(Path("v1", "secrets", "web-tls"));
  ExpectSays(sidecar, "what is in " + directory() + " stays");
  EXPECT_TRUE(ReadFile(directory() + "/tls.key").has_value());
  EXPECT_THAT(sidecar->Err(), Not(HasSubstr("PRIVATE")));
  std::remove(copy.c_str());
}

}  // namespace
}  // namespace certlatch::test
