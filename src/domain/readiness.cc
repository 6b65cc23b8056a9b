#include "domain/readiness.h"

#include <algorithm>
#include <set>

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

  const Json* object() const { return collections[0]->Only(); }
};

Selection Itself(const Target& target) {
  return Selection{target.resource, target.ns, target.name.name, ""};
}

// The slices of the Service with the target's name.
Selection SlicesOf(const Target& target) {
  Selection slices;
  slices.resource = *FindWellKnown({"endpointslices", "", "", false});
  slices.ns = target.ns;
  slices.label_selector = "kubernetes.io/service-name=" + target.name.name;
  return slices;
}

Verdict NotFound() { return Verdict::Unmet("not found yet"); }

const Json* FindCondition(const Json& object, std::string_view type) {
  for (const Json& condition : object["status"]["conditions"].items()) {
    if (condition["type"].AsString() == type) return &condition;
  }
  return nullptr;
}

// --- any kind ---

Verdict ReadyOrAvailable(const Question& question) {
  const Json* object = question.object();
  if (object == nullptr) return NotFound();
  if (FindCondition(*object, "Ready") != nullptr) return JudgeCondition(*object, {"Ready", "true"});
  if (FindCondition(*object, "Available") != nullptr) {
    return JudgeCondition(*object, {"Available", "true"});
  }
  return Verdict::Unmet("has no condition Ready or Available yet");
}

// --- certificate ---

Verdict CertificateReady(const Question& question) {
  const Json* object = question.object();
  if (object == nullptr) return NotFound();
  Verdict verdict = JudgeCondition(*object, {"Ready", "true"});
  if (verdict.state == Verdict::State::kMet) return verdict;
  // After a failed attempt, Issuing=False carries the issuer's own words.
  const Json* issuing = FindCondition(*object, "Issuing");
  if (issuing != nullptr && (*issuing)["status"].AsString() == "False" &&
      !(*issuing)["message"].AsString().empty()) {
    verdict.reason = "issuance failed (" + Printable((*issuing)["reason"].AsString(), 100) + ": " +
                     Printable((*issuing)["message"].AsString(), 800) + ")";
  }
  return verdict;
}

// --- secret ---

Verdict JudgePair(std::string_view chain, std::string_view key, const Question& question) {
  const Result<CertFacts> facts = CheckPair(chain, key);
  if (!facts) return Verdict::Unmet(facts.error().text);
  const ValidityCheck check = CheckValidity(*facts, question.now, question.settings.min_validity);
  Verdict verdict = Verdict::Met();
  switch (check.validity) {
    case Validity::kValid:
      break;
    case Validity::kNotYetValid:
      verdict = Verdict::Unmet("the certificate is not valid before " +
                               FormatWallTime(facts->not_before));
      break;
    case Validity::kExpired:
      verdict = Verdict::Unmet("the certificate expired at " + FormatWallTime(facts->not_after));
      break;
    case Validity::kTooShort:
      verdict =
          Verdict::Unmet("the certificate is valid only until " + FormatWallTime(facts->not_after) +
                         ", less than the " + RoughDuration(question.settings.min_validity) +
                         " that --min-validity asks for");
      break;
  }
  verdict.recheck = check.changes_at;
  return verdict;
}

Verdict SecretReady(const Question& question) {
  const Json* object = question.object();
  if (object == nullptr) return NotFound();
  if ((*object)["type"].AsString() != "kubernetes.io/tls") return Verdict::Met();
  const Json& data = (*object)["data"];
  for (const char* name : {"tls.crt", "tls.key"}) {
    if (!data[name].AsString().empty()) continue;
    return Verdict::Unmet(std::string(name) + " is empty; its issuer has not filled it yet");
  }
  const Result<std::string> chain = DecodeBase64(data["tls.crt"].AsString());
  const Result<Secret> key = DecodeBase64Secret(data["tls.key"].AsString());
  if (!chain || !key) return Verdict::Unmet("its data is not base64");
  return JudgePair(*chain, key->Reveal(), question);
}

// --- endpoints, service, endpointslice ---

// "no ready address", "fewer than 3 ready addresses".
std::string TooFew(int wanted, std::string_view noun, std::string_view plural) {
  if (wanted == 1) return "no ready " + std::string(noun);
  return "fewer than " + std::to_string(wanted) + " ready " + std::string(plural);
}

Verdict EndpointsReady(const Question& question) {
  const Json* object = question.object();
  if (object == nullptr) return NotFound();
  size_t ready = 0;
  size_t waiting = 0;
  for (const Json& subset : (*object)["subsets"].items()) {
    ready += subset["addresses"].items().size();
    waiting += subset["notReadyAddresses"].items().size();
  }
  const int wanted = question.settings.min_ready;
  if (ready >= static_cast<size_t>(wanted)) return Verdict::Met();
  return Verdict::Unmet(TooFew(wanted, "address", "addresses") + " (" + std::to_string(ready) +
                        " ready, " + std::to_string(waiting) + " not ready)");
}

bool SliceHasPort(const Json& slice, const std::string* port_name) {
  if (port_name == nullptr) return true;
  const auto& ports = slice["ports"].items();
  // An unnamed port of a Service is "" in the slice, or absent.
  return std::any_of(ports.begin(), ports.end(),
                     [&](const Json& port) { return port["name"].AsString() == *port_name; });
}

// One endpoint stands in two slices where a Service has IPv4 and IPv6: the pod counts once.
std::string EndpointIdentity(const Json& endpoint) {
  const std::string_view pod = endpoint["targetRef"]["name"].AsString();
  return std::string(pod.empty() ? endpoint["addresses"][0].AsString() : pod);
}

struct EndpointCount {
  std::set<std::string> ready;
  std::set<std::string> waiting;
};

// `port_name` nullptr: on any port.
EndpointCount CountEndpoints(const Collection& slices, const std::string* port_name) {
  EndpointCount count;
  for (const auto& [key, slice] : slices.objects) {
    if (!SliceHasPort(slice, port_name)) continue;
    for (const Json& endpoint : slice["endpoints"].items()) {
      // "A nil value should be interpreted as true": EndpointConditions in the API reference.
      const bool ready = endpoint["conditions"]["ready"].AsBool().value_or(true);
      (ready ? count.ready : count.waiting).insert(EndpointIdentity(endpoint));
    }
  }
  return count;
}

Verdict JudgeEndpoints(const Collection& slices, const std::string* port_name,
                       const std::string& where, const Question& question) {
  const EndpointCount count = CountEndpoints(slices, port_name);
  const int wanted = question.settings.min_ready;
  if (count.ready.size() >= static_cast<size_t>(wanted)) return Verdict::Met();
  return Verdict::Unmet(TooFew(wanted, "endpoint", "endpoints") + where + " (" +
                        std::to_string(count.ready.size()) + " ready, " +
                        std::to_string(count.waiting.size()) + " not ready)");
}

bool IsPort(const Json& port, const std::string& wanted) {
  return port["name"].AsString() == wanted || port["port"].NumberText() == wanted;
}

std::string NamesOfPorts(const Json& ports) {
  std::string names;
  for (const Json& port : ports.items()) {
    if (!names.empty()) names += ", ";
    names += port["port"].NumberText();
    if (!port["name"].AsString().empty()) names += " " + Printable(port["name"].AsString(), 100);
  }
  return names.empty() ? "none" : names;
}

Verdict ServiceReady(const Question& question) {
  const Json* service = question.object();
  if (service == nullptr) return NotFound();
  if ((*service)["spec"]["type"].AsString() == "ExternalName") {
    return Verdict::Unmet(
        "is of type ExternalName, which has no endpoints; wait for what it names");
  }
  const Collection& slices = *question.collections[1];
  const std::string& wanted = question.target.name.port;
  const Json& ports = (*service)["spec"]["ports"];
  bool found = false;
  for (const Json& port : ports.items()) {
    if (!wanted.empty() && !IsPort(port, wanted)) continue;
    found = true;
    const std::string name(port["name"].AsString());
    const std::string where = " on port " + std::string(port["port"].NumberText());
    Verdict verdict = JudgeEndpoints(slices, &name, where, question);
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  if (found) return Verdict::Met();
  if (wanted.empty()) return JudgeEndpoints(slices, nullptr, "", question);  // headless, no ports
  return Verdict::Unmet("has no port " + wanted + " (its ports: " + NamesOfPorts(ports) + ")");
}

Verdict SlicesReady(const Question& question) {
  return JudgeEndpoints(*question.collections[0], nullptr, "", question);
}

// --- job ---

Verdict JobReady(const Question& question) {
  const Json* object = question.object();
  if (object == nullptr) return NotFound();
  const Verdict failed = JudgeCondition(*object, {"Failed", "true"});
  if (failed.state == Verdict::State::kMet) {
    const Json* condition = FindCondition(*object, "Failed");
    const std::string message =
        condition == nullptr ? "" : Printable((*condition)["message"].AsString(), 500);
    return Verdict::Impossible("the Job failed" + (message.empty() ? "" : ": " + message));
  }
  if (JudgeCondition(*object, {"Complete", "true"}).state == Verdict::State::kMet) {
    return Verdict::Met();
  }
  const Json& status = (*object)["status"];
  auto count = [&](std::string_view key) {
    return std::to_string(status[key].AsInt().value_or(0)) + " " + std::string(key);
  };
  return Verdict::Unmet("not complete (" + count("active") + ", " + count("succeeded") + ", " +
                        count("failed") + ")");
}

// --- the table ---

std::vector<Selection> NeedsItself(const Target& target) { return {Itself(target)}; }
std::vector<Selection> NeedsSlices(const Target& target) { return {SlicesOf(target)}; }
std::vector<Selection> NeedsBoth(const Target& target) {
  return {Itself(target), SlicesOf(target)};
}

struct Row {
  std::string_view group_resource;
  std::vector<Selection> (*needs)(const Target&);
  Verdict (*judge)(const Question&);
};

constexpr Row kRows[] = {
    {"certificates.cert-manager.io", NeedsItself, CertificateReady},
    {"endpoints", NeedsItself, EndpointsReady},
    {"endpointslices.discovery.k8s.io", NeedsSlices, SlicesReady},
    {"jobs.batch", NeedsItself, JobReady},
    {"secrets", NeedsItself, SecretReady},
    {"services", NeedsBoth, ServiceReady},
};
constexpr Row kAnyOther = {"", NeedsItself, ReadyOrAvailable};

const Row& RowFor(const Target& target) {
  const std::string name = target.resource.GroupResource();
  for (const Row& row : kRows) {
    if (row.group_resource == name) return row;
  }
  return kAnyOther;
}

}  // namespace

std::vector<Selection> ReadinessNeeds(const Target& target) { return RowFor(target).needs(target); }

Verdict JudgeReady(const Target& target, const Collections& collections,
                   const ReadinessSettings& settings, WallTime now) {
  return RowFor(target).judge(Question{target, collections, settings, now});
}

}  // namespace certlatch
