// ScriptedServer is an HTTP/1.1 server on the loopback, plain or TLS, whose every byte a test's
// handler decides; it can also refuse, stay silent or talk garbage, and change between these.
// Owns its port, at most kMaxConnections threads and the last kMaxRecorded requests; destruction
// ends every connection and joins every thread. A handler must not wait for anything but its
// Connection, or for a bounded time: it runs in the connection's thread, several at once.
#pragma once

#include <openssl/types.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "test/support/connection.h"
#include "test/support/event.h"
#include "test/support/http_message.h"
#include "test/support/pki.h"

namespace certlatch::test {

constexpr size_t kMaxConnections = 256;
constexpr size_t kMaxRecorded = 10000;

struct TlsSettings {
  std::string cert_chain_pem;  // the leaf first
  std::string key_pem;
  std::string client_ca_pem = {};          // "": no client certificate is asked for
  bool require_client_certificate = true;  // where one is asked for
  int min_version = 0;                     // TLS1_2_VERSION and so on; 0: OpenSSL's choice
  int max_version = 0;
  std::function<void(SSL_CTX*)> tune = {};  // has the last word on the context
};

// What a connection meets.
enum class Mode {
  kServe,
  kSilent,   // accepted, then not a byte: with TLS a handshake that never ends
  kGarbage,  // accepted and answered with `garbage`, then closed
  kHangUp,   // accepted, heard, then closed without a byte
  kRefuse,   // the kernel refuses it; the port stays ours
};

struct ServerOptions {
  std::optional<TlsSettings> tls;  // nullopt: plain
  Mode mode = Mode::kServe;
  std::string garbage = "\x01\x02 this is neither TLS nor HTTP\r\n";
  bool ipv6 = false;  // also on ::1, same port
  uint16_t port = 0;  // 0: any free one
};

struct ServerCounts {
  size_t accepted = 0;  // connections since the start
  size_t open = 0;      // connections now
  size_t requests = 0;  // since the start
};

// A TLS server under the names of the loopback, and "kubernetes.test".
ServerOptions WithTls(const CertAuthority& authority = Authority());

class ScriptedServer {
 public:
  using Handler = std::function<void(const HttpRequest&, Connection&)>;

  // Aborts where there is no port or the PEM is not usable: no test can go on without it.
  ScriptedServer(ServerOptions options, Handler handler);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  uint16_t port() const { return port_; }
  std::string url() const;  // "https://127.0.0.1:PORT", without a slash at the end

  void SetMode(Mode mode);              // for connections from now on; in force on return
  void SetTls(const TlsSettings& tls);  // for handshakes from now on; only of a TLS server
  void DropConnections();               // resets all that are open and waits for their end

  std::vector<HttpRequest> requests() const;  // the last kMaxRecorded, in order of arrival
  ServerCounts counts() const;
  // False: the time is over.
  bool WaitUntil(const std::function<bool(const ServerCounts&)>& reached, Duration timeout) const;
  bool WaitForRequests(size_t count, Duration timeout) const;

 private:
  struct Served {
    int number = 0;
    Event stop;
    bool reset = false;  // with RST when stopped; under mutex_
    bool done = false;   // its thread has nothing left to do; under mutex_
    std::thread thread;
  };

  void BindPort(uint16_t port);
  void Listen();
  void StopListening();
  void AcceptLoop();
  void AcceptFrom(int listener);
  void JoinDone();
  void Serve(int fd, Served& served);
  void ServeInMode(Transport& transport, Served& served);
  void ServeRequests(Transport& transport, const Served& served);
  std::shared_ptr<SSL_CTX> tls_context() const;

  const ServerOptions options_;
  const Handler handler_;
  uint16_t port_ = 0;
  std::vector<int> reserved_;  // bound but never listening: they keep the port while we refuse

  mutable std::mutex mutex_;  // guards everything below
  mutable std::condition_variable changed_;
  std::shared_ptr<SSL_CTX> context_;
  Mode mode_;
  bool stopping_ = false;
  std::vector<int> listeners_;
  std::list<Served> served_;
  std::deque<HttpRequest> requests_;
  ServerCounts counts_;

  Event wake_acceptor_;
  std::thread acceptor_;
};

}  // namespace certlatch::test
