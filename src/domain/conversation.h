// What is said to PostgreSQL before TLS, and to learn whether it takes connections: bytes in, bytes
// out. Pure; nothing of what the server says is shown, since nobody has vouched for it. The caller
// owns the connection and bounds what it collects of an answer to kMaxStartupAnswer bytes.
// Source: PostgreSQL's documentation, "Message Flow" (SSL Session Encryption) and "Message
// Formats".
#pragma once

#include <string_view>

#include "base/result.h"

namespace certlatch {

// Asks for TLS on a connection that has just been made: length 8, code 80877103.
inline constexpr std::string_view kPostgresSslRequest("\0\0\0\x08\x04\xd2\x16\x2f", 8);

// What is wrong with the answer to kPostgresSslRequest, to follow the server's name; nullptr: TLS
// may begin. `answer` is what came at once, at least one byte. Bytes behind the 'S' were put there
// by someone who wants them to be taken for bytes that came through TLS (CVE-2021-23222): refused.
const char* ProblemOfSslAnswer(std::string_view answer);

// Begins a session as a user that needs not exist: protocol 3.0, user "certlatch".
inline constexpr std::string_view kPostgresStartup("\0\0\0\x18\0\x03\0\0user\0certlatch\0\0", 24);

constexpr size_t kMaxStartupAnswer = size_t{32} * 1024;

// Whether a server takes connections, as `pg_isready` sees it: it asks for authentication, or
// refuses with a SQLSTATE that is not 57P03 (starting up, shutting down or recovering). `answer` is
// all that came to kPostgresStartup so far. False: not to be told yet. Error: it does not
// (Code::kRetry), to follow the server's name.
Result<bool> TakesConnections(std::string_view answer);

}  // namespace certlatch
