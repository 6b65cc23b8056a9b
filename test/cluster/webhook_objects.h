// The objects by which the API server reaches an admission webhook, as JSON: its configuration, its
// Service's slices, its CA bundle.
// Pure; the names given are trusted to need no quoting.
#pragma once

#include <string>

namespace certlatch::test {

// A clientConfig by Service, on port 443 unless told otherwise; by URL.
std::string ByService(const std::string& ns, const std::string& service, const std::string& bundle,
                      int port = 443);
std::string ByUrl(const std::string& url, const std::string& bundle);

// One webhook "validate.example.com" that is asked about new ConfigMaps with the label asked=yes,
// in namespaces with the label hooks=`label` alone: of a shared cluster it troubles nobody else.
std::string WebhookConfiguration(const std::string& name, const std::string& label,
                                 const std::string& client_config,
                                 const char* side_effects = "None");

// One endpoint behind the port "https" of `service`.
std::string HttpsSlice(const std::string& service, bool ready);

}  // namespace certlatch::test
