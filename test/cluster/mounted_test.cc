// `wait --mounted` against the real API server, with a volume that is filled as the kubelet fills
// it, some time after the object has changed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/wall_time.h"
#include "domain/base64.h"
#include "domain/cert_pair.h"
#include "domain/digest.h"
#include "test/cluster/cluster.h"
#include "test/support/atomic_writer.h"
#include "test/support/files.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

class Mounted : public ClusterTest {
 protected:
  void Renew() {
    CertSpec spec;
    spec.not_after = 24h * ++generation_;
    pair_ = authority_.Issue(spec);
  }
  std::string SecretJson() const {
    return R"({"metadata":{"name":"web-tls"},"type":"kubernetes.io/tls","data":{"tls.crt":")" +
           EncodeBase64(pair_.cert) + R"(","tls.key":")" + EncodeBase64(pair_.key) + R"("}})";
  }
  std::string LeaseJson() const {
    return R"({"metadata":{"name":"web","annotations":{"kubetemplater.io/cert-ready":"true",)"
           R"("kubetemplater.io/cert-hash":")" +
           HexLower(Sha256(pair_.cert)) + R"(","kubetemplater.io/cert-valid-until":")" +
           FormatWallTime(ReadLeaf(pair_.cert)->not_after) + R"("}}})";
  }
  void Mount() { writer_.Write({{"tls.crt", pair_.cert}, {"tls.key", pair_.key}}); }
  std::string Flag(const std::string& object) const {
    return "--mounted=" + dir_.path() + "=" + object;
  }
  std::string Met() const { return dir_.path() + " condition met\n"; }

 private:
  CertAuthority authority_;
  PemPair pair_;
  int generation_ = 1;
  TempDir dir_;
  AtomicWriter writer_{dir_.path()};
};

TEST_F(Mounted, ASecretThatIsCreatedAndMountedAfterTheStart) {
  const Process process = StartWait({Flag("secret/web-tls")});
  ExpectSays(process, "secret/web-tls: does not exist");
  Renew();
  Create(Path("v1", "secrets"), SecretJson());
  ExpectSays(process, "secret/web-tls is not mounted yet; the kubelet syncs it");
  Mount();
  ExpectMet(process, Met());
  EXPECT_THAT(process->Err(), HasSubstr("the kubelet brought what secret/web-tls says"));
  EXPECT_THAT(process->Err(), testing::Not(HasSubstr("PRIVATE")));
}

TEST_F(Mounted, ASecretThatIsRenewedBeforeItIsMounted) {
  Renew();
  Create(Path("v1", "secrets"), SecretJson());
  Mount();
  Renew();
  Patch(Path("v1", "secrets", "web-tls"), SecretJson());
  const Process process = StartWait({Flag("secret/web-tls")});
  ExpectSays(process, "older than secret/web-tls");
  Mount();
  ExpectMet(process, Met());
}

TEST_F(Mounted, ALeaseAndTheMountThatFollowsIt) {
  Renew();
  Mount();
  const Process process = StartWait({Flag("lease/web"), "-o", "name"});
  ExpectSays(process, "lease/web: does not exist");
  Renew();
  Create(Path("coordination.k8s.io/v1", "leases"), LeaseJson());
  ExpectSays(process, "older than lease/web");
  Mount();
  ExpectMet(process, Met().substr(0, Met().find(' ')) + "\n");
}

TEST_F(Mounted, APairAsksNoApiServer) {
  Renew();
  Command command;
  command.path = CertlatchBinary();
  command.argv = {"certlatch", "wait", Flag("pair"), "--timeout=10m"};
  auto process = Subprocess::Start(std::move(command));
  ASSERT_TRUE(process) << process.error().text;
  ExpectSays(*process, "a pair is not mounted yet");
  Mount();
  ExpectMet(*process, Met());
}

}  // namespace
}  // namespace certlatch::test
