#include "test/cluster/cluster.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

#include "base/text.h"
#include "domain/json.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// As the name of a Kubernetes object: lower case, no test is like another, no run like another.
std::string OwnName() {
  const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
  std::string name = ToLower(info.name());
  std::replace_if(
      name.begin(), name.end(), [](char c) { return (c < 'a' || c > 'z') && (c < '0' || c > '9'); },
      '-');
  return name.substr(0, 40) + "-" + std::to_string(getpid());
}

std::vector<std::string> ScriptEnvironment(std::vector<std::string> env) {
  for (const char* name : {"PATH", "HOME", "CERTLATCH_CACHE", "XDG_CACHE_HOME", "TMPDIR"}) {
    const std::string value = Environment(name);
    if (!value.empty()) env.push_back(std::string(name) + "=" + value);
  }
  return env;
}

uint16_t PortOf(const std::string& url) {
  return static_cast<uint16_t>(ParseUint(url.substr(url.rfind(':') + 1)).value_or(0));
}

}  // namespace

std::string CertlatchBinary() {
  const std::string other = Environment("CERTLATCH_BINARY");
  return other.empty() ? CERTLATCH_BINARY : other;
}

std::string ClusterRunDir() {
  const std::string dir = Environment("CERTLATCH_CLUSTER_DIR");
  return dir.empty() ? CERTLATCH_CLUSTER_RUN_DIR : dir;
}

Result<ClusterAccess> ReadClusterAccess(const std::string& run_dir) {
  const Result<std::string> text = ReadFile(run_dir + "/env");
  if (!text) return text.error();
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string_view line : Split(*text, '\n')) {
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string value(line.substr(equals + 1));
    std::erase(value, '\\');  // the shell's quoting of unusual characters in a path
    values[std::string(line.substr(0, equals))] = value;
  }
  return ClusterAccess{run_dir,
                       values["API_URL"],
                       values["CA_FILE"],
                       values["ADMIN_TOKEN"],
                       values["ADMIN_CERT_FILE"],
                       values["ADMIN_KEY_FILE"]};
}

std::unique_ptr<ApiClient> ConnectAsAdmin(const ClusterAccess& access) {
  const Result<std::string> ca = ReadFile(access.ca_file);
  if (!ca) return nullptr;
  return std::make_unique<ApiClient>(PortOf(access.url), *ca, access.admin_token);
}

void ClusterTest::SetUp() {
  if (Environment("CERTLATCH_SKIP_CLUSTER") == "1") {
    std::fputs("\n*** CERTLATCH_SKIP_CLUSTER=1: NOT tested against a real API server ***\n\n",
               stderr);
    GTEST_SKIP() << "CERTLATCH_SKIP_CLUSTER=1";
  }
  Result<ClusterAccess> access = ReadClusterAccess(ClusterRunDir());
  ASSERT_TRUE(access) << access.error().text
                      << ": run this through ctest, or start a cluster with test/cluster/start.sh "
                         "and name its directory in CERTLATCH_CLUSTER_DIR";
  access_ = *std::move(access);
  api_ = ConnectAsAdmin(access_);
  ASSERT_NE(api_, nullptr) << access_.ca_file;
  ns_ = NewNamespace("");
}

// --- objects ---

std::string ClusterTest::NewNamespace(const std::string& suffix) {
  std::string name = OwnName() + suffix;
  Create("/api/v1/namespaces", R"({"metadata":{"name":")" + name + R"("}})");
  return name;
}

std::string ClusterTest::Path(std::string_view group_version, std::string_view plural,
                              const std::string& name, const std::string& ns) const {
  const bool core = group_version.find('/') == std::string_view::npos;
  std::string path = (core ? "/api/" : "/apis/") + std::string(group_version);
  path += "/namespaces/" + (ns.empty() ? ns_ : ns) + "/" + std::string(plural);
  return name.empty() ? path : path + "/" + name;
}

void ClusterTest::Create(const std::string& collection_path, const std::string& json) {
  const Response response = api().Post(collection_path, json);
  ASSERT_EQ(response.status, 201) << "POST " << collection_path << " " << json << "\n"
                                  << response.body;
}

void ClusterTest::Patch(const std::string& path, const std::string& json) {
  const Response response = api().MergePatch(path, json);
  ASSERT_EQ(response.status, 200) << "PATCH " << path << " " << json << "\n" << response.body;
}

void ClusterTest::Delete(const std::string& path) {
  const Response response = api().Delete(path);
  ASSERT_TRUE(response.status == 200 || response.status == 202) << path << "\n" << response.body;
}

void ClusterTest::Apply(const std::string& json) {
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.File("object.json"), json));
  const Outcome outcome = RunScript("apply.sh", {dir.File("object.json")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
}

void ClusterTest::CreateCertificate(const std::string& name, const std::string& ns) {
  Create(Path("cert-manager.io/v1", "certificates", "", ns),
         R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":")" + name +
             R"("},"spec":{"secretName":"web-tls","dnsNames":["web.example.com"]}})");
}

std::string ClusterTest::CertificatePath(const std::string& name, const std::string& ns) const {
  return Path("cert-manager.io/v1", "certificates", name, ns);
}

void ClusterTest::SetCertificateReady(const std::string& name, const std::string& status,
                                      int observed_generation, const std::string& ns) {
  Patch(CertificatePath(name, ns) + "/status",
        R"({"status":{"conditions":[{"type":"Ready","status":")" + status +
            R"(","reason":"Testing","message":"as the test says","observedGeneration":)" +
            std::to_string(observed_generation) + "}]}}");
}

// --- certlatch ---

Process ClusterTest::StartWait(std::vector<std::string> arguments) const {
  return StartWaitAs({"--token=" + access_.admin_token}, std::move(arguments));
}

Process ClusterTest::StartWaitAs(const std::vector<std::string>& credentials,
                                 std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "--timeout=10m");
  return StartMode("wait", credentials, arguments);
}

Process ClusterTest::StartMode(const std::string& mode,
                               const std::vector<std::string>& arguments) const {
  return StartMode(mode, {"--token=" + access_.admin_token}, arguments);
}

Process ClusterTest::StartMode(const std::string& mode, const std::vector<std::string>& credentials,
                               const std::vector<std::string>& arguments) const {
  Command command;
  command.path = CertlatchBinary();
  command.argv = {"certlatch", mode, "--server=" + access_.url,
                  "--certificate-authority=" + access_.ca_file, "--namespace=" + ns_};
  command.argv.insert(command.argv.end(), credentials.begin(), credentials.end());
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.env = environment;
  Result<Process> process = Subprocess::Start(std::move(command));
  EXPECT_TRUE(process) << process.error().text;
  return process ? *std::move(process) : nullptr;
}

bool ClusterTest::Eventually(const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(20ms);  // there is no event to wait for: asked again
  }
  return true;
}

Outcome ClusterTest::RunScript(const std::string& name, std::vector<std::string> arguments,
                               std::vector<std::string> env) const {
  Command command;
  command.path = CERTLATCH_CLUSTER_SCRIPTS "/" + name;
  command.argv = {name, access_.run_dir};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.env = ScriptEnvironment(std::move(env));
  Result<Outcome> outcome = RunProgram(std::move(command), 3min);
  EXPECT_TRUE(outcome) << outcome.error().text;
  return outcome ? *std::move(outcome) : Outcome{};
}

void ExpectSays(const Process& process, std::string_view text) {
  ASSERT_NE(process, nullptr);
  ASSERT_TRUE(process->WaitForStderr(text, kPatience)) << "never said: " << text << "\n"
                                                       << process->Err() << process->Out();
}

void ExpectMet(const Process& process, std::string_view out) {
  ASSERT_NE(process, nullptr);
  const Outcome outcome = process->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.Describe() << "\n" << outcome.err;
  EXPECT_EQ(outcome.out, out) << outcome.err;
}

}  // namespace certlatch::test
