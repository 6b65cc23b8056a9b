// Transport is one accepted TCP connection, plain or TLS: bytes in, bytes out, and every way to
// end. Owns the socket. Each Write becomes one TLS record per 16 KiB and leaves at once
// (TCP_NODELAY). For one thread; others end its waits through the `stop` Event, which outlives it.
#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>

#include "base/time.h"
#include "test/support/event.h"

namespace certlatch::test {

enum class Wake { kData, kEvent, kPeerClosed, kTimeout, kStopping };

constexpr Duration kForever = Duration::max();

class Transport {
 public:
  Transport(int fd, const Event& stop);  // takes the socket
  ~Transport();                          // as CloseWithoutNotify
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  bool Handshake(SSL_CTX* context, Duration timeout);  // speaks TLS from here on
  bool Write(std::string_view bytes);                  // false: closed, stopped or stuck for 30 s

  // Appends what comes next to `into` (kData), or says what came instead.
  Wake Read(std::string& into, Duration timeout, const Event* event = nullptr);

  void Close();               // close_notify where TLS, then FIN
  void CloseWithoutNotify();  // FIN alone: looks like a cut connection to TLS
  void Reset();               // RST

  bool is_open() const { return fd_ >= 0; }
  std::string PeerCommonName() const;
  SSL* tls() const { return tls_; }  // nullptr: plain; what it writes leaves with the next Write

 private:
  Wake Poll(short direction, Duration timeout, const Event* event);
  bool SendAll(std::string_view bytes);
  bool FlushRecords();
  Wake ReceiveOnce(std::string& into);
  bool ReadDecrypted(std::string& into, bool* closed);

  int fd_;
  const Event& stop_;
  SSL* tls_ = nullptr;  // over memory BIOs: we move its bytes
};

}  // namespace certlatch::test
