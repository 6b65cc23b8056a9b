#include "test/support/api_present.h"

#include <utility>

#include "base/text.h"
#include "test/support/json_edit.h"

namespace certlatch::test {
namespace {

constexpr std::string_view kMetadataVersion = "meta.k8s.io/v1";

Json MetadataOf(const Json& object) {
  return Json(Json::Object{{"kind", JsonText("PartialObjectMetadata")},
                           {"apiVersion", JsonText(kMetadataVersion)},
                           {"metadata", object["metadata"]}});
}

Json Whole(const ApiResource& resource, const Json& object) {
  return With(object, "apiVersion", JsonText(resource.api_version()));
}

// The real server's typed lists leave kind and apiVersion out of the items; those of custom
// resources have them.
Json Item(const ApiResource& resource, const Json& object) {
  if (resource.custom) return Whole(resource, object);
  return Without(Without(object, "kind"), "apiVersion");
}

}  // namespace

View ViewOf(std::string_view accept) {
  for (const std::string_view parameter : Split(Split(accept, ',')[0], ';')) {
    if (Trim(parameter) == "as=PartialObjectMetadata") return View::kMetadata;
    if (Trim(parameter) == "as=PartialObjectMetadataList") return View::kMetadataList;
  }
  return View::kWhole;
}

Result<Json> Show(const ApiResource& resource, Json value, View view) {
  if (value["kind"].AsString() == "Status") return value;
  const bool is_list = value.Find("items") != nullptr && value["items"].is_array();
  if (view == View::kMetadata && is_list) {
    return Error{Code::kConfig,
                 "you requested PartialObjectMetadata, but the requested object is a list (*v1." +
                     resource.kind + "List)"};
  }
  if (view == View::kMetadataList && !is_list) {
    return Error{Code::kConfig,
                 "you requested PartialObjectMetadataList, but the requested object is not a list "
                 "(*v1." +
                     resource.kind + ")"};
  }
  if (!is_list) return view == View::kMetadata ? MetadataOf(value) : Whole(resource, value);
  Json::Array items;
  for (const Json& item : value["items"].items()) {
    items.push_back(view == View::kMetadataList ? MetadataOf(item) : Item(resource, item));
  }
  Json list = With(value, "items", Json(std::move(items)));
  if (view != View::kMetadataList) return list;
  list = With(list, "kind", JsonText("PartialObjectMetadataList"));
  return With(list, "apiVersion", JsonText(kMetadataVersion));
}

Json ShowEvent(const ApiResource& resource, const Json& object, bool metadata_only) {
  return metadata_only ? MetadataOf(object) : Whole(resource, object);
}

}  // namespace certlatch::test
