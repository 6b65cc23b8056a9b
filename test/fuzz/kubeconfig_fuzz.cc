// Any bytes as a kubeconfig: a connection whose headers hold one line each, or a refusal of one
// printable line that shows no token.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "cli/kubeconfig.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void RequirePrintable(const std::string& text) { Require(Printable(text, SIZE_MAX) == text); }

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;  // NOLINT(google-build-using-namespace): the entry point is C
  std::string text(reinterpret_cast<const char*>(data), size);
  ConnectionOptions options;
  std::string ns;
  const Status status = UseKubeconfig(text, "/etc/config", "", options, ns);
  Require(text.empty());  // wiped
  if (!status) {
    Require(!status.error().text.empty());
    RequirePrintable(status.error().text);
    return 0;
  }
  RequirePrintable(options.as);
  RequirePrintable(options.as_uid);
  for (const std::string& group : options.as_groups) RequirePrintable(group);
  return 0;
}
