#include "test/support/connection.h"

#include <charconv>
#include <chrono>
#include <cstdint>

#include "base/text.h"

namespace certlatch::test {
namespace {

Instant Now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

std::string StatusLine(int status) {
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(ReasonPhrase(status)) + "\r\n";
}

// The size in a chunk's first line; nullopt: malformed or past the bound.
std::optional<size_t> ChunkSize(std::string_view line) {
  const std::string_view digits = Trim(line.substr(0, line.find(';')));
  size_t size = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, size, 16);
  if (error != std::errc() || stopped != end || size > kMaxRequestBody) return std::nullopt;
  return size;
}

}  // namespace

bool Connection::SendResponse(int status, const HeaderList& headers, std::string_view body) {
  std::string text = StatusLine(status);
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value) += "\r\n";
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  text += body;
  return Send(text);
}

bool Connection::StartChunked(int status, std::string_view content_type) {
  return Send(StatusLine(status) + "Content-Type: " + std::string(content_type) +
              "\r\nTransfer-Encoding: chunked\r\n\r\n");
}

bool Connection::SendChunk(std::string_view bytes) {
  if (bytes.empty()) return is_open();
  char size[32];
  char* end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  return Send(std::string(size, end) + "\r\n" + std::string(bytes) + "\r\n");
}

bool Connection::WaitForPeerClose(Duration timeout) {
  return Wait(nullptr, timeout) == Wake::kPeerClosed;
}

Wake Connection::WaitFor(const Event& event, Duration timeout) { return Wait(&event, timeout); }

Wake Connection::Wait(const Event* event, Duration timeout) {
  const Instant end = SaturatingAdd(Now(), timeout);
  while (true) {
    const Wake wake = transport_.Read(unread_, end - Now(), event);
    if (wake != Wake::kData) return wake;
    // A peer that talks on and on while we wait has broken the protocol.
    if (unread_.size() > kMaxRequestBody) return Wake::kPeerClosed;
  }
}

bool Connection::ReadLine(std::string& line) {
  size_t searched = 0;
  size_t found = 0;
  while ((found = unread_.find('\n', searched)) == std::string::npos) {
    searched = unread_.size();
    if (searched > kMaxRequestHead || !ReadMore()) return false;
  }
  line = unread_.substr(0, found + 1);
  unread_.erase(0, found + 1);
  return true;
}

bool Connection::ReadExactly(size_t size, std::string& into) {
  while (unread_.size() < size) {
    if (!ReadMore()) return false;
  }
  into.append(unread_, 0, size);
  unread_.erase(0, size);
  return true;
}

bool Connection::ReadChunkedBody(std::string& body) {
  std::string line;
  while (ReadLine(line)) {
    const std::optional<size_t> size = ChunkSize(line);
    if (!size || body.size() + *size > kMaxRequestBody) return false;
    std::string line_end;
    if (!ReadExactly(*size, body) || !ReadLine(line_end)) return false;
    if (*size == 0) return true;  // no trailers: no client of ours sends them
  }
  return false;
}

bool Connection::ReadBody(HttpRequest& request) {
  // RFC 9110, section 10.1.1: curl waits for this before it sends a large body.
  if (EqualIgnoringCase(request.Header("expect"), "100-continue") &&
      !Send("HTTP/1.1 100 Continue\r\n\r\n")) {
    return false;
  }
  if (EqualIgnoringCase(request.Header("transfer-encoding"), "chunked")) {
    return ReadChunkedBody(request.body);
  }
  const std::string_view length = request.Header("content-length");
  if (length.empty()) return true;
  const std::optional<uint64_t> size = ParseUint(length, kMaxRequestBody);
  return size && ReadExactly(static_cast<size_t>(*size), request.body);
}

std::optional<HttpRequest> Connection::ReadRequest() {
  std::string head;
  std::string line;
  do {
    if (!ReadLine(line)) return std::nullopt;
    head += line;
  } while (!Trim(line).empty() && head.size() <= kMaxRequestHead);
  if (head.size() > kMaxRequestHead) return std::nullopt;
  std::optional<HttpRequest> request = ParseRequestHead(head);
  if (request && !ReadBody(*request)) return std::nullopt;
  return request;
}

}  // namespace certlatch::test
