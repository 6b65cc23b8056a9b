// mini_apiserver --dir DIR [--port N]: the MiniApiserver as a program, for kubectl and for scripts.
// Writes DIR/ca.crt, DIR/token and, last and at once, DIR/url: when that exists, it serves. Objects
// come in through the API. SIGTERM and SIGINT end it with exit code 0.
#include <openssl/rand.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "test/support/files.h"
#include "test/support/mini_apiserver.h"
#include "test/support/pki.h"

namespace {

using certlatch::ParseUint;
using certlatch::Status;
using certlatch::test::CertAuthority;
using certlatch::test::CertSpec;
using certlatch::test::MiniApiserver;
using certlatch::test::MiniApiserverOptions;
using certlatch::test::PemPair;
using certlatch::test::TlsSettings;
using certlatch::test::WriteFile;

struct Arguments {
  std::string dir;
  uint16_t port = 0;
};

std::optional<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const std::optional<uint64_t> number = ParseUint(argv[i + 1], UINT16_MAX);
    if (flag == "--dir") {
      arguments.dir = argv[i + 1];
    } else if (flag == "--port" && number) {
      arguments.port = static_cast<uint16_t>(*number);
    } else {
      return std::nullopt;
    }
  }
  if (argc % 2 == 0 || arguments.dir.empty()) return std::nullopt;
  return arguments;
}

std::string RandomToken() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) std::abort();
  std::string token;
  char hex[3];
  for (const unsigned char byte : bytes) {
    std::snprintf(hex, sizeof hex, "%02x", byte);
    token += hex;
  }
  return token;
}

bool WriteOrSay(const std::string& path, std::string_view bytes) {
  const Status written = WriteFile(path, bytes);
  if (!written) std::fprintf(stderr, "mini_apiserver: %s\n", written.error().text.c_str());
  return written.has_value();
}

// Blocked here and so in every thread that is started later: sigwait below gets them.
sigset_t BlockTermination() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int Serve(const Arguments& arguments) {
  const sigset_t signals = BlockTermination();
  const CertAuthority ca("mini_apiserver CA");
  CertSpec spec;
  spec.common_name = "kube-apiserver";
  spec.dns_names = {"localhost", "kubernetes.default.svc"};
  spec.ip_addresses = {"127.0.0.1", "::1"};
  const PemPair pair = ca.Issue(spec);
  const std::string token = RandomToken();
  MiniApiserverOptions options;
  options.server.port = arguments.port;
  options.server.tls = TlsSettings{pair.cert, pair.key};
  options.tokens[token].all = true;
  const MiniApiserver server(options);
  if (!WriteOrSay(arguments.dir + "/ca.crt", ca.cert_pem()) ||
      !WriteOrSay(arguments.dir + "/token", token) ||
      !WriteOrSay(arguments.dir + "/url", server.url())) {
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = ParseArguments(argc, argv);
  if (!arguments) {
    std::fputs("usage: mini_apiserver --dir DIR [--port N]\n", stderr);
    return 2;
  }
  return Serve(*arguments);
}
