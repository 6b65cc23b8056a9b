// Any bytes as a manifest: targets whose types and names stay where they belong in a path, or a
// refusal of printable lines; the same each time.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "domain/manifest.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;  // NOLINT(google-build-using-namespace): the entry point is C
  std::vector<TargetName> targets;
  const Status status =
      ReadManifest({reinterpret_cast<const char*>(data), size}, "f.json", targets);
  for (const TargetName& target : targets) {
    Require(IsObjectName(target.name) && (target.ns.empty() || IsObjectName(target.ns)));
    Require(target.type.find_first_of("/?#% ") == std::string::npos);
    for (const std::string_view line : Split(target.no_match, '\n')) {
      Require(Printable(line, SIZE_MAX) == line);
    }
  }
  if (status) return 0;
  Require(!status.error().text.empty());
  Require(Printable(status.error().text, SIZE_MAX) == status.error().text);
  return 0;
}
