#include "test/cluster/webhook_objects.h"

#include "base/text.h"
#include "domain/base64.h"

namespace certlatch::test {

std::string ByService(const std::string& ns, const std::string& service, const std::string& bundle,
                      int port) {
  return Format(
      R"({"service":{"namespace":"%s","name":"%s","port":%d,"path":"/validate"},"caBundle":"%s"})",
      ns.c_str(), service.c_str(), port, EncodeBase64(bundle).c_str());
}

std::string ByUrl(const std::string& url, const std::string& bundle) {
  return Format(R"({"url":"%s/validate","caBundle":"%s"})", url.c_str(),
                EncodeBase64(bundle).c_str());
}

std::string WebhookConfiguration(const std::string& name, const std::string& label,
                                 const std::string& client_config, const char* side_effects) {
  return Format(R"({"metadata":{"name":"%s"},"webhooks":[{"name":"validate.example.com",
      "clientConfig":%s,"sideEffects":"%s","failurePolicy":"Fail","timeoutSeconds":10,
      "admissionReviewVersions":["v1"],
      "namespaceSelector":{"matchLabels":{"hooks":"%s"}},
      "objectSelector":{"matchLabels":{"asked":"yes"}},
      "rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"],
                "operations":["CREATE"]}]}]})",
                name.c_str(), client_config.c_str(), side_effects, label.c_str());
}

std::string HttpsSlice(const std::string& service, bool ready) {
  return Format(R"({"metadata":{"name":"%s-1","labels":{"kubernetes.io/service-name":"%s"}},
      "addressType":"IPv4","ports":[{"name":"https","port":8443}],
      "endpoints":[{"addresses":["10.1.2.3"],"conditions":{"ready":%s}}]})",
                service.c_str(), service.c_str(), ready ? "true" : "false");
}

}  // namespace certlatch::test
