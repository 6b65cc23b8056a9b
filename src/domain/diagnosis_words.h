// The words of a diagnosis: what objects and other programs say, as one bounded printable line, and
// what is known of those programs' words. Pure; any text and any JSON may come in.
#pragma once

#include <string>
#include <string_view>

#include "domain/json.h"

namespace certlatch {

constexpr size_t kMaxWords = 600;  // bytes of a message

// One line of at most `limit` bytes: messages of Go programs come in several.
std::string Words(std::string_view text, size_t limit = kMaxWords);

// The field at "status.phase"; null if there is none.
const Json& At(const Json& object, const char* path);
// The string there, "" if there is none; whether it is `text`.
std::string_view TextAt(const Json& object, const char* path);
bool Is(const Json& object, const char* path, const char* text);
bool IsTrue(const Json& object, const char* path);

// `pattern` with the object's fields: "{a.b}" is the string or number there. A part in [brackets]
// is left out if a field in it is empty or missing: "is {state}[: {reason}]". They do not nest.
// "{$}" is `words`, as they are.
std::string Fill(const char* pattern, const Json& object, std::string_view words = {});

// The words of who refused to issue for the Certificate with this `spec`, as short as they can be,
// and where the names stand that they tell of: "… not allowed by this role (spec.dnsNames[2])".
std::string IssuersWords(const Json& spec, const std::string& words);

// What such words call for; nullptr: nothing is known of them.
const char* AdviceOn(std::string_view words);

}  // namespace certlatch
