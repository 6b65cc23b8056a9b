// Error is what went wrong: a small code to decide on, and one line of text for people.
// The code chooses the reaction (retry, give up, report a bug); nobody parses the text.
// Each layer that passes an error on may add its own context once, in front.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace certlatch {

enum class Code {
  kRetry,     // the world was not ready: waiting and trying again may help
  kDenied,    // authenticated or authorised away (HTTP 401, 403); retrying alone does not help
  kNotFound,  // the named thing does not exist (yet)
  kConfig,    // the user's own input is wrong: say so before anything starts
  kBug,       // a broken promise of ours
};

struct [[nodiscard]] Error {
  Code code = Code::kBug;
  std::string text;

  // Puts "context: " in front of the text.
  Error With(std::string_view context) &&;
};

// An Error whose text is printf's: see Format() in text.h.
[[gnu::format(printf, 2, 3)]] Error Failure(Code code, const char* pattern, ...);

}  // namespace certlatch
