// Runs the real certlatch against this process's own API servers.
// SystemTest owns a directory, a CA, a small API server behind TLS, and the flags that lead there.
// Every wait for the program is bounded by kHang; a bound that is reached fails the test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/api_status.h"
#include "test/support/files.h"
#include "test/support/mini_apiserver.h"
#include "test/support/pki.h"
#include "test/support/scripted_server.h"
#include "test/support/subprocess.h"

namespace certlatch::test {

using Args = std::vector<std::string>;

constexpr Duration kHang = 90s;  // generous: four sanitized programs share the machine
constexpr std::string_view kToken = "wAlrus-7x-secret-token";

// The built program, or the one that the environment's CERTLATCH_BINARY names.
std::string CertlatchBinary();

// PATH, and what the sanitizers' options are here.
Args BasicEnvironment();

// A certificate for 127.0.0.1 and localhost, as a server presents it.
TlsSettings ServerTls(const CertAuthority& authority);
TlsSettings ServerTls(const PemPair& pair);

// Starts the program with exactly this argv and BasicEnvironment, or `env`.
std::unique_ptr<Subprocess> StartProgram(Args argv, std::optional<Args> env = std::nullopt);
// The same from within `sh -c SCRIPT BINARY argv[1]...`: $0 is the program, $@ its arguments.
std::unique_ptr<Subprocess> StartInShell(const std::string& script, Args arguments,
                                         std::optional<Args> env = std::nullopt);

struct SystemOptions {
  bool with_tokens = true;  // the API server knows kToken only, which may do everything
};

class SystemTest : public testing::Test {
 protected:
  explicit SystemTest(SystemOptions options = {});

  // --server, --certificate-authority and --token for a server of ours.
  Args FlagsFor(const std::string& url) const;
  // Those of FlagsFor(url) but for the ones whose flag `extra` gives itself, then `extra`.
  Args WaitAt(const std::string& url, const Args& extra) const;

  // "certlatch wait" at the API server api() with `arguments`.
  std::unique_ptr<Subprocess> Start(const Args& arguments) const;
  Outcome Run(const Args& arguments) const;
  std::unique_ptr<Subprocess> StartAt(const std::string& url, const Args& arguments) const;
  Outcome RunAt(const std::string& url, const Args& arguments) const;

  MiniApiserver& api() { return *api_; }
  const CertAuthority& authority() const { return authority_; }
  std::string CaFile() const { return dir_.File("ca.crt"); }
  std::string TempFile(std::string_view name) const { return dir_.File(name); }
  void Write(std::string_view name, std::string_view bytes) const;

 private:
  TempDir dir_;
  CertAuthority authority_;
  std::unique_ptr<MiniApiserver> api_;
};

// --- what tests look at ---

void PrintTo(const Outcome& outcome, std::ostream* out);

MATCHER_P(ExitsWith, code, "exits with " + std::to_string(code)) {
  *result_listener << "\nstdout: " << arg.out << "\nstderr: " << arg.err;
  return arg.exit_code == code && !arg.timed_out;
}

size_t CountOf(std::string_view text, std::string_view part);
std::vector<std::string> Lines(std::string_view text);
bool IsWatch(const HttpRequest& request);
size_t CountWatches(const std::vector<HttpRequest>& requests);

// --- objects ---

std::string CertificateJson(const std::string& name, const std::string& status,
                            const std::string& ns = "default");
std::string TlsSecretJson(const std::string& name, const PemPair& pair);
std::string ConfigMapJson(const std::string& name, const std::string& value, int version = 1);
std::string EndpointsJson(const std::string& name, bool ready);

// --- a server of which only the watch is the test's ---

// Lists an empty collection at version 1 to everything but watches; those are `watch`'s.
ScriptedServer::Handler EmptyListThen(ScriptedServer::Handler watch);
std::string EventLine(std::string_view type, const std::string& object_json);

}  // namespace certlatch::test
