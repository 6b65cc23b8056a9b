// Makes and changes Json values, which are immutable: each function returns the new one.
// Pure. Depth and size are those of the values given, bounded by ParseJson.
// Json("text") would be a bool (a pointer converts to it first): use JsonText.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "domain/json.h"

namespace certlatch::test {

Json JsonText(std::string_view text);
Json JsonInt(int64_t value);
Json JsonTexts(const std::vector<std::string>& texts);  // an array of strings

// Anything but an object counts as an empty object.
Json With(const Json& object, std::string_view key, Json value);  // added last, or in place
Json Without(const Json& object, std::string_view key);

// RFC 7386: null removes, objects merge, everything else replaces.
Json MergePatch(const Json& target, const Json& patch);

// Equal as JSON text; the order of members counts.
bool Same(const Json& a, const Json& b);

}  // namespace certlatch::test
