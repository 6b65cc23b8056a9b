#include "domain/secret_pair.h"

#include <utility>

#include "base/text.h"
#include "domain/base64.h"

namespace certlatch {

PairBytes SecretPair::Bytes() const {
  PairBytes bytes;
  bytes.cert = cert;
  if (has_key) bytes.key = key.Reveal();
  if (ca) bytes.ca = *ca;
  return bytes;
}

Result<SecretPair> ReadSecretPair(const Json& secret, const SecretKeys& keys) {
  const Json& data = secret["data"];
  const auto broken = [](std::string_view key) {
    return Failure(Code::kRetry, "%s is not base64", Printable(key, 300).c_str());
  };
  if (data.Find(keys.cert) == nullptr) {
    return Failure(Code::kRetry, "has no %s", Printable(keys.cert, 300).c_str());
  }
  SecretPair pair;
  Result<std::string> cert = DecodeBase64(data[keys.cert].AsString());
  if (!cert) return broken(keys.cert);
  pair.cert = *std::move(cert);
  if (data.Find(keys.key) != nullptr) {
    Result<Secret> key = DecodeBase64Secret(data[keys.key].AsString());
    if (!key) return broken(keys.key);
    pair.key = *std::move(key);
    pair.has_key = true;
  }
  if (data.Find(keys.ca) != nullptr) {
    Result<std::string> ca = DecodeBase64(data[keys.ca].AsString());
    if (!ca) return broken(keys.ca);
    pair.ca = *std::move(ca);
  }
  return pair;
}

}  // namespace certlatch
