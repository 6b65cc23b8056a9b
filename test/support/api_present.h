// How an object or list looks in an answer: its version, and whole or metadata alone.
// Pure. ViewOf reads an Accept header; kubectl's Table is not offered, so it gets plain objects.
// Show is an Error where an Accept asks for the metadata of one object but gets a list, or the
// other way round: the real server answers 406.
#pragma once

#include <string_view>

#include "base/result.h"
#include "domain/json.h"
#include "test/support/api_resource.h"

namespace certlatch::test {

enum class View { kWhole, kMetadata, kMetadataList };

View ViewOf(std::string_view accept);

// `value` is an object of the resource, a list of them, or a Status, which stays as it is.
Result<Json> Show(const ApiResource& resource, Json value, View view);

// One object in a watch event.
Json ShowEvent(const ApiResource& resource, const Json& object, bool metadata_only);

}  // namespace certlatch::test
