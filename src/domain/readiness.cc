#include "domain/readiness.h"

#include <cstdint>
#include <cstdlib>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/base64.h"
#include "domain/cert_pair.h"

namespace certlatch {
namespace {

using Collections = std::vector<const Collection*>;

struct Question {
  const Target& target;
  const Collections& collections;
  const ReadinessSettings& settings;
  WallTime now;
};

const Json& FindCondition(const Json& object, std::string_view type) {
  for (const Json& condition : object["status"]["conditions"].items()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return Json::Null();
}

// --- any kind ---

Verdict ReadyOrAvailable(const Question&, const Json& object) {
  for (const char* type : {"Ready", "Available"}) {
    if (FindCondition(object, type).is_object()) return JudgeCondition(object, type);
  }
  return Verdict::Unmet("has no condition Ready or Available yet");
}

// --- certificate ---

Verdict CertificateReady(const Question&, const Json& object) {
  Verdict verdict = JudgeCondition(object, "Ready");
  if (verdict.state == Verdict::State::kMet) return verdict;
  // After a failed attempt, Issuing=False carries the issuer's own words.
  const Json& issuing = FindCondition(object, "Issuing");
  const std::string message = Printable(issuing["message"].AsString(), 800);
  if (issuing["status"].AsString() == "False" && !message.empty()) {
    verdict.reason = Format("issuance failed (%s: %s)",
                            Printable(issuing["reason"].AsString(), 100).c_str(), message.c_str());
  }
  return verdict;
}

// --- secret ---

Verdict JudgePair(std::string_view chain, std::string_view key, const Question& question) {
  const Result<CertFacts> facts = CheckPair(chain, key);
  if (!facts) return {Verdict::State::kUnmet, facts.error().text, {}};
  const Duration least = question.settings.min_validity;
  const ValidityCheck check = CheckValidity(*facts, question.now, least);
  const std::string not_after = FormatWallTime(facts->not_after);
  Verdict verdict = Verdict::Met();
  switch (check.validity) {
    case Validity::kValid:
      break;
    case Validity::kNotYetValid:
      verdict = Verdict::Unmet("the certificate is not valid before %s",
                               FormatWallTime(facts->not_before).c_str());
      break;
    case Validity::kExpired:
      verdict = Verdict::Unmet("the certificate expired at %s", not_after.c_str());
      break;
    case Validity::kTooShort:
      verdict = Verdict::Unmet(
          "the certificate is valid only until %s, less than the %s that --min-validity asks for",
          not_after.c_str(), RoughDuration(least).c_str());
      break;
  }
  verdict.recheck = check.changes_at;
  return verdict;
}

Verdict SecretReady(const Question& question, const Json& object) {
  if (object["type"].AsString() != "kubernetes.io/tls") return Verdict::Met();
  const std::string_view texts[] = {object["data"]["tls.crt"].AsString(),
                                    object["data"]["tls.key"].AsString()};
  for (const std::string_view& text : texts) {
    if (!text.empty()) continue;
    return Verdict::Unmet("tls.%s is empty; its issuer has not filled it yet",
                          &text == texts ? "crt" : "key");
  }
  const Result<std::string> chain = DecodeBase64(texts[0]);
  const Result<Secret> key = DecodeBase64Secret(texts[1]);
  if (!chain || !key) return Verdict::Unmet("its data is not base64");
  return JudgePair(*chain, key->Reveal(), question);
}

// --- endpoints, service, endpointslice ---

struct Count {
  size_t ready = 0;
  size_t waiting = 0;
};

// "no ready address (…)", "fewer than 3 ready endpoints on port 443 (…)".
Verdict JudgeCount(const Count& count, int wanted, const char* noun, const char* plural,
                   const std::string& where) {
  if (count.ready >= static_cast<size_t>(wanted)) return Verdict::Met();
  const std::string few =
      wanted == 1 ? Format("no ready %s", noun) : Format("fewer than %d ready %s", wanted, plural);
  return Verdict::Unmet("%s%s (%zu ready, %zu not ready)", few.c_str(), where.c_str(), count.ready,
                        count.waiting);
}

Verdict EndpointsReady(const Question& question, const Json& object) {
  Count count;
  for (const Json& subset : object["subsets"].items()) {
    count.ready += subset["addresses"].items().size();
    count.waiting += subset["notReadyAddresses"].items().size();
  }
  return JudgeCount(count, question.settings.min_ready, "address", "addresses", "");
}

bool SliceHasPort(const Json& slice, const std::string_view* port_name) {
  if (port_name == nullptr) return true;
  // An unnamed port of a Service is "" in the slice, or absent.
  for (const Json& port : slice["ports"].items()) {
    if (port["name"].AsString() == *port_name) return true;
  }
  return false;
}

// One endpoint stands in two slices where a Service has IPv4 and IPv6: the pod counts once.
std::string_view EndpointIdentity(const Json& endpoint) {
  const std::string_view pod = endpoint["targetRef"]["name"].AsString();
  return pod.empty() ? endpoint["addresses"][0].AsString() : pod;
}

using Identities = std::vector<std::string_view>;

int Compare(const void* a, const void* b) {
  return static_cast<const std::string_view*>(a)->compare(*static_cast<const std::string_view*>(b));
}

size_t CountDistinct(Identities& all) {
  if (!all.empty()) std::qsort(all.data(), all.size(), sizeof(std::string_view), Compare);
  size_t count = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i] != all[i - 1]) ++count;
  }
  return count;
}

// `port_name` nullptr: on any port.
Verdict JudgeEndpoints(const Collection& slices, const std::string_view* port_name,
                       const std::string& where, const Question& question) {
  Identities ready;
  Identities waiting;
  for (const Json::Member& slice : slices.objects) {
    if (!SliceHasPort(slice.value, port_name)) continue;
    for (const Json& endpoint : slice.value["endpoints"].items()) {
      // "A nil value should be interpreted as true": EndpointConditions in the API reference.
      const bool is_ready = endpoint["conditions"]["ready"].AsBool().value_or(true);
      (is_ready ? ready : waiting).push_back(EndpointIdentity(endpoint));
    }
  }
  return JudgeCount({CountDistinct(ready), CountDistinct(waiting)}, question.settings.min_ready,
                    "endpoint", "endpoints", where);
}

bool IsPort(const Json& port, std::string_view wanted) {
  return wanted.empty() || port["name"].AsString() == wanted || port["port"].NumberText() == wanted;
}

std::string NamesOfPorts(const Json& ports) {
  std::string names;
  for (const Json& port : ports.items()) {
    const std::string name = Printable(port["name"].AsString(), 100);
    if (!names.empty()) names += ", ";
    names += port["port"].NumberText();
    if (!name.empty()) names.append(1, ' ').append(name);
  }
  return names.empty() ? "none" : names;
}

Verdict ServiceReady(const Question& question, const Json& service) {
  if (service["spec"]["type"].AsString() == "ExternalName") {
    return Verdict::Unmet(
        "is of type ExternalName, which has no endpoints; wait for what it names");
  }
  const Collection& slices = *question.collections[1];
  const std::string& wanted = question.target.name.port;
  const Json& ports = service["spec"]["ports"];
  bool found = false;
  for (const Json& port : ports.items()) {
    if (!IsPort(port, wanted)) continue;
    found = true;
    const std::string_view name = port["name"].AsString();
    const std::string where = Format(" on port %.*s", Length(port["port"].NumberText()),
                                     port["port"].NumberText().data());
    Verdict verdict = JudgeEndpoints(slices, &name, where, question);
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  if (found) return Verdict::Met();
  if (wanted.empty()) return JudgeEndpoints(slices, nullptr, "", question);  // headless, no ports
  return Verdict::Unmet("has no port %s (its ports: %s)", wanted.c_str(),
                        NamesOfPorts(ports).c_str());
}

Verdict SlicesReady(const Question& question, const Json&) {
  return JudgeEndpoints(*question.collections[0], nullptr, "", question);
}

// --- job ---

Verdict JobReady(const Question&, const Json& object) {
  if (JudgeCondition(object, "Failed").state == Verdict::State::kMet) {
    const std::string message =
        Printable(FindCondition(object, "Failed")["message"].AsString(), 500);
    return Verdict::Of(Verdict::State::kImpossible, "the Job failed%s%s",
                       message.empty() ? "" : ": ", message.c_str());
  }
  if (JudgeCondition(object, "Complete").state == Verdict::State::kMet) return Verdict::Met();
  const Json& status = object["status"];
  const auto count = [&status](std::string_view key) {
    return static_cast<long long>(status[key].AsInt().value_or(0));
  };
  return Verdict::Unmet("not complete (%lld active, %lld succeeded, %lld failed)", count("active"),
                        count("succeeded"), count("failed"));
}

// --- the table ---

enum class Needs : uint8_t { kItself, kSlices, kBoth };

struct Row {
  const char* group_resource;
  Needs needs;
  Verdict (*judge)(const Question&, const Json& object);
};

constexpr Row kRows[] = {
    {"certificates.cert-manager.io", Needs::kItself, CertificateReady},
    {"endpoints", Needs::kItself, EndpointsReady},
    {"endpointslices.discovery.k8s.io", Needs::kSlices, SlicesReady},
    {"jobs.batch", Needs::kItself, JobReady},
    {"secrets", Needs::kItself, SecretReady},
    {"services", Needs::kBoth, ServiceReady},
    {"", Needs::kItself, ReadyOrAvailable},  // any other
};

const Row& RowFor(const Target& target) {
  const std::string name = target.resource.GroupResource();
  const Row* row = kRows;
  while (*row->group_resource != '\0' && name != row->group_resource) ++row;
  return *row;
}

}  // namespace

std::vector<Selection> ReadinessNeeds(const Target& target, const Collections& /*known*/) {
  const Needs needs = RowFor(target).needs;
  std::vector<Selection> all;
  if (needs != Needs::kSlices) {
    all.push_back({target.resource, target.ns, target.name.name, ""});
  }
  if (needs != Needs::kItself) {
    // The slices of the Service with the target's name.
    all.push_back({*FindWellKnown({"endpointslices", "", "", false}), target.ns, "",
                   "kubernetes.io/service-name=" + target.name.name});
  }
  return all;
}

Verdict JudgeReady(const Target& target, const Collections& collections,
                   const ReadinessSettings& settings, WallTime now) {
  const Row& row = RowFor(target);
  const Json* object = collections[0]->Only();
  // Slices are counted; of all else there must be one.
  if (object == nullptr && row.needs != Needs::kSlices) return Verdict::Unmet("not found yet");
  return row.judge(Question{target, collections, settings, now},
                   object == nullptr ? Json::Null() : *object);
}

}  // namespace certlatch
