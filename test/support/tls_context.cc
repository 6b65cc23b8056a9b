#include "test/support/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/deleter.h"
#include "domain/digest.h"

namespace certlatch::test {
namespace {

void Require(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "test server: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio BioOf(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

Certificate NextCertificate(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free};
}

void UseChain(SSL_CTX* context, const std::string& pem) {
  const Bio bio = BioOf(pem);
  const Certificate leaf = NextCertificate(bio.get());
  Require(leaf != nullptr && SSL_CTX_use_certificate(context, leaf.get()) == 1, "certificate");
  while (const Certificate next = NextCertificate(bio.get())) {
    Require(SSL_CTX_add1_chain_cert(context, next.get()) == 1, "chain");
  }
  ERR_clear_error();  // the end of the PEM is an error to OpenSSL
}

void UseKey(SSL_CTX* context, const std::string& pem) {
  const Key key(PEM_read_bio_PrivateKey(BioOf(pem).get(), nullptr, nullptr, nullptr),
                EVP_PKEY_free);
  Require(key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1, "private key");
}

void AskForClientCertificate(SSL_CTX* context, const TlsSettings& settings) {
  const Bio bio = BioOf(settings.client_ca_pem);
  while (const Certificate ca = NextCertificate(bio.get())) {
    Require(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) == 1, "client CA");
    Require(SSL_CTX_add_client_CA(context, ca.get()) == 1, "client CA name");
  }
  ERR_clear_error();
  const int must = settings.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, nullptr);
}

}  // namespace

std::shared_ptr<SSL_CTX> MakeServerContext(const TlsSettings& settings) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  Require(context != nullptr, "context");
  // What is weak is the client's to refuse.
  SSL_CTX_set_security_level(context.get(), 0);
  UseChain(context.get(), settings.cert_chain_pem);
  UseKey(context.get(), settings.key_pem);
  if (!settings.client_ca_pem.empty()) AskForClientCertificate(context.get(), settings);
  Require(SSL_CTX_set_min_proto_version(context.get(), settings.min_version) == 1, "min version");
  Require(SSL_CTX_set_max_proto_version(context.get(), settings.max_version) == 1, "max version");
  const unsigned char id[] = "certlatch";  // without it, a client's certificate forbids resumption
  SSL_CTX_set_session_id_context(context.get(), id, sizeof id - 1);
  if (settings.tune) settings.tune(context.get());
  return context;
}

std::string LeafServedOn(int fd) {
  const std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, Deleter<SSL_free>> tls(SSL_new(context.get()));
  SSL_set_fd(tls.get(), fd);
  const bool done = SSL_connect(tls.get()) == 1;
  ERR_clear_error();
  const std::unique_ptr<X509, Deleter<X509_free>> leaf(SSL_get1_peer_certificate(tls.get()));
  Digest digest;
  unsigned int size = 0;
  if (!done || !leaf || X509_digest(leaf.get(), EVP_sha256(), digest.data(), &size) != 1) return "";
  return HexLower(digest);
}

}  // namespace certlatch::test
