#include "app/rbac.h"

#include <string_view>

#include "base/text.h"
#include "domain/rights.h"
#include "domain/shell_words.h"

namespace certlatch {
namespace {

// Their readiness asks for whatever Services they name. (That of a CustomResourceDefinition does so
// only with a conversion webhook, which few have; the error names the right then.)
constexpr const char* kNamingServices[] = {
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
};

// "v1", "v1beta1"
bool IsVersion(std::string_view text) {
  return text.size() > 1 && text[0] == 'v' && text[1] >= '0' && text[1] <= '9';
}

// The type as the API has it: out of the table, else PLURAL.VERSION.GROUP taken at its word.
bool Identify(const std::string& type, Resource& resource) {
  if (auto known = FindWellKnownType(type)) {
    resource = *std::move(known);
    return true;
  }
  const std::vector<TypeName> readings = ReadTypeName(type);
  if (readings.empty() || !IsVersion(readings[0].version)) return false;
  resource.group = readings[0].group;
  resource.version = readings[0].version;
  resource.plural = readings[0].resource;
  return true;
}

void AddServices(const Resource& resource, unsigned verbs, Rights& rights) {
  for (const char* const type : kNamingServices) {
    if (resource.GroupResource() != type) continue;
    rights.Add({WellKnown("services"), "", "", ""}, verbs);
    rights.Add({WellKnown("endpointslices"), "", "", ""}, verbs);
  }
}

bool AsksForReady(const TargetName& name, const WaitOptions& wait) {
  if (!name.goal.empty()) return std::holds_alternative<ReadyGoal>(GoalOfTarget(name.goal));
  for (const Goal& goal : wait.goals) {
    if (std::holds_alternative<ReadyGoal>(goal)) return true;
  }
  return wait.goals.empty();
}

Status AddTarget(const TargetName& name, const WaitOptions& wait, bool everywhere, unsigned verbs,
                 Rights& rights) {
  Target target{name, {}, name.ns.empty() ? wait.ns : name.ns};
  if (!Identify(name.type, target.resource)) {
    return Failure(Code::kConfig,
                   "the type of %s is in no table of ours; write it as PLURAL.VERSION.GROUP/NAME",
                   Printable(name.text, 300).c_str());
  }
  const bool anywhere = everywhere && name.object.empty();
  if (anywhere || !target.resource.namespaced) target.ns.clear();
  if (!name.object.empty()) {
    rights.Add({target.resource, target.ns, "", ""}, kCreate);
    return {};
  }
  if (!AsksForReady(name, wait)) {
    rights.Add({target.resource, target.ns, name.name, ""}, verbs);
    return {};
  }
  for (const Selection& need : ReadinessNeeds(target, {})) rights.Add(need, verbs);
  AddServices(target.resource, verbs, rights);
  return {};
}

void AddNudge(const NudgeOptions& nudge, const std::string& ns, Rights& rights) {
  if (!nudge.on) return;
  Selection pod;
  pod.resource.plural = Format("pods%s", kNudgeSubresource);
  pod.ns = nudge.ns.empty() ? ns : nudge.ns;
  if (nudge.pod != kAnyPod) pod.name = nudge.pod;
  rights.Add(pod, kPatch);
}

Status AddWait(const WaitOptions& wait, Rights& rights, unsigned verbs = kList | kWatch) {
  for (const TargetName& name : wait.targets) {
    if (name.type.empty()) continue;  // nothing of the API
    const bool everywhere = wait.all_namespaces && !name.mounted;
    Status added = AddTarget(name, wait, everywhere, verbs, rights);
    if (!added) return added;
  }
  AddNudge(wait.nudge, wait.ns, rights);
  for (const TargetName& write : wait.writes) {
    Status added = AddTarget(write, wait, false, verbs, rights);
    if (!added) return added;
  }
  for (const std::string& type : wait.types) {
    TargetName any;
    any.text = any.type = type;
    Status added = AddTarget(any, wait, wait.all_namespaces, verbs, rights);
    if (!added) return added;
  }
  if (wait.files.empty()) return {};
  return Error{Code::kConfig, "manifests are not read for this; name their objects instead of -f"};
}

// What explain looks at from each type on (domain/diagnosis.cc), in the order of its walk.
struct Link {
  const char* from;
  const char* to;
  unsigned verbs;
};
constexpr Link kLinks[] = {
    {"secrets", "certificates", kGet | kList},
    {"secrets", "externalsecrets", kGet | kList},
    {"certificates", "certificaterequests", kList},
    {"certificaterequests", "issuers", kGet},
    {"certificaterequests", "clusterissuers", kGet},
    {"certificaterequests", "orders", kList},
    {"orders", "challenges", kList},
    {"externalsecrets", "secretstores", kGet},
    {"externalsecrets", "clustersecretstores", kGet},
    {"endpoints endpointslices", "services", kGet},
    {"services deployments statefulsets daemonsets replicasets jobs", "pods", kList},
};

void AddLinks(const TargetName& name, const std::string& ns, Rights& rights) {
  Resource resource;
  if (!Identify(name.type, resource)) return;
  // Other groups have types of these names, too.
  const auto known = FindWellKnownType(resource.plural);
  if (!known || known->group != resource.group) return;
  unsigned reached = 0;
  for (const Link& link : kLinks) {
    const bool first = WordIn(resource.plural, link.from) >= 0;
    bool follows = first;
    for (const Link& before : kLinks) {
      const bool to_this = (reached >> (&before - kLinks) & 1U) != 0;
      follows = follows || (to_this && WordIn(before.to, link.from) >= 0);
    }
    if (!follows) continue;
    reached |= 1U << (&link - kLinks);
    const bool same_name = first && WellKnown(link.to).kind == "Service";
    rights.Add({WellKnown(link.to), name.ns.empty() ? ns : name.ns, same_name ? name.name : "", ""},
               link.verbs);
  }
}

// All that it can read: to say more is what it is for.
Status AddExplain(const ExplainOptions& explain, Rights& rights) {
  WaitOptions wait;
  wait.ns = explain.ns;
  wait.targets = explain.targets;
  Status added = AddWait(wait, rights, kList);  // once
  for (const TargetName& name : explain.targets) AddLinks(name, explain.ns, rights);
  return added;
}

// `kubectl get` of a script is watched, too. `ns`: that of its first kubectl.
Status AddShell(const ShellOptions& shell, const std::string*& ns, Rights& rights) {
  Status status;
  for (size_t i = shell.kubectl.size(); status && i-- > 0;) {
    const WaitOptions* const wait = shell.kubectl[i].get();
    if (wait == nullptr) continue;
    ns = &wait->ns;
    const LoopProbe& probe = shell.plan.tests[i]->probe;
    if (probe.kind == LoopProbe::Kind::kWait) {
      status = AddWait(*wait, rights);
      continue;
    }
    TargetName name;
    name.type = probe.type;
    name.name = probe.name;
    name.text = name.type;
    name.goal = "create";
    status = AddTarget(name, *wait, probe.all_namespaces, kList | kWatch, rights);
  }
  return status;
}

void AddExpected(const ExpectOptions& expect, unsigned verbs, Rights& rights) {
  if (expect.source == ReloadOptions::Source::kNone) return;
  rights.Add(ExpectSelection(expect), verbs);
}

void AddPublish(const PublishOptions& publish, Rights& rights) {
  using Source = ReloadOptions::Source;
  if (!publish.secret.empty()) {
    AddExpected({Source::kSecret, publish.secret, publish.ns, ""}, kList | kWatch, rights);
  }
  const ExpectOptions lease{Source::kLease, publish.lease, publish.ns, ""};
  AddExpected(lease, kList | kWatch | kPatch, rights);
  if (!publish.create) return;
  Selection any = ExpectSelection(lease);
  any.name.clear();
  rights.Add(any, kCreate);
}

}  // namespace

Result<std::string> RbacFor(const Command& command, const RbacOptions& options) {
  Rights rights;
  const std::string* ns = &command.wait.ns;
  Status status;
  switch (command.kind) {
    case Command::Kind::kWait:
      status = AddWait(command.wait, rights);
      break;
    case Command::Kind::kSidecar:
      ns = &command.sidecar.wait.ns;
      status = AddWait(command.sidecar.wait, rights);
      AddExpected(command.sidecar.expect,
                  command.sidecar.reload.expect_on_change ? kGet : kList | kWatch, rights);
      break;
    case Command::Kind::kPublish:
      ns = &command.publish.ns;
      AddPublish(command.publish, rights);
      break;
    case Command::Kind::kCheck:
      ns = &command.check.expect.ns;
      AddExpected(command.check.expect, kGet, rights);
      break;
    case Command::Kind::kExplain:
      ns = &command.explain.ns;
      status = AddExplain(command.explain, rights);
      break;
    case Command::Kind::kShell:
      status = AddShell(command.shell, ns, rights);
      break;
    case Command::Kind::kInstall:
    case Command::Kind::kPrint:
      break;
  }
  if (!status) return std::move(status).error();
  std::string yaml = rights.ToYaml(options.name, options.account, *ns);
  if (yaml.empty()) yaml = "# This command asks nothing of the API server.\n";
  return yaml;
}

}  // namespace certlatch
