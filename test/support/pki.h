// A certificate authority for tests: makes keys and certificates of every kind the product meets,
// good ones and broken ones. Everything is made in memory at run time; no key is stored in a file
// of the project.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace certlatch::test {

enum class KeyType { kEcP256, kEcP384, kRsa2048, kRsaPss2048, kEd25519 };

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
};

class CertAuthority {
 public:
  explicit CertAuthority(const std::string& common_name = "test CA");
  ~CertAuthority();
  CertAuthority(const CertAuthority&) = delete;
  CertAuthority& operator=(const CertAuthority&) = delete;

  PemPair Issue(const CertSpec& spec) const;
  const std::string& cert_pem() const { return cert_pem_; }

 private:
  struct Impl;
  Impl* impl_;
  std::string cert_pem_;
};

// A fresh private key without a certificate, as PEM.
std::string NewKeyPem(KeyType type);

}  // namespace certlatch::test
