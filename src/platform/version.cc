#include "platform/version.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include "base/text.h"

namespace certlatch {

const BuildInfo kBuildInfo = {CERTLATCH_VERSION, CERTLATCH_COMMIT};

std::string VersionText() {
  std::string text = "certlatch " CERTLATCH_VERSION " (commit " CERTLATCH_COMMIT ")\n";
  text += "libcurl ";
  text += curl_version_info(CURLVERSION_NOW)->version;
  text += ", ";
  text += OpenSSL_version(OPENSSL_VERSION);
  text += ", simdjson " CERTLATCH_SIMDJSON_VERSION;
  return text;
}

std::string VersionJson() {
  return Format(R"({"version":"%s","commit":"%s","libraries":{"libcurl":"%s","openssl":"%s",)"
                R"("simdjson":"%s"}})",
                CERTLATCH_VERSION, CERTLATCH_COMMIT, curl_version_info(CURLVERSION_NOW)->version,
                OpenSSL_version(OPENSSL_VERSION), CERTLATCH_SIMDJSON_VERSION);
}

}  // namespace certlatch
