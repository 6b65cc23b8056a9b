#include "domain/readiness.h"

#include <cstdint>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/base64.h"
#include "domain/cert_pair.h"
#include "domain/diagnosis_words.h"
#include "domain/readiness_rows.h"
#include "domain/status_words.h"

namespace certlatch {
namespace {

constexpr const char* kNotFound = "not found yet";

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
  const std::string message = Words(issuing["message"].AsString(), 800);
  if (issuing["status"].AsString() == "False" && !message.empty()) {
    verdict.reason = Format("issuance failed (%s: %s)",
                            Printable(issuing["reason"].AsString(), 100).c_str(), message.c_str());
  }
  return verdict;
}

// --- secret ---

Verdict JudgePair(std::string_view chain, std::string_view key, Duration least, WallTime now) {
  const Result<CertFacts> facts = CheckPair(chain, key);
  if (!facts) return {Verdict::State::kUnmet, facts.error().text, {}};
  const ValidityCheck check = CheckValidity(*facts, now, least);
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

// Names of keys may be told, values never.
Verdict HasKeys(const std::vector<std::string>& keys, const Json& data) {
  for (const std::string& key : keys) {
    const Json* value = data.Find(key);
    if (value != nullptr && !value->AsString().empty()) continue;
    return Verdict::Unmet(value == nullptr ? "has no key %s" : "its key %s is empty", key.c_str());
  }
  return Verdict::Met();
}

[[gnu::noinline]] Verdict SecretIsReady(const Json& object, const ReadinessSettings& settings,
                                        WallTime now) {
  Verdict verdict = HasKeys(settings.keys, object["data"]);
  if (verdict.state != Verdict::State::kMet) return verdict;
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
  return JudgePair(*chain, key->Reveal(), settings.min_validity, now);
}

Verdict SecretReady(const Question& question, const Json& object) {
  return SecretIsReady(object, question.settings, question.now);
}

// --- lease ---

Verdict LeaseReady(const Question& question, const Json& object) {
  Expected expected =
      ReadLeaseAnnotations(object["metadata"]["annotations"], question.settings.annotation_prefix);
  if (expected.known) return Verdict::Met();
  return {Verdict::State::kUnmet, std::move(expected.problem), {}};
}

// --- the table ---

enum class Needs : uint8_t { kItself, kSlices, kBoth, kWebhooks };

struct Row {
  const char* group_resource;
  Needs needs;
  Judge* judge;
};

constexpr Row kRows[] = {
    {"certificates.cert-manager.io", Needs::kItself, CertificateReady},
    {"customresourcedefinitions.apiextensions.k8s.io", Needs::kWebhooks, CrdReady},
    {"daemonsets.apps", Needs::kItself, DaemonSetReady},
    {"deployments.apps", Needs::kItself, DeploymentReady},
    {"endpoints", Needs::kItself, EndpointsReady},
    {"endpointslices.discovery.k8s.io", Needs::kSlices, SlicesReady},
    {"jobs.batch", Needs::kItself, JobReady},
    {"leases.coordination.k8s.io", Needs::kItself, LeaseReady},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io", Needs::kWebhooks, WebhooksReady},
    {"pods", Needs::kItself, PodReady},
    {"replicasets.apps", Needs::kItself, ReplicaSetReady},
    {"secrets", Needs::kItself, SecretReady},
    {"services", Needs::kBoth, ServiceReady},
    {"statefulsets.apps", Needs::kItself, StatefulSetReady},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io", Needs::kWebhooks,
     WebhooksReady},
    {"", Needs::kItself, ReadyOrAvailable},  // any other
};

const Row& RowFor(const Target& target) {
  const std::string name = target.resource.GroupResource();
  const Row* row = kRows;
  while (*row->group_resource != '\0' && name != row->group_resource) ++row;
  return *row;
}

}  // namespace

std::vector<Selection> ReadinessNeeds(const Target& target, const Collections& known) {
  const Needs needs = RowFor(target).needs;
  std::vector<Selection> all;
  if (needs != Needs::kSlices) {
    all.push_back({target.resource, target.ns, target.name.name, ""});
  }
  if (needs == Needs::kSlices || needs == Needs::kBoth) {
    all.push_back(SlicesOf(target.ns, target.name.name));
  }
  if (needs == Needs::kWebhooks && !known.empty() && known[0]->Only() != nullptr) {
    AddWebhookNeeds(*known[0]->Only(), all);
  }
  return all;
}

Verdict JudgeReady(const Target& target, const Collections& collections,
                   const ReadinessSettings& settings, WallTime now) {
  const Row& row = RowFor(target);
  const Json* object = collections[0]->Only();
  // Slices are counted; of all else there must be one.
  if (object == nullptr && row.needs != Needs::kSlices) return Verdict::Unmet("%s", kNotFound);
  return row.judge(Question{target, collections, settings, now},
                   object == nullptr ? Json::Null() : *object);
}

std::vector<Reachable> ReadinessServers(const Target& target, const Collections& collections) {
  std::vector<Reachable> servers;
  if (RowFor(target).needs == Needs::kWebhooks) AddWebhookServers(collections, servers);
  return servers;
}

Verdict JudgeSecret(const Json* secret, const ReadinessSettings& settings, WallTime now) {
  return secret == nullptr ? Verdict::Unmet("%s", kNotFound)
                           : SecretIsReady(*secret, settings, now);
}

}  // namespace certlatch
