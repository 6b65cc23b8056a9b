#include "test/support/pki.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/deleter.h"

namespace certlatch::test {
namespace {

using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

// A test that cannot make its own input is broken: say where and stop.
void Require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "test/support/pki: %s failed\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

int Size(std::string_view bytes) { return static_cast<int>(bytes.size()); }

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Contents(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Bio Reader(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), Size(text))); }

Key Generate(const KeyContext& context) {
  EVP_PKEY* key = nullptr;
  Require(EVP_PKEY_generate(context.get(), &key) == 1, "key generation");
  return Key(key);
}

KeyContext Generator(const char* name) {
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, name, nullptr));
  Require(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1, name);
  return context;
}

Key NewEcKey(const char* curve) {
  const KeyContext context = Generator("EC");
  Require(EVP_PKEY_CTX_set_group_name(context.get(), curve) == 1, curve);
  return Generate(context);
}

Key NewExplicitEcKey() {
  const KeyContext context = Generator("EC");
  Require(EVP_PKEY_CTX_set_group_name(context.get(), "P-256") == 1 &&
              EVP_PKEY_CTX_set_ec_param_enc(context.get(), OPENSSL_EC_EXPLICIT_CURVE) == 1,
          "explicit parameters");
  return Generate(context);
}

Key NewRsaKey(const char* name, int bits, const EVP_MD* only_digest = nullptr) {
  const KeyContext context = Generator(name);
  Require(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) == 1, name);
  if (only_digest != nullptr) {
    Require(EVP_PKEY_CTX_set_rsa_pss_keygen_md(context.get(), only_digest) == 1, "PSS digest");
  }
  return Generate(context);
}

Key NewDsaKey() {
  const KeyContext domain(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
  EVP_PKEY* parameters = nullptr;
  Require(EVP_PKEY_paramgen_init(domain.get()) == 1 &&
              EVP_PKEY_CTX_set_dsa_paramgen_bits(domain.get(), 1024) == 1 &&
              EVP_PKEY_paramgen(domain.get(), &parameters) == 1,
          "DSA parameters");
  const Key owned(parameters);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, parameters, nullptr));
  Require(EVP_PKEY_keygen_init(context.get()) == 1, "DSA");
  return Generate(context);
}

Key NewKey(KeyType type) {
  switch (type) {
    case KeyType::kEcP256:
      return NewEcKey("P-256");
    case KeyType::kEcP384:
      return NewEcKey("P-384");
    case KeyType::kEcP521:
      return NewEcKey("P-521");
    case KeyType::kRsa2048:
      return NewRsaKey("RSA", 2048);
    case KeyType::kRsaPss2048:
      return NewRsaKey("RSA-PSS", 2048);
    case KeyType::kRsaPssSha384:
      return NewRsaKey("RSA-PSS", 2048, EVP_sha384());
    case KeyType::kEcSecp256k1:
      return NewEcKey("secp256k1");
    case KeyType::kEcP256Explicit:
      return NewExplicitEcKey();
    case KeyType::kRsa512:
      return NewRsaKey("RSA", 512);
    case KeyType::kEd25519:
      return Generate(Generator("ED25519"));
    case KeyType::kEd448:
      return Generate(Generator("ED448"));
    case KeyType::kX25519:
      return Generate(Generator("X25519"));
    case KeyType::kSm2:
      return Generate(Generator("SM2"));
    case KeyType::kDsa1024:
      return NewDsaKey();
  }
  std::abort();
}

std::string ToPem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "writing a key");
  return Contents(bio);
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

GENERAL_NAME* DnsName(const std::string& name) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  Require(ASN1_STRING_set(value, name.data(), Size(name)) == 1, "a DNS name");
  GENERAL_NAME* general = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(general, GEN_DNS, value);
  return general;
}

GENERAL_NAME* IpName(const std::string& address) {
  ASN1_OCTET_STRING* value = a2i_IPADDRESS(address.c_str());
  Require(value != nullptr, address.c_str());
  GENERAL_NAME* general = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(general, GEN_IPADD, value);
  return general;
}

void AddNames(X509* cert, const CertSpec& spec) {
  if (spec.dns_names.empty() && spec.ip_addresses.empty()) return;
  const Names names(GENERAL_NAMES_new());
  for (const std::string& name : spec.dns_names) sk_GENERAL_NAME_push(names.get(), DnsName(name));
  for (const std::string& address : spec.ip_addresses) {
    sk_GENERAL_NAME_push(names.get(), IpName(address));
  }
  Require(X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, 0) == 1, "SAN");
}

void AddExtension(X509V3_CTX& context, X509* cert, int nid, const char* value) {
  const Extension extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  Require(extension != nullptr && X509_add_ext(cert, extension.get(), -1) == 1, value);
}

const char* KeyUsage(const CertSpec& spec, EVP_PKEY* key) {
  if (spec.is_ca) return "critical,digitalSignature,keyCertSign,cRLSign";
  if (EVP_PKEY_is_a(key, "RSA") == 1) return "critical,digitalSignature,keyEncipherment";
  if (EVP_PKEY_is_a(key, "X25519") == 1) return "critical,keyAgreement";
  return "critical,digitalSignature";
}

// RFC 5280, section 4.2; the key identifiers need the public key in place.
void AddExtensions(X509* cert, X509* issuer, const CertSpec& spec, EVP_PKEY* key) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  AddExtension(context, cert, NID_basic_constraints,
               spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(context, cert, NID_key_usage, KeyUsage(spec, key));
  AddExtension(context, cert, NID_subject_key_identifier, "hash");
  AddExtension(context, cert, NID_authority_key_identifier, "keyid:always");
  if (!spec.extended_key_usage.empty()) {
    AddExtension(context, cert, NID_ext_key_usage, spec.extended_key_usage.c_str());
  }
  AddNames(cert, spec);
}

void SetRandomSerial(X509* cert) {
  const BigNumber serial(BN_new());
  Require(BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(cert)) != nullptr,
          "a serial number");
}

void SetDate(ASN1_TIME* date, std::optional<WallTime> exact, Duration from_now) {
  const WallTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const WallTime at = exact.value_or(now + std::chrono::floor<std::chrono::seconds>(from_now));
  Require(ASN1_TIME_set(date, at.time_since_epoch().count()) != nullptr, "a date");
}

// An `issuer` of nullptr makes the certificate self-signed.
Cert MakeCert(const CertSpec& spec, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  Cert cert(X509_new());
  X509* x = cert.get();
  Require(X509_set_version(x, X509_VERSION_3) == 1, "version");
  SetRandomSerial(x);
  SetDate(X509_getm_notBefore(x), spec.not_before_at, spec.not_before);
  SetDate(X509_getm_notAfter(x), spec.not_after_at, spec.not_after);
  X509_NAME* name = X509_get_subject_name(x);
  Require(
      spec.common_name.empty() ||
          X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, Bytes(spec.common_name),
                                     Size(spec.common_name), -1, 0) == 1,
      "common name");
  if (issuer == nullptr) issuer = x;
  Require(X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1, "issuer name");
  Require(X509_set_pubkey(x, key) == 1, "public key");
  AddExtensions(x, issuer, spec, key);
  const bool has_own_digest = EVP_PKEY_is_a(issuer_key, "ED25519") == 1;
  Require(X509_sign(x, issuer_key, has_own_digest ? nullptr : EVP_sha256()) > 0, "signing");
  return cert;
}

}  // namespace

struct CertAuthority::Impl {
  Key key;
  Cert cert;
};

CertAuthority::CertAuthority(const std::string& common_name)
    : impl_(new Impl{NewKey(KeyType::kEcP256), nullptr}) {
  CertSpec spec;
  spec.common_name = common_name;
  spec.is_ca = true;
  spec.extended_key_usage = "";
  spec.not_before = -24h;
  spec.not_after = 24h * 365;
  impl_->cert = MakeCert(spec, impl_->key.get(), nullptr, impl_->key.get());
  cert_pem_ = ToPem(impl_->cert.get());
}

CertAuthority::CertAuthority(const PemPair& issuer)
    : impl_(new Impl{ReadKey(issuer.key), ReadCert(issuer.cert)}), cert_pem_(issuer.cert) {}

CertAuthority::~CertAuthority() { delete impl_; }

PemPair CertAuthority::Issue(const CertSpec& spec) const {
  return IssueFor(NewKeyPem(spec.key), spec);
}

PemPair CertAuthority::IssueFor(const std::string& key_pem, const CertSpec& spec) const {
  const Key key = ReadKey(key_pem);
  const Cert cert = MakeCert(spec, key.get(), impl_->cert.get(), impl_->key.get());
  return {ToPem(cert.get()), key_pem};
}

const CertAuthority& Authority() {
  static const CertAuthority authority;
  return authority;
}

std::string NewKeyPem(KeyType type) { return ToPem(NewKey(type).get()); }

std::string TraditionalKeyPem(const std::string& key_pem, const std::string& password) {
  const Bio bio(BIO_new(BIO_s_mem()));
  const EVP_CIPHER* cipher = password.empty() ? nullptr : EVP_aes_128_cbc();
  Require(
      PEM_write_bio_PrivateKey_traditional(bio.get(), ReadKey(key_pem).get(), cipher,
                                           Bytes(password), Size(password), nullptr, nullptr) == 1,
      "writing a traditional key");
  return Contents(bio);
}

std::string EncryptedKeyPem(const std::string& key_pem, const std::string& password) {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PKCS8PrivateKey(bio.get(), ReadKey(key_pem).get(), EVP_aes_128_cbc(),
                                        password.data(), Size(password), nullptr, nullptr) == 1,
          "writing an encrypted key");
  return Contents(bio);
}

bool SamePublicKey(const std::string& key_pem, const std::string& other_key_pem) {
  return EVP_PKEY_eq(ReadKey(key_pem).get(), ReadKey(other_key_pem).get()) == 1;
}

std::string PemDer(const std::string& pem) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  Require(PEM_read_bio(Reader(pem).get(), &label, &header, &data, &size) == 1, "a PEM block");
  std::string der(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return der;
}

std::string CertDer(const std::string& cert_pem) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(ReadCert(cert_pem).get(), &der);
  Require(size > 0, "encoding a certificate");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

std::string CertFingerprint(const std::string& cert_pem) {
  const std::string der = CertDer(cert_pem);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  Require(EVP_Digest(der.data(), der.size(), digest, &size, EVP_sha256(), nullptr) == 1, "SHA-256");
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", digest[i]);
    hex += digits;
  }
  return hex;
}

std::string PemBlock(const std::string& label, std::string_view der) {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio(bio.get(), label.c_str(), "", Bytes(der), Size(der)) > 0, "a PEM block");
  return Contents(bio);
}

}  // namespace certlatch::test
