// Connection gives a test's handler exact control of the bytes that answer a request.
// Every Send is one TLS record (up to 16 KiB) or one write, flushed; false means that nobody reads
// any more. The server owns it; a handler uses it in its own call and thread only.
// What the handler leaves open serves the next request (keep-alive).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/support/http_message.h"
#include "test/support/transport.h"

namespace certlatch::test {

constexpr size_t kMaxRequestHead = size_t{64} * 1024;
constexpr size_t kMaxRequestBody = size_t{8} * 1024 * 1024;

using HeaderList = std::vector<std::pair<std::string, std::string>>;

class Connection {
 public:
  explicit Connection(Transport& transport) : transport_(transport) {}

  bool Send(std::string_view bytes) { return transport_.Write(bytes); }
  // A complete response with its Content-Length.
  bool SendResponse(int status, const HeaderList& headers, std::string_view body);
  bool StartChunked(int status, std::string_view content_type);
  bool SendChunk(std::string_view bytes);  // not empty: that would end the body
  bool EndChunked() { return Send("0\r\n\r\n"); }

  void Close() { transport_.Close(); }
  void CloseWithoutNotify() { transport_.CloseWithoutNotify(); }
  void Reset() { transport_.Reset(); }
  bool is_open() const { return transport_.is_open(); }
  SSL* tls() const { return transport_.tls(); }

  // True: the peer closed; false: the time is over or the server stops.
  bool WaitForPeerClose(Duration timeout);
  // Says nothing until the peer closes or the server stops.
  void Stall() { WaitForPeerClose(kForever); }
  // kEvent (the caller clears it), kPeerClosed, kTimeout or kStopping.
  Wake WaitFor(const Event& event, Duration timeout);

 private:
  friend class ScriptedServer;

  Wake Wait(const Event* event, Duration timeout);
  // nullopt: closed, stopped, malformed or past a bound.
  std::optional<HttpRequest> ReadRequest();
  bool ReadBody(HttpRequest& request);
  bool ReadChunkedBody(std::string& body);
  bool ReadLine(std::string& line);
  bool ReadExactly(size_t size, std::string& into);
  bool ReadMore() { return transport_.Read(unread_, kForever) == Wake::kData; }

  Transport& transport_;
  std::string unread_;  // came already, belongs to what is read next
};

}  // namespace certlatch::test
