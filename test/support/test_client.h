// TestClient is the other end for tests of the test servers: one blocking HTTP/1.1 connection that
// shows responses down to their chunks.
// Owns its socket; every read gives up after kClientTimeout. Not for the product's own tests: those
// have the product.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "test/support/http_message.h"
#include "test/support/pki.h"

namespace certlatch::test {

constexpr Duration kClientTimeout = 20s;

struct Response {
  int status = 0;
  TextMap headers;  // names in lower case
  std::string body;
};

class TestClient {
 public:
  enum class End { kNone, kClean, kTruncated };  // kTruncated: reset, or no close_notify

  // Plain where `ca_pem` is empty. nullptr: refused, or the handshake failed.
  static std::unique_ptr<TestClient> Connect(uint16_t port, const std::string& ca_pem = "",
                                             const PemPair& client = {});
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool Send(std::string_view bytes);
  // `headers` are whole lines, each with its line end.
  bool SendRequest(std::string_view method, std::string_view target, std::string_view body = "",
                   std::string_view headers = "");
  std::optional<Response> ReadHead();
  std::optional<std::string> ReadChunk();  // "": the end of the body; nullopt: see end()
  std::optional<std::string> ReadExactly(size_t size);
  std::optional<Response> ReadResponse();
  std::optional<Response> Request(std::string_view method, std::string_view target,
                                  std::string_view body = "", std::string_view headers = "");

  // What one read brings: with TLS at most one record.
  std::optional<std::string> ReadOnce();
  End end() const { return end_; }

 private:
  TestClient() = default;
  bool Fill();
  std::optional<std::string> ReadLine();

  int fd_ = -1;
  SSL* tls_ = nullptr;
  std::string unread_;
  End end_ = End::kNone;
};

}  // namespace certlatch::test
