#include "domain/cert_pair.h"

#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

// The DER of an 8192-bit RSA key takes some 4,700 bytes. A larger one can only be made to waste our
// time: its exponents may be as long as the file.
constexpr size_t kMaxKeySize = 8192;
constexpr int kMinRsaBits = 1024;
constexpr int kMaxRsaBits = 8192;  // Go's crypto/tls refuses more, for the same reason

constexpr size_t kMaxDistinguishedName = 1024;
constexpr size_t kMaxName = 256;  // a DNS name has at most 253 characters

constexpr const char* kKinds = "RSA, ECDSA (P-256, P-384, P-521) or Ed25519";

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
struct OpensslDeleter {
  void operator()(void* owned) const { OPENSSL_free(owned); }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using DecoderContext = std::unique_ptr<OSSL_DECODER_CTX, Deleter<OSSL_DECODER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
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

Error Problem(std::string_view file, std::string_view text) {
  std::string line(file);
  line += text;
  return Error{Code::kRetry, std::move(line)};
}

// PemReader walks the blocks of a PEM file, as OpenSSL's servers see them: text around blocks is
// passed over. It decodes but never decrypts, so nothing can ask for a password on a terminal, and
// wipes each block, for it may be a key.
class PemReader {
 public:
  enum class Next { kBlock, kEnd, kDamaged };

  explicit PemReader(std::string_view pem)
      : bio_(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))) {}
  ~PemReader() { Drop(); }
  PemReader(const PemReader&) = delete;
  PemReader& operator=(const PemReader&) = delete;

  Next Advance() {
    Drop();
    constexpr unsigned int kFlags = PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE;
    ++block_;
    if (PEM_read_bio_ex(bio_.get(), &label_, &header_, &data_, &size_, kFlags) == 1) {
      return Next::kBlock;
    }
    label_ = header_ = nullptr;  // freed by OpenSSL
    data_ = nullptr;
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    return at_end ? Next::kEnd : Next::kDamaged;
  }

  size_t block() const { return block_; }  // counts from 1
  std::string_view label() const { return label_; }
  std::string_view header() const { return header_; }  // RFC 1421's, e.g. of an encrypted key
  std::string_view der() const {
    return {reinterpret_cast<const char*>(data_), static_cast<size_t>(size_)};
  }

 private:
  void Drop() {
    OPENSSL_secure_free(label_);
    OPENSSL_secure_free(header_);
    if (data_ != nullptr) OPENSSL_secure_clear_free(data_, static_cast<size_t>(size_));
    label_ = header_ = nullptr;
    data_ = nullptr;
  }

  Bio bio_;
  size_t block_ = 0;
  char* label_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
};

Error Damaged(std::string_view file, const PemReader& reader) {
  return Problem(file, ": PEM block " + std::to_string(reader.block()) + " is damaged or cut off");
}

Status CheckFileSize(std::string_view file, std::string_view pem) {
  if (pem.empty()) return Problem(file, " is empty");
  if (pem.size() > kMaxPemSize) return Problem(file, " is larger than 1 MiB");
  return {};
}

// --- the certificate ---

// Null: not exactly one certificate. OpenSSL lets bytes follow it, Go does not.
Cert DecodeCert(std::string_view der) {
  const unsigned char* at = Bytes(der);
  Cert cert(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return at == Bytes(der) + der.size() ? std::move(cert) : nullptr;
}

std::optional<WallTime> ToWallTime(const ASN1_TIME* time) {
  namespace chrono = std::chrono;
  std::tm tm = {};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return std::nullopt;
  const chrono::year_month_day date = chrono::year(tm.tm_year + 1900) /
                                      chrono::month(static_cast<unsigned>(tm.tm_mon + 1)) /
                                      chrono::day(static_cast<unsigned>(tm.tm_mday));
  if (!date.ok()) return std::nullopt;
  return chrono::sys_days(date) + chrono::hours(tm.tm_hour) + chrono::minutes(tm.tm_min) +
         chrono::seconds(tm.tm_sec);
}

std::string AttributeName(const ASN1_OBJECT* object) {
  const int nid = OBJ_obj2nid(object);
  if (nid != NID_undef) return OBJ_nid2sn(nid);
  char dotted[80];
  return OBJ_obj2txt(dotted, sizeof(dotted), object, 1) > 0 ? dotted : "?";
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
    if (!text.empty()) text += ", ";
    text += AttributeName(X509_NAME_ENTRY_get_object(entry));
    text += '=';
    text += AttributeValue(X509_NAME_ENTRY_get_data(entry));
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

Result<CertFacts> FactsOf(const X509* cert, std::string_view der, std::string_view file) {
  const std::optional<WallTime> not_before = ToWallTime(X509_get0_notBefore(cert));
  const std::optional<WallTime> not_after = ToWallTime(X509_get0_notAfter(cert));
  if (!not_before.has_value() || !not_after.has_value()) {
    return Problem(file, ": the leaf's dates do not parse");
  }
  CertFacts facts;
  facts.not_before = *not_before;
  facts.not_after = *not_after;
  facts.subject = DistinguishedName(X509_get_subject_name(cert));
  facts.issuer = DistinguishedName(X509_get_issuer_name(cert));
  facts.sha256 = Sha256(der);
  if (!ReadAltNames(cert, facts)) {
    return Problem(file, ": the leaf's alternative names do not parse, or are more than " +
                             std::to_string(kMaxCertNames));
  }
  return facts;
}

struct Leaf {
  Cert cert;
  CertFacts facts;
};

// OpenSSL's servers read these two labels as certificates, Go's do not: each would serve another
// leaf.
bool IsAmbiguousLabel(std::string_view label) {
  return label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE";
}

// Takes one more certificate of the chain; the first one becomes the leaf.
Status TakeCert(const PemReader& reader, size_t number, std::string_view file, Leaf& leaf) {
  if (number > kMaxChainLength) {
    return Problem(file, " holds more than " + std::to_string(kMaxChainLength) + " certificates");
  }
  Cert cert = reader.header().empty() ? DecodeCert(reader.der()) : nullptr;
  if (cert == nullptr) {
    return Problem(file,
                   ": certificate " + std::to_string(number) + " of the chain does not parse");
  }
  if (number > 1) return {};
  Result<CertFacts> facts = FactsOf(cert.get(), reader.der(), file);
  if (!facts) return std::move(facts).error();
  leaf = {std::move(cert), *std::move(facts)};
  return {};
}

Result<Leaf> ReadChain(std::string_view pem, std::string_view file) {
  if (Status status = CheckFileSize(file, pem); !status) return std::move(status).error();
  PemReader reader(pem);
  Leaf leaf;
  size_t count = 0;
  while (true) {
    const PemReader::Next next = reader.Advance();
    if (next == PemReader::Next::kDamaged) return Damaged(file, reader);
    if (next == PemReader::Next::kEnd) break;
    if (IsAmbiguousLabel(reader.label())) {
      return Problem(file, " holds a " + std::string(reader.label()) +
                               ", which only some TLS servers read; it must be a CERTIFICATE");
    }
    if (reader.label() != "CERTIFICATE") continue;
    if (Status status = TakeCert(reader, ++count, file, leaf); !status) {
      return std::move(status).error();
    }
  }
  if (count == 0) return Problem(file, " holds no PEM certificate");
  return leaf;
}

// --- the key ---

Error WrongKind(std::string_view file, std::string_view kind) {
  return Problem(file,
                 " holds a key of kind " + std::string(kind) + "; TLS servers need " + kKinds);
}

// By the name of the algorithm, so that the answer does not depend on what this OpenSSL can do.
Status CheckAlgorithm(const ASN1_OBJECT* algorithm, std::string_view file) {
  switch (OBJ_obj2nid(algorithm)) {
    case NID_rsaEncryption:
    case NID_rsassaPss:
    case NID_X9_62_id_ecPublicKey:
    case NID_ED25519:
      return {};
    default:
      return WrongKind(file, AttributeName(algorithm));
  }
}

Status CheckCurve(const EVP_PKEY* key, std::string_view file) {
  int spelled_out = 0;
  char name[80] = "";
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out);
  const bool is_named = EVP_PKEY_get_group_name(key, name, sizeof(name), nullptr) == 1;
  if (spelled_out != 0 || !is_named) {
    return Problem(file, " spells its elliptic curve out; TLS needs a named curve");
  }
  const std::string_view curve = name;
  if (curve == SN_X9_62_prime256v1 || curve == SN_secp384r1 || curve == SN_secp521r1) return {};
  return WrongKind(file, "ECDSA on " + Printable(curve, kMaxName));
}

Status CheckStrength(const EVP_PKEY* key, std::string_view file) {
  if (EVP_PKEY_is_a(key, "EC") == 1) return CheckCurve(key, file);
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return {};
  if (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1) {
    const char* kind = EVP_PKEY_get0_type_name(key);  // SM2, which calls itself EC in its DER
    return WrongKind(file, kind == nullptr ? "?" : kind);
  }
  const int bits = EVP_PKEY_get_bits(key);
  if (bits >= kMinRsaBits && bits <= kMaxRsaBits) return {};
  return Problem(
      file, " holds an RSA key of " + std::to_string(bits) + " bits; certlatch takes 1024 to 8192");
}

struct KeyFormat {
  std::string_view label;  // of the PEM block
  const char* structure;   // OpenSSL's name of the DER inside
  const char* kind;        // OpenSSL's name of the kind of key; nullptr: the DER says it
};
constexpr KeyFormat kKeyFormats[] = {
    {"PRIVATE KEY", "PrivateKeyInfo", nullptr},   // PKCS#8, RFC 5958
    {"EC PRIVATE KEY", "type-specific", "EC"},    // SEC 1, RFC 5915
    {"RSA PRIVATE KEY", "type-specific", "RSA"},  // PKCS#1, RFC 8017
};

Status CheckPkcs8Algorithm(std::string_view der, std::string_view file) {
  const unsigned char* at = Bytes(der);
  const KeyInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  const ASN1_OBJECT* algorithm = nullptr;
  if (info == nullptr || PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, info.get()) != 1) {
    return Problem(file, ": the private key does not parse");
  }
  return CheckAlgorithm(algorithm, file);
}

Result<Key> DecodeKey(const KeyFormat& format, std::string_view der, std::string_view file) {
  EVP_PKEY* raw = nullptr;
  const DecoderContext decoder(OSSL_DECODER_CTX_new_for_pkey(
      &raw, "DER", format.structure, format.kind, EVP_PKEY_KEYPAIR, nullptr, nullptr));
  const unsigned char* at = Bytes(der);
  size_t left = der.size();
  const bool good = decoder != nullptr && OSSL_DECODER_from_data(decoder.get(), &at, &left) == 1;
  Key key(raw);
  if (!good || key == nullptr) return Problem(file, ": the private key does not parse");
  if (Status status = CheckStrength(key.get(), file); !status) return std::move(status).error();
  return key;
}

bool IsKeyLabel(std::string_view label) {
  return label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY");
}

Result<Key> TakeKey(const PemReader& reader, std::string_view file) {
  if (reader.label() == "ENCRYPTED PRIVATE KEY" ||
      reader.header().find("ENCRYPTED") != std::string_view::npos) {
    return Problem(file, " is encrypted; TLS servers in pods need it plain");
  }
  if (!reader.header().empty()) return Problem(file, ": the private key does not parse");
  if (reader.der().size() > kMaxKeySize) {
    return Problem(file, " holds a key larger than any that TLS servers use");
  }
  for (const KeyFormat& format : kKeyFormats) {
    if (reader.label() != format.label) continue;
    if (format.kind == nullptr) {
      Status status = CheckPkcs8Algorithm(reader.der(), file);
      if (!status) return std::move(status).error();
    }
    return DecodeKey(format, reader.der(), file);
  }
  return WrongKind(file, Printable(reader.label(), kMaxName));
}

// The first private key of the file, as OpenSSL's and Go's servers take it.
Result<Key> ReadKey(std::string_view pem, std::string_view file) {
  if (Status status = CheckFileSize(file, pem); !status) return std::move(status).error();
  PemReader reader(pem);
  while (true) {
    const PemReader::Next next = reader.Advance();
    if (next == PemReader::Next::kDamaged) return Damaged(file, reader);
    if (next == PemReader::Next::kEnd) return Problem(file, " holds no PEM private key");
    if (IsKeyLabel(reader.label())) return TakeKey(reader, file);
  }
}

// The leaf's public key, owned by the certificate.
Result<EVP_PKEY*> PublicKeyOf(const X509* cert, std::string_view file) {
  ASN1_OBJECT* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(cert)) !=
      1) {
    return Problem(file, ": the leaf's public key does not parse");
  }
  if (Status status = CheckAlgorithm(algorithm, file); !status) return std::move(status).error();
  EVP_PKEY* key = X509_get0_pubkey(cert);
  if (key == nullptr) return Problem(file, ": the leaf's public key does not parse");
  if (Status status = CheckStrength(key, file); !status) return std::move(status).error();
  return key;
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

}  // namespace

Result<CertFacts> ReadLeaf(std::string_view chain_pem, const PairNames& names) {
  const CleanErrorQueue clean;
  Result<Leaf> leaf = ReadChain(chain_pem, names.cert);
  if (!leaf) return std::move(leaf).error();
  return std::move(leaf->facts);
}

Result<CertFacts> CheckPair(std::string_view chain_pem, std::string_view key_pem,
                            const PairNames& names) {
  const CleanErrorQueue clean;
  Result<Leaf> leaf = ReadChain(chain_pem, names.cert);
  if (!leaf) return std::move(leaf).error();
  const Result<EVP_PKEY*> public_key = PublicKeyOf(leaf->cert.get(), names.cert);
  if (!public_key) return public_key.error();
  const Result<Key> secret_key = ReadKey(key_pem, names.key);
  if (!secret_key) return secret_key.error();
  if (!SignsFor(secret_key->get(), *public_key)) {
    return Problem(names.key, " and " + std::string(names.cert) +
                                  " do not belong together; cert-manager may be mid-issuance");
  }
  return std::move(leaf->facts);
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
