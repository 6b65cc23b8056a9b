#include "platform/tls_words.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr int kAlerts = 1000;  // the reason for an alert that was received: this and its number

// OpenSSL's reasons (SSL_R_...) and what they mean, a line each; of alerts RFC 8446's name.
constexpr std::string_view kWords =
    " 123 bad signature\n"
    " 166 258 266 396 no TLS version in common\n"
    " 198 267 no TLS comes back: is this a port for plain http?\n"
    " 248 261 it chose a cipher that was not offered\n"
    " 281 a record was damaged on the way\n"
    " 294 it closed without ending TLS\n"
    " 338 it is too old for secure renegotiation\n"
    " 370 378 it chose an algorithm that was not offered\n"
    " 373 something on the way lowers the TLS version\n"
    " 394 397 399 the key is too small\n"
    " 398 the digest of the CA's signature is too weak\n"
    " 1010 unexpected message\n"
    " 1020 bad record MAC\n"
    " 1022 record overflow\n"
    " 1040 handshake failure: no cipher in common, or it requires a certificate\n"
    " 1042 bad certificate\n"
    " 1043 unsupported certificate\n"
    " 1044 certificate revoked\n"
    " 1045 certificate expired\n"
    " 1046 certificate unknown\n"
    " 1047 illegal parameter\n"
    " 1048 unknown CA\n"
    " 1049 access denied\n"
    " 1050 decode error\n"
    " 1051 decrypt error\n"
    " 1070 protocol version\n"
    " 1071 insufficient security\n"
    " 1080 internal error\n"
    " 1086 inappropriate fallback\n"
    " 1090 user canceled\n"
    " 1109 missing extension\n"
    " 1110 unsupported extension\n"
    " 1112 unrecognized name\n"
    " 1113 bad certificate status response\n"
    " 1115 unknown PSK identity\n"
    " 1116 certificate required\n"
    " 1120 no application protocol\n";

// Alerts about the certificate that we showed, or did not.
bool IsAboutOurs(int alert) { return (alert >= 40 && alert <= 46) || alert == 48 || alert == 116; }

}  // namespace

std::string TlsWords(int reason) {
  const size_t at = kWords.find(Format(" %d ", reason));
  std::string_view words;
  if (at != std::string_view::npos) {
    words = kWords.substr(kWords.find_first_not_of("0123456789 ", at));
    words = words.substr(0, words.find('\n'));
  }
  if (reason < kAlerts) return std::string(words);
  return Format("TLS alert %d%s%.*s", reason - kAlerts, words.empty() ? "" : ": ", Length(words),
                words.data());
}

std::string TlsWords(const char* text) {
  constexpr std::string_view kCitation = "error:";
  int reason = SSL_R_UNEXPECTED_EOF_WHILE_READING;
  // Curl's words for an end without errno and without an error of OpenSSL's.
  if (std::strstr(text, "SSL_ERROR_SYSCALL") == nullptr) {
    const char* citation = std::strstr(text, "error:0A");  // of the library SSL
    if (citation == nullptr) return "";
    const unsigned long code = std::strtoul(citation + kCitation.size(), nullptr, 16);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return "";
    reason = ERR_GET_REASON(code);
  }
  std::string said = TlsWords(reason);
  if (reason >= kAlerts && IsAboutOurs(reason - kAlerts)) said += "; see --client-certificate";
  return said;
}

}  // namespace certlatch
