#include "domain/diagnosis.h"

#include <span>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/diagnosis_words.h"
#include "domain/status_words.h"
#include "domain/watch_session.h"

namespace certlatch {
namespace {

using Severity = Finding::Severity;
using Walk = DiagnosisWalk;
using Objects = std::span<const Json>;

constexpr size_t kMaxKept = 250;  // objects of a list
constexpr size_t kMaxShown = 5;   // pods, challenges, keys: as many as anybody reads
constexpr size_t kMaxLine = 1024;
constexpr const char* kNotReady = "is not ready";
constexpr const char* kOlderStores = "v1beta1";

// The rows of kKinds, in its order.
enum Link : uint8_t {
  kCertificate,
  kRequest,
  kIssuer,
  kClusterIssuer,
  kOrder,
  kChallenge,
  kExternalSecret,
  kStore,
  kClusterStore,
  kSecret,
  kPod,
  kService,
  kEndpoints,
  kEndpointSlice,
  kDeployment,
  kStatefulSet,
  kDaemonSet,
  kReplicaSet,
  kJob,
  kOther,
};

}  // namespace

struct DiagnosisWalk {
  DiagnosisWalk(const Target& its, std::optional<WallTime> until)
      : target(its), label(its.Label()), deadline(until) {}

  const Target& target;
  std::string label;  // its
  std::optional<WallTime> deadline;

  // The question, and what is kept of its answer.
  std::string path;  // "": none
  Link link = kOther;
  std::string one;                                   // the name; "": a list
  bool (*keep)(const Walk&, const Json&) = nullptr;  // of a list: which of its objects
  std::string selector;                              // of a list: by labels
  std::vector<Json> kept;
  size_t asked = 0;
  const char* store_version = "v1";

  // The link that is visited.
  std::string here;  // its label
  bool read = true;  // false: it may not or could not be read, as a hint says already

  // What later links need of those before.
  Json spec;                        // of the Certificate
  std::string certificate = label;  // its label; without one, that of the target
  std::string owner;                // uid: what is looked for is owned by it
  std::string revision;             // of the CertificateRequest that is looked for
  std::string words;                // the issuer's, as the Certificate has them
  std::optional<WallTime> issuing_since;
  bool issuing = false;
  bool stale = false;          // what the Certificate says is of an earlier spec
  bool searching = false;      // for who fills the Secret
  bool searched_all = true;    // no type that could be it was unreadable
  bool ask_endpoints = false;  // if the pods may not be read

  std::vector<Finding> findings;
  std::optional<WallTime> retry_at;
  std::string hopeless;
};

namespace {

struct Kind {
  const char* plural;  // the types of the cluster begin with "cluster"
  const char* group;
  void (*visit)(Walk&, Objects);  // none: there is no such object, or it was not read
};
extern const Kind kKinds[];

constexpr const char kCertManager[] = "cert-manager.io";
constexpr const char kAcme[] = "acme.cert-manager.io";
constexpr const char kStores[] = "external-secrets.io";

bool IsNamespaced(const Kind& kind) {
  return !std::string_view(kind.plural).starts_with("cluster");
}

std::string LabelOf(Link link, const std::string& name) {
  const std::string_view plural = kKinds[link].plural;
  const int length = Length(plural) - (link == kEndpoints ? 0 : 1);
  return Format("%.*s/%s", length, plural.data(), name.c_str());
}

void Enter(Walk& walk, const Json& object) {
  walk.here = LabelOf(walk.link, Fill("{metadata.name}", object));
}

// A finding on the link that is visited. The first character of `pattern` is its severity: ' '
// info, '?' hint, '!' cause, 'X' a cause that waiting cannot help; the rest is Fill()'s.
void Say(Walk& walk, const char* pattern, const Json& object, std::string_view words = {}) {
  if (walk.findings.size() >= kMaxFindings) return;
  const Severity severity = *pattern == ' '   ? Severity::kInfo
                            : *pattern == '?' ? Severity::kHint
                                              : Severity::kCause;
  walk.findings.push_back(
      {walk.here, Printable(Fill(pattern + 1, object, words), kMaxLine), severity});
}

// The same without an object.
[[gnu::noinline]] void Say(Walk& walk, const char* pattern, std::string_view words = {}) {
  Say(walk, pattern, Json::Null(), words);
}

void Advise(Walk& walk, std::string_view words) {
  const char* advice = AdviceOn(words);
  if (advice != nullptr) Say(walk, "?{$}", advice);
}

// Adds up to kMaxShown items as `pattern` has them, those that have something for it.
void AddNames(std::string& names, size_t& count, Objects items, const char* pattern) {
  for (const Json& item : items) {
    const std::string name = Fill(pattern, item);
    if (name.empty() || ++count > kMaxShown + 1) continue;
    if (count > 1) names += ", ";
    names += count > kMaxShown ? "…" : name;
  }
}

// --- conditions ---

struct Row {
  const char* type;
  const char* status;  // nullptr: any; "": no such condition
  const char* reason;  // nullptr: any
  const char* text;    // as in Say()
};

// The first that holds of the conditions.
const Row* Match(std::span<const Row> rows, const Json& object) {
  for (const Row& row : rows) {
    const Json& condition = FindCondition(object, row.type);
    const bool there =
        row.status == nullptr ? condition.is_object() : Is(condition, "status", row.status);
    if (there && (row.reason == nullptr || Is(condition, "reason", row.reason))) return &row;
  }
  return nullptr;
}

// Whether the object is ready.
bool TellReady(Walk& walk, const Json& object) {
  const char* controller = walk.link <= kChallenge ? "cert-manager" : "external-secrets";
  const Json& condition = FindCondition(object, "Ready");
  const bool ready = Is(condition, "status", "True") && !IsStale(object, condition);
  Say(walk,
      ready                        ? " is ready"
      : !condition.is_object()     ? "!has no condition Ready yet: is {$} running?"
      : IsStale(object, condition) ? "!{$} has not seen its latest change yet"
                                   : "!is not ready[ ({reason})][: {message}]",  // kNotReady
      condition, controller);
  return ready;
}

// --- asking ---

void SetPath(Walk& walk, std::string_view page = {}) {
  const Kind& kind = kKinds[walk.link];
  const bool namespaced = IsNamespaced(kind);
  walk.path = Format("/%s%s/%s%s%s/%s%s%s", *kind.group == '\0' ? "api" : "apis/", kind.group,
                     kind.group == kStores ? walk.store_version : "v1",
                     namespaced ? "/namespaces/" : "", namespaced ? walk.target.ns.c_str() : "",
                     kind.plural, walk.one.empty() ? "?limit=250" : "/", walk.one.c_str());
  if (!walk.selector.empty()) walk.path += "&labelSelector=" + UrlEncode(walk.selector);
  if (!page.empty()) walk.path += "&continue=" + UrlEncode(page);
}

void AskForAll(Walk& walk, Link link, bool (*keep)(const Walk&, const Json&)) {
  walk.link = link;
  walk.one.clear();
  walk.keep = keep;
  SetPath(walk);
}

// `name` comes from an object: only a real one may become part of a path.
bool AskForOne(Walk& walk, Link link, std::string_view name) {
  if (!IsObjectName(name)) return false;
  walk.link = link;
  walk.one = name;
  walk.selector.clear();
  SetPath(walk);
  return true;
}

bool IsOwned(const Walk& walk, const Json& object) {
  for (const Json& owner : At(object, "metadata.ownerReferences").items()) {
    if (IsTrue(owner, "controller") && TextAt(owner, "uid") == walk.owner) return true;
  }
  return false;
}

void AskForOwned(Walk& walk, Link link, const Json& owner) {
  walk.owner = TextAt(owner, "metadata.uid");
  if (!walk.owner.empty()) AskForAll(walk, link, IsOwned);
}

// --- cert-manager ---

void AskForIssuer(Walk& walk, const Json& spec) {
  const Json& reference = At(spec, "issuerRef");
  if (!Is(reference, "group", "") && !Is(reference, "group", kCertManager)) {
    walk.here = ToLower(Fill("{kind}.{group}/", reference)) + Fill("{name}", reference);
    return Say(walk,
               " is an external issuer, which a controller of its own serves: is that running?");
  }
  const bool cluster = Is(reference, "kind", "ClusterIssuer");
  const bool known = cluster || Is(reference, "kind", "") || Is(reference, "kind", "Issuer");
  const Link issuer = cluster ? kClusterIssuer : kIssuer;
  if (known && AskForOne(walk, issuer, TextAt(reference, "name"))) return;
  walk.here = walk.certificate;
  Say(walk, "!spec.issuerRef names no issuer[ (kind {kind})][ (name {name})]", reference);
}

std::optional<WallTime> TimeAt(const Json& object, const char* path) {
  const Result<WallTime> time = ParseWallTime(TextAt(object, path));
  return time ? std::optional<WallTime>(*time) : std::nullopt;
}

// cert-manager's trigger controller waits 1h, doubled with each failure, 32h at most.
void TellNextAttempt(Walk& walk, const Json& status) {
  const std::optional<WallTime> failed = TimeAt(status, "lastFailureTime");
  if (!failed) return;
  const int64_t attempts = At(status, "failedIssuanceAttempts").AsInt().value_or(1);
  const int64_t doublings = attempts < 1 ? 0 : attempts > 6 ? 5 : attempts - 1;
  walk.retry_at = *failed + std::chrono::hours(int64_t{1} << doublings);
  const std::string next = FormatWallTime(*walk.retry_at);
  Say(walk,
      " [attempt {failedIssuanceAttempts} ]failed at {lastFailureTime}; the next issuance is at "
      "{$}",
      status, next);
  if (!walk.deadline || *walk.retry_at <= *walk.deadline) return;
  walk.hopeless =
      Format("%s: the next issuance is at %s, too late", walk.here.c_str(), next.c_str());
}

void TellIssuance(Walk& walk, const Json& object, const Json& issuing) {
  walk.issuing = Is(issuing, "status", "True");
  if (walk.issuing) {
    walk.issuing_since = TimeAt(issuing, "lastTransitionTime");
    Say(walk, " is being issued[ since {lastTransitionTime}]", issuing);
  }
  if (!Is(issuing, "status", "False")) return;
  walk.stale = IsStale(object, issuing);
  walk.words = Words(TextAt(issuing, "message"), 2 * kMaxWords);
  if (walk.stale) {
    return Say(walk, " an issuance failed before its latest change: {$}", walk.words);
  }
  TellNextAttempt(walk, At(object, "status"));
  constexpr std::string_view kPreamble = "will be retried: ";
  const size_t preamble = walk.words.find(kPreamble);
  const char* words =
      walk.words.c_str() + (preamble == std::string::npos ? 0 : preamble + kPreamble.size());
  Say(walk, *words == '\0' ? "!its issuance failed, and nobody says why" : "!{$}",
      IssuersWords(walk.spec, words));
  Advise(walk, words);
}

// Of what was found because it fills the target Secret. False: there is none.
bool TellFillers(Walk& walk, Objects fillers) {
  if (!std::exchange(walk.searching, false)) return true;
  if (fillers.size() > 1) {
    walk.here = walk.label;
    std::string names = Format("%zu %s fill it, undoing each other's work: ", fillers.size(),
                               kKinds[walk.link].plural);
    size_t count = 0;
    AddNames(names, count, fillers, "{metadata.name}");
    Say(walk, "!{$}", names);
  }
  return !fillers.empty();
}

bool NamesSecret(const Walk& walk, const Json& certificate) {
  return TextAt(certificate, "spec.secretName") == walk.target.name.name;
}

// An ExternalSecret that names none fills the Secret of its own name.
bool TargetsSecret(const Walk& walk, const Json& object) {
  const char* name = Is(object, "spec.target.name", "") ? "metadata.name" : "spec.target.name";
  return TextAt(object, name) == walk.target.name.name;
}

void VisitCertificate(Walk& walk, Objects objects) {
  if (!TellFillers(walk, objects)) {
    walk.searching = true;
    return AskForAll(walk, kExternalSecret, TargetsSecret);
  }
  if (objects.empty()) return;
  const Json& object = objects[0];
  Enter(walk, object);
  walk.certificate = walk.here;
  // By its text, since nothing else needs the code that copies a tree.
  Result<Json> spec = ParseJson(At(object, "spec").Dump());
  if (spec) walk.spec = *std::move(spec);
  const bool ready = TellReady(walk, object);
  const Json& issuing = FindCondition(object, "Issuing");
  TellIssuance(walk, object, issuing);
  if (ready && issuing.is_null()) return;
  // The request's annotation is "set to one greater than the current value of this field":
  // CertificateStatus.revision in the API reference.
  const int64_t revision = At(object, "status.revision").AsInt().value_or(0);
  walk.revision = Format("%lld", static_cast<long long>(revision < INT32_MAX ? revision + 1 : 0));
  AskForOwned(walk, kRequest, object);
}

// The first that holds decides; one of the last three always does.
constexpr Row kRequestRows[] = {
    {"Denied", "True", nullptr, "Xwas denied"},
    {"InvalidRequest", "True", nullptr, "Xis invalid, its issuer says"},
    {"Ready", "True", nullptr, " is issued"},
    {"Ready", "False", "Failed", "!failed"},
    {"Approved", "", nullptr, "!nobody has approved it: is an approver running?"},
    {"Ready", "False", "Pending", "!waits"},
    {"Ready", "", nullptr, "!its issuer has not taken it up: is that running?"},
    {"Ready", nullptr, nullptr, "!is not ready"},
};

// The newest of the wanted revision: names may differ, and of two the older is about to go.
const Json* PickRequest(const Walk& walk, Objects requests) {
  const Json* best = nullptr;
  std::string_view newest;
  for (const Json& request : requests) {
    const Json& metadata = At(request, "metadata");
    const std::string_view revision =
        metadata["annotations"]["cert-manager.io/certificate-revision"].AsString();
    const std::string_view created = TextAt(metadata, "creationTimestamp");
    if (!walk.revision.empty() && revision != walk.revision) continue;
    if (best == nullptr || created > newest) {
      best = &request;
      newest = created;
    }
  }
  return best;
}

// Whether what comes after the request can say more.
bool TellRequest(Walk& walk, const Json& request) {
  // While a new attempt begins, the failed request of the one before is still there.
  const std::optional<WallTime> failed = TimeAt(request, "status.failureTime");
  if (failed && walk.issuing_since && *failed < *walk.issuing_since) {
    Say(walk, " failed in the attempt before; a new one is beginning");
    return false;
  }
  const Row* row = Match(kRequestRows, request);
  if (row == nullptr) return true;
  const bool final = *row->text == 'X';
  const bool issued = *row->text == ' ';
  const std::string message = Words(TextAt(FindCondition(request, row->type), "message"));
  if (message.empty() || issued) {
    Say(walk, row->text);
  } else if (!final && walk.words.find(message.substr(0, kMaxWords / 2)) != std::string::npos) {
    Say(walk, Format(" %s, in the same words", row->text + 1).c_str());
  } else {
    Say(walk, Format("%s: {$}", row->text).c_str(), IssuersWords(walk.spec, message));
    Advise(walk, message);
  }
  if (final && !walk.stale) {
    walk.hopeless =
        Format("%s %s", walk.here.c_str(),
               walk.findings.empty() ? row->text + 1 : walk.findings.back().text.c_str());
  }
  return !final && !issued;
}

void VisitRequest(Walk& walk, Objects objects) {
  walk.owner.clear();
  const Json* request = PickRequest(walk, objects);
  if (request == nullptr) {
    if (walk.revision.empty()) return;  // the target itself, which does not exist
    if (walk.read) {
      Say(walk,
          walk.issuing ? "!there is none of revision {$} yet: is cert-manager running?"
                       : " there is none of revision {$}",
          walk.revision);
    }
    return AskForIssuer(walk, walk.spec);
  }
  Enter(walk, *request);
  if (!TellRequest(walk, *request)) return;
  walk.owner = TextAt(*request, "metadata.uid");
  AskForIssuer(walk, At(*request, "spec"));
}

void VisitIssuer(Walk& walk, Objects objects) {
  if (!objects.empty()) {
    Enter(walk, objects[0]);
    TellReady(walk, objects[0]);
    if (!At(objects[0], "spec.acme").is_object()) return;
  } else if (walk.read) {
    if (walk.link == kIssuer && walk.asked > 0) {
      Say(walk, "?is a ClusterIssuer meant? spec.issuerRef.kind is Issuer if it is left out");
    }
    return;
  }
  // Who may not read the issuer cannot tell whether it is one of ACME.
  if (!walk.owner.empty()) AskForAll(walk, kOrder, IsOwned);
}

bool HasFailed(const Json& status) {
  return Is(status, "state", "invalid") || Is(status, "state", "expired") ||
         Is(status, "state", "errored");
}

void VisitOrder(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  const Json& status = At(objects[0], "status");
  Enter(walk, objects[0]);
  Say(walk,
      Is(status, "state", "") ? " is not placed yet[: {reason}]"
      : HasFailed(status)     ? "!is {state}[: {reason}]"
                              : " is {state}[: {reason}]",
      status);
  Advise(walk, TextAt(status, "reason"));
  if (!Is(status, "state", "valid")) AskForOwned(walk, kChallenge, objects[0]);
}

void TellChallenge(Walk& walk, const Json& challenge) {
  const Json& status = At(challenge, "status");
  const bool begun = !Is(status, "state", "") || IsTrue(status, "processing");
  const bool presented = HasFailed(status) || IsTrue(status, "presented");
  const char* how = !begun ? "not begun yet" : presented ? "" : ", not presented yet";
  Enter(walk, challenge);
  Say(walk,
      IsTrue(challenge, "spec.wildcard")
          ? "!{spec.type} for *.{spec.dnsName} is {status.state}{$}[: {status.reason}]"
          : "!{spec.type} for {spec.dnsName} is {status.state}{$}[: {status.reason}]",
      challenge, how);
  Advise(walk, TextAt(status, "reason"));
}

void VisitChallenge(Walk& walk, Objects objects) {
  size_t open = 0;
  for (const Json& challenge : objects) {
    if (Is(challenge, "status.state", "valid")) continue;
    if (++open <= kMaxShown) TellChallenge(walk, challenge);
  }
  if (open <= kMaxShown) return;
  walk.here = "challenges";
  Say(walk, Format(" %zu more are open", open - kMaxShown).c_str());
}

// --- external-secrets ---

// Where the secrets come from that have no store in common.
const Json& StoreOf(const Json& spec) {
  for (const char* list : {"data", "dataFrom"}) {
    const Json& own = At(spec[list][size_t{0}], "sourceRef.storeRef");
    if (Is(spec, "secretStoreRef.name", "") && own.is_object()) return own;
  }
  return At(spec, "secretStoreRef");
}

void VisitExternalSecret(Walk& walk, Objects objects) {
  if (!TellFillers(walk, objects)) {
    walk.here = walk.label;
    if (!walk.searched_all) return;
    return Say(walk, "!no Certificate and no ExternalSecret of its namespace fills it");
  }
  if (objects.empty()) return;
  const Json& spec = At(objects[0], "spec");
  Enter(walk, objects[0]);
  if (TellReady(walk, objects[0])) return;
  // The provider's keys: the names only.
  std::string keys = "reads the keys ";
  size_t count = 0;
  AddNames(keys, count, At(spec, "data").items(), "[{remoteRef.key}][#{remoteRef.property}]");
  AddNames(keys, count, At(spec, "dataFrom").items(), "[{extract.key}][#{extract.property}]");
  if (count > 0) Say(walk, " {$}", keys);
  const bool never = Is(objects[0], "status.refreshTime", "");
  Say(walk, never ? " was never synced" : " was synced at {status.refreshTime}", objects[0]);
  const Json& store = StoreOf(spec);
  const bool cluster = Is(store, "kind", "ClusterSecretStore");
  AskForOne(walk, cluster ? kClusterStore : kStore, TextAt(store, "name"));
}

void VisitStore(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  Enter(walk, objects[0]);
  TellReady(walk, objects[0]);
}

// --- secret ---

void VisitSecret(Walk& walk, Objects objects) {
  if (objects.empty()) {
    walk.searching = true;
    return AskForAll(walk, kCertificate, NamesSecret);
  }
  const Json& metadata = At(objects[0], "metadata");
  const Json& certificate = metadata["annotations"]["cert-manager.io/certificate-name"];
  if (AskForOne(walk, kCertificate, certificate.AsString())) return;
  for (const Json& owner : At(metadata, "ownerReferences").items()) {
    if (!Is(owner, "kind", "ExternalSecret")) continue;
    AskForOne(walk, kExternalSecret, TextAt(owner, "name"));
  }
}

// --- pods ---

void TellPod(Walk& walk, const Json& pod) {
  Enter(walk, pod);
  Say(walk, "!{$}", DescribePod(pod));
}

void VisitPods(Walk& walk, Objects objects) {
  if (!walk.read) {
    // Endpoints are easier to be allowed to read, and name the pods that are not ready.
    if (walk.ask_endpoints) AskForOne(walk, kEndpoints, walk.target.name.name);
    return;
  }
  size_t ready = 0;
  for (const Json& pod : objects) ready += size_t{HasStatus(pod, "Ready", "True")};
  if (walk.asked > 0) {
    walk.here = walk.label;
    Say(walk, objects.empty() ? "!there is no pod with its labels ({$})" : " {$} pods are ready",
        objects.empty() ? walk.selector : Format("%zu of its %zu", ready, objects.size()));
  }
  size_t shown = 0;
  for (const Json& pod : objects) {
    if (!HasStatus(pod, "Ready", "True") && ++shown <= kMaxShown) TellPod(walk, pod);
  }
}

void AskForPods(Walk& walk, const Json& labels) {
  for (const Json::Member& label : labels.members()) {
    const std::string_view value = label.value.AsString();
    walk.selector += Format("%s%s=%.*s", walk.selector.empty() ? "" : ",", label.key.c_str(),
                            Length(value), value.data());
  }
  if (!walk.selector.empty()) return AskForAll(walk, kPod, nullptr);
  Say(walk, " selects no pods");
}

void VisitService(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  Enter(walk, objects[0]);
  walk.ask_endpoints = walk.asked == 0;
  AskForPods(walk, At(objects[0], "spec.selector"));
}

// Endpoints and their slices have the name of their Service.
void VisitEndpoints(Walk& walk, Objects objects) {
  if (walk.link == kEndpoints && !objects.empty()) {
    size_t ready = 0;
    size_t waiting = 0;
    size_t count = 0;
    std::string pods;
    for (const Json& subset : At(objects[0], "subsets").items()) {
      const Json::Array& not_ready = At(subset, "notReadyAddresses").items();
      ready += At(subset, "addresses").items().size();
      waiting += not_ready.size();
      AddNames(pods, count, not_ready, "[{targetRef.name}]");
    }
    Enter(walk, objects[0]);
    const char* mark = ready == 0 ? "!" : " ";
    Say(walk, Format("%s%zu addresses are ready, %zu are not[: {$}]", mark, ready, waiting).c_str(),
        pods);
  }
  if (walk.asked == 0) AskForOne(walk, kService, walk.target.name.name);
}

constexpr Row kWorkloadRows[] = {
    {"Failed", "True", nullptr, "!failed[ ({reason})][: {message}]"},
    {"ReplicaFailure", "True", nullptr, "!cannot create its pods[ ({reason})][: {message}]"},
    {"Progressing", "False", nullptr, "!makes no progress[ ({reason})][: {message}]"},
    {"Available", "False", nullptr, "!is not available[ ({reason})][: {message}]"},
};

void VisitWorkload(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  const Row* row = Match(kWorkloadRows, objects[0]);
  if (row != nullptr) Say(walk, row->text, FindCondition(objects[0], row->type));
  AskForPods(walk, At(objects[0], "spec.selector.matchLabels"));
}

// What else there is says no more than its readiness does.
void VisitOther(Walk&, Objects) {}

// --- the table ---

constexpr Kind kKinds[] = {
    {"certificates", kCertManager, VisitCertificate},
    {"certificaterequests", kCertManager, VisitRequest},
    {"issuers", kCertManager, VisitIssuer},
    {"clusterissuers", kCertManager, VisitIssuer},
    {"orders", kAcme, VisitOrder},
    {"challenges", kAcme, VisitChallenge},
    {"externalsecrets", kStores, VisitExternalSecret},
    {"secretstores", kStores, VisitStore},
    {"clustersecretstores", kStores, VisitStore},
    {"secrets", "", VisitSecret},
    {"pods", "", VisitPods},
    {"services", "", VisitService},
    {"endpoints", "", VisitEndpoints},
    {"endpointslices", "discovery.k8s.io", VisitEndpoints},
    {"deployments", "apps", VisitWorkload},
    {"statefulsets", "apps", VisitWorkload},
    {"daemonsets", "apps", VisitWorkload},
    {"replicasets", "apps", VisitWorkload},
    {"jobs", "batch", VisitWorkload},
    {"", "", VisitOther},
};

Link LinkOf(const Resource& resource) {
  int link = 0;
  while (link < kOther &&
         (resource.group != kKinds[link].group || resource.plural != kKinds[link].plural)) {
    ++link;
  }
  return static_cast<Link>(link);
}

// --- answers ---

// The object does not exist; false: its whole type does not, so far as is known.
bool IsMissing(const Walk& walk, const ApiAnswer& answer) {
  return answer.status == 404 && !walk.one.empty() &&
         TextAt(StatusOf(answer), "details.name") == walk.one;
}

void TellMissing(Walk& walk, bool namespaced) {
  Say(walk, "!does not exist[ in namespace {$}]", namespaced ? walk.target.ns : "");
}

void TellTrouble(Walk& walk, const ApiAnswer& answer) {
  const Kind& kind = kKinds[walk.link];
  // Nobody need have both of the operators that may fill a Secret.
  if (answer.status == 404 && walk.searching) return;
  walk.searched_all = false;
  if (answer.status != 404 && answer.status != 403) {
    return Say(walk, "?could not be read: {$}", DescribeAnswer(answer));
  }
  const std::string type =
      Format("%s%s%s", kind.plural, *kind.group == '\0' ? "" : ".", kind.group);
  Say(walk,
      answer.status == 404 ? "?the API server does not serve {$}"
      : walk.one.empty()   ? "?not allowed to read {$}: grant list to see more"
                           : "?not allowed to read {$}: grant get to see more",
      type);
}

// Older installations of external-secrets serve v1beta1 only.
bool AskOlderVersion(Walk& walk, const ApiAnswer& answer) {
  if (kKinds[walk.link].group != kStores || answer.status != 404 || IsMissing(walk, answer) ||
      walk.store_version == kOlderStores) {
    return false;
  }
  walk.store_version = kOlderStores;
  SetPath(walk);
  return true;
}

// Keeps what is wanted of the answer. False: it goes on with another page, as is asked now.
bool Read(Walk& walk, const ApiAnswer& answer) {
  Result<Json> body = ParseJson(answer.body);
  walk.read = body.has_value();
  if (!body) {
    walk.searched_all = false;
    Say(walk, "?could not be read: {$}", body.error().text);
    return true;
  }
  if (!walk.one.empty()) {
    walk.kept.push_back(*std::move(body));
    return true;
  }
  const std::string page(TextAt(*body, "metadata.continue"));
  for (Json& item : body->Take("items").TakeItems()) {
    const bool keep = walk.keep == nullptr || walk.keep(walk, item);
    if (keep && walk.kept.size() < kMaxKept) walk.kept.push_back(std::move(item));
  }
  if (page.empty() || walk.asked >= kMaxQuestions) return true;
  SetPath(walk, page);
  return false;
}

void Visit(Walk& walk, Objects objects) {
  kKinds[walk.link].visit(walk, objects);
  if (walk.path.empty() || walk.asked < kMaxQuestions) return;
  walk.path.clear();
  walk.here = walk.label;
  static_assert(kMaxQuestions == 20);
  Say(walk, "?there is more to look at than 20 answers");
}

}  // namespace

Diagnosis::Diagnosis(const Target& target, const Json* object, std::optional<WallTime> deadline)
    : walk_(std::make_unique<Walk>(target, deadline)) {
  Walk& walk = *walk_;
  walk.link = LinkOf(target.resource);
  walk.here = walk.label;
  const bool store = target.resource.group == kStores;
  if (store && target.resource.version == kOlderStores) walk.store_version = kOlderStores;
  // Slices have names of their own: they are found by their Service's.
  if (object == nullptr && walk.link != kEndpointSlice) {
    TellMissing(walk, target.resource.namespaced);
  }
  Visit(walk, Objects(object, object == nullptr ? 0 : 1));
}

Diagnosis::~Diagnosis() = default;

const std::string* Diagnosis::question() const {
  return walk_->path.empty() ? nullptr : &walk_->path;
}

void Diagnosis::OnAnswer(const ApiAnswer& answer) {
  Walk& walk = *walk_;
  if (walk.path.empty()) return;
  walk.path.clear();
  ++walk.asked;
  walk.here = walk.one.empty() ? kKinds[walk.link].plural : LabelOf(walk.link, walk.one);
  if (answer.status == 200) {
    if (!Read(walk, answer)) return;
  } else {
    if (AskOlderVersion(walk, answer)) return;
    walk.read = IsMissing(walk, answer);
    if (walk.read) {
      TellMissing(walk, IsNamespaced(kKinds[walk.link]));
    } else {
      TellTrouble(walk, answer);
    }
  }
  // A visit may ask anew, which must not touch what it looks at.
  const std::vector<Json> kept = std::exchange(walk.kept, {});
  Visit(walk, kept);
}

const std::vector<Finding>& Diagnosis::findings() const { return walk_->findings; }

std::optional<WallTime> Diagnosis::retry_at() const { return walk_->retry_at; }

const std::string& Diagnosis::hopeless() const { return walk_->hopeless; }

// The deepest cause, else the first line that says anything; nullptr: none does.
static const Finding* BestOf(const std::vector<Finding>& findings) {
  const Finding* best = nullptr;
  for (const Finding& finding : findings) {
    if (best == nullptr || finding.severity == Severity::kCause) best = &finding;
  }
  return best;
}

bool Diagnosis::HasCause() const {
  const Finding* best = BestOf(walk_->findings);
  return best != nullptr && best->severity == Severity::kCause;
}

bool Diagnosis::HasOwnCause() const {
  return HasCause() && BestOf(walk_->findings)->label == walk_->label;
}

bool Diagnosis::HasOwnConditionOnly() const {
  if (!HasOwnCause() || walk_->retry_at) return false;
  return walk_->findings.size() == 1 || BestOf(walk_->findings)->text.starts_with(kNotReady);
}

std::string Diagnosis::Summary(WallTime now) const {
  const Finding* best = BestOf(walk_->findings);
  if (best == nullptr) return "";
  const bool own = best->label == walk_->label;
  std::string next;
  if (walk_->retry_at && *walk_->retry_at > now) {
    Duration rest = *walk_->retry_at - now;
    if (rest >= 2min) rest = std::chrono::floor<std::chrono::minutes>(rest);
    next = RoughDuration(rest);
  }
  return Format("%s%s%s%s%s", own ? "" : best->label.c_str(), own ? "" : ": ", best->text.c_str(),
                !walk_->retry_at ? ""
                : next.empty()   ? "; the next attempt is due"
                                 : "; next attempt in ",
                next.c_str());
}

}  // namespace certlatch
