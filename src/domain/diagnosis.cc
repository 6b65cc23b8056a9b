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
constexpr std::string_view kOlderStores = "v1beta1";

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
  std::string ns;
  std::string name;   // the target's
  std::string label;  // likewise
  std::optional<WallTime> deadline;

  // The question, and what is kept of its answer.
  std::string path;  // "": none
  Link link = kOther;
  std::string one;                                   // the name; "": a list
  bool (*keep)(const Walk&, const Json&) = nullptr;  // of a list: which of its objects
  std::string selector;                              // of a list: by labels
  std::vector<Json> kept;
  size_t asked = 0;
  std::string_view store_version = "v1";

  // The link that is visited.
  std::string here;   // its label
  bool read = false;  // false: it may not or could not be read, as a hint says already

  // What later links need of those before.
  Json spec;             // of the Certificate
  std::string owner;     // uid: what is looked for is owned by it
  std::string revision;  // of the CertificateRequest that is looked for
  std::string words;     // the issuer's, as the Certificate has them
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
  const char* name;  // in labels
  const char* group;
  void (*visit)(Walk&, Objects);  // none: there is no such object, or it was not read
};
extern const Kind kKinds[];

constexpr const char kCertManager[] = "cert-manager.io";
constexpr const char kAcme[] = "acme.cert-manager.io";
constexpr const char kStores[] = "external-secrets.io";

bool IsNamespaced(const Kind& kind) { return !std::string_view(kind.name).starts_with("cluster"); }

std::string Plural(const Kind& kind) {
  return Format("%s%s", kind.name, std::string_view(kind.name).ends_with('s') ? "" : "s");
}

void Add(Walk& walk, Severity severity, const std::string& text) {
  if (walk.findings.size() >= kMaxFindings) return;
  walk.findings.push_back({walk.here, Printable(text, kMaxLine), severity});
}

void AddAdvice(Walk& walk, std::string_view words) {
  const char* advice = AdviceOn(words);
  if (advice != nullptr) Add(walk, Severity::kHint, advice);
}

void Enter(Walk& walk, const Json& object) {
  walk.here = kKinds[walk.link].name + Fill("/{metadata.name}", object);
}

// --- conditions ---

struct Row {
  const char* type;
  const char* status;  // nullptr: any; "": no such condition
  const char* reason;  // nullptr: any
  const char* text;
  Severity severity;
  bool final = false;  // waiting cannot help
};

bool IsStale(const Json& object, const Json& condition) {
  auto observed = condition["observedGeneration"].AsInt();
  if (!observed) observed = object["status"]["observedGeneration"].AsInt();
  return observed && *observed < object["metadata"]["generation"].AsInt().value_or(0);
}

const Row* Match(std::span<const Row> rows, const Json& object) {
  for (const Row& row : rows) {
    const Json& condition = FindCondition(object, row.type);
    if (row.status == nullptr ? !condition.is_object()
                              : condition["status"].AsString() != row.status) {
      continue;
    }
    if (row.reason == nullptr || condition["reason"].AsString() == row.reason) return &row;
  }
  return nullptr;
}

constexpr Row kReadyRows[] = {
    {"Ready", "True", nullptr, "is ready", Severity::kInfo},
    {"Available", "True", nullptr, "is available", Severity::kInfo},
    {"Ready", nullptr, nullptr, "is not ready", Severity::kCause},
    {"Available", nullptr, nullptr, "is not available", Severity::kCause},
};

const char* Controller(const Walk& walk) {
  if (walk.link <= kChallenge) return "cert-manager";
  return walk.link <= kClusterStore ? "external-secrets" : "its controller";
}

// Whether the object is ready.
bool TellReady(Walk& walk, const Json& object) {
  const Row* row = Match(kReadyRows, object);
  if (row == nullptr) {
    Add(walk, Severity::kCause,
        Format("has no condition Ready yet: is %s running?", Controller(walk)));
    return false;
  }
  const Json& condition = FindCondition(object, row->type);
  if (IsStale(object, condition)) {
    Add(walk, Severity::kCause, Format("%s has not seen its latest change yet", Controller(walk)));
    return false;
  }
  const bool ready = row->severity == Severity::kInfo;
  Add(walk, row->severity, row->text + (ready ? "" : Because(condition)));
  return ready;
}

// --- asking ---

void SetPath(Walk& walk, std::string_view page = {}) {
  const Kind& kind = kKinds[walk.link];
  const std::string_view group = kind.group;
  const bool namespaced = IsNamespaced(kind);
  walk.path = Format("/%s%s/%s%s%s/%s%s%s", group.empty() ? "api" : "apis/", kind.group,
                     group == kStores ? walk.store_version.data() : "v1",
                     namespaced ? "/namespaces/" : "", namespaced ? walk.ns.c_str() : "",
                     Plural(kind).c_str(), walk.one.empty() ? "?limit=250" : "/", walk.one.c_str());
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
  for (const Json& owner : object["metadata"]["ownerReferences"].items()) {
    const bool controller = owner["controller"].AsBool().value_or(false);
    if (controller && owner["uid"].AsString() == walk.owner) return true;
  }
  return false;
}

void AskForOwned(Walk& walk, Link link, const Json& owner) {
  walk.owner = owner["metadata"]["uid"].AsString();
  if (!walk.owner.empty()) AskForAll(walk, link, IsOwned);
}

// --- cert-manager ---

void AskForIssuer(Walk& walk, const Json& spec) {
  const Json& reference = spec["issuerRef"];
  const std::string_view group = reference["group"].AsString();
  const std::string_view kind = reference["kind"].AsString();
  if (!group.empty() && group != kCertManager) {
    walk.here = ToLower(Fill("{kind}.{group}/", reference)) + Fill("{name}", reference);
    Add(walk, Severity::kInfo,
        "is an external issuer, which a controller of its own serves: is that running?");
    return;
  }
  const bool cluster = kind == "ClusterIssuer";
  const bool known = cluster || kind.empty() || kind == "Issuer";
  if (known && AskForOne(walk, cluster ? kClusterIssuer : kIssuer, reference["name"].AsString())) {
    return;
  }
  walk.here = walk.label;
  Add(walk, Severity::kCause,
      Fill("spec.issuerRef names no issuer[ (kind {kind})][ (name {name})]", reference));
}

std::optional<WallTime> TimeOf(const Json& text) {
  const Result<WallTime> time = ParseWallTime(text.AsString());
  return time ? std::optional<WallTime>(*time) : std::nullopt;
}

// cert-manager's trigger controller waits 1h, doubled with each failure, 32h at most.
void TellNextAttempt(Walk& walk, const Json& status) {
  const std::optional<WallTime> failed = TimeOf(status["lastFailureTime"]);
  if (!failed) return;
  const int64_t attempts = status["failedIssuanceAttempts"].AsInt().value_or(1);
  const int64_t doublings = attempts < 1 ? 0 : attempts > 6 ? 5 : attempts - 1;
  walk.retry_at = *failed + std::chrono::hours(int64_t{1} << doublings);
  const std::string next = "the next issuance is at " + FormatWallTime(*walk.retry_at);
  Add(walk, Severity::kInfo,
      Fill("[attempt {failedIssuanceAttempts} ]failed at {lastFailureTime}; ", status) + next);
  if (walk.deadline && *walk.retry_at > *walk.deadline) {
    walk.hopeless = Format("%s: %s, too late", walk.here.c_str(), next.c_str());
  }
}

void TellFailedIssuance(Walk& walk, const Json& object, const Json& issuing) {
  walk.stale = IsStale(object, issuing);
  walk.words = Words(issuing["message"].AsString(), 2 * kMaxWords);
  if (walk.stale) {
    Add(walk, Severity::kInfo, "an issuance failed before its latest change: " + walk.words);
    return;
  }
  TellNextAttempt(walk, object["status"]);
  constexpr std::string_view kPreamble = "will be retried: ";
  const size_t preamble = walk.words.find(kPreamble);
  const std::string words =
      preamble == std::string::npos ? walk.words : walk.words.substr(preamble + kPreamble.size());
  Add(walk, Severity::kCause,
      words.empty() ? "its issuance failed, and nobody says why" : IssuersWords(walk.spec, words));
  AddAdvice(walk, words);
}

void TellIssuance(Walk& walk, const Json& object, const Json& issuing) {
  if (issuing["status"].AsString() == "False") return TellFailedIssuance(walk, object, issuing);
  walk.issuing = issuing["status"].AsString() == "True";
  if (!walk.issuing) return;
  walk.issuing_since = TimeOf(issuing["lastTransitionTime"]);
  Add(walk, Severity::kInfo, Fill("is being issued[ since {lastTransitionTime}]", issuing));
}

// Of what was found because it fills the target Secret. False: there is none.
bool TellFillers(Walk& walk, Objects fillers) {
  if (!std::exchange(walk.searching, false)) return true;
  if (fillers.size() > 1) {
    walk.here = walk.label;
    Add(walk, Severity::kCause,
        Format("%zu %s fill it, undoing each other's work: %s, %s%s", fillers.size(),
               Plural(kKinds[walk.link]).c_str(), Fill("{metadata.name}", fillers[0]).c_str(),
               Fill("{metadata.name}", fillers[1]).c_str(), fillers.size() > 2 ? ", …" : ""));
  }
  return !fillers.empty();
}

bool NamesSecret(const Walk& walk, const Json& certificate) {
  return certificate["spec"]["secretName"].AsString() == walk.name;
}

// An ExternalSecret that names none fills the Secret of its own name.
bool TargetsSecret(const Walk& walk, const Json& object) {
  const std::string_view target = object["spec"]["target"]["name"].AsString();
  return (target.empty() ? object["metadata"]["name"].AsString() : target) == walk.name;
}

void VisitCertificate(Walk& walk, Objects objects) {
  if (!TellFillers(walk, objects)) {
    walk.searching = true;
    return AskForAll(walk, kExternalSecret, TargetsSecret);
  }
  if (objects.empty()) return;
  const Json& object = objects[0];
  Enter(walk, object);
  // By its text, since nothing else needs the code that copies a tree.
  Result<Json> spec = ParseJson(object["spec"].Dump());
  if (spec) walk.spec = *std::move(spec);
  const bool ready = TellReady(walk, object);
  const Json& issuing = FindCondition(object, "Issuing");
  TellIssuance(walk, object, issuing);
  if (ready && issuing.is_null()) return;
  // The request's annotation is "set to one greater than the current value of this field":
  // CertificateStatus.revision in the API reference.
  const int64_t revision = object["status"]["revision"].AsInt().value_or(0);
  walk.revision = Format("%lld", static_cast<long long>(revision < INT32_MAX ? revision + 1 : 0));
  AskForOwned(walk, kRequest, object);
}

// The first that holds decides; one of the last three always does.
constexpr Row kRequestRows[] = {
    {"Denied", "True", nullptr, "was denied", Severity::kCause, true},
    {"InvalidRequest", "True", nullptr, "is invalid, its issuer says", Severity::kCause, true},
    {"Ready", "True", nullptr, "is issued", Severity::kInfo},
    {"Ready", "False", "Failed", "failed", Severity::kCause},
    {"Approved", "", nullptr, "nobody has approved it: is an approver running?", Severity::kCause},
    {"Ready", "False", "Pending", "waits", Severity::kCause},
    {"Ready", "", nullptr, "its issuer has not taken it up: is that running?", Severity::kCause},
    {"Ready", nullptr, nullptr, "is not ready", Severity::kCause},
};

// The newest of the wanted revision: names may differ, and of two the older is about to go.
const Json* PickRequest(const Walk& walk, Objects requests) {
  const Json* best = nullptr;
  std::string_view newest;
  for (const Json& request : requests) {
    const Json& metadata = request["metadata"];
    const std::string_view revision =
        metadata["annotations"]["cert-manager.io/certificate-revision"].AsString();
    const std::string_view created = metadata["creationTimestamp"].AsString();
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
  const std::optional<WallTime> failed = TimeOf(request["status"]["failureTime"]);
  if (failed && walk.issuing_since && *failed < *walk.issuing_since) {
    Add(walk, Severity::kInfo, "failed in the attempt before; a new one is beginning");
    return false;
  }
  const Row* row = Match(kRequestRows, request);
  if (row == nullptr) return true;
  const std::string message = Words(FindCondition(request, row->type)["message"].AsString());
  if (row->severity == Severity::kInfo) {
    Add(walk, Severity::kInfo, row->text);
    return false;
  }
  if (message.empty()) {
    Add(walk, row->severity, row->text);
  } else if (walk.words.find(message.substr(0, kMaxWords / 2)) != std::string::npos) {
    Add(walk, Severity::kInfo, Format("%s, in the same words", row->text));
  } else {
    Add(walk, row->severity, Format("%s: %s", row->text, IssuersWords(walk.spec, message).c_str()));
    AddAdvice(walk, message);
  }
  if (row->final && !walk.stale) {
    walk.hopeless = Format("%s %s%s%s", walk.here.c_str(), row->text, message.empty() ? "" : ": ",
                           message.c_str());
  }
  return !row->final;
}

void VisitRequest(Walk& walk, Objects objects) {
  walk.owner.clear();
  const Json* request = PickRequest(walk, objects);
  if (request == nullptr) {
    if (walk.revision.empty()) return;  // the target itself, which does not exist
    if (walk.read) {
      Add(walk, walk.issuing ? Severity::kCause : Severity::kInfo,
          Format("there is none of revision %s%s", walk.revision.c_str(),
                 walk.issuing ? " yet: is cert-manager running?" : ""));
    }
    return AskForIssuer(walk, walk.spec);
  }
  Enter(walk, *request);
  if (!TellRequest(walk, *request)) return;
  walk.owner = (*request)["metadata"]["uid"].AsString();
  AskForIssuer(walk, (*request)["spec"]);
}

void VisitIssuer(Walk& walk, Objects objects) {
  if (!objects.empty()) {
    Enter(walk, objects[0]);
    TellReady(walk, objects[0]);
    if (!objects[0]["spec"]["acme"].is_object()) return;
  } else if (walk.read) {
    if (walk.link == kIssuer && walk.asked > 0) {
      Add(walk, Severity::kHint,
          "is a ClusterIssuer meant? spec.issuerRef.kind is Issuer if it is left out");
    }
    return;
  }
  // Who may not read the issuer cannot tell whether it is one of ACME.
  if (!walk.owner.empty()) AskForAll(walk, kOrder, IsOwned);
}

bool IsFinalFailure(std::string_view state) {
  return state == "invalid" || state == "expired" || state == "errored";
}

void VisitOrder(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  const Json& status = objects[0]["status"];
  const std::string_view state = status["state"].AsString();
  Enter(walk, objects[0]);
  Add(walk, IsFinalFailure(state) ? Severity::kCause : Severity::kInfo,
      Fill(state.empty() ? "is not placed yet[: {reason}]" : "is {state}[: {reason}]", status));
  AddAdvice(walk, status["reason"].AsString());
  if (state != "valid") AskForOwned(walk, kChallenge, objects[0]);
}

void TellChallenge(Walk& walk, const Json& challenge) {
  const Json& spec = challenge["spec"];
  const Json& status = challenge["status"];
  const std::string_view state = status["state"].AsString();
  const bool begun = !state.empty() || status["processing"].AsBool().value_or(false);
  const bool presented = IsFinalFailure(state) || status["presented"].AsBool().value_or(false);
  const bool wildcard = spec["wildcard"].AsBool().value_or(false);
  Enter(walk, challenge);
  Add(walk, Severity::kCause,
      Fill(wildcard ? "{type} for *.{dnsName} is " : "{type} for {dnsName} is ", spec) +
          Fill(!begun      ? "not begun yet[: {reason}]"
               : presented ? "{state}[: {reason}]"
                           : "{state}, not presented yet[: {reason}]",
               status));
  AddAdvice(walk, status["reason"].AsString());
}

void VisitChallenge(Walk& walk, Objects objects) {
  size_t open = 0;
  for (const Json& challenge : objects) {
    if (challenge["status"]["state"].AsString() == "valid") continue;
    if (++open <= kMaxShown) TellChallenge(walk, challenge);
  }
  if (open <= kMaxShown) return;
  walk.here = "challenges";
  Add(walk, Severity::kInfo, Format("%zu more are open", open - kMaxShown));
}

// --- external-secrets ---

// Which keys of the provider it reads: the names only.
std::string RemoteKeys(const Json& spec) {
  std::string keys;
  size_t count = 0;
  for (const char* list : {"data", "dataFrom"}) {
    for (const Json& entry : spec[list].items()) {
      const Json& extract = entry["extract"];
      const Json& reference = extract.is_object() ? extract : entry["remoteRef"];
      if (reference["key"].AsString().empty() || ++count > kMaxShown) continue;
      keys += (count == 1 ? "" : ", ") + Fill("{key}[#{property}]", reference);
    }
  }
  return count > kMaxShown ? keys + ", …" : keys;
}

const Json& StoreOf(const Json& spec) {
  for (const char* list : {"data", "dataFrom"}) {
    const Json& own = spec[list][size_t{0}]["sourceRef"]["storeRef"];
    if (spec["secretStoreRef"]["name"].is_null() && own.is_object()) return own;
  }
  return spec["secretStoreRef"];
}

void VisitExternalSecret(Walk& walk, Objects objects) {
  if (!TellFillers(walk, objects)) {
    walk.here = walk.label;
    if (!walk.searched_all) return;
    Add(walk, Severity::kCause, "no Certificate and no ExternalSecret of its namespace fills it");
    return;
  }
  if (objects.empty()) return;
  const Json& spec = objects[0]["spec"];
  Enter(walk, objects[0]);
  if (TellReady(walk, objects[0])) return;
  const std::string keys = RemoteKeys(spec);
  if (!keys.empty()) Add(walk, Severity::kInfo, "reads the keys " + keys);
  const bool synced = objects[0]["status"]["refreshTime"].is_string();
  Add(walk, Severity::kInfo,
      synced ? Fill("was synced at {status.refreshTime}", objects[0]) : "was never synced");
  const Json& store = StoreOf(spec);
  const bool cluster = store["kind"].AsString() == "ClusterSecretStore";
  AskForOne(walk, cluster ? kClusterStore : kStore, store["name"].AsString());
}

void VisitReady(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  if (walk.link != kOther) Enter(walk, objects[0]);
  TellReady(walk, objects[0]);
}

// --- secret ---

void VisitSecret(Walk& walk, Objects objects) {
  if (objects.empty()) {
    walk.searching = true;
    return AskForAll(walk, kCertificate, NamesSecret);
  }
  const Json& metadata = objects[0]["metadata"];
  const Json& certificate = metadata["annotations"]["cert-manager.io/certificate-name"];
  if (AskForOne(walk, kCertificate, certificate.AsString())) return;
  for (const Json& owner : metadata["ownerReferences"].items()) {
    if (owner["kind"].AsString() != "ExternalSecret") continue;
    AskForOne(walk, kExternalSecret, owner["name"].AsString());
  }
}

// --- pods ---

void VisitPods(Walk& walk, Objects objects) {
  if (!walk.read) {
    // Endpoints are easier to be allowed to read, and name the pods that are not ready.
    if (walk.ask_endpoints) AskForOne(walk, kEndpoints, walk.name);
    return;
  }
  size_t ready = 0;
  for (const Json& pod : objects) ready += size_t{HasStatus(pod, "Ready", "True")};
  if (walk.asked > 0) {
    walk.here = walk.label;
    Add(walk, objects.empty() ? Severity::kCause : Severity::kInfo,
        objects.empty() ? Format("there is no pod with its labels (%s)", walk.selector.c_str())
                        : Format("%zu of its %zu pods are ready", ready, objects.size()));
  }
  size_t shown = 0;
  for (const Json& pod : objects) {
    if (HasStatus(pod, "Ready", "True") || ++shown > kMaxShown) continue;
    Enter(walk, pod);
    Add(walk, Severity::kCause, DescribePod(pod));
  }
}

void AskForPods(Walk& walk, const Json& labels) {
  for (const Json::Member& label : labels.members()) {
    const std::string_view value = label.value.AsString();
    walk.selector += Format("%s%s=%.*s", walk.selector.empty() ? "" : ",", label.key.c_str(),
                            Length(value), value.data());
  }
  if (!walk.selector.empty()) return AskForAll(walk, kPod, nullptr);
  Add(walk, Severity::kInfo, "selects no pods");
}

void VisitService(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  Enter(walk, objects[0]);
  walk.ask_endpoints = walk.asked == 0;
  AskForPods(walk, objects[0]["spec"]["selector"]);
}

void TellAddresses(Walk& walk, const Json& endpoints) {
  size_t ready = 0;
  size_t waiting = 0;
  std::string pods;
  for (const Json& subset : endpoints["subsets"].items()) {
    ready += subset["addresses"].items().size();
    for (const Json& address : subset["notReadyAddresses"].items()) {
      const bool named = address["targetRef"]["name"].is_string();
      if (++waiting > kMaxShown || !named) continue;
      pods += (pods.empty() ? ": " : ", ") + Fill("{targetRef.name}", address);
    }
  }
  Enter(walk, endpoints);
  Add(walk, ready == 0 ? Severity::kCause : Severity::kInfo,
      Format("%zu addresses are ready, %zu are not%s", ready, waiting, pods.c_str()));
}

// Endpoints and their slices have the name of their Service.
void VisitEndpoints(Walk& walk, Objects objects) {
  if (walk.link == kEndpoints && !objects.empty()) TellAddresses(walk, objects[0]);
  if (walk.asked == 0) AskForOne(walk, kService, walk.name);
}

constexpr Row kWorkloadRows[] = {
    {"Failed", "True", nullptr, "failed", Severity::kCause},
    {"ReplicaFailure", "True", nullptr, "cannot create its pods", Severity::kCause},
    {"Progressing", "False", nullptr, "makes no progress", Severity::kCause},
    {"Available", "False", nullptr, "is not available", Severity::kCause},
};

void VisitWorkload(Walk& walk, Objects objects) {
  if (objects.empty()) return;
  const Row* row = Match(kWorkloadRows, objects[0]);
  if (row != nullptr) {
    Add(walk, row->severity, row->text + Because(FindCondition(objects[0], row->type)));
  }
  AskForPods(walk, objects[0]["spec"]["selector"]["matchLabels"]);
}

// --- the table ---

// A plural is the name with an s; the types of the cluster begin with "cluster".
constexpr Kind kKinds[] = {
    {"certificate", kCertManager, VisitCertificate},
    {"certificaterequest", kCertManager, VisitRequest},
    {"issuer", kCertManager, VisitIssuer},
    {"clusterissuer", kCertManager, VisitIssuer},
    {"order", kAcme, VisitOrder},
    {"challenge", kAcme, VisitChallenge},
    {"externalsecret", kStores, VisitExternalSecret},
    {"secretstore", kStores, VisitReady},
    {"clustersecretstore", kStores, VisitReady},
    {"secret", "", VisitSecret},
    {"pod", "", VisitPods},
    {"service", "", VisitService},
    {"endpoints", "", VisitEndpoints},
    {"endpointslice", "discovery.k8s.io", VisitEndpoints},
    {"deployment", "apps", VisitWorkload},
    {"statefulset", "apps", VisitWorkload},
    {"daemonset", "apps", VisitWorkload},
    {"replicaset", "apps", VisitWorkload},
    {"job", "batch", VisitWorkload},
    {"", "", VisitReady},  // any other
};

Link LinkOf(const Resource& resource) {
  int link = 0;
  while (link < kOther &&
         (resource.group != kKinds[link].group || resource.plural != Plural(kKinds[link]))) {
    ++link;
  }
  return static_cast<Link>(link);
}

// --- answers ---

// The object does not exist; false: its whole type does not, so far as is known.
bool IsMissing(const Walk& walk, const ApiAnswer& answer) {
  return answer.status == 404 && !walk.one.empty() &&
         StatusOf(answer)["details"]["name"].AsString() == walk.one;
}

void TellMissing(Walk& walk, bool namespaced) {
  Add(walk, Severity::kCause,
      Format("does not exist%s%s", namespaced ? " in namespace " : "",
             namespaced ? walk.ns.c_str() : ""));
}

void TellTrouble(Walk& walk, const ApiAnswer& answer) {
  const Kind& kind = kKinds[walk.link];
  // Nobody need have both of the operators that may fill a Secret.
  if (answer.status == 404 && walk.searching) return;
  walk.searched_all = false;
  const std::string type =
      Format("%s%s%s", Plural(kind).c_str(), *kind.group == '\0' ? "" : ".", kind.group);
  if (answer.status == 404) {
    return Add(walk, Severity::kHint, "the API server does not serve " + type);
  }
  if (answer.status != 403) {
    return Add(walk, Severity::kHint, "could not be read: " + DescribeAnswer(answer));
  }
  Add(walk, Severity::kHint,
      Format("not allowed to read %s: grant %s to see more", type.c_str(),
             walk.one.empty() ? "list" : "get"));
}

// Older installations of external-secrets serve v1beta1 only.
bool AskOlderVersion(Walk& walk, const ApiAnswer& answer) {
  const bool store = std::string_view(kKinds[walk.link].group) == kStores;
  if (!store || answer.status != 404 || IsMissing(walk, answer)) return false;
  if (walk.store_version == kOlderStores) return false;
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
    Add(walk, Severity::kHint, "could not be read: " + body.error().text);
    return true;
  }
  if (!walk.one.empty()) {
    walk.kept.push_back(*std::move(body));
    return true;
  }
  const std::string page((*body)["metadata"]["continue"].AsString());
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
  Add(walk, Severity::kHint, Format("there is more to look at than %zu answers", kMaxQuestions));
}

void TakeAnswer(Walk& walk, const ApiAnswer& answer) {
  const Kind& kind = kKinds[walk.link];
  walk.here = walk.one.empty() ? Plural(kind) : Format("%s/%s", kind.name, walk.one.c_str());
  if (answer.status == 200) {
    if (!Read(walk, answer)) return;
  } else {
    if (AskOlderVersion(walk, answer)) return;
    walk.read = IsMissing(walk, answer);
    if (walk.read) {
      TellMissing(walk, IsNamespaced(kind));
    } else {
      TellTrouble(walk, answer);
    }
  }
  // A visit may ask anew, which must not touch what it looks at.
  const std::vector<Json> kept = std::exchange(walk.kept, {});
  Visit(walk, kept);
}

}  // namespace

Diagnosis::Diagnosis(const Target& target, const Json* object, std::optional<WallTime> deadline)
    : walk_(std::make_unique<Walk>()) {
  Walk& walk = *walk_;
  walk.ns = target.ns;
  walk.name = target.name.name;
  walk.deadline = deadline;
  walk.link = LinkOf(target.resource);
  walk.label = Format("%s/%s", ToLower(target.resource.kind).c_str(), walk.name.c_str());
  walk.here = walk.label;
  walk.read = true;
  const bool store = target.resource.group == kStores;
  if (store && target.resource.version == kOlderStores) walk.store_version = kOlderStores;
  // Slices have names of their own: they are found by their Service's.
  if (object == nullptr && walk.link != kEndpointSlice)
    TellMissing(walk, target.resource.namespaced);
  Visit(walk, Objects(object, object == nullptr ? 0 : 1));
}

Diagnosis::~Diagnosis() = default;
Diagnosis::Diagnosis(Diagnosis&&) noexcept = default;
Diagnosis& Diagnosis::operator=(Diagnosis&&) noexcept = default;

const std::string* Diagnosis::question() const {
  return walk_->path.empty() ? nullptr : &walk_->path;
}

void Diagnosis::OnAnswer(const ApiAnswer& answer) {
  if (walk_->path.empty()) return;
  walk_->path.clear();
  ++walk_->asked;
  TakeAnswer(*walk_, answer);
}

const std::vector<Finding>& Diagnosis::findings() const { return walk_->findings; }

std::optional<WallTime> Diagnosis::retry_at() const { return walk_->retry_at; }

const std::string& Diagnosis::hopeless() const { return walk_->hopeless; }

std::string Diagnosis::Summary(WallTime now) const {
  const Finding* best = nullptr;
  for (const Finding& finding : walk_->findings) {
    if (best == nullptr || finding.severity == Severity::kCause) best = &finding;
  }
  if (best == nullptr) return "";
  std::string line = best->label == walk_->label
                         ? best->text
                         : Format("%s: %s", best->label.c_str(), best->text.c_str());
  if (!walk_->retry_at) return line;
  if (*walk_->retry_at <= now) return line + "; the next attempt is due";
  Duration rest = *walk_->retry_at - now;
  if (rest >= 2min) rest = std::chrono::floor<std::chrono::minutes>(rest);
  return line + "; next attempt in " + RoughDuration(rest);
}

std::string Diagnosis::ToJson(WallTime now) const {
  constexpr const char* kNames[] = {"info", "hint", "cause"};
  const Walk& walk = *walk_;
  std::string findings;
  for (const Finding& finding : walk.findings) {
    findings +=
        Format("%s{\"object\":%s,\"severity\":\"%s\",\"text\":%s}", findings.empty() ? "" : ",",
               JsonQuote(finding.label).c_str(), kNames[static_cast<size_t>(finding.severity)],
               JsonQuote(finding.text).c_str());
  }
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::string("null") : JsonQuote(text);
  };
  return Format(
      "{\"target\":%s,\"namespace\":%s,\"summary\":%s,\"findings\":[%s],\"nextAttempt\":%s,"
      "\"hopeless\":%s}",
      JsonQuote(walk.label).c_str(), JsonQuote(walk.ns).c_str(), JsonQuote(Summary(now)).c_str(),
      findings.c_str(), or_null(walk.retry_at ? FormatWallTime(*walk.retry_at) : "").c_str(),
      or_null(walk.hopeless).c_str());
}

}  // namespace certlatch
