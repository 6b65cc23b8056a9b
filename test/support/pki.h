// A certificate authority for tests: makes keys and certificates of every kind the product meets,
// good ones and broken ones. Everything is made in memory at run time; no key is stored in a file
// of the project.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace certlatch::test {

enum class KeyType {
  kEcP256,
  kEcP384,
  kRsa2048,
  kRsaPss2048,
  kEd25519,
  kEcP521,
  kRsaPssSha384,  // may sign with SHA-384 only
  // Kinds that the product refuses:
  kEcSecp256k1,
  kEcP256Explicit,  // P-256 with its parameters spelled out
  kRsa512,
  kEd448,
  kX25519,
  kSm2,
  kDsa1024
};

struct PemPair {
  std::string cert;  // one PEM CERTIFICATE, the leaf
  std::string key;   // PEM PRIVATE KEY (PKCS#8)
};

struct CertSpec {
  std::string common_name = "web";
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  KeyType key = KeyType::kEcP256;
  bool is_ca = false;
  // From now on; negative values lie in the past.
  Duration not_before = -1h;
  Duration not_after = 24h;
  std::string extended_key_usage = "serverAuth,clientAuth";  // "" leaves the extension out
  // Exact dates, up to the year 9999; they replace the two above.
  std::optional<WallTime> not_before_at = {};
  std::optional<WallTime> not_after_at = {};
};

class CertAuthority {
 public:
  explicit CertAuthority(const std::string& common_name = "test CA");
  // An intermediate: `issuer` is what another authority issued with `is_ca`.
  explicit CertAuthority(const PemPair& issuer);
  ~CertAuthority();
  CertAuthority(const CertAuthority&) = delete;
  CertAuthority& operator=(const CertAuthority&) = delete;

  PemPair Issue(const CertSpec& spec) const;
  // A certificate for a key that exists already (a renewal without rotation); spec.key is ignored.
  PemPair IssueFor(const std::string& key_pem, const CertSpec& spec) const;
  const std::string& cert_pem() const { return cert_pem_; }

 private:
  struct Impl;
  Impl* impl_;
  std::string cert_pem_;
};

// One for the whole program: making keys is slow.
const CertAuthority& Authority();

// A fresh private key without a certificate, as PEM.
std::string NewKeyPem(KeyType type);

// A PKCS#8 key as its kind was written before PKCS#8: "EC PRIVATE KEY", "RSA PRIVATE KEY" or "DSA
// PRIVATE KEY"; encrypted in the way of those days if `password` is not empty.
std::string TraditionalKeyPem(const std::string& key_pem, const std::string& password = "");

// The same key as "ENCRYPTED PRIVATE KEY".
std::string EncryptedKeyPem(const std::string& key_pem, const std::string& password);

// Whether OpenSSL finds the public keys of two key files equal.
bool SamePublicKey(const std::string& key_pem, const std::string& other_key_pem);

// The bytes inside the first PEM block.
std::string PemDer(const std::string& pem);

// The DER bytes of the first certificate of `cert_pem`.
std::string CertDer(const std::string& cert_pem);

// SHA-256 over CertDer, 64 lowercase hex digits: what `openssl x509 -fingerprint -sha256` prints.
std::string CertFingerprint(const std::string& cert_pem);

// `der` between BEGIN and END lines of `label`, for PEM files that no writer would make.
std::string PemBlock(const std::string& label, std::string_view der);

}  // namespace certlatch::test
