// The judgements behind the rows of readiness.cc, by families of kinds: endpoints, workloads,
// webhooks. Internal to readiness. Pure; what an object lacks reads as "not yet", never as a
// failure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/readiness.h"

namespace certlatch {

using Collections = std::vector<const Collection*>;

struct Question {
  const Target& target;
  const Collections& collections;
  const ReadinessSettings& settings;
  WallTime now;
};

using Judge = Verdict(const Question& question, const Json& object);

// --- endpoint_readiness.cc ---

Judge EndpointsReady;
Judge ServiceReady;
Judge SlicesReady;

// Why there are not `wanted` ready endpoints on each port of `service` that is `port`, a number or
// a name ("": every port); "" if there are.
std::string WhyNoEndpoint(const Json& service, std::string_view port, const Collection& slices,
                          int wanted);

// The slices of the Service with this name.
Selection SlicesOf(const std::string& ns, const std::string& service);

// --- workload_readiness.cc ---

Judge DaemonSetReady;
Judge DeploymentReady;
Judge JobReady;
Judge PodReady;
Judge ReplicaSetReady;
Judge StatefulSetReady;

// --- webhook_readiness.cc ---

// Of one object, a webhook configuration or a CustomResourceDefinition; so many URLs, too.
constexpr size_t kMaxWebhookServices = 20;

Judge CrdReady;
Judge WebhooksReady;

// Adds, for each Service that the object's webhooks name, itself and its slices: of
// kMaxWebhookServices at most, and the object is not ready if there are more.
void AddWebhookNeeds(const Json& object, std::vector<Selection>& needs);

// As ReadinessServers.
void AddWebhookServers(const Collections& collections, std::vector<Reachable>& servers);

}  // namespace certlatch
