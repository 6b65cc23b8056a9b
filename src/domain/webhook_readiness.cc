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

// Of the object's `index`th.
std::string LabelOf(const Json& object, size_t index) {
  const Json& webhook = object["webhooks"][index];
  return Format("%swebhook%s", webhook.is_object() ? "" : "conversion ",
                Fill("[ {name}]", webhook).c_str());
}

std::string LabelOf(const Selection& service) {
  return Format("service/%s in namespace %s", service.name.c_str(), service.ns.c_str());
}

constexpr std::string_view kDefaultPort = "443";

// The bundle's own faults; whether it is of the served certificate's authority, only a call shows.
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
    if (port.empty()) port = kDefaultPort;
    why = WhyNoEndpoint(*service, port, *question.collections[at + 2], 1);
    if (why.empty()) return;
  }
  why = Format("%s%s%s%s", service == nullptr ? "no " : "", LabelOf(needs[at]).c_str(),
               why.empty() ? "" : ": ", why.c_str());
}

// What the API server connects to, and by which name it knows it (its ServiceResolver). False:
// nothing that can be reached from here.
bool FindServer(const Collections& collections, const Json& reference,
                std::vector<Selection>& needs, Reachable& server) {
  if (!IsNamed(reference)) return false;
  const size_t at = PlaceOf(reference, needs);
  if (at + 2 >= collections.size()) return false;
  const Json* service = collections[at + 1]->Only();
  if (service == nullptr) return false;
  const Json& spec = (*service)["spec"];
  const bool external = spec["type"].AsString() == "ExternalName";
  server.address = spec[external ? "externalName" : "clusterIP"].AsString();
  std::string_view port = reference["port"].NumberText();
  if (port.empty()) port = kDefaultPort;
  server.called = LabelOf(needs[at]);
  server.url = Format("https://%s.%s.svc:%.*s/", needs[at].name.c_str(), needs[at].ns.c_str(),
                      Length(port), port.data());
  return ParseUint(port, 65535).has_value() && server.address != "None" &&
         ConsistsOf(server.address, "-.:");
}

// The root of the server: it is shown no review.
bool FindServer(std::string_view url, Reachable& server) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return false;
  const std::string_view authority = url.substr(0, url.find_first_of("/?#", kScheme.size()));
  server.called = Printable(authority.substr(kScheme.size()), 300);
  server.url = Format("%.*s/", Length(authority), authority.data());
  return true;
}

}  // namespace

void AddWebhookNeeds(const Json& object, std::vector<Selection>& needs) {
  const size_t most = needs.size() + 2 * kMaxWebhookServices;
  for (size_t i = 0; i < CountWebhooks(object) && needs.size() < most; ++i) {
    const Json& reference = ClientConfig(object, i)["service"];
    if (IsNamed(reference)) PlaceOf(reference, needs);
  }
}

void AddWebhookServers(const Collections& collections, std::vector<Reachable>& servers) {
  const Json* object = collections[0]->Only();
  std::vector<Selection> needs;
  for (size_t i = 0; object != nullptr && i < CountWebhooks(*object); ++i) {
    const Json& config = ClientConfig(*object, i);
    Reachable server;
    server.kind = Reachable::Kind::kHttp;
    server.head = true;
    const bool found = config["url"].is_string()
                           ? FindServer(config["url"].AsString(), server)
                           : FindServer(collections, config["service"], needs, server);
    Result<std::string> pem = DecodeBase64(config["caBundle"].AsString());
    if (!found || !pem || pem->empty() || servers.size() == kMaxWebhookServices) continue;
    server.ca_pem = *std::move(pem);
    server.text = LabelOf(*object, i);
    size_t same = 0;
    while (same < servers.size() && !IsSameServer(servers[same], server)) ++same;
    if (same == servers.size()) servers.push_back(std::move(server));
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
    why = Format("%s: %s", LabelOf(object, i).c_str(), why.c_str());
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
