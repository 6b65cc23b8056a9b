// Certificates of any shape, sound and unsound, from a description in OpenSSL's own words.
// Everything is made in memory; aborts where OpenSSL cannot make it: a mistake of the test.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "test/support/pki.h"

namespace certlatch::test {

// As in openssl.cnf: {"keyUsage", "critical,keyCertSign"}, in this order.
using Extensions = std::vector<std::pair<std::string, std::string>>;

Extensions LeafExtensions(const std::string& names = "DNS:localhost,IP:127.0.0.1");
Extensions CaExtensions(const std::string& basic_constraints = "critical,CA:TRUE");
// `all` with one of them replaced, appended, or left out (value "").
Extensions With(Extensions all, const std::string& name, const std::string& value);

struct Shape {
  std::string subject = "web";  // its common name; "" for none
  Extensions extensions = LeafExtensions();
  std::string digest = "SHA256";  // of the issuer's signature
  bool pss = false;               // an RSA issuer signs with RSASSA-PSS
  Duration not_before = -1h;
  Duration not_after = 24h;
  std::string sections = {};  // of openssl.cnf, for extensions that refer to some
};

// "RSA:4096", "RSA-PSS:2048", "EC:P-256", "EC:explicit" (P-256 spelled out), "ED25519", "DSA", ...:
// a PKCS#8 key as PEM. RSA keys are slow to make: each text gives the same one again, and a word
// after the size another one.
std::string NewKey(std::string_view kind);

PemPair SelfSigned(const Shape& shape, const std::string& key_pem);
PemPair Issue(const PemPair& issuer, const Shape& shape, const std::string& key_pem);
PemPair NewRoot(const std::string& name = "root", const std::string& kind = "EC:P-256",
                Shape shape = {});
// An intermediate of `issuer`.
PemPair NewCa(const PemPair& issuer, const std::string& name,
              const Extensions& extensions = CaExtensions());

// The same certificate with a bit of its signature turned.
std::string WithBrokenSignature(const std::string& cert_pem);
// With every occurrence of `from` in its DER replaced by `to`, of the same length.
std::string WithBytes(const std::string& cert_pem, std::string_view from, std::string_view to);

}  // namespace certlatch::test
