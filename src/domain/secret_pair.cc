#include "domain/secret_pair.h"

#include <utility>

#include "domain/base64.h"

namespace certlatch {

PairBytes SecretPair::Bytes() const {
  PairBytes bytes;
  bytes.cert = cert;
  if (has_key) bytes.key = key.Reveal();
  if (ca) bytes.ca = *ca;
  return bytes;
}

Result<SecretPair> ReadSecretPair(const Json& secret) {
  const Json& data = secret["data"];
  if (data.Find("tls.crt") == nullptr) return Failure(Code::kRetry, "has no tls.crt");
  SecretPair pair;
  Result<std::string> cert = DecodeBase64(data["tls.crt"].AsString());
  if (!cert) return Failure(Code::kRetry, "tls.crt is not base64");
  pair.cert = *std::move(cert);
  if (data.Find("tls.key") != nullptr) {
    Result<Secret> key = DecodeBase64Secret(data["tls.key"].AsString());
    if (!key) return Failure(Code::kRetry, "tls.key is not base64");
    pair.key = *std::move(key);
    pair.has_key = true;
  }
  if (data.Find("ca.crt") != nullptr) {
    Result<std::string> ca = DecodeBase64(data["ca.crt"].AsString());
    if (!ca) return Failure(Code::kRetry, "ca.crt is not base64");
    pair.ca = *std::move(ca);
  }
  return pair;
}

}  // namespace certlatch
