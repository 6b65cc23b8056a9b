// ClusterTest is the fixture of tests that run the real certlatch against the real API server which
// test/cluster/start.sh started: a namespace of its own for each test, the administrator's hands,
// and certlatch as a child process.
// Without a cluster a test fails; CERTLATCH_SKIP_CLUSTER=1 skips it, and says so.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "test/support/api_client.h"
#include "test/support/subprocess.h"

namespace certlatch::test {

constexpr Duration kPatience = 60s;  // for what takes moments; a busy machine may need more

// What RUN_DIR/env says.
struct ClusterAccess {
  std::string run_dir;
  std::string url;
  std::string ca_file;
  std::string admin_token;
  std::string admin_cert_file;
  std::string admin_key_file;
};

using Process = std::unique_ptr<Subprocess>;

class ClusterTest : public testing::Test {
 protected:
  void SetUp() override;

  const ClusterAccess& access() const { return access_; }
  ApiClient& api() { return *api_; }
  const std::string& ns() const { return ns_; }

  // --- objects ---

  std::string NewNamespace(const std::string& suffix);
  // "/api/v1/namespaces/NS/secrets", "/apis/apps/v1/namespaces/NS/deployments"; `ns` "": ns().
  std::string Path(std::string_view group_version, std::string_view plural,
                   const std::string& name = "", const std::string& ns = "") const;
  // Each expects the API server to accept it.
  void Create(const std::string& collection_path, const std::string& json);
  void Patch(const std::string& path, const std::string& json);
  void Delete(const std::string& path);
  // With test/cluster/apply.sh, which waits until a CustomResourceDefinition is served.
  void Apply(const std::string& json);

  void CreateCertificate(const std::string& name, const std::string& ns = "");
  std::string CertificatePath(const std::string& name, const std::string& ns = "") const;
  void SetCertificateReady(const std::string& name, const std::string& status,
                           int observed_generation = 1, const std::string& ns = "");

  // --- certlatch ---

  // `certlatch wait ARGUMENTS` in ns() with a long timeout, as the administrator.
  Process StartWait(std::vector<std::string> arguments) const;
  // The same with other credentials: flags instead of the administrator's token.
  Process StartWaitAs(const std::vector<std::string>& credentials,
                      std::vector<std::string> arguments) const;

  std::vector<std::string> environment;  // of those that are started; "NAME=value"

  // Another mode, without a timeout of its own.
  Process StartMode(const std::string& mode, const std::vector<std::string>& credentials,
                    const std::vector<std::string>& arguments) const;
  Process StartMode(const std::string& mode, const std::vector<std::string>& arguments) const;

  // Asks until it is so: for what the API server cannot tell by itself.
  static bool Eventually(const std::function<bool()>& is_so);
  Outcome RunScript(const std::string& name, std::vector<std::string> arguments,
                    std::vector<std::string> env = {}) const;

 private:
  ClusterAccess access_;
  std::unique_ptr<ApiClient> api_;
  std::string ns_;
};

// The process says `text` on standard error.
void ExpectSays(const Process& process, std::string_view text);
// The process ends with 0 and prints exactly `out`.
void ExpectMet(const Process& process, std::string_view out);

// The built program, or the one that the environment's CERTLATCH_BINARY names.
std::string CertlatchBinary();
// Where `RUN_DIR/env` is read; the program's build directory unless CERTLATCH_CLUSTER_DIR is set.
std::string ClusterRunDir();
Result<ClusterAccess> ReadClusterAccess(const std::string& run_dir);
std::unique_ptr<ApiClient> ConnectAsAdmin(const ClusterAccess& access);

}  // namespace certlatch::test
