// Any bytes as something to wait for, and as where an answer redirects: what is accepted is whole,
// in printable words; what is refused is refused in one printable line; no password gets into
// either.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "domain/http_method.h"
#include "domain/reachable.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void RequirePrintable(std::string_view text) {
  Require(!text.empty() && Printable(text, SIZE_MAX) == text);
}

void CheckReachable(std::string_view text) {
  Reachable reachable;
  const Status status = ParseReachable(text, reachable);
  if (!status) {
    Require(status.error().code == Code::kConfig);
    return RequirePrintable(status.error().text);
  }
  Require(IsReachable(text));
  RequirePrintable(reachable.text);
  const bool by_stream =
      reachable.kind == Reachable::Kind::kTcp || reachable.kind == Reachable::Kind::kPostgres;
  Require(by_stream == (reachable.endpoint.port != 0 && !reachable.endpoint.host.empty()));
  Require((reachable.kind == Reachable::Kind::kFile) == reachable.path.starts_with('/'));
  HttpMethod method;
  Require((reachable.kind == Reachable::Kind::kHttp) == ReadHttpUrl(reachable.url, method));
}

// What would show it in any form that has one.
void CheckPassword(std::string_view text) {
  constexpr std::string_view kPassword = "hunter2";
  for (const char* scheme : {"postgres", "http", "tcp", "file"}) {
    const std::string url =
        Format("%s://u:%s%.*s@h", scheme, kPassword.data(), Length(text), text.data());
    Reachable reachable;
    const Status status = ParseReachable(url, reachable);
    Require(!status || reachable.text.find(kPassword) == std::string::npos);
    if (status) continue;
    Require(status.error().text.find(kPassword) == std::string::npos);
  }
}

void CheckRedirect(std::string_view text) {
  const size_t end = text.find('\n');
  HttpMethod method;
  if (end == std::string_view::npos || !ReadHttpUrl(text.substr(0, end), method)) return;
  const std::string to = RedirectUrl(text.substr(0, end), text.substr(end + 1));
  if (!ReadHttpUrl(to, method)) return;
  Require(!method.host.empty() && method.port != 0 && method.unix_socket.empty());
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  certlatch::CheckReachable(text);
  certlatch::CheckPassword(text);
  certlatch::CheckRedirect(text);
  return 0;
}
