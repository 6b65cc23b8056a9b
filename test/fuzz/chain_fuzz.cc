// Any certificates as authorities and chain of a TLS server, verified as curl and libssl verify
// them (partial chains, trusted first, security level 2): no crash, no leak, no trap, no endless
// work.
//
// Input: a byte of flags, then pieces: a kind, two bytes of length, bytes.
//   kind 0  an authority    kind 1  a certificate of the chain, the leaf first    (DER)
//   other   a PEM file of authorities
// Flag 1, with the trimmed libraries only: signatures are right, so that mutations of what is
// signed get behind them. CERTLATCH_FUZZ_ANSWER, if set, has the decision printed, for comparisons
// between libraries.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/deleter.h"

namespace {

using certlatch::Deleter;

constexpr int kGoodSignatures = 1;
constexpr int kMaxCertificates = 64;
constexpr int kSecurityLevel = 2;  // libssl's own

bool g_good_signatures = false;

void FreeCertificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }
void FreeInfos(STACK_OF(X509_INFO) * infos) { sk_X509_INFO_pop_free(infos, X509_INFO_free); }
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Certificates = std::unique_ptr<STACK_OF(X509), Deleter<FreeCertificates>>;
using Infos = std::unique_ptr<STACK_OF(X509_INFO), Deleter<FreeInfos>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

}  // namespace

#ifdef CERTLATCH_TRIMMED
// The linker puts this in place of EVP_DigestVerify, and that under "__real_".
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
int __real_EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature,
                            size_t signature_size, const unsigned char* bytes, size_t size);
int __wrap_EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature,
                            size_t signature_size, const unsigned char* bytes, size_t size);
int __wrap_EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature,
                            size_t signature_size, const unsigned char* bytes, size_t size) {
  const int good = __real_EVP_DigestVerify(context, signature, signature_size, bytes, size);
  return g_good_signatures ? 1 : good;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}
#endif

namespace {

Certificate Decode(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

// As curl takes a file of authorities: certificates and revocation lists, past everything else.
void AddFile(X509_STORE* store, std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Infos infos(PEM_X509_INFO_read_bio(bio.get(), nullptr, nullptr, nullptr));
  for (int i = 0; infos != nullptr && i < sk_X509_INFO_num(infos.get()); ++i) {
    const X509_INFO* info = sk_X509_INFO_value(infos.get(), i);
    if (info->x509 != nullptr) X509_STORE_add_cert(store, info->x509);
    if (info->crl != nullptr) X509_STORE_add_crl(store, info->crl);
  }
}

struct Input {
  Store store;
  Certificates chain;  // the leaf first
};

Input Read(std::string_view pieces) {
  Input input{Store(X509_STORE_new()), Certificates(sk_X509_new_null())};
  for (int count = 0; pieces.size() >= 3 && count < kMaxCertificates; ++count) {
    const size_t size = static_cast<size_t>(static_cast<unsigned char>(pieces[1])) << 8 |
                        static_cast<unsigned char>(pieces[2]);
    const char kind = pieces[0];
    pieces.remove_prefix(3);
    const std::string_view bytes = pieces.substr(0, size);
    pieces.remove_prefix(bytes.size());
    if (kind != 0 && kind != 1) {
      AddFile(input.store.get(), bytes);
      continue;
    }
    Certificate certificate = Decode(bytes);
    if (certificate == nullptr) continue;
    if (kind == 0) X509_STORE_add_cert(input.store.get(), certificate.get());
    if (kind == 1) sk_X509_push(input.chain.get(), certificate.release());
  }
  return input;
}

// X509_V_OK, or why not.
int Verify(const Input& input) {
  X509* leaf = sk_X509_value(input.chain.get(), 0);
  const StoreContext context(X509_STORE_CTX_new());
  X509_STORE_set_flags(input.store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_STORE_CTX_init(context.get(), input.store.get(), leaf, input.chain.get()) != 1) {
    return X509_V_ERR_UNSPECIFIED;
  }
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context.get()), kSecurityLevel);
  const bool good = X509_verify_cert(context.get()) == 1;
  const int code = X509_STORE_CTX_get_error(context.get());
  if (!good && code == X509_V_OK) return X509_V_ERR_UNSPECIFIED;
  return code;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  g_good_signatures = (data[0] & kGoodSignatures) != 0;
  const Input input = Read({reinterpret_cast<const char*>(data) + 1, size - 1});
  X509* leaf = sk_X509_value(input.chain.get(), 0);
  int code = X509_V_ERR_UNSPECIFIED;
  bool is_host = false;
  bool is_address = false;
  if (leaf != nullptr) {
    code = Verify(input);
    is_host = X509_check_host(leaf, "kubernetes", 0, 0, nullptr) == 1;
    is_address = X509_check_ip_asc(leaf, "10.0.0.1", 0) == 1;
  }
  if (std::getenv("CERTLATCH_FUZZ_ANSWER") != nullptr) {
    std::fprintf(stderr, "answer: %s %s host=%d address=%d\n",
                 code == X509_V_OK ? "accepted" : "refused", X509_verify_cert_error_string(code),
                 is_host ? 1 : 0, is_address ? 1 : 0);
  }
  ERR_clear_error();
  return 0;
}
