#include "test/conformance/forge.h"

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "base/deleter.h"

namespace certlatch::test {
namespace {

using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Configuration = std::unique_ptr<CONF, Deleter<NCONF_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using SignContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

void Require(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "test/conformance/forge: %s failed\n", what.c_str());
  ERR_print_errors_fp(stderr);
  std::abort();
}

Bio Reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string Contents(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string ToPem(X509* cert) {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(bio.get(), cert) == 1, "writing a certificate");
  return Contents(bio);
}

Key ReadKey(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, nullptr, nullptr));
  Require(key != nullptr, "reading a key");
  return key;
}

Cert ReadCert(const std::string& pem) {
  Cert cert(PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr));
  Require(cert != nullptr, "reading a certificate");
  return cert;
}

Key Generate(const std::string& kind) {
  const size_t colon = kind.find(':');
  const std::string name = kind.substr(0, colon);
  const std::string parameter = colon == std::string::npos ? "" : kind.substr(colon + 1);
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, name.c_str(), nullptr));
  Require(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1, kind);
  if (name == "EC") {
    Require(EVP_PKEY_CTX_set_group_name(context.get(), parameter.c_str()) == 1, kind);
  } else if (!parameter.empty()) {
    Require(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), std::atoi(parameter.c_str())) == 1,
            kind);
  }
  EVP_PKEY* key = nullptr;
  Require(EVP_PKEY_generate(context.get(), &key) == 1, kind);
  return Key(key);
}

void AddExtensions(X509* cert, X509* issuer, const Shape& shape) {
  const Configuration configuration(NCONF_new(nullptr));
  long line = 0;
  Require(NCONF_load_bio(configuration.get(), Reader("[none]\n" + shape.sections).get(), &line) > 0,
          "the sections");
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509V3_set_nconf(&context, configuration.get());
  for (const auto& [name, value] : shape.extensions) {
    const Extension extension(
        X509V3_EXT_nconf(configuration.get(), &context, name.c_str(), value.c_str()));
    Require(extension != nullptr && X509_add_ext(cert, extension.get(), -1) == 1, name);
  }
}

void Sign(X509* cert, EVP_PKEY* key, const Shape& shape) {
  const bool own_digest = EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
  const SignContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* signing = nullptr;
  const EVP_MD* digest = own_digest ? nullptr : EVP_get_digestbyname(shape.digest.c_str());
  Require(EVP_DigestSignInit(context.get(), &signing, digest, nullptr, key) == 1, shape.digest);
  if (shape.pss) {
    Require(EVP_PKEY_CTX_set_rsa_padding(signing, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(signing, RSA_PSS_SALTLEN_DIGEST) == 1,
            "PSS");
  }
  Require(X509_sign_ctx(cert, context.get()) > 0, "signing");
}

void SetDate(ASN1_TIME* date, Duration from_now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(from_now).count();
  Require(X509_gmtime_adj(date, seconds) != nullptr, "a date");
}

// An `issuer` of nullptr makes the certificate self-signed.
Cert Make(const Shape& shape, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  static long serial = 1000;
  Cert cert(X509_new());
  X509* x = cert.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  SetDate(X509_getm_notBefore(x), shape.not_before);
  SetDate(X509_getm_notAfter(x), shape.not_after);
  if (!shape.subject.empty()) {
    Require(X509_NAME_add_entry_by_txt(
                X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                reinterpret_cast<const unsigned char*>(shape.subject.c_str()), -1, -1, 0) == 1,
            "the subject");
  }
  if (issuer == nullptr) issuer = x;
  Require(X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1, "the issuer");
  Require(X509_set_pubkey(x, key) == 1, "the public key");
  AddExtensions(x, issuer, shape);
  Sign(x, issuer_key, shape);
  return cert;
}

std::string CertPem(std::string_view der) { return PemBlock("CERTIFICATE", der); }

}  // namespace

Extensions LeafExtensions(const std::string& names) {
  return {{"basicConstraints", "critical,CA:FALSE"},
          {"keyUsage", "critical,digitalSignature"},
          {"extendedKeyUsage", "serverAuth"},
          {"subjectAltName", names}};
}

Extensions CaExtensions(const std::string& basic_constraints) {
  return {{"basicConstraints", basic_constraints},
          {"keyUsage", "critical,keyCertSign,cRLSign"},
          {"subjectKeyIdentifier", "hash"}};
}

Extensions With(Extensions all, const std::string& name, const std::string& value) {
  for (auto it = all.begin(); it != all.end(); ++it) {
    if (it->first != name) continue;
    if (value.empty()) {
      all.erase(it);
    } else {
      it->second = value;
    }
    return all;
  }
  all.emplace_back(name, value);
  return all;
}

std::string NewKey(std::string_view kind) {
  if (kind == "DSA") return NewKeyPem(KeyType::kDsa1024);
  if (kind == "EC:explicit") return NewKeyPem(KeyType::kEcP256Explicit);
  static std::map<std::string, std::string, std::less<>> slow;
  const bool is_slow = kind.starts_with("RSA");
  if (const auto found = slow.find(kind); is_slow && found != slow.end()) return found->second;
  const Key key = Generate(std::string(kind));
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1,
          "writing a key");
  std::string pem = Contents(bio);
  if (is_slow) slow.emplace(kind, pem);
  return pem;
}

PemPair SelfSigned(const Shape& shape, const std::string& key_pem) {
  const Key key = ReadKey(key_pem);
  return {ToPem(Make(shape, key.get(), nullptr, key.get()).get()), key_pem};
}

PemPair Issue(const PemPair& issuer, const Shape& shape, const std::string& key_pem) {
  const Key key = ReadKey(key_pem);
  const Key issuer_key = ReadKey(issuer.key);
  const Cert issuer_cert = ReadCert(issuer.cert);
  return {ToPem(Make(shape, key.get(), issuer_cert.get(), issuer_key.get()).get()), key_pem};
}

PemPair NewRoot(const std::string& name, const std::string& kind, Shape shape) {
  shape.subject = name;
  shape.extensions = CaExtensions();
  return SelfSigned(shape, NewKey(kind));
}

PemPair NewCa(const PemPair& issuer, const std::string& name, const Extensions& extensions) {
  Shape shape;
  shape.subject = name;
  shape.extensions = extensions;
  return Issue(issuer, shape, NewKey("EC:P-256"));
}

std::string WithBrokenSignature(const std::string& cert_pem) {
  std::string der = CertDer(cert_pem);
  der[der.size() - 7] = static_cast<char>(der[der.size() - 7] ^ 0x10);
  return CertPem(der);
}

std::string WithBytes(const std::string& cert_pem, std::string_view from, std::string_view to) {
  std::string der = CertDer(cert_pem);
  Require(from.size() == to.size() && der.find(from) != std::string::npos, "a replacement");
  for (size_t at = der.find(from); at != std::string::npos; at = der.find(from, at + 1)) {
    der.replace(at, to.size(), to);
  }
  return CertPem(der);
}

}  // namespace certlatch::test
