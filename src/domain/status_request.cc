#include "domain/status_request.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

bool IsControl(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; }

// Takes a line and its end off the front; a lone LF ends one, too (RFC 9112, section 2.2).
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end, text.size() - 1) + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Where the empty line of the head ends; 0: not here. Line ends stay in `text`.
size_t EndOfHead(std::string_view text) {
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const std::string_view next = text.substr(at + 1, 2);
    if (next.starts_with('\n')) return at + 2;
    if (next == "\r\n") return at + 3;
  }
  return 0;
}

// Of the lines below the first one; 0: nothing against them.
int RefusalOfHeaders(std::string_view lines) {
  int refusal = 0;
  for (std::string_view line; !(line = TakeLine(lines)).empty();) {
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    // A folded line begins with a space, so it is none.
    if (colon == std::string_view::npos || !IsHttpToken(name)) return 400;
    const bool has_body =
        EqualIgnoringCase(name, "transfer-encoding") ||
        (EqualIgnoringCase(name, "content-length") && Trim(line.substr(colon + 1)) != "0");
    if (has_body) refusal = 413;
  }
  return refusal;
}

// Sets everything but `complete`; 0: nothing against it.
int ReadHead(std::string_view head, StatusRequest& request) {
  const std::string_view line = TakeLine(head);
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first >= last || last == std::string_view::npos) return 400;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsHttpToken(method) || target.empty() || target.find(' ') != std::string_view::npos)
    return 400;
  if (version.size() != 8 || !version.starts_with("HTTP/1.")) return 400;
  request.head_only = method == "HEAD";
  if (!request.head_only && method != "GET") return 405;
  if (target[0] != '/') return 400;
  request.path = target.substr(0, target.find('?'));
  return RefusalOfHeaders(head);
}

struct Reason {
  int status;
  const char* words;
};

constexpr Reason kReasons[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed\r\nAllow: GET, HEAD"},
    {413, "Content Too Large"},
    {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"},  // the last one: for all others
};

}  // namespace

StatusRequest ReadStatusRequest(std::string_view bytes) {
  bytes = bytes.substr(0, kMaxStatusHead);
  StatusRequest request;
  const size_t end = EndOfHead(bytes);
  const std::string_view head = end > 0 ? bytes.substr(0, end) : bytes;
  for (size_t i = 0; i < head.size(); ++i) {
    if (!IsControl(head[i]) || head[i] == '\n') continue;
    const bool ends_line = head[i] == '\r' && (i + 1 == head.size() || head[i + 1] == '\n');
    if (!ends_line) request.refused = 400;
  }
  if (request.refused == 0) {
    if (end > 0) {
      request.refused = ReadHead(head, request);
    } else if (bytes.size() == kMaxStatusHead) {
      request.refused = 431;
    } else {
      return request;
    }
  }
  request.complete = true;
  return request;
}

std::string StatusResponse(const StatusRequest& request, StatusPage page) {
  const int status = request.refused != 0 ? request.refused : page.status;
  const Reason* reason = kReasons;
  while (reason->status != status && reason != std::end(kReasons) - 1) ++reason;
  if (request.refused != 0) {
    page = {};
    page.body = "not accepted\n";
  }
  std::string text = Format(
      "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
      status, reason->words, page.type, page.body.size());
  if (!request.head_only) text += page.body;
  return text;
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  ListenAddress address;
  address.text = text;
  const size_t colon = std::min(text.rfind(':'), text.size());
  const auto port = ParseUint(text.substr(std::min(colon + 1, text.size())), 65535);
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) {
    address.family = ListenAddress::kIpv6;
    host = host.substr(1, host.size() - 2);
  } else if (!host.empty()) {
    address.family = ListenAddress::kIpv4;
  }
  const int family = address.family == ListenAddress::kIpv6 ? AF_INET6 : AF_INET;
  const bool right =
      address.family == ListenAddress::kAll ||
      (host.find('\0') == std::string::npos && inet_pton(family, host.c_str(), address.bytes) == 1);
  if (!port || !right) {
    return Failure(Code::kConfig,
                   "cannot listen on \"%s\": want ADDR:PORT, such as :9847, 127.0.0.1:9847 or "
                   "[::1]:9847",
                   Printable(text, 100).c_str());
  }
  address.port = static_cast<uint16_t>(*port);
  return address;
}

}  // namespace certlatch
