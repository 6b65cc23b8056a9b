#include "domain/secret_files.h"

#include <string_view>

#include "base/text.h"
#include "domain/base64.h"

namespace certlatch {
namespace {

constexpr size_t kMaxFileName = 255;  // Linux's NAME_MAX; Kubernetes allows 253

// As the API server checks keys, which leaves no '/' and no control characters. Names that begin
// with two dots are those of the volume's own links and directories.
bool IsFileName(std::string_view name) {
  return name.size() <= kMaxFileName && ConsistsOf(name, "-_.") && name != "." &&
         !name.starts_with("..");
}

}  // namespace

Status CheckSecretFiles(const Json& data) {
  size_t size = 0;
  size_t count = 0;
  for (const Json::Member& member : data.members()) {
    const std::string& key = member.key;
    const Result<Secret> bytes = DecodeBase64Secret(member.value.AsString());
    const char* problem = nullptr;
    if (!bytes) problem = "is not base64";
    if (!IsFileName(key)) problem = "cannot be the name of a file";
    if (data.Find(key) != &member.value) problem = "is there twice";
    if (problem != nullptr) {
      return Failure(Code::kRetry, "its key \"%s\" %s", Printable(key, 300).c_str(), problem);
    }
    size += bytes->Reveal().size();
    if (size > kMaxSecretBytes || ++count > kMaxSecretFiles) {
      return Failure(Code::kRetry, "it holds more than 1 MiB, or more than 1000 keys");
    }
  }
  return {};
}

}  // namespace certlatch
