#include "domain/manifest.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

// Takes the first document off `text`: up to where its braces are closed, or everything.
std::string_view TakeDocument(std::string_view& text) {
  int depth = 0;
  bool quoted = false;
  size_t length = 0;
  while (length < text.size()) {
    const char c = text[length++];
    if (c == '\\' && quoted) ++length;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '{') ++depth;
    if (c == '}' && --depth <= 0) break;
  }
  length = std::min(length, text.size());
  const std::string_view document = text.substr(0, length);
  text.remove_prefix(length);
  return document;
}

class Manifest {
 public:
  Manifest(const std::string& file, std::vector<TargetName>& targets, bool to_create)
      : shown_(Printable(file, 300)), targets_(targets), to_create_(to_create) {}

  Status Read(std::string_view text) {
    for (text = Trim(text); !text.empty(); text = Trim(text)) {
      if (text[0] != '{') return NoJson();
      const Result<Json> json = ParseJson(TakeDocument(text));
      if (!json) return Failure(Code::kConfig, "%s: %s", shown_.c_str(), json.error().text.c_str());
      Status status = AddAll(*json);
      if (!status) return status;
    }
    return {};
  }

 private:
  Error NoJson() const {
    return Failure(Code::kConfig,
                   "%s: YAML is not read here; convert it once: "
                   "kubectl create --dry-run=client -o json -f %s > FILE.json",
                   shown_.c_str(), shown_.c_str());
  }

  // Lists may hold Lists.
  Status AddAll(const Json& object) {  // NOLINT(misc-no-recursion): as deep as the JSON at most
    if (!IsList(object)) return Add(object);
    for (const Json& item : object["items"].items()) {
      Status status = AddAll(item);
      if (!status) return status;
    }
    return {};
  }

  Status Add(const Json& object) {
    const std::string_view kind = object["kind"].AsString();
    const std::string_view api_version = object["apiVersion"].AsString();
    const size_t slash = std::min(api_version.find('/'), api_version.size());
    const std::string_view group = api_version.substr(0, slash == api_version.size() ? 0 : slash);
    const std::string_view version = api_version.substr(group.empty() ? 0 : slash + 1);
    if (!IsDottedName(kind) || !IsDottedName(version) || !(group.empty() || IsDottedName(group))) {
      return Failure(Code::kConfig, "%s: an object without a proper apiVersion and kind",
                     shown_.c_str());
    }
    const Json& metadata = object["metadata"];
    TargetName target;
    target.name = metadata["name"].AsString();
    target.ns = metadata["namespace"].AsString();
    if (target.name.empty() && to_create_) target.name = metadata["generateName"].AsString();
    if (target.name.empty()) return Error{Code::kConfig, "resource name must be provided"};
    if (!IsObjectName(target.name) || !(target.ns.empty() || IsObjectName(target.ns))) {
      return Failure(Code::kConfig, "%s: an object without a proper name and namespace",
                     shown_.c_str());
    }
    if (targets_.size() == kMaxManifestObjects) {
      return Failure(Code::kConfig, "%s: more than %zu objects", shown_.c_str(),
                     kMaxManifestObjects);
    }
    Name(kind, version, group, target);
    targets_.push_back(std::move(target));
    return {};
  }

  void Name(std::string_view kind, std::string_view version, std::string_view group,
            TargetName& target) const {
    const std::string kind_text(kind);
    const std::string version_text(version);
    const std::string group_text(group);
    target.type = Format("%s.%s.%s", kind_text.c_str(), version_text.c_str(), group_text.c_str());
    target.text = Format("%s/%s", ToLower(kind).c_str(), target.name.c_str());
    target.no_match = Format(
        "resource mapping not found for name: \"%s\" namespace: \"%s\" from \"%s\": "
        "no matches for kind \"%s\" in version \"%s%s%s\"\nensure CRDs are installed first",
        target.name.c_str(), target.ns.c_str(), shown_.c_str(), kind_text.c_str(),
        group_text.c_str(), group.empty() ? "" : "/", version_text.c_str());
  }

  std::string shown_;
  std::vector<TargetName>& targets_;
  bool to_create_;
};

}  // namespace

bool IsList(const Json& object) {
  return object.Find("items") != nullptr && object["kind"].AsString().ends_with("List");
}

Status ReadManifest(std::string_view text, const std::string& file,
                    std::vector<TargetName>& targets, bool to_create) {
  return Manifest(file, targets, to_create).Read(text);
}

}  // namespace certlatch
