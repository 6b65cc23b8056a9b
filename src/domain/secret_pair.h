// ReadSecretPair takes certificate, key and CA out of a Secret of the API (kubernetes.io/tls, or
// any that has their keys). Pure; bounded by what ParseJson lets through.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "domain/json.h"
#include "domain/lease_record.h"

namespace certlatch {

struct SecretPair {
  std::string cert;
  Secret key;
  bool has_key = false;
  std::optional<std::string> ca;

  // Views into this.
  PairBytes Bytes() const;
};

// What the keys of the three are called.
struct SecretKeys {
  std::string_view cert = "tls.crt";
  std::string_view key = "tls.key";
  std::string_view ca = "ca.crt";
};

// Error (kRetry): "has no tls.crt", "tls.key is not base64".
Result<SecretPair> ReadSecretPair(const Json& secret, const SecretKeys& keys = {});

}  // namespace certlatch
