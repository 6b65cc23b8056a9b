// Any two files as chain and key: no crash, no leak, no endless work, no error left in OpenSSL's
// queue, and an answer that fits one line of a log.
// Input: chain, NUL, key. An input without a PEM block is taken as DER and wrapped as each kind of
// block, so that mutations reach the decoders behind the base64.
#include <openssl/err.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "domain/base64.h"
#include "domain/cert_pair.h"

namespace {

using certlatch::CertFacts;
using certlatch::Result;
using certlatch::Status;

void Require(bool good) {
  if (!good) std::abort();
}

void RequireOneLine(std::string_view text) {
  Require(text.size() < 2048);
  for (const char c : text) {
    Require(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) != 0x7f);
  }
}

void RequireBounded(const CertFacts& facts) {
  RequireOneLine(facts.subject);
  RequireOneLine(facts.issuer);
  Require(facts.dns_names.size() + facts.ip_addresses.size() <= certlatch::kMaxCertNames);
  for (const std::string& name : facts.dns_names) RequireOneLine(name);
  for (const std::string& address : facts.ip_addresses) RequireOneLine(address);
  const auto now = certlatch::WallTime(std::chrono::seconds(1700000000));
  (void)certlatch::CheckValidity(facts, now, certlatch::Duration::max());
}

void Check(std::string_view chain, std::string_view key) {
  const Result<CertFacts> leaf = certlatch::ReadLeaf(chain);
  Require(ERR_peek_error() == 0);
  const Result<CertFacts> pair = certlatch::CheckPair(chain, key);
  Require(ERR_peek_error() == 0);
  if (leaf) RequireBounded(*leaf);
  if (!leaf) RequireOneLine(leaf.error().text);
  if (!pair) RequireOneLine(pair.error().text);
  if (pair) Require(leaf.has_value() && leaf->sha256 == pair->sha256);
}

// Any bytes as the file of authorities, of a chain that can be read.
void CheckIssuersOf(std::string_view chain, std::string_view authorities) {
  if (!certlatch::ReadLeaf(chain)) return;
  const Status issuers = certlatch::CheckIssuers(chain, authorities, "tls.crt", "ca.crt");
  Require(ERR_peek_error() == 0);
  if (!issuers) RequireOneLine(issuers.error().text);
}

std::string Wrapped(std::string_view label, std::string_view der) {
  const std::string base64 = certlatch::EncodeBase64(der);
  std::string pem = "-----BEGIN " + std::string(label) + "-----\n";
  for (size_t at = 0; at < base64.size(); at += 64) pem += base64.substr(at, 64) + "\n";
  return pem + "-----END " + std::string(label) + "-----\n";
}

// The key blocks need a chain that gets past the leaf: that of tls.crt, a P-256 certificate made
// for this test, whose key was thrown away.
constexpr std::string_view kLeaf = R"(-----BEGIN CERTIFICATE-----
MIICCDCCAa2gAwIBAgIQVC3vEegHLjLWkg37KEppTDAKBggqhkjOPQQDAjAjMSEw
HwYDVQQDDBh0aHJvd2F3YXkgZnV6eiBjb3JwdXMgQ0EwIBcNMjYxMTIxMjE1NzU5
WhgPOTk5OTEyMzEyMzU5NTlaMCAxHjAcBgNVBAMMFXRocm93YXdheSBmdXp6IGNv
cnB1czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJbfaSNh/hkk1RFPJDzE32NL
I1GYSIoPcH9eCXtY6LWkBWRiOAbY7suFo88GzBanDss9eESLCb66oQ3dOQbiXgCj
gcMwgcAwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0OBBYEFCCz
u1WiIsD01dINaib7jMGWNrwYMB8GA1UdIwQYMBaAFHoant1Ws/gLHJ/TAozHGuCh
nUjAMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjBBBgNVHREEOjA4gg93
ZWIuZGVmYXVsdC5zdmOCDSouZXhhbXBsZS5vcmeHBAoAAAGHEP0AAAAAAAAAAAAA
AAAAAAEwCgYIKoZIzj0EAwIDSQAwRgIhAPBP3gi6jIjq6DukYXOqo3l5BafPplpB
Z0p4g3M6jSNaAiEAoh0/7r1qx9i9wj73o8kwlPD4OJ4OgdpE62XVKjMHjHE=
-----END CERTIFICATE-----
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.find("-----BEGIN") != std::string_view::npos) {
    const size_t end = input.find('\0');
    const bool has_key = end != std::string_view::npos;
    const std::string_view chain = input.substr(0, end);
    const std::string_view other = has_key ? input.substr(end + 1) : std::string_view();
    Check(chain, other);
    CheckIssuersOf(chain, other);
    CheckIssuersOf(chain, chain);
    CheckIssuersOf(kLeaf, chain);
    return 0;
  }
  const std::string cert = Wrapped("CERTIFICATE", input);
  CheckIssuersOf(cert, cert);
  CheckIssuersOf(kLeaf, cert);
  for (const char* label : {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"}) {
    const std::string key = Wrapped(label, input);
    Check(kLeaf, key);
    Check(cert, key);
  }
  return 0;
}
