// Base64 as in the data of a Kubernetes Secret: RFC 4648, section 4.
// Strict, so that each text has one meaning: padded, no white space, no stray bits. Pure; the
// result is about three quarters of the text, whose size is the caller's to bound.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace certlatch {

// Error (Code::kRetry): not base64. Its text gives a position, never a part of the input.
Result<std::string> DecodeBase64(std::string_view text);
Result<Secret> DecodeBase64Secret(std::string_view text);  // leaves no copy behind

std::string EncodeBase64(std::string_view bytes);

}  // namespace certlatch
