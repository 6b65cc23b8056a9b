#include "domain/secret_files.h"

#include <utility>

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

Status Bad(const std::string& key, const char* problem) {
  return Failure(Code::kRetry, "its key \"%s\" %s", Printable(key, 300).c_str(), problem);
}

}  // namespace

Status ReadSecretFiles(const Json& secret, std::vector<SecretFile>& files) {
  size_t size = 0;
  for (const Json::Member& member : secret["data"].members()) {
    if (!IsFileName(member.key)) return Bad(member.key, "cannot be the name of a file");
    for (const SecretFile& file : files) {
      if (file.name == member.key) return Bad(member.key, "is there twice");
    }
    Result<Secret> bytes = DecodeBase64Secret(member.value.AsString());
    if (!bytes) return Bad(member.key, "is not base64");
    size += bytes->Reveal().size();
    if (size > kMaxSecretBytes || files.size() == kMaxSecretFiles) {
      return Failure(Code::kRetry, "it holds more than 1 MiB, or more than 1000 keys");
    }
    files.push_back({member.key, *std::move(bytes)});
  }
  return {};
}

}  // namespace certlatch
