#include "domain/conversation.h"

#include <algorithm>
#include <cstdint>

namespace certlatch {
namespace {

constexpr std::string_view kStartingUp = "57P03";  // cannot_connect_now

Error NotPostgres() { return Failure(Code::kRetry, "does not answer as PostgreSQL"); }

}  // namespace

const char* ProblemOfSslAnswer(std::string_view answer) {
  if (answer == "S") return nullptr;
  switch (answer.empty() ? '\0' : answer[0]) {
    case 'S':
      return "sends bytes behind its S that no TLS protects: refused";
    case 'N':
      return "answers N: ssl is off; set ssl = on in postgresql.conf";
    case 'E':
      return "answers with an error instead of TLS: see its log";
    default:
      return "does not answer as PostgreSQL: is starttls=postgres right?";
  }
}

// 'E', four bytes of length (of what follows the 'E'), then fields: a type, text, NUL; a NUL ends.
Result<bool> TakesConnections(std::string_view answer) {
  constexpr size_t kHead = 5;
  if (answer.empty()) return false;
  if (answer[0] == 'R') return true;
  if (answer[0] != 'E') return NotPostgres();
  if (answer.size() < kHead) return false;
  uint32_t length = 0;
  for (size_t i = 1; i < kHead; ++i) length = length << 8 | static_cast<unsigned char>(answer[i]);
  if (length < kHead || length >= kMaxStartupAnswer) return NotPostgres();
  if (answer.size() <= length) return false;
  bool has_code = false;
  std::string_view fields = answer.substr(kHead, length + 1 - kHead);
  while (!fields.empty() && fields[0] != '\0') {
    const std::string_view field = fields.substr(0, fields.find('\0'));
    if (field[0] == 'C' && field.substr(1) == kStartingUp) {
      return Failure(Code::kRetry, "is starting up or shutting down");
    }
    has_code = has_code || (field[0] == 'C' && field.size() == 1 + kStartingUp.size());
    fields.remove_prefix(std::min(field.size() + 1, fields.size()));
  }
  // PQping() takes an error without a code for the failure of the server's fork().
  if (!has_code) return Failure(Code::kRetry, "cannot serve a connection");
  return true;
}

}  // namespace certlatch
