#include "domain/cert_pair.h"

#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdarg>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "base/deleter.h"
#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

// The DER of an 8192-bit RSA key takes some 4,700 bytes. A larger one can only be made to waste our
// time: its exponents may be as long as the file.
constexpr size_t kMaxKeySize = 8192;
constexpr int kMinRsaBits = 1024;
constexpr int kMaxRsaBits = 8192;  // Go's crypto/tls refuses more, for the same reason

constexpr size_t kMaxDistinguishedName = 1024;
constexpr size_t kMaxName = 256;  // a DNS name has at most 253 characters

constexpr const char kNoKey[] = ": the private key does not parse";
constexpr const char* kKinds = "RSA, ECDSA (P-256, P-384, P-521) or Ed25519";

struct OpensslDeleter {
  void operator()(void* owned) const { OPENSSL_free(owned); }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using DecoderContext = std::unique_ptr<OSSL_DECODER_CTX, Deleter<OSSL_DECODER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
struct CertStackDeleter {
  void operator()(STACK_OF(X509) * certs) const { sk_X509_pop_free(certs, X509_free); }
};
using CertStack = std::unique_ptr<STACK_OF(X509), CertStackDeleter>;
using CertStore = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using AltNames = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

// OpenSSL's error queue belongs to the thread: what another caller left there must not be taken for
// ours, nor ours for theirs.
class CleanErrorQueue {
 public:
  CleanErrorQueue() { ERR_clear_error(); }
  ~CleanErrorQueue() { ERR_clear_error(); }
  CleanErrorQueue(const CleanErrorQueue&) = delete;
  CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view View(const ASN1_STRING* string) {
  const auto size = static_cast<size_t>(std::max(0, ASN1_STRING_length(string)));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)), size};
}

// PemFile walks the blocks of a PEM file, as OpenSSL's servers see them: text around blocks is
// passed over. It decodes but never decrypts, so nothing can ask for a password on a terminal, and
// wipes each block, for it may be a key. What is wrong with the file is said here, too.
class PemFile {
 public:
  PemFile(std::string_view name, std::string_view pem)
      : bio_(BIO_new_mem_buf(pem.data(), Length(pem))), name_(name) {
    if (pem.empty()) Fail(" is empty");
    if (pem.size() > kMaxPemSize) Fail(" is larger than 1 MiB");
  }
  ~PemFile() { Drop(); }
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;

  // To the next block. False: there is none, or the file has failed.
  bool Advance() {
    Drop();
    if (failed()) return false;
    constexpr unsigned int kFlags = PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE;
    ++block_;
    if (PEM_read_bio_ex(bio_.get(), &label_, &header_, &data_, &size_, kFlags) == 1) return true;
    label_ = header_ = nullptr;  // freed by OpenSSL
    data_ = nullptr;
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) return false;
    return Fail(": PEM block %d is damaged or cut off", block_);
  }

  const char* label() const { return label_; }
  bool Is(const char* label) const { return std::strcmp(label_, label) == 0; }
  const char* header() const { return header_; }  // RFC 1421's, e.g. of an encrypted key
  std::string_view der() const {
    return {reinterpret_cast<const char*>(data_), static_cast<size_t>(size_)};
  }

  // Says after the file's name what is wrong with it. False, always, for the caller to return.
  [[gnu::format(printf, 2, 3)]] bool Fail(const char* pattern, ...) {
    va_list arguments;
    va_start(arguments, pattern);
    problem_.assign(name_).append(FormatList(pattern, arguments));
    va_end(arguments);
    return false;
  }
  bool failed() const { return !problem_.empty(); }
  std::string TakeProblem() { return std::move(problem_); }
  Error TakeError() { return Error{Code::kRetry, TakeProblem()}; }

 private:
  void Drop() {
    OPENSSL_secure_free(label_);
    OPENSSL_secure_free(header_);
    if (data_ != nullptr) OPENSSL_secure_clear_free(data_, static_cast<size_t>(size_));
    label_ = header_ = nullptr;
    data_ = nullptr;
  }

  Bio bio_;
  std::string_view name_;
  std::string problem_;
  int block_ = 0;  // counts from 1
  char* label_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
};

// --- the certificate ---

// Null: not exactly one certificate. OpenSSL lets bytes follow it, Go does not.
Cert DecodeCert(std::string_view der) {
  const unsigned char* at = Bytes(der);
  Cert cert(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return at == Bytes(der) + der.size() ? std::move(cert) : nullptr;
}

bool ReadTime(const ASN1_TIME* time, WallTime& out) {
  std::tm epoch = {};
  epoch.tm_year = 70;
  epoch.tm_mday = 1;
  std::tm tm = {};
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_to_tm(time, &tm) != 1) return false;
  if (OPENSSL_gmtime_diff(&days, &seconds, &epoch, &tm) != 1) return false;
  out = WallTime(std::chrono::days(days) + std::chrono::seconds(seconds));
  return true;
}

using DottedName = std::array<char, 80>;

// `room` is for the name of one that OpenSSL has no name for.
const char* AttributeName(const ASN1_OBJECT* object, DottedName& room) {
  const int nid = OBJ_obj2nid(object);
  if (nid != NID_undef) return OBJ_nid2sn(nid);
  return OBJ_obj2txt(room.data(), static_cast<int>(room.size()), object, 1) > 0 ? room.data() : "?";
}

std::string AttributeValue(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return "?";
  const std::unique_ptr<unsigned char, OpensslDeleter> owned(utf8);
  return Printable({reinterpret_cast<char*>(utf8), static_cast<size_t>(size)}, kMaxName);
}

std::string DistinguishedName(const X509_NAME* name) {
  std::string text;
  for (int i = 0; i < X509_NAME_entry_count(name) && text.size() < kMaxDistinguishedName; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    DottedName room;
    text += Format("%s%s=%s", text.empty() ? "" : ", ",
                   AttributeName(X509_NAME_ENTRY_get_object(entry), room),
                   AttributeValue(X509_NAME_ENTRY_get_data(entry)).c_str());
  }
  return Printable(text, kMaxDistinguishedName);
}

std::string IpAddress(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  if (bytes.size() == 4) inet_ntop(AF_INET, bytes.data(), text, sizeof(text));
  if (bytes.size() == 16) inet_ntop(AF_INET6, bytes.data(), text, sizeof(text));
  return text[0] != '\0' ? text : Printable(bytes, kMaxName);
}

// False: more than one subjectAltName, one that does not parse, or too many names in it.
bool ReadAltNames(const X509* cert, CertFacts& facts) {
  int critical = 0;
  const AltNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr) return critical == -1;  // -1: there is none
  const int count = sk_GENERAL_NAME_num(names.get());
  if (count > static_cast<int>(kMaxCertNames)) return false;
  for (int i = 0; i < count; ++i) {
    int kind = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind);
    if (kind == GEN_DNS) {
      facts.dns_names.push_back(Printable(View(static_cast<const ASN1_STRING*>(value)), kMaxName));
    } else if (kind == GEN_IPADD) {
      facts.ip_addresses.push_back(IpAddress(View(static_cast<const ASN1_STRING*>(value))));
    }
  }
  return true;
}

KeyKind KindOf(const EVP_PKEY* key) {
  if (key == nullptr) return KeyKind::kOther;
  if (EVP_PKEY_is_a(key, "RSA") == 1) return KeyKind::kRsa;
  if (EVP_PKEY_is_a(key, "RSA-PSS") == 1) return KeyKind::kRsaPss;
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyKind::kEd25519;
  char name[80] = "";
  EVP_PKEY_get_group_name(key, name, sizeof(name), nullptr);
  switch (OBJ_sn2nid(name)) {
    case NID_X9_62_prime256v1:
      return KeyKind::kP256;
    case NID_secp384r1:
      return KeyKind::kP384;
    case NID_secp521r1:
      return KeyKind::kP521;
    default:
      return KeyKind::kOther;
  }
}

// nullptr, or what is wrong, to follow the name of the file.
const char* ReadFacts(const X509* cert, std::string_view der, CertFacts& facts) {
  if (!ReadTime(X509_get0_notBefore(cert), facts.not_before) ||
      !ReadTime(X509_get0_notAfter(cert), facts.not_after)) {
    return ": the leaf's dates do not parse";
  }
  facts.subject = DistinguishedName(X509_get_subject_name(cert));
  facts.issuer = DistinguishedName(X509_get_issuer_name(cert));
  facts.sha256 = Sha256(der);
  facts.key_kind = KindOf(X509_get0_pubkey(cert));
  static_assert(kMaxCertNames == 1024);
  if (ReadAltNames(cert, facts)) return nullptr;
  return ": the leaf's alternative names do not parse, or are more than 1024";
}

// Takes one more certificate of the chain; the first one is the leaf.
bool TakeCert(PemFile& file, size_t number, Cert& leaf, CertFacts& facts) {
  if (number > kMaxChainLength) {
    return file.Fail(" holds more than %zu certificates", kMaxChainLength);
  }
  Cert cert = *file.header() == '\0' ? DecodeCert(file.der()) : nullptr;
  if (cert == nullptr) {
    return file.Fail(": certificate %zu of the chain does not parse", number);
  }
  if (number > 1) return true;
  leaf = std::move(cert);
  const char* problem = ReadFacts(leaf.get(), file.der(), facts);
  return problem == nullptr || file.Fail("%s", problem);
}

// Null: see the file's error.
Cert ReadChain(PemFile& file, CertFacts& facts) {
  Cert leaf;
  size_t count = 0;
  while (file.Advance()) {
    // OpenSSL's servers read these two labels as certificates, Go's do not: each would serve
    // another leaf.
    if (file.Is("X509 CERTIFICATE") || file.Is("TRUSTED CERTIFICATE")) {
      file.Fail(" holds a %s, which only some TLS servers read; it must be a CERTIFICATE",
                file.label());
    } else if (file.Is("CERTIFICATE")) {
      TakeCert(file, ++count, leaf, facts);
    }
  }
  if (!file.failed() && count == 0) file.Fail(" holds no PEM certificate");
  return file.failed() ? nullptr : std::move(leaf);
}

// --- the key ---

bool WrongKind(PemFile& file, const char* kind) {
  return file.Fail(" holds a key of kind %s; TLS servers need %s", kind, kKinds);
}

// By the name of the algorithm, so that the answer does not depend on what this OpenSSL can do.
bool CheckAlgorithm(const ASN1_OBJECT* algorithm, PemFile& file) {
  switch (OBJ_obj2nid(algorithm)) {
    case NID_rsaEncryption:
    case NID_rsassaPss:
    case NID_X9_62_id_ecPublicKey:
    case NID_ED25519:
      return true;
    default:
      DottedName room;
      return WrongKind(file, AttributeName(algorithm, room));
  }
}

bool CheckCurve(const EVP_PKEY* key, PemFile& file) {
  int spelled_out = 0;
  char name[80] = "";
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out);
  const bool is_named = EVP_PKEY_get_group_name(key, name, sizeof(name), nullptr) == 1;
  if (spelled_out != 0 || !is_named) {
    return file.Fail(" spells its elliptic curve out; TLS needs a named curve");
  }
  switch (OBJ_sn2nid(name)) {
    case NID_X9_62_prime256v1:
    case NID_secp384r1:
    case NID_secp521r1:
      return true;
    default:
      return WrongKind(file, ("ECDSA on " + Printable(name, kMaxName)).c_str());
  }
}

bool CheckStrength(const EVP_PKEY* key, PemFile& file) {
  if (EVP_PKEY_is_a(key, "EC") == 1) return CheckCurve(key, file);
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return true;
  if (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1) {
    const char* kind = EVP_PKEY_get0_type_name(key);  // SM2, which calls itself EC in its DER
    return WrongKind(file, kind == nullptr ? "?" : kind);
  }
  const int bits = EVP_PKEY_get_bits(key);
  if (bits >= kMinRsaBits && bits <= kMaxRsaBits) return true;
  return file.Fail(" holds an RSA key of %d bits; certlatch takes 1024 to 8192", bits);
}

struct KeyFormat {
  const char* label;      // of the PEM block
  const char* structure;  // OpenSSL's name of the DER inside
  const char* kind;       // OpenSSL's name of the kind of key; nullptr: the DER says it
};
constexpr KeyFormat kKeyFormats[] = {
    {"PRIVATE KEY", "PrivateKeyInfo", nullptr},   // PKCS#8, RFC 5958
    {"EC PRIVATE KEY", "type-specific", "EC"},    // SEC 1, RFC 5915
    {"RSA PRIVATE KEY", "type-specific", "RSA"},  // PKCS#1, RFC 8017
};

bool CheckPkcs8Algorithm(PemFile& file) {
  const unsigned char* at = Bytes(file.der());
  const KeyInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(file.der().size())));
  const ASN1_OBJECT* algorithm = nullptr;
  if (info == nullptr || PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, info.get()) != 1) {
    return file.Fail(kNoKey);
  }
  return CheckAlgorithm(algorithm, file);
}

// Null, here and below: see the file's error.
Key DecodeKey(const KeyFormat& format, PemFile& file) {
  if (format.kind == nullptr && !CheckPkcs8Algorithm(file)) return nullptr;
  EVP_PKEY* raw = nullptr;
  const DecoderContext decoder(OSSL_DECODER_CTX_new_for_pkey(
      &raw, "DER", format.structure, format.kind, EVP_PKEY_KEYPAIR, nullptr, nullptr));
  const unsigned char* at = Bytes(file.der());
  size_t left = file.der().size();
  const bool good = decoder != nullptr && OSSL_DECODER_from_data(decoder.get(), &at, &left) == 1;
  Key key(raw);
  const bool fits = good && key != nullptr ? CheckStrength(raw, file) : file.Fail(kNoKey);
  return fits ? std::move(key) : nullptr;
}

Key TakeKey(PemFile& file) {
  if (file.Is("ENCRYPTED PRIVATE KEY") || std::strstr(file.header(), "ENCRYPTED") != nullptr) {
    file.Fail(" is encrypted; TLS servers in pods need it plain");
    return nullptr;
  }
  if (*file.header() != '\0') {
    file.Fail(kNoKey);
    return nullptr;
  }
  if (file.der().size() > kMaxKeySize) {
    file.Fail(" holds a key larger than any that TLS servers use");
    return nullptr;
  }
  for (const KeyFormat& format : kKeyFormats) {
    if (file.Is(format.label)) return DecodeKey(format, file);
  }
  WrongKind(file, Printable(file.label(), kMaxName).c_str());
  return nullptr;
}

// The first private key of the file, as OpenSSL's and Go's servers take it.
Key ReadKey(PemFile& file) {
  while (file.Advance()) {
    if (file.Is("PRIVATE KEY") || std::string_view(file.label()).ends_with(" PRIVATE KEY")) {
      return TakeKey(file);
    }
  }
  if (!file.failed()) file.Fail(" holds no PEM private key");
  return nullptr;
}

// The leaf's public key, owned by the certificate.
EVP_PKEY* PublicKeyOf(const X509* cert, PemFile& file) {
  ASN1_OBJECT* algorithm = nullptr;
  const bool parsed = X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr,
                                             X509_get_X509_PUBKEY(cert)) == 1;
  if (parsed && !CheckAlgorithm(algorithm, file)) return nullptr;
  EVP_PKEY* key = parsed ? X509_get0_pubkey(cert) : nullptr;
  if (key == nullptr) {
    file.Fail(": the leaf's public key does not parse");
    return nullptr;
  }
  return CheckStrength(key, file) ? key : nullptr;
}

// --- the two together ---

// nullptr for Ed25519, which has its own. An RSA-PSS key may allow one digest only.
const char* DigestFor(EVP_PKEY* key, std::array<char, 32>& name) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  const bool known = EVP_PKEY_get_default_digest_name(key, name.data(), name.size()) > 0;
  return known ? name.data() : "SHA256";
}

// One key signs and the other verifies; whatever OpenSSL cannot do with either is a no.
bool SignsFor(EVP_PKEY* secret_key, EVP_PKEY* public_key) {
  std::array<unsigned char, 32> message;
  std::array<unsigned char, kMaxRsaBits / 8> signature;
  std::array<char, 32> name = {};
  const char* digest = DigestFor(public_key, name);
  size_t size = signature.size();
  const DigestContext signer(EVP_MD_CTX_new());
  const DigestContext verifier(EVP_MD_CTX_new());
  return RAND_bytes(message.data(), static_cast<int>(message.size())) == 1 && signer != nullptr &&
         verifier != nullptr &&
         EVP_DigestSignInit_ex(signer.get(), nullptr, digest, nullptr, nullptr, secret_key,
                               nullptr) == 1 &&
         EVP_DigestSign(signer.get(), signature.data(), &size, message.data(), message.size()) ==
             1 &&
         EVP_DigestVerifyInit_ex(verifier.get(), nullptr, digest, nullptr, nullptr, public_key,
                                 nullptr) == 1 &&
         EVP_DigestVerify(verifier.get(), signature.data(), size, message.data(), message.size()) ==
             1;
}

// --- the chain and its CA ---

// Null: see the file's error. A file without certificates gives none.
CertStack ReadCerts(PemFile& file, size_t most) {
  CertStack certs(sk_X509_new_null());
  while (certs != nullptr && file.Advance()) {
    if (!file.Is("CERTIFICATE")) continue;
    const auto number = static_cast<size_t>(sk_X509_num(certs.get())) + 1;
    Cert cert = number <= most ? DecodeCert(file.der()) : nullptr;
    if (cert == nullptr || sk_X509_push(certs.get(), cert.get()) <= 0) {
      number > most ? file.Fail(" holds more than %zu certificates", most)
                    : file.Fail(": certificate %zu does not parse", number);
      break;
    }
    static_cast<void>(cert.release());  // the stack's
  }
  return file.failed() ? nullptr : std::move(certs);
}

// The certificates to trust, at least one; null: see the file's error.
CertStack ReadAnchors(PemFile& file) {
  CertStack anchors = ReadCerts(file, kMaxAnchors);
  if (anchors != nullptr && sk_X509_num(anchors.get()) == 0) {
    file.Fail(" holds no PEM certificate");
    return nullptr;
  }
  return anchors;
}

// X509_V_OK, or why `chain` (the leaf first) leads to none of `anchors`.
int VerifyIssuers(STACK_OF(X509) * chain, STACK_OF(X509) * anchors) {
  const CertStore store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr ||
      X509_STORE_CTX_init(context.get(), store.get(), sk_X509_value(chain, 0), chain) != 1) {
    return X509_V_ERR_OUT_OF_MEM;
  }
  X509_STORE_CTX_set0_trusted_stack(context.get(), anchors);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  const bool good = X509_verify_cert(context.get()) == 1;
  return good ? X509_V_OK : X509_STORE_CTX_get_error(context.get());
}

// `key_pem` nullptr: the leaf alone.
Result<CertFacts> Read(std::string_view chain_pem, const std::string_view* key_pem,
                       const PairNames& names) {
  const CleanErrorQueue clean;
  CertFacts facts;
  PemFile chain(names.cert, chain_pem);
  const Cert leaf = ReadChain(chain, facts);
  if (leaf == nullptr) return chain.TakeError();
  if (key_pem == nullptr) return facts;
  EVP_PKEY* public_key = PublicKeyOf(leaf.get(), chain);
  if (public_key == nullptr) return chain.TakeError();
  PemFile file(names.key, *key_pem);
  const Key secret_key = ReadKey(file);
  if (secret_key != nullptr && !SignsFor(secret_key.get(), public_key)) {
    file.Fail(" and %.*s do not belong together; cert-manager may be mid-issuance",
              Length(names.cert), names.cert.data());
  }
  if (file.failed()) return file.TakeError();
  return facts;
}

// `begins`: when the first that is not valid yet becomes it. False: see the file's error.
bool HasValidAnchor(PemFile& file, WallTime now, WallTime& begins) {
  const CertStack anchors = ReadAnchors(file);
  if (anchors == nullptr) return false;
  WallTime last_end = WallTime::min();
  for (int i = 0; i < sk_X509_num(anchors.get()); ++i) {
    const X509* anchor = sk_X509_value(anchors.get(), i);
    WallTime begin;
    WallTime end;
    if (!ReadTime(X509_get0_notBefore(anchor), begin) ||
        !ReadTime(X509_get0_notAfter(anchor), end)) {
      return file.Fail(": the dates of certificate %d do not parse", i + 1);
    }
    if (begin <= now && now <= end) return true;
    last_end = std::max(last_end, end);
    if (now < begin) begins = std::min(begins, begin);
  }
  const bool early = begins != WallTime::max();
  return file.Fail(early ? " is not valid before %s" : " expired at %s",
                   FormatWallTime(early ? begins : last_end).c_str());
}

}  // namespace

Result<CertFacts> ReadLeaf(std::string_view chain_pem, const PairNames& names) {
  return Read(chain_pem, nullptr, names);
}

Result<CertFacts> CheckPair(std::string_view chain_pem, std::string_view key_pem,
                            const PairNames& names) {
  return Read(chain_pem, &key_pem, names);
}

Status CheckIssuers(std::string_view chain_pem, std::string_view ca_pem, std::string_view cert_name,
                    std::string_view ca_name) {
  const CleanErrorQueue clean;
  PemFile chain_file(cert_name, chain_pem);
  PemFile ca_file(ca_name, ca_pem);
  const CertStack chain = ReadCerts(chain_file, kMaxChainLength);
  const CertStack anchors = ReadAnchors(ca_file);
  if (chain == nullptr) return chain_file.TakeError();
  if (anchors == nullptr) return ca_file.TakeError();
  const int problem = VerifyIssuers(chain.get(), anchors.get());
  if (problem == X509_V_OK) return {};
  return Failure(Code::kRetry, "%.*s does not lead to a certificate in %.*s (%s)",
                 Length(cert_name), cert_name.data(), Length(ca_name), ca_name.data(),
                 X509_verify_cert_error_string(problem));
}

void CheckAnchors(std::string_view ca_pem, std::string_view name, WallTime now,
                  std::string& problem, std::optional<WallTime>& changes_at) {
  const CleanErrorQueue clean;
  PemFile file(name, ca_pem);
  WallTime begins = WallTime::max();
  if (HasValidAnchor(file, now, begins)) return;
  problem = file.TakeProblem();
  if (begins != WallTime::max()) changes_at = begins;
}

Result<CertFacts> ReadCertDer(std::string_view der, std::string_view name) {
  const CleanErrorQueue clean;
  CertFacts facts;
  const Cert cert = DecodeCert(der);
  const char* problem =
      cert == nullptr ? ": the certificate does not parse" : ReadFacts(cert.get(), der, facts);
  if (problem == nullptr) return facts;
  return Failure(Code::kRetry, "%.*s%s", Length(name), name.data(), problem);
}

ValidityCheck CheckValidity(const CertFacts& facts, WallTime now, Duration min_validity) {
  using std::chrono::seconds;
  const WallTime expired_at = facts.not_after + seconds(1);
  if (now >= expired_at) return {Validity::kExpired, std::nullopt};
  if (now < facts.not_before) {
    return {Validity::kNotYetValid, std::min(facts.not_before, expired_at)};
  }
  // `now` has whole seconds, so only the whole seconds of the minimum count.
  const WallTime too_short_at =
      facts.not_after - std::chrono::floor<seconds>(std::max(min_validity, Duration::zero()));
  if (now < too_short_at) return {Validity::kValid, too_short_at};
  return {Validity::kTooShort, expired_at};
}

}  // namespace certlatch
