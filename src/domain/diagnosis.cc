#include "domain/diagnosis.h"

#include <cstdarg>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/resource.h"
#include "domain/watch_session.h"

namespace certlatch {
namespace {

constexpr const char kCertManager[] = "cert-manager.io";
constexpr const char kAcme[] = "acme.cert-manager.io";
constexpr const char kStores[] = "external-secrets.io";

using Severity = Finding::Severity;
using Walk = DiagnosisWalk;
using Objects = std::vector<const Json*>;

constexpr size_t kMaxWords = 600;   // of a message
constexpr size_t kMaxKept = 250;    // objects of a list
constexpr size_t kMaxShown = 5;     // pods, challenges, names: as many as anybody reads
constexpr size_t kMaxNames = 1000;  // of a Certificate
constexpr size_t kMaxLine = 1024;

// What was learned of one link.
struct Reply {
  bool read = false;  // false: it may not or could not be read, as a hint already says
  Objects objects;    // none: there is no such object
};

struct Kind {
  const char* name;    // in labels
  const char* plural;  // in paths
  const char* group;
  bool namespaced;
  void (*visit)(Walk&, const Reply&);
  const char* controller;  // who fills its status
};

struct Ask {
  const Kind* kind = nullptr;
  std::string name;                                  // "": a list
  std::string selector;                              // of a list: by labels
  bool (*keep)(const Walk&, const Json&) = nullptr;  // of a list: which of its objects
  std::string version = "v1";
  std::vector<Json> kept;
  std::string path;
};

}  // namespace

struct DiagnosisWalk {
  std::string ns;
  std::string name;
  std::string label;  // the target's
  std::optional<WallTime> deadline;
  std::optional<Ask> ask;
  size_t asked = 0;

  const Kind* target_kind = nullptr;
  const Kind* kind = nullptr;  // of the link that is being visited
  std::string store_version = "v1";

  // What later links need of those before.
  Json spec;             // of the Certificate
  std::string owner;     // uid: what is looked for is owned by it
  std::string revision;  // of the CertificateRequest that is looked for
  std::string words;     // the issuer's, as the Certificate has them
  std::string issuing_since;
  bool issuing = false;
  bool stale = false;          // what the Certificate says is of an earlier spec
  bool searching = false;      // for who fills the Secret
  bool searched_all = true;    // no type that could be it was unreadable
  bool ask_endpoints = false;  // if the pods may not be read
  std::string selector;        // of the pods

  std::vector<Finding> findings;
  std::optional<WallTime> retry_at;
  std::string hopeless;
};

namespace {

// --- words ---

// One line of at most `limit` bytes: messages of Go programs come in several lines.
std::string Words(std::string_view text, size_t limit = kMaxWords) {
  std::string line;
  for (const char c : Trim(text.substr(0, 4 * limit))) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  return Printable(line, limit);
}

std::string Words(const Json& text, size_t limit = kMaxWords) {
  return Words(text.AsString(), limit);
}

std::string Name(const Json& object) { return Words(object["metadata"]["name"], 253); }

std::string Uid(const Json& object) { return std::string(object["metadata"]["uid"].AsString()); }

std::string Label(const Kind& kind, const Json& object) {
  return Format("%s/%s", kind.name, Name(object).c_str());
}

[[gnu::format(printf, 4, 5)]] void Add(Walk& walk, Severity severity, const std::string& label,
                                       const char* pattern, ...) {
  if (walk.findings.size() >= kMaxFindings) return;
  va_list arguments;
  va_start(arguments, pattern);
  walk.findings.push_back({label, Printable(FormatList(pattern, arguments), kMaxLine), severity});
  va_end(arguments);
}

bool IsInName(char c) { return ConsistsOf({&c, 1}, ".-_*:"); }

// As a whole name: "web" is not in "web.prod", but in "web." at the end of a sentence.
bool Mentions(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); !name.empty() && at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    std::string_view rest = text.substr(at + name.size());
    while (!rest.empty() && (rest[0] == '.' || rest[0] == ':')) {
      if (rest.size() > 1 && IsInName(rest[1])) break;
      rest.remove_prefix(1);
    }
    const bool begins = at == 0 || !IsInName(text[at - 1]);
    // A port follows the name in a URL.
    const bool ends = rest.empty() || !IsInName(rest[0]) || rest[0] == ':';
    if (begins && ends) return true;
  }
  return false;
}

// " (spec.dnsNames[0], spec.commonName)": where the names stand that `text` tells of; "" if none.
std::string WhichNames(const Json& spec, std::string_view text) {
  std::string all;
  size_t count = 0;
  const auto add = [&](const std::string& field) {
    if (++count <= kMaxShown) all += (count == 1 ? " (spec." : ", spec.") + field;
  };
  for (const char* list : {"dnsNames", "ipAddresses"}) {
    const Json::Array& names = spec[list].items();
    for (size_t i = 0; i < names.size() && i < kMaxNames; ++i) {
      if (Mentions(text, names[i].AsString())) add(Format("%s[%zu]", list, i));
    }
  }
  if (Mentions(text, spec["commonName"].AsString())) add("commonName");
  if (count > kMaxShown) all += ", …";
  return all.empty() ? all : all + ')';
}

std::string_view Between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t start = text.find(before);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + before.size());
  const size_t end = text.find(after);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

// Vault's answer as its client prints it: "Error making API request. URL: PUT …/sign/ROLE
// Code: 400. Errors: * WORDS". What helps are the role and the words.
std::string IssuersWords(const Json& spec, const std::string& text) {
  constexpr std::string_view kErrors = " Errors: * ";
  const std::string_view url = Between(text, "URL: ", " Code: ");
  const size_t errors = text.find(kErrors);
  if (errors == std::string::npos || url.find("/sign") == std::string_view::npos) {
    return text + WhichNames(spec, text);
  }
  const std::string_view code = Between(text, " Code: ", ".");
  const std::string role(BaseName(url));
  const std::string words = text.substr(errors + kErrors.size());
  const std::string answer =
      code == "400" ? "refused" : Format("answered HTTP %.*s", Length(code), code.data());
  return Format("Vault role %s %s: %s%s", role.c_str(), answer.c_str(), words.c_str(),
                WhichNames(spec, words).c_str());
}

// What the words of others call for: the first that fits.
struct Advice {
  const char* words;
  const char* text;
};
constexpr Advice kAdvice[] = {
    {"not allowed by this role",
     "Vault names only the first name that it refuses: compare all names of spec with the role's "
     "allowed_domains, allow_subdomains and allow_bare_domains"},
    {"wrong status code '404'",
     "something else answers for this name: see that its DNS record and the Ingress class lead to "
     "the solver of cert-manager"},
    {"no such host", "the name has no DNS record where this cluster looks it up"},
    {"DNS-01 challenge propagation",
     "the TXT record is not seen yet: see that the solver may write the zone, and that the zone is "
     "delegated to it"},
    {"rateLimited", "the ACME server limits requests: waiting is all that helps"},
};

void Advise(Walk& walk, const std::string& label, std::string_view words) {
  for (const Advice& advice : kAdvice) {
    if (words.find(advice.words) == std::string_view::npos) continue;
    Add(walk, Severity::kHint, label, "%s", advice.text);
    return;
  }
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

const Json& FindCondition(const Json& object, std::string_view type) {
  for (const Json& condition : object["status"]["conditions"].items()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return Json::Null();
}

bool HasStatus(const Json& object, std::string_view type, std::string_view status) {
  return FindCondition(object, type)["status"].AsString() == status;
}

bool IsStale(const Json& object, const Json& condition) {
  auto observed = condition["observedGeneration"].AsInt();
  if (!observed) observed = object["status"]["observedGeneration"].AsInt();
  return observed && *observed < object["metadata"]["generation"].AsInt().value_or(0);
}

template <size_t kCount>
const Row* Match(const Row (&rows)[kCount], const Json& object) {
  for (const Row& row : rows) {
    const Json& condition = FindCondition(object, row.type);
    const bool status = row.status == nullptr ? condition.is_object()
                                              : condition["status"].AsString() == row.status;
    if (status && (row.reason == nullptr || condition["reason"].AsString() == row.reason)) {
      return &row;
    }
  }
  return nullptr;
}

// " (REASON: MESSAGE)", " (MESSAGE)", "".
std::string InBrackets(const Json& condition) {
  const std::string reason = Words(condition["reason"], 100);
  const std::string message = Words(condition["message"]);
  if (reason.empty() && message.empty()) return "";
  return Format(" (%s%s%s)", reason.c_str(), reason.empty() || message.empty() ? "" : ": ",
                message.c_str());
}

constexpr Row kReadyRows[] = {
    {"Ready", "True", nullptr, "is ready", Severity::kInfo},
    {"Available", "True", nullptr, "is available", Severity::kInfo},
    {"Ready", nullptr, nullptr, "is not ready", Severity::kCause},
    {"Available", nullptr, nullptr, "is not available", Severity::kCause},
};

// Whether the object is ready.
bool TellReady(Walk& walk, const std::string& label, const Json& object) {
  const Row* row = Match(kReadyRows, object);
  if (row == nullptr) {
    Add(walk, Severity::kCause, label, "has no condition Ready yet: is %s running?",
        walk.kind->controller);
    return false;
  }
  const Json& condition = FindCondition(object, row->type);
  if (IsStale(object, condition)) {
    Add(walk, Severity::kCause, label, "%s has not seen its latest change yet",
        walk.kind->controller);
    return false;
  }
  Add(walk, row->severity, label, "%s%s", row->text,
      row->severity == Severity::kInfo ? "" : InBrackets(condition).c_str());
  return row->severity == Severity::kInfo;
}

// --- asking ---

const Kind& KindOf(std::string_view plural, std::string_view group);

void SetPath(const Walk& walk, Ask& ask, std::string_view page = {}) {
  Resource resource;
  resource.group = ask.kind->group;
  resource.version = ask.version;
  resource.plural = ask.kind->plural;
  resource.namespaced = ask.kind->namespaced;
  ask.path = resource.CollectionPath(walk.ns);
  if (!ask.name.empty()) {
    ask.path += '/' + ask.name;
    return;
  }
  ask.path += "?limit=250";
  if (!ask.selector.empty()) ask.path += "&labelSelector=" + UrlEncode(ask.selector);
  if (!page.empty()) ask.path += "&continue=" + UrlEncode(page);
}

Ask& AskFor(Walk& walk, std::string_view plural, std::string_view group) {
  Ask& ask = walk.ask.emplace();
  ask.kind = &KindOf(plural, group);
  if (ask.kind->group == std::string_view(kStores)) ask.version = walk.store_version;
  SetPath(walk, ask);
  return ask;
}

// `name` comes from an object: only a real one may become part of a path.
bool AskForOne(Walk& walk, std::string_view plural, std::string_view group, std::string_view name) {
  if (!IsObjectName(name)) return false;
  Ask& ask = AskFor(walk, plural, group);
  ask.name = name;
  SetPath(walk, ask);
  return true;
}

bool IsOwned(const Walk& walk, const Json& object) {
  for (const Json& owner : object["metadata"]["ownerReferences"].items()) {
    if (!walk.owner.empty() && owner["uid"].AsString() == walk.owner &&
        owner["controller"].AsBool() == true) {
      return true;
    }
  }
  return false;
}

void AskForOwned(Walk& walk, std::string_view plural, std::string_view group, std::string owner) {
  walk.owner = std::move(owner);
  AskFor(walk, plural, group).keep = IsOwned;
}

// --- cert-manager ---

void AskForIssuer(Walk& walk, const Json& reference) {
  const std::string_view group = reference["group"].AsString();
  const std::string_view kind = reference["kind"].AsString();
  const std::string_view name = reference["name"].AsString();
  const bool cluster = kind == "ClusterIssuer";
  if (group.empty() || group == kCertManager) {
    if ((cluster || kind.empty() || kind == "Issuer") &&
        AskForOne(walk, cluster ? "clusterissuers" : "issuers", kCertManager, name)) {
      return;
    }
    Add(walk, Severity::kCause, walk.label,
        "spec.issuerRef names no issuer (kind \"%s\", name \"%s\")", Words(kind, 100).c_str(),
        Words(name, 253).c_str());
    return;
  }
  Add(walk, Severity::kInfo,
      Format("%s.%s/%s", ToLower(Words(kind, 100)).c_str(), Words(group, 253).c_str(),
             Words(name, 253).c_str()),
      "is an external issuer, which a controller of its own serves: is that running?");
}

// cert-manager's trigger controller: 1h, doubled with each failure, 32h at most.
std::optional<WallTime> RetryAt(const Json& status) {
  const Result<WallTime> failed = ParseWallTime(status["lastFailureTime"].AsString());
  if (!failed) return std::nullopt;
  const int64_t attempts = status["failedIssuanceAttempts"].AsInt().value_or(1);
  const int64_t doublings = attempts < 1 ? 0 : attempts > 6 ? 5 : attempts - 1;
  return *failed + std::chrono::hours(int64_t{1} << doublings);
}

void TellFailedIssuance(Walk& walk, const std::string& label, const Json& object) {
  const Json& issuing = FindCondition(object, "Issuing");
  const Json& status = object["status"];
  walk.stale = IsStale(object, issuing);
  walk.words = Words(issuing["message"], 2 * kMaxWords);
  if (walk.stale) {
    Add(walk, Severity::kInfo, label, "an issuance failed before its latest change: %s",
        walk.words.c_str());
    return;
  }
  walk.retry_at = RetryAt(status);
  if (walk.retry_at) {
    const std::string next = FormatWallTime(*walk.retry_at);
    Add(walk, Severity::kInfo, label, "attempt %lld failed at %s; the next is at %s",
        static_cast<long long>(status["failedIssuanceAttempts"].AsInt().value_or(1)),
        Words(status["lastFailureTime"], 40).c_str(), next.c_str());
    if (walk.deadline && *walk.retry_at > *walk.deadline) {
      walk.hopeless =
          Format("%s: the next issuance is at %s, too late", label.c_str(), next.c_str());
    }
  }
  constexpr std::string_view kPreamble = "will be retried: ";
  const size_t preamble = walk.words.find(kPreamble);
  const std::string words =
      preamble == std::string::npos ? walk.words : walk.words.substr(preamble + kPreamble.size());
  Add(walk, Severity::kCause, label, "%s",
      words.empty() ? "its issuance failed, and nobody says why"
                    : IssuersWords(walk.spec, words).c_str());
  Advise(walk, label, words);
}

void TellIssuance(Walk& walk, const std::string& label, const Json& object) {
  const Json& issuing = FindCondition(object, "Issuing");
  if (issuing["status"].AsString() == "False") return TellFailedIssuance(walk, label, object);
  walk.issuing = issuing["status"].AsString() == "True";
  if (!walk.issuing) return;
  walk.issuing_since = issuing["lastTransitionTime"].AsString();
  Add(walk, Severity::kInfo, label, "is being issued since %s%s",
      Words(walk.issuing_since, 40).c_str(), InBrackets(issuing).c_str());
}

// Those that were found by their spec.secretName.
bool TellFillers(Walk& walk, const Objects& fillers) {
  if (!std::exchange(walk.searching, false)) return true;
  if (fillers.size() > 1) {
    Add(walk, Severity::kCause, walk.label, "%zu %s fill it (%s, %s%s), undoing each other's work",
        fillers.size(), walk.kind->plural, Name(*fillers[0]).c_str(), Name(*fillers[1]).c_str(),
        fillers.size() > 2 ? ", …" : "");
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

void SearchExternalSecret(Walk& walk) {
  walk.searching = true;
  AskFor(walk, "externalsecrets", kStores).keep = TargetsSecret;
}

void VisitCertificate(Walk& walk, const Reply& reply) {
  if (!TellFillers(walk, reply.objects)) {
    return SearchExternalSecret(walk);
  }
  if (reply.objects.empty()) return;
  const Json& object = *reply.objects[0];
  const std::string label = Label(*walk.kind, object);
  walk.spec = object["spec"];
  const bool ready = TellReady(walk, label, object);
  TellIssuance(walk, label, object);
  if (ready && FindCondition(object, "Issuing").is_null()) return;
  // "it will have the annotation set to one greater than the current value of this field":
  // CertificateStatus.revision in the API reference.
  const int64_t revision = object["status"]["revision"].AsInt().value_or(0);
  walk.revision = Format("%lld", static_cast<long long>(revision < INT32_MAX ? revision + 1 : 0));
  AskForOwned(walk, "certificaterequests", kCertManager, Uid(object));
}

constexpr Row kRequestRows[] = {
    {"Denied", "True", nullptr, "was denied", Severity::kCause, true},
    {"InvalidRequest", "True", nullptr, "is invalid, its issuer says", Severity::kCause, true},
    {"Ready", "False", "Denied", "was denied", Severity::kCause, true},
    {"Ready", "True", nullptr, "is issued", Severity::kInfo},
    {"Ready", "False", "Failed", "failed", Severity::kCause},
    {"Approved", "", nullptr, "nobody has approved it: is an approver running?", Severity::kCause},
    {"Ready", "False", "Pending", "waits", Severity::kCause},
    {"Ready", nullptr, nullptr, "is not ready", Severity::kCause},
    {"Ready", "", nullptr, "is approved, but its issuer has not taken it up: is that running?",
     Severity::kCause},
};

// The newest of the wanted revision: names may differ, and of two the older is about to go.
const Json* PickRequest(const Walk& walk, const Objects& requests) {
  const Json* best = nullptr;
  std::string_view newest;
  for (const Json* request : requests) {
    const Json& metadata = (*request)["metadata"];
    const std::string_view revision =
        metadata["annotations"]["cert-manager.io/certificate-revision"].AsString();
    const std::string_view created = metadata["creationTimestamp"].AsString();
    if (!walk.revision.empty() && revision != walk.revision) continue;
    if (best == nullptr || created > newest) {
      best = request;
      newest = created;
    }
  }
  return best;
}

// While a new attempt begins, the failed request of the one before is still there.
bool IsOfEarlierAttempt(const Walk& walk, const Json& request) {
  const Result<WallTime> failed = ParseWallTime(request["status"]["failureTime"].AsString());
  const Result<WallTime> since = ParseWallTime(walk.issuing_since);
  return walk.issuing && failed && since && *failed < *since;
}

// Whether what comes after the request can say more.
bool TellRequest(Walk& walk, const Json& request) {
  const std::string label = Label(*walk.kind, request);
  if (IsOfEarlierAttempt(walk, request)) {
    Add(walk, Severity::kInfo, label, "failed in the attempt before; a new one is beginning");
    return false;
  }
  const Row* row = Match(kRequestRows, request);
  if (row == nullptr) return true;
  const Json& condition = FindCondition(request, row->type);
  const std::string message = Words(condition["message"]);
  if (row->severity == Severity::kInfo || message.empty()) {
    Add(walk, row->severity, label, "%s%s", row->text,
        row->severity == Severity::kInfo ? "" : InBrackets(condition).c_str());
  } else if (walk.words.find(message.substr(0, kMaxWords / 2)) != std::string::npos) {
    Add(walk, Severity::kInfo, label, "%s, in the same words", row->text);
  } else {
    Add(walk, row->severity, label, "%s: %s", row->text, IssuersWords(walk.spec, message).c_str());
    Advise(walk, label, message);
  }
  if (row->final && !walk.stale) {
    walk.hopeless = Format("%s %s%s", label.c_str(), row->text, InBrackets(condition).c_str());
  }
  return row->severity != Severity::kInfo && !row->final;
}

void VisitRequest(Walk& walk, const Reply& reply) {
  walk.owner.clear();
  const Json* request = PickRequest(walk, reply.objects);
  if (request == nullptr) {
    if (walk.revision.empty()) return;
    if (reply.read) {
      Add(walk, walk.issuing ? Severity::kCause : Severity::kInfo, walk.kind->plural,
          "there is none of revision %s%s", walk.revision.c_str(),
          walk.issuing ? " yet: is cert-manager running?" : "");
    }
    return AskForIssuer(walk, walk.spec["issuerRef"]);
  }
  if (!TellRequest(walk, *request)) return;
  walk.owner = Uid(*request);
  AskForIssuer(walk, (*request)["spec"]["issuerRef"]);
}

void VisitIssuer(Walk& walk, const Reply& reply) {
  if (reply.read) {
    if (reply.objects.empty()) {
      if (walk.kind->namespaced && walk.asked > 0) {
        Add(walk, Severity::kHint, walk.label,
            "is a ClusterIssuer meant? spec.issuerRef.kind is Issuer if it is left out");
      }
      return;
    }
    const Json& issuer = *reply.objects[0];
    TellReady(walk, Label(*walk.kind, issuer), issuer);
    if (!issuer["spec"]["acme"].is_object()) return;
  }
  // Who may not read the issuer cannot tell whether it is one of ACME.
  if (!walk.owner.empty()) AskForOwned(walk, "orders", kAcme, walk.owner);
}

bool IsFinalFailure(std::string_view state) {
  return state == "invalid" || state == "expired" || state == "errored";
}

void VisitOrder(Walk& walk, const Reply& reply) {
  if (reply.objects.empty()) return;
  const Json& order = *reply.objects[0];
  const std::string label = Label(*walk.kind, order);
  const std::string state = Words(order["status"]["state"], 100);
  const std::string reason = Words(order["status"]["reason"]);
  Add(walk, IsFinalFailure(state) ? Severity::kCause : Severity::kInfo, label, "is %s%s%s",
      state.empty() ? "not placed yet" : state.c_str(), reason.empty() ? "" : ": ", reason.c_str());
  Advise(walk, label, reason);
  if (state == "valid") return;
  AskForOwned(walk, "challenges", kAcme, Uid(order));
}

void TellChallenge(Walk& walk, const Json& challenge) {
  const Json& spec = challenge["spec"];
  const Json& status = challenge["status"];
  const std::string label = Label(*walk.kind, challenge);
  const std::string state = Words(status["state"], 100);
  const std::string reason = Words(status["reason"]);
  const bool queued = state.empty() && status["processing"].AsBool() != true;
  const bool presented = IsFinalFailure(state) || status["presented"].AsBool() == true;
  Add(walk, Severity::kCause, label, "%s for %s%s is %s%s%s%s", Words(spec["type"], 100).c_str(),
      spec["wildcard"].AsBool() == true ? "*." : "", Words(spec["dnsName"], 253).c_str(),
      queued          ? "not begun yet"
      : state.empty() ? "begun"
                      : state.c_str(),
      presented || queued ? "" : ", not presented yet", reason.empty() ? "" : ": ", reason.c_str());
  Advise(walk, label, reason);
}

void VisitChallenge(Walk& walk, const Reply& reply) {
  size_t open = 0;
  for (const Json* challenge : reply.objects) {
    if ((*challenge)["status"]["state"].AsString() == "valid") continue;
    if (++open <= kMaxShown) TellChallenge(walk, *challenge);
  }
  if (open > kMaxShown) {
    Add(walk, Severity::kInfo, walk.kind->plural, "%zu more are open", open - kMaxShown);
  }
}

// --- external-secrets ---

// Which keys of the provider it reads: the names only.
std::string RemoteKeys(const Json& spec) {
  std::string keys;
  size_t count = 0;
  const auto add = [&](const Json& reference) {
    const std::string key = Words(reference["key"], 200);
    const std::string property = Words(reference["property"], 200);
    if (key.empty() || ++count > kMaxShown) return;
    keys += Format("%s%s%s%s", count == 1 ? "" : ", ", key.c_str(), property.empty() ? "" : "#",
                   property.c_str());
  };
  for (const Json& data : spec["data"].items()) add(data["remoteRef"]);
  for (const Json& data : spec["dataFrom"].items()) add(data["extract"]);
  return count > kMaxShown ? keys + ", …" : keys;
}

const Json& StoreOf(const Json& spec) {
  const Json& reference = spec["secretStoreRef"];
  if (!reference["name"].AsString().empty()) return reference;
  for (const char* list : {"data", "dataFrom"}) {
    const Json& own = spec[list][size_t{0}]["sourceRef"]["storeRef"];
    if (own.is_object()) return own;
  }
  return reference;
}

void VisitExternalSecret(Walk& walk, const Reply& reply) {
  if (!TellFillers(walk, reply.objects)) {
    if (walk.searched_all) {
      Add(walk, Severity::kCause, walk.label,
          "no Certificate and no ExternalSecret of its namespace fills it");
    }
    return;
  }
  if (reply.objects.empty()) return;
  const Json& object = *reply.objects[0];
  const Json& spec = object["spec"];
  const std::string label = Label(*walk.kind, object);
  if (TellReady(walk, label, object)) return;
  const std::string synced = Words(object["status"]["refreshTime"], 40);
  const std::string keys = RemoteKeys(spec);
  Add(walk, Severity::kInfo, label, "%s%s; it reads %s",
      synced.empty() ? "never synced" : "synced at ", synced.c_str(),
      keys.empty() ? "no key by name" : keys.c_str());
  const Json& store = StoreOf(spec);
  const bool cluster = store["kind"].AsString() == "ClusterSecretStore";
  if (!AskForOne(walk, cluster ? "clustersecretstores" : "secretstores", kStores,
                 store["name"].AsString())) {
    Add(walk, Severity::kInfo, label, "spec.secretStoreRef names no store");
  }
}

void VisitReady(Walk& walk, const Reply& reply) {
  if (reply.objects.empty()) return;
  const Json& object = *reply.objects[0];
  // The kind of a target may be one that has no row.
  TellReady(walk, *walk.kind->name == '\0' ? walk.label : Label(*walk.kind, object), object);
}

// --- secret ---

void VisitSecret(Walk& walk, const Reply& reply) {
  if (reply.objects.empty()) {
    walk.searching = true;
    AskFor(walk, "certificates", kCertManager).keep = NamesSecret;
    return;
  }
  const Json& metadata = (*reply.objects[0])["metadata"];
  const Json& certificate = metadata["annotations"]["cert-manager.io/certificate-name"];
  if (AskForOne(walk, "certificates", kCertManager, certificate.AsString())) return;
  for (const Json& owner : metadata["ownerReferences"].items()) {
    if (owner["kind"].AsString() == "ExternalSecret" &&
        AskForOne(walk, "externalsecrets", kStores, owner["name"].AsString())) {
      return;
    }
  }
}

// --- pods ---

std::string DescribeExit(const Json& terminated) {
  const std::string message = Words(terminated["message"], 300);
  return Format("exit code %lld (%s)%s%s",
                static_cast<long long>(terminated["exitCode"].AsInt().value_or(-1)),
                Words(terminated["reason"], 100).c_str(), message.empty() ? "" : ": ",
                message.c_str());
}

// What keeps one container from being ready; "" if nothing does.
std::string DescribeContainer(const Json& container, bool is_init, bool initialized) {
  const Json& state = container["state"];
  const Json& ended = state["terminated"];
  const Json& last = container["lastState"]["terminated"];
  const std::string name =
      Format("%scontainer %s", is_init ? "init " : "", Words(container["name"], 100).c_str());
  const std::string before = last.is_object() ? "; before: " + DescribeExit(last) : "";
  if (state["waiting"].is_object()) {
    if (state["waiting"]["reason"].AsString() == "PodInitializing") return "";
    return Format("%s waits%s%s", name.c_str(), InBrackets(state["waiting"]).c_str(),
                  before.c_str());
  }
  if (ended.is_object()) {
    if (is_init && ended["exitCode"].AsInt() == 0) return "";
    return Format("%s ended with %s", name.c_str(), DescribeExit(ended).c_str());
  }
  if (is_init) return initialized ? "" : Format("%s still runs%s", name.c_str(), before.c_str());
  if (container["ready"].AsBool() != false) return "";
  return Format("%s runs but is not ready: its readiness probe has not succeeded%s", name.c_str(),
                before.c_str());
}

std::string DescribePod(const Json& pod) {
  const Json& status = pod["status"];
  const std::string phase = Words(status["phase"], 100);
  if (pod["metadata"]["deletionTimestamp"].is_string()) return "is being deleted";
  if (phase == "Succeeded" || phase == "Failed") return phase + InBrackets(status);
  if (HasStatus(pod, "PodScheduled", "False")) {
    return "is not scheduled" + InBrackets(FindCondition(pod, "PodScheduled"));
  }
  const bool initialized = HasStatus(pod, "Initialized", "True");
  for (const bool is_init : {true, false}) {
    for (const Json& container :
         status[is_init ? "initContainerStatuses" : "containerStatuses"].items()) {
      std::string text = DescribeContainer(container, is_init, initialized);
      if (!text.empty()) return text;
    }
  }
  return Format("is %s, not ready%s", phase.empty() ? "new" : phase.c_str(),
                InBrackets(FindCondition(pod, "Ready")).c_str());
}

void CountPods(Walk& walk, const Objects& pods) {
  size_t ready = 0;
  for (const Json* pod : pods) ready += size_t{HasStatus(*pod, "Ready", "True")};
  if (pods.empty()) {
    Add(walk, Severity::kCause, walk.label, "there is no pod with its labels (%s)",
        Words(walk.selector, 300).c_str());
  } else {
    Add(walk, Severity::kInfo, walk.label, "%zu of its %zu pods are ready", ready, pods.size());
  }
}

void VisitPods(Walk& walk, const Reply& reply) {
  if (!reply.read) {
    // Endpoints are easier to be allowed to read, and name the pods that are not ready.
    if (walk.ask_endpoints) AskForOne(walk, "endpoints", "", walk.name);
    return;
  }
  if (walk.asked > 0) CountPods(walk, reply.objects);
  size_t waiting = 0;
  for (const Json* pod : reply.objects) {
    if (HasStatus(*pod, "Ready", "True") || ++waiting > kMaxShown) continue;
    Add(walk, Severity::kCause, Label(*walk.kind, *pod), "%s", DescribePod(*pod).c_str());
  }
}

// "a=b,c=d" of an object of labels.
std::string Selector(const Json& labels) {
  std::string selector;
  for (const Json::Member& label : labels.members()) {
    if (!selector.empty()) selector += ',';
    selector.append(label.key).append(1, '=').append(label.value.AsString());
  }
  return selector;
}

void AskForPods(Walk& walk, const Json& labels) {
  Ask& ask = AskFor(walk, "pods", "");
  walk.selector = Selector(labels);
  ask.selector = walk.selector;
  SetPath(walk, ask);
}

void VisitService(Walk& walk, const Reply& reply) {
  if (reply.objects.empty()) return;
  const Json& spec = (*reply.objects[0])["spec"];
  if (spec["type"].AsString() == "ExternalName" || spec["selector"].members().empty()) {
    Add(walk, Severity::kInfo, Label(*walk.kind, *reply.objects[0]),
        "has no selector: something else must fill its endpoints");
    return;
  }
  walk.ask_endpoints = walk.kind == walk.target_kind;
  AskForPods(walk, spec["selector"]);
}

void TellAddresses(Walk& walk, const Json& endpoints) {
  size_t ready = 0;
  size_t waiting = 0;
  std::string pods;
  for (const Json& subset : endpoints["subsets"].items()) {
    ready += subset["addresses"].items().size();
    for (const Json& address : subset["notReadyAddresses"].items()) {
      const std::string pod = Words(address["targetRef"]["name"], 253);
      if (++waiting <= kMaxShown && !pod.empty()) pods += (pods.empty() ? ": " : ", ") + pod;
    }
  }
  Add(walk, ready == 0 ? Severity::kCause : Severity::kInfo, Label(*walk.kind, endpoints),
      "%zu addresses are ready, %zu are not%s", ready, waiting, pods.c_str());
}

void VisitEndpoints(Walk& walk, const Reply& reply) {
  if (!reply.objects.empty() && (*reply.objects[0])["kind"].AsString() != "EndpointSlice") {
    TellAddresses(walk, *reply.objects[0]);
  }
  // Endpoints and slices have the name of their Service.
  if (walk.asked == 0) AskForOne(walk, "services", "", walk.name);
}

constexpr Row kWorkloadRows[] = {
    {"Failed", "True", nullptr, "failed", Severity::kCause},
    {"ReplicaFailure", "True", nullptr, "cannot create its pods", Severity::kCause},
    {"Progressing", "False", nullptr, "makes no progress", Severity::kCause},
    {"Available", "False", nullptr, "is not available", Severity::kCause},
};

void VisitWorkload(Walk& walk, const Reply& reply) {
  if (reply.objects.empty()) return;
  const Json& object = *reply.objects[0];
  const Row* row = Match(kWorkloadRows, object);
  if (row != nullptr) {
    Add(walk, row->severity, walk.label, "%s%s", row->text,
        InBrackets(FindCondition(object, row->type)).c_str());
  }
  const Json& selector = object["spec"]["selector"];
  if (selector["matchLabels"].members().empty()) return;
  AskForPods(walk, selector["matchLabels"]);
}

// --- the table ---

constexpr const char kKubernetes[] = "its controller";

constexpr Kind kKinds[] = {
    {"certificate", "certificates", kCertManager, true, VisitCertificate, "cert-manager"},
    {"certificaterequest", "certificaterequests", kCertManager, true, VisitRequest, "cert-manager"},
    {"issuer", "issuers", kCertManager, true, VisitIssuer, "cert-manager"},
    {"clusterissuer", "clusterissuers", kCertManager, false, VisitIssuer, "cert-manager"},
    {"order", "orders", kAcme, true, VisitOrder, "cert-manager"},
    {"challenge", "challenges", kAcme, true, VisitChallenge, "cert-manager"},
    {"externalsecret", "externalsecrets", kStores, true, VisitExternalSecret, "external-secrets"},
    {"secretstore", "secretstores", kStores, true, VisitReady, "external-secrets"},
    {"clustersecretstore", "clustersecretstores", kStores, false, VisitReady, "external-secrets"},
    {"secret", "secrets", "", true, VisitSecret, kKubernetes},
    {"pod", "pods", "", true, VisitPods, kKubernetes},
    {"service", "services", "", true, VisitService, kKubernetes},
    {"endpoints", "endpoints", "", true, VisitEndpoints, kKubernetes},
    {"endpointslice", "endpointslices", "discovery.k8s.io", true, VisitEndpoints, kKubernetes},
    {"deployment", "deployments", "apps", true, VisitWorkload, kKubernetes},
    {"statefulset", "statefulsets", "apps", true, VisitWorkload, kKubernetes},
    {"daemonset", "daemonsets", "apps", true, VisitWorkload, kKubernetes},
    {"replicaset", "replicasets", "apps", true, VisitWorkload, kKubernetes},
    {"job", "jobs", "batch", true, VisitWorkload, kKubernetes},
    {"", "", "", true, VisitReady, kKubernetes},  // any other
};

const Kind& KindOf(std::string_view plural, std::string_view group) {
  const Kind* kind = kKinds;
  while (*kind->name != '\0' && (plural != kind->plural || group != kind->group)) ++kind;
  return *kind;
}

// --- answers ---

std::string GroupResource(const Kind& kind) {
  return Format("%s%s%s", kind.plural, *kind.group == '\0' ? "" : ".", kind.group);
}

std::string LabelOf(const Ask& ask) {
  if (ask.name.empty()) return ask.kind->plural;
  return Format("%s/%s", ask.kind->name, ask.name.c_str());
}

// The object does not exist; false: its whole type does not, so far as is known.
bool IsMissing(const Ask& ask, const ApiAnswer& answer) {
  return !ask.name.empty() && StatusOf(answer)["details"]["name"].AsString() == ask.name;
}

// Whether the link has been read, if only as missing.
bool TellTrouble(Walk& walk, const Ask& ask, const ApiAnswer& answer) {
  const std::string type = GroupResource(*ask.kind);
  if (answer.status == 404 && IsMissing(ask, answer)) {
    Add(walk, Severity::kCause, LabelOf(ask), "does not exist%s%s",
        ask.kind->namespaced ? " in namespace " : "", ask.kind->namespaced ? walk.ns.c_str() : "");
    return true;
  }
  if (answer.status == 404) {
    // Nobody need have both of the operators that may fill a Secret.
    if (walk.searching) return false;
    Add(walk, Severity::kHint, LabelOf(ask), "the API server does not serve %s", type.c_str());
  } else if (answer.status == 403) {
    Add(walk, Severity::kHint, LabelOf(ask), "not allowed to read %s: grant %s to see more",
        type.c_str(), ask.name.empty() ? "list" : "get");
  } else {
    Add(walk, Severity::kHint, LabelOf(ask), "could not be read: %s",
        DescribeAnswer(answer).c_str());
  }
  walk.searched_all = false;
  return false;
}

// Older installations of external-secrets serve v1beta1 only.
bool AskOlderVersion(Walk& walk, Ask& ask, const ApiAnswer& answer) {
  if (answer.status != 404 || IsMissing(ask, answer) || ask.version != "v1" ||
      ask.kind->group != std::string_view(kStores)) {
    return false;
  }
  walk.store_version = ask.version = "v1beta1";
  SetPath(walk, ask);
  walk.ask = std::move(ask);
  return true;
}

// Keeps what is wanted of the answer. False: another page was asked for, or it is no answer.
bool Read(Walk& walk, Ask& ask, const ApiAnswer& answer, bool& read) {
  Result<Json> body = ParseJson(answer.body);
  if (!body) {
    Add(walk, Severity::kHint, LabelOf(ask), "could not be read: %s", body.error().text.c_str());
    walk.searched_all = read = false;
    return true;
  }
  read = true;
  if (!ask.name.empty()) {
    ask.kept.push_back(*std::move(body));
    return true;
  }
  const std::string page(Words((*body)["metadata"]["continue"], 8192));
  for (Json& item : body->Take("items").TakeItems()) {
    const bool keep = ask.keep == nullptr || ask.keep(walk, item);
    if (keep && ask.kept.size() < kMaxKept) ask.kept.push_back(std::move(item));
  }
  if (page.empty() || walk.asked >= kMaxQuestions) return true;
  SetPath(walk, ask, page);
  walk.ask = std::move(ask);
  return false;
}

void Visit(Walk& walk, const Kind& kind, const Reply& reply) {
  walk.kind = &kind;
  kind.visit(walk, reply);
  if (!walk.ask || walk.asked < kMaxQuestions) return;
  walk.ask.reset();
  Add(walk, Severity::kHint, walk.label, "there is more to look at than %zu answers",
      kMaxQuestions);
}

void TakeAnswer(Walk& walk, Ask ask, const ApiAnswer& answer) {
  Reply reply;
  if (answer.status == 200) {
    if (!Read(walk, ask, answer, reply.read)) return;
  } else {
    if (AskOlderVersion(walk, ask, answer)) return;
    reply.read = TellTrouble(walk, ask, answer);
  }
  for (const Json& object : ask.kept) reply.objects.push_back(&object);
  Visit(walk, *ask.kind, reply);
}

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kHint:
      return "hint";
    case Severity::kCause:
      break;
  }
  return "cause";
}

}  // namespace

Diagnosis::Diagnosis(const Target& target, const Json* object, std::optional<WallTime> deadline)
    : walk_(std::make_unique<Walk>()) {
  Walk& walk = *walk_;
  walk.ns = target.ns;
  walk.name = target.name.name;
  walk.deadline = deadline;
  walk.target_kind = &KindOf(target.resource.plural, target.resource.group);
  walk.label = Format("%s/%s", ToLower(target.resource.kind).c_str(), walk.name.c_str());
  if (target.resource.group == kStores) walk.store_version = target.resource.version;
  Reply reply{true, {}};
  if (object != nullptr) {
    reply.objects.push_back(object);
  } else if (target.resource.plural != "endpointslices") {
    Add(walk, Severity::kCause, walk.label, "does not exist%s%s",
        target.resource.namespaced ? " in namespace " : "",
        target.resource.namespaced ? walk.ns.c_str() : "");
  }
  Visit(walk, *walk.target_kind, reply);
}

Diagnosis::~Diagnosis() = default;
Diagnosis::Diagnosis(Diagnosis&&) noexcept = default;
Diagnosis& Diagnosis::operator=(Diagnosis&&) noexcept = default;

const std::string* Diagnosis::question() const { return walk_->ask ? &walk_->ask->path : nullptr; }

void Diagnosis::OnAnswer(const ApiAnswer& answer) {
  if (!walk_->ask) return;
  Ask ask = *std::exchange(walk_->ask, std::nullopt);
  ++walk_->asked;
  walk_->kind = ask.kind;
  TakeAnswer(*walk_, std::move(ask), answer);
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
  const bool own = best->label == walk_->label;
  std::string line =
      Format("%s%s%s", own ? "" : best->label.c_str(), own ? "" : ": ", best->text.c_str());
  if (!walk_->retry_at) return line;
  if (*walk_->retry_at <= now) return line + "; the next attempt is due";
  Duration rest = *walk_->retry_at - now;
  if (rest >= 2min) rest = std::chrono::floor<std::chrono::minutes>(rest);
  return line + "; next attempt in " + RoughDuration(rest);
}

std::string Diagnosis::ToJson(WallTime now) const {
  const Walk& walk = *walk_;
  std::string out = Format("{\"target\":%s,\"namespace\":%s,\"summary\":%s,\"findings\":[",
                           JsonQuote(walk.label).c_str(), JsonQuote(walk.ns).c_str(),
                           JsonQuote(Summary(now)).c_str());
  for (const Finding& finding : walk.findings) {
    out += Format("%s{\"object\":%s,\"severity\":\"%s\",\"text\":%s}",
                  &finding == walk.findings.data() ? "" : ",", JsonQuote(finding.label).c_str(),
                  SeverityName(finding.severity), JsonQuote(finding.text).c_str());
  }
  const std::string next = walk.retry_at ? JsonQuote(FormatWallTime(*walk.retry_at)) : "null";
  const std::string hopeless = walk.hopeless.empty() ? "null" : JsonQuote(walk.hopeless);
  return out + Format("],\"nextAttempt\":%s,\"hopeless\":%s}", next.c_str(), hopeless.c_str());
}

}  // namespace certlatch
