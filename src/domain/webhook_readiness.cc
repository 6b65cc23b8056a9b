#include <utility>

#include "base/text.h"
#include "domain/base64.h"
#include "domain/cert_pair.h"
#include "domain/diagnosis_words.h"
#include "domain/readiness_rows.h"

namespace certlatch {
namespace {

// How the object reaches its `index`th webhook. The conversion webhook of a
// CustomResourceDefinition comes after the last; null: there is none.
const Json& ClientConfig(const Json& object, size_t index) {
  const Json& webhook = object["webhooks"][index];
  if (webhook.is_object()) return webhook["clientConfig"];
  const bool converts = object.At("spec.conversion.strategy").AsString() == "Webhook";
  return converts ? object.At("spec.conversion.webhook.clientConfig") : Json::Null();
}

size_t CountWebhooks(const Json& object) { return object["webhooks"].items().size() + 1; }

// Whether it can be asked for: what has no name is never taken for "all of them".
bool IsNamed(const Json& service) {
  return IsObjectName(service["name"].AsString()) && IsObjectName(service["namespace"].AsString());
}

// Which of `needs` is the Service that is referred to; added with its slices if it is none.
size_t PlaceOf(const Json& reference, std::vector<Selection>& needs) {
  Selection service = {WellKnown("services"), std::string(reference["namespace"].AsString()),
                       std::string(reference["name"].AsString()), ""};
  size_t i = 0;
  while (i < needs.size() && !(needs[i] == service)) ++i;
  if (i == needs.size()) {
    Selection slices = SlicesOf(service.ns, service.name);
    needs.push_back(std::move(service));
    needs.push_back(std::move(slices));
  }
  return i;
}

// That the bundle signed the certificate that is served cannot be seen from here.
void CheckBundle(const Json& config, WallTime now, Verdict& verdict) {
  const std::string_view text = config["caBundle"].AsString();
  // Behind a URL may be a public certificate, which the API server trusts without a bundle.
  if (text.empty() && config["url"].is_string()) return;
  const Result<std::string> pem = DecodeBase64(text);
  if (text.empty()) {
    verdict.reason = "caBundle is empty (has cert-manager's cainjector run?)";
  } else if (!pem) {
    verdict.reason = "caBundle is not base64";
  } else {
    CheckAnchors(*pem, "caBundle", now, verdict.reason, verdict.recheck);
  }
}

// `needs` are those of the webhooks that have been judged, without the object itself.
void CheckService(const Question& question, const Json& reference, std::vector<Selection>& needs,
                  std::string& why) {
  why = "its clientConfig names no Service";
  if (!IsNamed(reference)) return;
  const size_t at = PlaceOf(reference, needs);
  why = "its Service is one too many to be watched";
  if (at + 2 >= question.collections.size()) return;
  why.clear();
  const Json* service = question.collections[at + 1]->Only();
  if (service != nullptr) {
    // The API server connects to the name that it stands for.
    if (service->At("spec.type").AsString() == "ExternalName") return;
    std::string_view port = reference["port"].NumberText();
    if (port.empty()) port = "443";
    why = WhyNoEndpoint(*service, port, *question.collections[at + 2], 1);
    if (why.empty()) return;
  }
  why = Format("%sservice/%s in namespace %s%s%s", service == nullptr ? "no " : "",
               needs[at].name.c_str(), needs[at].ns.c_str(), why.empty() ? "" : ": ", why.c_str());
}

}  // namespace

void AddWebhookNeeds(const Json& object, std::vector<Selection>& needs) {
  const size_t most = needs.size() + 2 * kMaxWebhookServices;
  for (size_t i = 0; i < CountWebhooks(object) && needs.size() < most; ++i) {
    const Json& reference = ClientConfig(object, i)["service"];
    if (IsNamed(reference)) PlaceOf(reference, needs);
  }
}

// In the order in which they come to be: the Service, its pods, the bundle. A configuration without
// webhooks is met: it stands in nobody's way, and some controllers leave it so as long as they have
// no policy.
Verdict WebhooksReady(const Question& question, const Json& object) {
  Verdict verdict = Verdict::Met();
  std::vector<Selection> needs;
  for (size_t i = 0; i < CountWebhooks(object); ++i) {
    const Json& config = ClientConfig(object, i);
    if (config.is_null()) continue;
    std::string& why = verdict.reason;
    if (!config["url"].is_string()) CheckService(question, config["service"], needs, why);
    if (why.empty()) CheckBundle(config, question.now, verdict);
    if (why.empty()) continue;
    const Json& webhook = object["webhooks"][i];
    why = Format("%swebhook%s: %s", webhook.is_object() ? "" : "conversion ",
                 Fill("[ {name}]", webhook).c_str(), why.c_str());
    verdict.state = Verdict::State::kUnmet;
    break;
  }
  return verdict;
}

Verdict CrdReady(const Question& question, const Json& object) {
  for (const char* type : {"NamesAccepted", "Established"}) {
    Verdict verdict = JudgeCondition(object, type);
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  return WebhooksReady(question, object);
}

}  // namespace certlatch
