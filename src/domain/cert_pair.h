// A certificate chain and its private key, as bytes of PEM files: what the leaf says, and whether
// the two belong together. Pure; files of at most kMaxPemSize bytes with at most kMaxChainLength
// certificates; any bytes at all may come in. The caller owns files, clock and retry.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/digest.h"

namespace certlatch {

constexpr size_t kMaxPemSize = size_t{1024} * 1024;  // the bound of a Secret's data
constexpr size_t kMaxChainLength = 64;
constexpr size_t kMaxAnchors = 1024;    // of a ca.crt: as many as any bundle of public CAs
constexpr size_t kMaxCertNames = 1024;  // public CAs issue at most 100 a certificate

// What the two files are called in the text of errors.
struct PairNames {
  std::string_view cert = "tls.crt";
  std::string_view key = "tls.key";
};

// What TLS asks a server's certificate for: the kind of its key, of ECDSA with the curve.
enum class KeyKind { kOther, kRsa, kRsaPss, kP256, kP384, kP521, kEd25519 };

// What a leaf says. Each text is one bounded, printable line, whatever is in the certificate: a NUL
// in a name reads "\x00", which no real DNS name can hold, so none is mistaken for a real one.
struct CertFacts {
  WallTime not_before;
  WallTime not_after;                     // the last second of validity, RFC 5280 section 4.1.2.5
  std::vector<std::string> dns_names;     // of the subjectAltName, in its order
  std::vector<std::string> ip_addresses;  // likewise, e.g. "10.0.0.1", "fd00::1"
  std::string subject;                    // e.g. "O=Acme, CN=web", in the order of the certificate
  std::string issuer;
  Digest sha256 = {};                  // of the leaf's DER: the usual fingerprint
  KeyKind key_kind = KeyKind::kOther;  // also of a key that does not parse
};

// The leaf is the first certificate of the file, as TLS servers take it; blocks of other kinds are
// passed over, as they do. Every certificate must parse. Errors: Code::kRetry, one line for the
// person on call.
Result<CertFacts> ReadLeaf(std::string_view chain_pem, const PairNames& names = {});

// The facts of the leaf if in addition the key is its own: a signature made with the key verifies
// with the leaf. Equal public keys would prove nothing, since a key file can carry a public key
// that is not that of its secret. Keys: RSA and RSA-PSS of 1024 to 8192 bits, ECDSA on P-256, P-384
// and P-521, Ed25519; as PKCS#8, PKCS#1 or SEC 1, not encrypted. Errors: as ReadLeaf; no text ever
// holds a part of the key.
Result<CertFacts> CheckPair(std::string_view chain_pem, std::string_view key_pem,
                            const PairNames& names = {});

// The same of one certificate in DER, as it comes through TLS. The error begins with `name`.
Result<CertFacts> ReadCertDer(std::string_view der, std::string_view name);

// Whether the chain leads from its leaf to one of the certificates of `ca_pem`, any of which may be
// an intermediate: signatures, names and constraints, but no dates, no purposes. For a chain that
// has been read without an error. Error: what is wrong, beginning with the name of the file.
Status CheckIssuers(std::string_view chain_pem, std::string_view ca_pem, std::string_view cert_name,
                    std::string_view ca_name);

// Whether one of the certificates of `ca_pem` is valid now, as the API server needs of a caBundle:
// an old one may still stand beside its successor. `problem`: what is wrong, beginning with `name`;
// `changes_at`: when waiting alone will have changed that. Untouched if there is no such thing.
void CheckAnchors(std::string_view ca_pem, std::string_view name, WallTime now,
                  std::string& problem, std::optional<WallTime>& changes_at);

enum class Validity {
  kValid,        // notBefore <= now < notAfter - min_validity
  kNotYetValid,  // now < notBefore
  kTooShort,     // valid, but for no longer than min_validity
  kExpired,      // notAfter < now
};

struct ValidityCheck {
  Validity validity;
  std::optional<WallTime> changes_at;  // when the answer will be another; nullopt: never
};

// A negative `min_validity` counts as none.
ValidityCheck CheckValidity(const CertFacts& facts, WallTime now, Duration min_validity);

}  // namespace certlatch
