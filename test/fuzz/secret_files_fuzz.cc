// Any bytes as a Secret of the API: files of which none leads out of the directory, hides in it or
// is there twice, all together bounded; or a refusal of one printable line.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "base/text.h"
#include "domain/base64.h"
#include "domain/secret_files.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void RequireFileName(const std::string& name) {
  Require(!name.empty() && name.size() <= 255 && name != "." && name.substr(0, 2) != "..");
  for (const char c : name) Require(c != '/' && c > ' ' && c < 0x7f);
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;  // NOLINT(google-build-using-namespace): the entry point is C
  const Result<Json> secret = ParseJson({reinterpret_cast<const char*>(data), size});
  if (!secret) return 0;
  const Json& files = (*secret)["data"];
  const Status status = CheckSecretFiles(files);
  if (!status) {
    Require(!status.error().text.empty());
    Require(Printable(status.error().text, SIZE_MAX) == status.error().text);
    return 0;
  }
  std::set<std::string> names;
  size_t bytes = 0;
  for (const Json::Member& file : files.members()) {
    RequireFileName(file.key);
    Require(names.insert(file.key).second);
    const Result<Secret> content = DecodeBase64Secret(file.value.AsString());
    Require(content.has_value());
    bytes += content->Reveal().size();
  }
  Require(bytes <= kMaxSecretBytes && names.size() <= kMaxSecretFiles);
  return 0;
}
