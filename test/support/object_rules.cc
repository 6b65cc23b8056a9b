#include "test/support/object_rules.h"

#include <openssl/evp.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <utility>

#include "test/support/json_edit.h"

namespace certlatch::test {
namespace {

// Unique within the process, and readable in a failed test's output.
std::string NextUid() {
  static std::atomic<unsigned> counter{0};
  char uid[40];
  std::snprintf(uid, sizeof uid, "00000000-0000-4000-8000-%012x", ++counter);
  return uid;
}

std::string Base64(std::string_view bytes) {
  std::string encoded((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  encoded.resize(static_cast<size_t>(size));
  return encoded;
}

Json SecretWithDefaults(const Json& secret) {
  Json data = secret["data"];
  for (const Json::Member& member : secret["stringData"].members()) {
    data = With(data, member.key, JsonText(Base64(member.value.AsString())));
  }
  Json filled = Without(secret, "stringData");
  if (!data.is_null()) filled = With(filled, "data", data);
  return filled.Find("type") != nullptr ? filled : With(filled, "type", JsonText("Opaque"));
}

Json WithDefaults(const ApiResource& resource, Json object) {
  if (resource.qualified() == "secrets") return SecretWithDefaults(object);
  if (resource.qualified() == "namespaces" && object.Find("status") == nullptr) {
    return With(object, "status", Json(Json::Object{{"phase", JsonText("Active")}}));
  }
  return object;
}

// What counts for the generation.
Json Desired(const Json& object) { return Without(Without(object, "metadata"), "status"); }

Json Copied(const Json& from, std::string_view key, const Json& to) {
  const Json* found = from.Find(key);
  return found != nullptr ? With(to, key, *found) : Without(to, key);
}

}  // namespace

std::string Timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

Json NewObject(const ApiResource& resource, std::string_view ns, const Json& object, Part part) {
  Json created = With(object, "kind", JsonText(resource.kind));
  created = With(created, "apiVersion", JsonText(resource.api_version()));
  if (part != Part::kAll && resource.has_status) created = Without(created, "status");
  Json metadata = created["metadata"];
  if (resource.namespaced) metadata = With(metadata, "namespace", JsonText(ns));
  metadata = With(metadata, "uid", JsonText(NextUid()));
  metadata = With(metadata, "creationTimestamp", JsonText(Timestamp()));
  metadata = resource.has_status ? With(metadata, "generation", JsonInt(1))
                                 : Without(metadata, "generation");
  metadata = Without(metadata, "deletionTimestamp");
  return WithDefaults(resource, With(created, "metadata", metadata));
}

Json UpdatedObject(const ApiResource& resource, const Json& old, const Json& next, Part part) {
  if (part == Part::kStatus) return Copied(next, "status", old);
  Json updated = With(next, "kind", JsonText(resource.kind));
  updated = With(updated, "apiVersion", JsonText(resource.api_version()));
  if (part == Part::kMain && resource.has_status) updated = Copied(old, "status", updated);
  updated = WithDefaults(resource, updated);
  Json metadata = updated["metadata"];
  for (const char* key : {"name", "namespace", "uid", "creationTimestamp", "generation",
                          "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"}) {
    metadata = Copied(old["metadata"], key, metadata);
  }
  if (resource.has_status && !Same(Desired(old), Desired(updated))) {
    const int64_t generation = old["metadata"]["generation"].AsInt().value_or(0);
    metadata = With(metadata, "generation", JsonInt(generation + 1));
  }
  return With(updated, "metadata", metadata);
}

Json TerminatingObject(const Json& object) {
  if (object["metadata"].Find("deletionTimestamp") != nullptr) return object;
  Json metadata = With(object["metadata"], "deletionTimestamp", JsonText(Timestamp()));
  metadata = With(metadata, "deletionGracePeriodSeconds", JsonInt(0));
  return With(object, "metadata", metadata);
}

bool IsGone(const Json& object) {
  const Json& metadata = object["metadata"];
  return metadata.Find("deletionTimestamp") != nullptr && metadata["finalizers"].items().empty();
}

}  // namespace certlatch::test
