// Any bytes sent to the status server: a request, a refusal or "not yet", the same however they
// come in pieces, and an answer that is well formed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "domain/status_request.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void Check(std::string_view bytes) {
  const StatusRequest whole = ReadStatusRequest(bytes);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const StatusRequest part = ReadStatusRequest(bytes.substr(0, size));
    if (!part.complete) {
      Require(size < bytes.size() || !whole.complete);
      continue;
    }
    Require(whole.complete && part.refused == whole.refused && part.path == whole.path &&
            part.head_only == whole.head_only);
    break;  // the rest is nobody's
  }
  Require(whole.complete || (bytes.size() < kMaxStatusHead && whole.refused == 0));
  if (!whole.complete) return;
  if (whole.refused == 0) Require(whole.path.starts_with('/'));
  const std::string answer = StatusResponse(whole, {200, "text/plain", "ok\n"});
  const std::string_view text = answer;
  Require(text.starts_with("HTTP/1.1 ") &&
          (text.starts_with("HTTP/1.1 200") == (whole.refused == 0)));
  Require(text.ends_with("\r\n\r\n") == whole.head_only);
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  certlatch::Check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
