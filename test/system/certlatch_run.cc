#include "test/system/certlatch_run.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "domain/base64.h"

namespace certlatch::test {
namespace {

MiniApiserverOptions ApiOptions(const CertAuthority& authority, const SystemOptions& options) {
  MiniApiserverOptions api;
  api.server.tls = ServerTls(authority);
  if (options.with_tokens) {
    ApiUser admin;
    admin.all = true;
    api.tokens.emplace(kToken, admin);
  }
  return api;
}

std::unique_ptr<Subprocess> Launch(Command command) {
  auto started = Subprocess::Start(std::move(command));
  if (!started) {
    ADD_FAILURE() << started.error().text;
    std::abort();
  }
  return *std::move(started);
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t length = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < length ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) out += j > length ? '=' : kDigits[group >> (18 - 6 * j) & 63];
  }
  return out;
}

bool Gives(const Args& arguments, std::string_view flag) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const std::string& argument) { return argument.starts_with(flag); });
}

}  // namespace

std::string CertlatchBinary() {
  const char* other = std::getenv("CERTLATCH_BINARY");
  return other == nullptr ? CERTLATCH_BINARY : other;
}

Args BasicEnvironment() {
  Args env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) env.push_back(std::string(name) + "=" + value);
  }
  return env;
}

TlsSettings ServerTls(const PemPair& pair) {
  TlsSettings tls;
  tls.cert_chain_pem = pair.cert;
  tls.key_pem = pair.key;
  return tls;
}

TlsSettings ServerTls(const CertAuthority& authority) {
  CertSpec spec;
  spec.dns_names = {"localhost"};
  spec.ip_addresses = {"127.0.0.1"};
  return ServerTls(authority.Issue(spec));
}

std::unique_ptr<Subprocess> StartProgram(Args argv, std::optional<Args> env) {
  Command command;
  command.path = CertlatchBinary();
  command.argv = std::move(argv);
  command.env = env ? *std::move(env) : BasicEnvironment();
  return Launch(std::move(command));
}

std::unique_ptr<Subprocess> StartInShell(const std::string& script, Args arguments,
                                         std::optional<Args> env) {
  Command command;
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", script, CertlatchBinary()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.env = env ? *std::move(env) : BasicEnvironment();
  return Launch(std::move(command));
}

SystemTest::SystemTest(SystemOptions options)
    : api_(std::make_unique<MiniApiserver>(ApiOptions(authority_, options))) {
  Write("ca.crt", authority_.cert_pem());
}

void SystemTest::Write(std::string_view name, std::string_view bytes) const {
  const Status written = WriteFile(TempFile(name), bytes);
  ASSERT_TRUE(written.has_value()) << written.error().text;
}

Args SystemTest::FlagsFor(const std::string& url) const {
  return {"--server=" + url, "--certificate-authority=" + CaFile(),
          "--token=" + std::string(kToken)};
}

Args SystemTest::WaitAt(const std::string& url, const Args& extra) const {
  Args argv = {"certlatch", "wait", "--server=" + url};
  if (!Gives(extra, "--certificate-authority") && !Gives(extra, "--insecure")) {
    argv.push_back("--certificate-authority=" + CaFile());
  }
  if (!Gives(extra, "--token")) argv.push_back("--token=" + std::string(kToken));
  argv.insert(argv.end(), extra.begin(), extra.end());
  return argv;
}

std::unique_ptr<Subprocess> SystemTest::StartAt(const std::string& url,
                                                const Args& arguments) const {
  return StartProgram(WaitAt(url, arguments));
}

Outcome SystemTest::RunAt(const std::string& url, const Args& arguments) const {
  return StartAt(url, arguments)->Wait(kHang);
}

std::unique_ptr<Subprocess> SystemTest::Start(const Args& arguments) const {
  return StartAt(api_->url(), arguments);
}

Outcome SystemTest::Run(const Args& arguments) const { return RunAt(api_->url(), arguments); }

void PrintTo(const Outcome& outcome, std::ostream* out) { *out << outcome.Describe(); }

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

bool IsWatch(const HttpRequest& request) { return request.Query("watch") == "true"; }

size_t CountWatches(const std::vector<HttpRequest>& requests) {
  return static_cast<size_t>(std::count_if(requests.begin(), requests.end(), IsWatch));
}

std::string CertificateJson(const std::string& name, const std::string& status,
                            const std::string& ns) {
  return R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":")" + name +
         R"(","namespace":")" + ns + R"("},"spec":{"secretName":"web-tls"},"status":)" + status +
         "}";
}

std::string TlsSecretJson(const std::string& name, const PemPair& pair) {
  return R"({"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"name":")" +
         name + R"("},"data":{"tls.crt":")" + Base64(pair.cert) + R"(","tls.key":")" +
         Base64(pair.key) + R"("}})";
}

std::string ConfigMapJson(const std::string& name, const std::string& value, int version) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
         R"(","namespace":"default","resourceVersion":")" + std::to_string(version) +
         R"("},"data":{"a":")" + value + R"("}})";
}

std::string EndpointsJson(const std::string& name, bool ready) {
  const std::string addresses = ready ? "addresses" : "notReadyAddresses";
  return R"({"apiVersion":"v1","kind":"Endpoints","metadata":{"name":")" + name +
         R"("},"subsets":[{")" + addresses + R"(":[{"ip":"10.0.0.7"}],"ports":[{"port":443}]}]})";
}

ScriptedServer::Handler EmptyListThen(ScriptedServer::Handler watch) {
  return [watch = std::move(watch)](const HttpRequest& request, Connection& connection) {
    if (IsWatch(request)) return watch(request, connection);
    connection.SendResponse(200, {{"Content-Type", "application/json"}},
                            R"({"kind":"List","apiVersion":"v1",)"
                            R"("metadata":{"resourceVersion":"1"},"items":[]})");
  };
}

std::string EventLine(std::string_view type, const std::string& object_json) {
  return R"({"type":")" + std::string(type) + R"(","object":)" + object_json + "}\n";
}

}  // namespace certlatch::test
