// ApiAnswer is what came of one HTTP request to the API server: a status and a body, or the reason
// why there is neither. Pure values; who makes requests fills them in.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "domain/json.h"

namespace certlatch {

struct ApiAnswer {
  int status = 0;       // HTTP's; 0: no answer, see `problem`
  std::string body;     // of a watch with status 200: empty, its bytes went elsewhere
  std::string problem;  // why there is no answer, or why its body ended early; "" if all is well
  std::optional<Duration> retry_after;  // from the header, in seconds, at most kMaxRetryAfter
  // The server was refused for a certificate of another authority, of another name or out of its
  // dates: whoever else trusts the same authorities has to refuse it, too.
  bool distrusted = false;
};

constexpr Duration kMaxRetryAfter = 60s;

// "HTTP 403: secrets "x" is forbidden: …" out of a Status object in the body, or without it. The
// server's words are made printable.
std::string DescribeAnswer(const ApiAnswer& answer);

// The Status object (or null) in the body of an answer that is not a success.
Json StatusOf(const ApiAnswer& answer);

}  // namespace certlatch
