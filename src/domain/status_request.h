// StatusRequest is the head of one HTTP/1.x request to the status server, and StatusResponse all
// bytes of its answer. Any bytes give a request, a refusal, or "not yet"; once decided, more bytes
// change nothing. Pure; looks at the first kMaxStatusHead bytes only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace certlatch {

constexpr size_t kMaxStatusHead = 4096;  // kubelet and Prometheus send some 300

struct StatusRequest {
  bool complete = false;  // false: the head goes on, more bytes are needed
  int refused = 0;        // the HTTP status that says why; 0: answer it
  bool head_only = false;
  std::string_view path;  // into the bytes given, as sent, without the query
};

// GET and HEAD without a body. Refused: 400 malformed (a TLS handshake at its first bytes, so that
// an HTTPS probe learns what it talks to) or not HTTP/1.x, 405 another method, 413 a body, 431 too
// long.
StatusRequest ReadStatusRequest(std::string_view bytes);

// What a page says. Status: 200, 404 or 503; type: the Content-Type.
struct StatusPage {
  int status = 404;
  const char* type = "text/plain; charset=utf-8";
  std::string body = "not found\n";
};

// The page, or the refusal with a short body; always ends the connection.
std::string StatusResponse(const StatusRequest& request, StatusPage page);

// Where to listen.
struct ListenAddress {
  std::string_view text;  // what was parsed, for messages: must live as long
  enum { kAll, kIpv4, kIpv6 } family = kAll;
  uint8_t bytes[16] = {};  // of the address, the first 4 of IPv4's
  uint16_t port = 0;       // 0: the kernel chooses
};

// ":9847", "127.0.0.1:9847", "[::1]:9847". Names are refused: looking one up would block.
// Error: kConfig.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace certlatch
