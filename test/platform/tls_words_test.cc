#include "platform/tls_words.h"

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdio>

namespace certlatch {
namespace {

std::string Citing(int library, int reason, const char* words) {
  char text[200];
  std::snprintf(text, sizeof text, "TLS connect error: error:%08lX:%s, errno 0",
                ERR_PACK(library, 0, reason), words);
  return text;
}

std::string WordsOf(int reason) {
  return TlsWords(Citing(ERR_LIB_SSL, reason, "lib(20)::reason(0)").c_str());
}

TEST(TlsWords, AreTheSameWhateverOpensslCallsTheError) {
  const int reason = SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
  EXPECT_EQ(WordsOf(reason), "TLS alert 116: certificate required; see --client-certificate");
  const std::string full =
      Citing(ERR_LIB_SSL, reason, "SSL routines::tlsv13 alert certificate required");
  EXPECT_EQ(TlsWords(full.c_str()), WordsOf(reason));
}

TEST(TlsWords, NameWhatUsersMeet) {
  EXPECT_EQ(WordsOf(SSL_R_WRONG_VERSION_NUMBER),
            "no TLS comes back: is this a port for plain http?");
  EXPECT_EQ(WordsOf(SSL_R_PACKET_LENGTH_TOO_LONG), WordsOf(SSL_R_WRONG_VERSION_NUMBER));
  for (const int reason : {SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW,
                           SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION}) {
    EXPECT_EQ(WordsOf(reason), "no TLS version in common");
  }
  EXPECT_EQ(WordsOf(SSL_R_UNEXPECTED_EOF_WHILE_READING), "it closed without ending TLS");
  EXPECT_EQ(TlsWords("OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to 127.0.0.1:443 "),
            WordsOf(SSL_R_UNEXPECTED_EOF_WHILE_READING));
  for (const int reason :
       {SSL_R_DH_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL}) {
    EXPECT_EQ(WordsOf(reason), "the key is too small");
  }
  EXPECT_EQ(WordsOf(SSL_R_CA_MD_TOO_WEAK), "the digest of the CA's signature is too weak");
  EXPECT_EQ(WordsOf(SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED),
            "it is too old for secure renegotiation");
  EXPECT_EQ(WordsOf(SSL_R_INAPPROPRIATE_FALLBACK), "something on the way lowers the TLS version");
  EXPECT_EQ(WordsOf(SSL_R_BAD_SIGNATURE), "bad signature");
  EXPECT_EQ(WordsOf(SSL_R_WRONG_SIGNATURE_TYPE), "it chose an algorithm that was not offered");
  EXPECT_EQ(WordsOf(SSL_R_WRONG_CURVE), WordsOf(SSL_R_WRONG_SIGNATURE_TYPE));
  EXPECT_EQ(WordsOf(SSL_R_UNKNOWN_CIPHER_RETURNED), "it chose a cipher that was not offered");
  EXPECT_EQ(WordsOf(SSL_R_WRONG_CIPHER_RETURNED), WordsOf(SSL_R_UNKNOWN_CIPHER_RETURNED));
  EXPECT_EQ(WordsOf(SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC), "a record was damaged on the way");
}

TEST(TlsWords, KnowEveryAlertOfTls13) {
  for (const int alert : {10, 20, 22, 40, 42, 43, 44,  45,  46,  47,  48,  49,  50,
                          51, 70, 71, 80, 86, 90, 109, 110, 112, 113, 115, 116, 120}) {
    EXPECT_THAT(WordsOf(1000 + alert),
                testing::StartsWith("TLS alert " + std::to_string(alert) + ": "));
  }
  EXPECT_EQ(WordsOf(SSL_R_TLSV1_ALERT_UNKNOWN_CA),
            "TLS alert 48: unknown CA; see --client-certificate");
  EXPECT_EQ(WordsOf(SSL_R_TLSV1_ALERT_DECODE_ERROR), "TLS alert 50: decode error");
}

TEST(TlsWords, KeepTheNumberOfAnAlertThatNobodyKnows) {
  EXPECT_EQ(WordsOf(1000 + 121), "TLS alert 121");
  EXPECT_EQ(WordsOf(1000 + 1), "TLS alert 1");
}

TEST(TlsWords, SayNothingOfWhatTheyDoNotKnow) {
  EXPECT_EQ(TlsWords(""), "");
  EXPECT_EQ(TlsWords("Connection reset by peer"), "");
  EXPECT_EQ(TlsWords("error:"), "");
  EXPECT_EQ(TlsWords("error:0A"), "");
  EXPECT_EQ(TlsWords("error:0AFFFFFFFFFFFFFFFFFFFFFFFF:"), "");
  EXPECT_EQ(TlsWords(Citing(ERR_LIB_X509, SSL_R_WRONG_VERSION_NUMBER, "").c_str()), "");
  EXPECT_EQ(WordsOf(SSL_R_BAD_LENGTH), "") << "OpenSSL's own words, if any, are better";
}

}  // namespace
}  // namespace certlatch
