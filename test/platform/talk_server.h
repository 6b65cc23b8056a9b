// TalkServer accepts connections on 127.0.0.1, one after the other, and lets a test's handler talk
// on each. Owns its port and one thread; destruction ends the handler's waits and joins.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "domain/endpoint.h"
#include "test/support/event.h"
#include "test/support/transport.h"

namespace certlatch::test {

class TalkServer {
 public:
  using Handler = std::function<void(Transport&)>;

  explicit TalkServer(Handler handler);  // the connection is closed when it returns
  ~TalkServer();
  TalkServer(const TalkServer&) = delete;
  TalkServer& operator=(const TalkServer&) = delete;

  Endpoint endpoint() const;

 private:
  void Serve();

  Handler handler_;
  uint16_t port_ = 0;  // before the socket, which sets it
  int listener_;
  Event stop_;
  std::thread thread_;
};

// Of 127.0.0.1, where nobody listens.
Endpoint RefusingEndpoint();

}  // namespace certlatch::test
