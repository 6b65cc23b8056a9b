#include "base/text.h"
#include "domain/base64.h"
#include "domain/cert_pair.h"
#include "domain/readiness_rows.h"

namespace certlatch {
namespace {

using Services = std::vector<const Json*>;  // references: name, namespace, port

// How the object reaches its `index`th webhook. The conversion webhook of a
// CustomResourceDefinition comes after the last; null: there is none.
const Json& ClientConfig(const Json& object, size_t index) {
  const Json& webhook = object["webhooks"][index];
  if (webhook.is_object()) return webhook["clientConfig"];
  const Json& conversion = object["spec"]["conversion"];
  const bool converts = conversion["strategy"].AsString() == "Webhook";
  return converts ? conversion["webhook"]["clientConfig"] : Json::Null();
}

size_t CountWebhooks(const Json& object) { return object["webhooks"].items().size() + 1; }

// Whether it can be asked for: what has no name is never taken for "all of them".
bool IsNamed(const Json& service) {
  return IsObjectName(service["name"].AsString()) && IsObjectName(service["namespace"].AsString());
}

size_t Find(const Services& services, const Json& service) {
  size_t i = 0;
  while (i < services.size() &&
         ((*services[i])["name"].AsString() != service["name"].AsString() ||
          (*services[i])["namespace"].AsString() != service["namespace"].AsString())) {
    ++i;
  }
  return i;
}

// Each once; one more than kMaxWebhookServices at most.
Services FindServices(const Json& object) {
  Services services;
  for (size_t i = 0; i < CountWebhooks(object) && services.size() <= kMaxWebhookServices; ++i) {
    const Json& service = ClientConfig(object, i)["service"];
    if (IsNamed(service) && Find(services, service) == services.size()) {
      services.push_back(&service);
    }
  }
  return services;
}

// That it signed the certificate that is served cannot be seen from here.
Verdict JudgeBundle(const Json& config, WallTime now) {
  const std::string_view text = config["caBundle"].AsString();
  if (text.empty()) {
    // Behind a URL may be a public certificate, which the API server trusts without a bundle.
    if (config["url"].is_string()) return Verdict::Met();
    return Verdict::Unmet("caBundle is empty (has cert-manager's cainjector run?)");
  }
  Verdict verdict;
  const Result<std::string> pem = DecodeBase64(text);
  if (!pem) return Verdict::Unmet("caBundle is not base64");
  const Status status = CheckAnchors(*pem, "caBundle", now, verdict.recheck);
  if (status) return Verdict::Met();
  verdict.reason = status.error().text;
  return verdict;
}

Verdict JudgeService(const Question& question, const Services& services, const Json& reference) {
  if (!IsNamed(reference)) return Verdict::Unmet("its clientConfig names no Service");
  const std::string_view name = reference["name"].AsString();
  const std::string_view ns = reference["namespace"].AsString();
  const std::string label =
      Format("service/%.*s in namespace %.*s", Length(name), name.data(), Length(ns), ns.data());
  const size_t at = 1 + 2 * Find(services, reference);  // behind the object itself
  if (at + 1 >= question.collections.size()) return Verdict::Unmet("%s is unknown", label.c_str());
  const Json* service = question.collections[at]->Only();
  if (service == nullptr) return Verdict::Unmet("no %s", label.c_str());
  // The API server connects to the name that it stands for.
  if ((*service)["spec"]["type"].AsString() == "ExternalName") return Verdict::Met();
  std::string_view port = reference["port"].NumberText();
  if (port.empty()) port = "443";
  Verdict verdict = JudgePorts(*service, port, *question.collections[at + 1], 1);
  verdict.reason.insert(0, label + ": ");
  return verdict;
}

// In the order in which they come to be: the Service, its pods, the bundle.
Verdict JudgeWebhook(const Question& question, const Services& services, const Json& config) {
  if (!config["url"].is_string()) {
    Verdict verdict = JudgeService(question, services, config["service"]);
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  return JudgeBundle(config, question.now);
}

}  // namespace

void AddWebhookNeeds(const Json& object, std::vector<Selection>& needs) {
  const Services services = FindServices(object);
  if (services.size() > kMaxWebhookServices) return;
  for (const Json* service : services) {
    const std::string name((*service)["name"].AsString());
    const std::string ns((*service)["namespace"].AsString());
    needs.push_back({*FindWellKnown({"services", "", "", false}), ns, name, ""});
    needs.push_back(SlicesOf(ns, name));
  }
}

// A configuration without webhooks is met: it stands in nobody's way, and some controllers leave
// it so as long as they have no policy.
Verdict WebhooksReady(const Question& question, const Json& object) {
  const Services services = FindServices(object);
  if (services.size() > kMaxWebhookServices) {
    return Verdict::Unmet(
        "its webhooks name more than %zu Services, too many to watch; try a dry "
        "run instead",
        kMaxWebhookServices);
  }
  for (size_t i = 0; i < CountWebhooks(object); ++i) {
    const Json& config = ClientConfig(object, i);
    if (config.is_null()) continue;
    Verdict verdict = JudgeWebhook(question, services, config);
    if (verdict.state == Verdict::State::kMet) continue;
    const Json& name = object["webhooks"][i]["name"];
    verdict.reason = Format("%s%s: %s", name.is_string() ? "webhook " : "conversion webhook",
                            Printable(name.AsString(), 300).c_str(), verdict.reason.c_str());
    return verdict;
  }
  return Verdict::Met();
}

Verdict CrdReady(const Question& question, const Json& object) {
  for (const char* type : {"NamesAccepted", "Established"}) {
    Verdict verdict = JudgeCondition(object, type);
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  return WebhooksReady(question, object);
}

}  // namespace certlatch
