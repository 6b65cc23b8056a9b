#include "platform/tls_probe.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/deleter.h"
#include "base/text.h"
#include "domain/conversation.h"
#include "platform/stream.h"
#include "platform/tls_words.h"

namespace certlatch {
namespace {

// What is offered, by KeyKind. TLS 1.3 goes by the signatures, TLS 1.2 by the ciphers, too.
struct Offer {
  const char* name;
  const char* signatures;
  const char* ciphers;
};
constexpr char kRsaCiphers[] = "ECDHE+aRSA:!eNULL";
constexpr char kEcdsaCiphers[] = "ECDHE+aECDSA:!eNULL";
constexpr Offer kOffers[] = {
    {"any key", nullptr, "ECDHE:!aNULL:!eNULL"},
    {"RSA", "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512", kRsaCiphers},
    {"RSA-PSS", "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512", kRsaCiphers},
    {"ECDSA P-256", "ecdsa_secp256r1_sha256", kEcdsaCiphers},
    {"ECDSA P-384", "ecdsa_secp384r1_sha384", kEcdsaCiphers},
    {"ECDSA P-521", "ecdsa_secp521r1_sha512", kEcdsaCiphers},
    {"Ed25519", "ed25519", kEcdsaCiphers},
};

// In TLS 1.2 RSA keys make these, too. Otherwise they stand for the signatures in the chain alone,
// which some servers (Java's) hold against the offer: in TLS 1.3 no server may sign so (RFC 8446,
// section 4.2.3), in TLS 1.2 the ciphers forbid it.
constexpr char kAlsoOffered[] = "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Deleter<SSL_free>>;

struct FreeBytes {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }  // a macro
};

int TrustAnything(X509_STORE_CTX* /*chain*/, void* /*argument*/) { return 1; }

// Null: this OpenSSL cannot. The context is new each time, and a client's keeps no sessions.
Connection NewConnection(const Offer& offer, const std::string& sni) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return nullptr;
  SSL_CTX_set_cert_verify_callback(context.get(), TrustAnything, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), offer.ciphers) != 1 ||
      (offer.signatures != nullptr &&
       SSL_CTX_set1_sigalgs_list(context.get(),
                                 Format("%s:%s", offer.signatures, kAlsoOffered).c_str()) != 1)) {
    return nullptr;
  }
  Connection connection(SSL_new(context.get()));
  if (connection == nullptr) return nullptr;
  SSL* ssl = connection.get();
  if (!sni.empty() && SSL_set_tlsext_host_name(ssl, sni.c_str()) != 1) return nullptr;
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl);
  return connection;
}

// Whether the server has signed with the leaf's key. This is so in all states that the client comes
// to only after CertificateVerify (TLS 1.3) or ServerKeyExchange (TLS 1.2, of which no other key
// exchange is offered) has been found good: from the server's or the client's Finished on. What
// fails later, such as a demand for our certificate, leaves the state as it is.
bool HasProvedItsKey(const SSL* ssl) {
  switch (SSL_get_state(ssl)) {
    case TLS_ST_CW_FINISHED:
    case TLS_ST_CR_SESSION_TICKET:
    case TLS_ST_CR_CHANGE:
    case TLS_ST_CR_FINISHED:
    case TLS_ST_OK:
      return true;
    default:
      return false;
  }
}

class Probe : public Cancellable, private Talk {
 public:
  Probe(Loop& loop, const ProbeTarget& target, KeyKind kind,
        Function<void(const ProbeResult&)> then)
      : target_(target),
        offer_(kOffers[static_cast<size_t>(kind)]),
        then_(std::move(then)),
        stream_(loop, *this) {}

  void Start(Duration deadline) { stream_.Open(target_.endpoint, deadline); }

 private:
  bool Hear(std::string_view in, std::string& out) override;
  void End(std::string problem) override;
  bool Handshake(std::string_view in, std::string& out);
  bool Fail(std::string problem);
  ProbeResult Found(const std::string& problem) const;

  const ProbeTarget& target_;
  const Offer& offer_;
  Function<void(const ProbeResult&)> then_;
  Stream stream_;
  Connection ssl_;
  std::string problem_;  // of TLS, or of what comes before it
};

bool Probe::Hear(std::string_view in, std::string& out) {
  if (ssl_ != nullptr) return Handshake(in, out);
  if (target_.postgres) {
    if (in.empty()) {
      out = kPostgresSslRequest;
      return true;
    }
    const char* problem = ProblemOfSslAnswer(in);
    if (problem != nullptr) return Fail(problem);
  }
  ssl_ = NewConnection(offer_, target_.sni);
  if (ssl_ == nullptr) return Fail("cannot be asked: OpenSSL refuses the offer");
  return Handshake({}, out);
}

// False, for Hear to return.
bool Probe::Fail(std::string problem) {
  problem_ = std::move(problem);
  return false;
}

bool Probe::Handshake(std::string_view in, std::string& out) {
  SSL* ssl = ssl_.get();
  BIO_write(SSL_get_rbio(ssl), in.data(), Length(in));
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl);
  const bool goes_on = SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
  if (result == 1) {
    SSL_shutdown(ssl);  // so that the app does not take this for a connection cut off
  } else if (!goes_on) {
    const unsigned long code = ERR_peek_last_error();
    std::string words = ERR_GET_LIB(code) == ERR_LIB_SSL ? TlsWords(ERR_GET_REASON(code)) : "";
    if (words.empty()) words = Format("error:%08lX", code);
    Fail(Format("fails the TLS handshake: %s (offered: TLS 1.2 and 1.3, %s%s%s)", words.c_str(),
                offer_.name, target_.sni.empty() ? "" : ", sni=", target_.sni.c_str()));
  }
  ERR_clear_error();
  // What is to be sent: an alert, too.
  BIO* written = SSL_get_wbio(ssl);
  const size_t before = out.size();
  out.resize(before + BIO_ctrl_pending(written));
  BIO_read(written, out.data() + before, static_cast<int>(out.size() - before));
  return goes_on;
}

// `problem` is the stream's.
ProbeResult Probe::Found(const std::string& problem) const {
  const char* where = target_.endpoint.text.c_str();
  if (ssl_ != nullptr && HasProvedItsKey(ssl_.get())) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(SSL_get0_peer_certificate(ssl_.get()), &bytes);
    const std::unique_ptr<unsigned char, FreeBytes> owned(bytes);
    return ReadCertDer({reinterpret_cast<char*>(bytes), static_cast<size_t>(std::max(size, 0))},
                       target_.endpoint.text);
  }
  if (!problem_.empty()) return Failure(Code::kRetry, "%s %s", where, problem_.c_str());
  return Failure(Code::kRetry, "%s; %s", problem.c_str(),
                 stream_.connected()
                     ? "is this the app's port for TLS, or does it need starttls=postgres?"
                     : "does the app listen there?");
}

void Probe::End(std::string problem) {
  const auto then = std::move(then_);
  then(Found(problem));  // last: may destroy this
}

}  // namespace

Handle ProbeTls(Loop& loop, const ProbeTarget& target, KeyKind kind, Duration deadline,
                Function<void(const ProbeResult&)> then) {
  auto probe = std::make_unique<Probe>(loop, target, kind, std::move(then));
  probe->Start(deadline);
  return probe;
}

}  // namespace certlatch
