#include "app/wait.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

// --timeout=0 asks for one look; an API server that does not answer must not make it a long one.
constexpr Duration kOneLook = 30s;

// A goal and which of its target's collections it is judged by.
struct PlannedGoal {
  const Goal& goal;
  std::vector<size_t> sources;
};

// kubectl names the type it does not find without its group.
std::string NoSuchType(std::string_view type) {
  return Format("error: the server doesn't have a resource type \"%s\"",
                Printable(type.substr(0, type.find('.')), 300).c_str());
}

std::string NotFound(const std::string& group_resource, const std::string& name) {
  return Format("Error from server (NotFound): %s \"%s\" not found", group_resource.c_str(),
                name.c_str());
}

// What a Secret holds is never told, not even as what it is not.
Disclosure DisclosureOf(const Target& target) {
  return target.resource.GroupResource() == "secrets" ? Disclosure::kNoValues : Disclosure::kAll;
}

bool IsReady(const Goal& goal) { return std::holds_alternative<ReadyGoal>(goal); }
bool IsCreate(const Goal& goal) { return std::holds_alternative<CreateGoal>(goal); }
bool IsDelete(const Goal& goal) { return std::holds_alternative<DeleteGoal>(goal); }

}  // namespace

struct Wait::Item {
  enum class State { kPending, kMet, kFailed };

  Target target;
  State state = State::kPending;
  std::unique_ptr<ResourceFinder> finder;
  std::vector<std::unique_ptr<ObjectWatcher>> watchers;
  std::vector<PlannedGoal> goals;
  std::vector<uint64_t> judged;  // the collections' revisions at the last judgement
  bool judge_again = true;       // though no collection changed
  bool seen = false;             // all collections have been known once
  std::string uid;               // of the object first seen: another one of its name is not it
  bool told = false;             // that it is met
  bool silent = false;           // nothing is to be told
  Backoff backoff{100ms, 2s, 0};
  Handle timer;  // to resolve again, or to look again
  Handle namespace_request;
  std::string reason;   // why it is not met, as last judged
  std::string trouble;  // why its present state is not known
  std::string error;    // the last word on it

  void Close(State decided) {
    state = decided;
    timer.reset();
    namespace_request.reset();
    for (const auto& watcher : watchers) watcher->Close();
  }
  std::string Label() const {
    return target.resource.kind.empty() ? target.name.text : target.Label();
  }
  // Of the object that the target names (of endpointslices, of all that belong to it).
  bool IsAbsent() const { return watchers[0]->collection().objects.empty(); }
  // Whether those named after it may be told to be met: there has been an answer, if a bad one.
  bool Answered() const { return state != State::kPending || seen || !trouble.empty(); }
  std::string WhyNot() const {
    if (trouble.empty()) return reason.empty() ? "no answer from the API server" : reason;
    if (reason.empty()) return trouble;
    return Format("%s (as last seen; %s)", reason.c_str(), trouble.c_str());
  }
  std::string ErrorLine(const std::string& why) const {
    return Format("error: %s: %s", Label().c_str(), why.c_str());
  }
};

Wait::Wait(Host& host, WaitOptions& options, Function<void(WaitResult)> done)
    : host_(host), options_(options), done_(std::move(done)) {
  // An object must exist before anything else can be asked of it (kubectl 1.36 does the same).
  std::vector<Goal> goals;
  for (const bool creates : {true, false}) {
    for (Goal& goal : options_.goals) {
      if (IsCreate(goal) == creates) goals.push_back(std::move(goal));
    }
  }
  if (goals.empty()) goals.emplace_back();
  options_.goals = std::move(goals);
  for (const TargetName& name : options_.targets) {
    items_.push_back(std::make_unique<Item>());
    items_.back()->target.name = name;
    items_.back()->backoff = Backoff(100ms, 2s, options_.watch.seed);
  }
}

Wait::~Wait() = default;

void Wait::Start() {
  const Duration length = options_.timeout == Duration::zero() ? kOneLook : options_.timeout;
  deadline_ = SaturatingAdd(host_.Now(), length);
  deadline_timer_ = host_.After(length, [this] { OnTimeout(); });
  for (const auto& item : items_) Resolve(*item);
}

void Wait::Interrupt(const char* signal) {
  if (finished_) return;
  std::vector<std::string> errors;
  for (const auto& item : items_) {
    if (item->state == Item::State::kMet) continue;
    errors.push_back(Format("error: interrupted by %s: %s: %s", signal, item->Label().c_str(),
                            item->WhyNot().c_str()));
  }
  Finish(WaitOutcome::kNotMet, std::move(errors));
}

// --- which type is it? ---

void Wait::Resolve(Item& item) {
  for (const TypeName& name : ReadTypeName(item.target.name.type)) {
    std::optional<Resource> known = FindWellKnown(name);
    if (!known) continue;
    return OnResolved(item, *std::move(known));
  }
  item.finder = std::make_unique<ResourceFinder>(
      host_, item.target.name.type, options_.watch.retry_unauthorized,
      [this, &item](Result<Resource> resource) { OnResolved(item, std::move(resource)); });
  item.finder->Start();
}

void Wait::OnResolved(Item& item, Result<Resource> resource) {
  if (resource) {
    item.target.resource = *std::move(resource);
    return WatchItem(item);
  }
  const Error& error = resource.error();
  const bool qualified = item.target.name.type.find('.') != std::string::npos;
  switch (error.code) {
    case Code::kNotFound:
      // A bare word that no API knows is a typing error; a full name may be a CRD yet to come.
      if (options_.as_kubectl) {
        return OnFailed(item, NoSuchType(item.target.name.type));
      }
      if (!qualified) return OnFailed(item, "error: " + error.text);
      return RetryResolve(item, options_.watch.poll_every, error.text + " (yet); is it installed?");
    case Code::kDenied:
      if (!options_.watch.retry_forbidden) {
        return OnFailed(item, item.ErrorLine(error.text));
      }
      [[fallthrough]];
    default:
      return RetryResolve(item, item.backoff.Next(), error.text);
  }
}

void Wait::RetryResolve(Item& item, Duration pause, const std::string& reason) {
  SayTrouble(item, reason);
  if (item.state != Item::State::kPending) return;
  item.timer = host_.After(pause, [this, &item] { Resolve(item); });
}

// --- watching ---

void Wait::WatchItem(Item& item) {
  const std::string& ns = item.target.name.ns.empty() ? options_.ns : item.target.name.ns;
  item.target.ns = item.target.resource.namespaced ? ns : "";
  std::vector<Selection> selections;
  for (const Goal& goal : options_.goals) {
    PlannedGoal planned{goal, {}};
    const std::vector<Selection> needs =
        IsReady(goal) ? ReadinessNeeds(item.target, {})
                      : std::vector<Selection>{
                            {item.target.resource, item.target.ns, item.target.name.name, ""}};
    for (const Selection& need : needs) {
      size_t same = 0;
      while (same < selections.size() && !(selections[same] == need)) ++same;
      planned.sources.push_back(same);
      if (same == selections.size()) selections.push_back(need);
    }
    item.goals.push_back(std::move(planned));
  }
  for (Selection& selection : selections) {
    WatchSettings settings = options_.watch;
    settings.seed += item.watchers.size() + 1;
    item.watchers.push_back(std::make_unique<ObjectWatcher>(host_, std::move(selection), settings,
                                                            [this, &item] { OnChange(item); }));
  }
  item.judged.assign(item.watchers.size(), 0);
  for (const auto& watcher : item.watchers) watcher->Start();
}

void Wait::OnChange(Item& item) {
  if (item.state != Item::State::kPending || finished_) return;
  if (CheckTrouble(item) || CheckExistence(item)) return;
  Judge(item);
  TellMet();
}

// True: nothing can be judged now (and the reason has been said), or the item has failed.
bool Wait::CheckTrouble(Item& item) {
  bool known = true;
  const Error* trouble = nullptr;
  for (const auto& watcher : item.watchers) {
    if (watcher->stopped()) {
      OnFailed(item, DeniedError(item, *watcher->trouble()));
      return true;
    }
    const Collection::Knowledge knowledge = watcher->collection().knowledge;
    const bool not_served = knowledge == Collection::Knowledge::kNotServed;
    if (not_served && options_.as_kubectl && !item.seen) {
      OnFailed(item, NoSuchType(item.target.name.type));
      return true;
    }
    known = known && knowledge == Collection::Knowledge::kKnown;
    if (watcher->trouble()) trouble = &*watcher->trouble();
  }
  if (trouble == nullptr) {
    item.trouble.clear();
    return !known;
  }
  // What is known may be long past: only what has been seen since counts.
  SayTrouble(item, trouble->text);
  return true;
}

std::string Wait::DeniedError(const Item& item, const Error& error) const {
  if (options_.as_kubectl && error.code == Code::kDenied) {
    return "Error from server (Forbidden): " + error.text;
  }
  return item.ErrorLine(error.text);
}

// True: the target is absent at the first look, and that decides it.
bool Wait::CheckExistence(Item& item) {
  if (std::exchange(item.seen, true)) return false;
  const bool must_exist = options_.as_kubectl || !options_.wait_for_existence;
  const bool waits_for_creation = IsCreate(options_.goals[0]);
  if (!must_exist || !item.IsAbsent() || waits_for_creation) return false;
  for (const Goal& goal : options_.goals) {
    if (!IsDelete(goal)) continue;
    OnMet(item, /*silent=*/true);  // as kubectl: nothing to delete, nothing to say
    return true;
  }
  const std::string& ns = item.target.ns;
  std::string missing = NotFound(item.target.resource.GroupResource(), item.target.name.name);
  if (!options_.as_kubectl || ns.empty() || ns == "default") {
    OnFailed(item, std::move(missing));
    return true;
  }
  // kubectl tells a namespace that does not exist from an object that does not.
  item.error = std::move(missing);
  item.namespace_request =
      host_.Fetch("/api/v1/namespaces/" + UrlEncode(ns), [this, &item](const ApiAnswer& answer) {
        OnFailed(item, answer.status == 404 ? NotFound("namespaces", item.target.ns) : item.error);
      });
  return true;
}

// --- judging ---

void Wait::Judge(Item& item) {
  bool changed = std::exchange(item.judge_again, false);
  for (size_t i = 0; i < item.watchers.size(); ++i) {
    const uint64_t revision = item.watchers[i]->collection().revision;
    changed = changed || item.judged[i] != revision;
    item.judged[i] = revision;
  }
  if (!changed) return;
  const Verdict verdict = JudgeGoals(item);
  switch (verdict.state) {
    case Verdict::State::kMet:
      return OnMet(item, /*silent=*/false);
    case Verdict::State::kImpossible:
      return OnFailed(item, item.ErrorLine(verdict.reason), WaitOutcome::kImpossible);
    case Verdict::State::kInvalid:
      return OnFailed(item, "error: " + verdict.reason);
    case Verdict::State::kUnmet:
      break;
  }
  Say(item, verdict.reason);
  if (options_.timeout == Duration::zero()) {
    return OnFailed(item, TimeoutError(item));
  }
  ScheduleRecheck(item, verdict);
}

// The object as `goal` sees it: to --for=delete, one that was created anew under the same name is
// not the one that was to go (kubectl compares uids, too).
const Json* Wait::SameObject(Item& item, const Goal& goal, const Collection& collection) {
  const Json* object = collection.Only();
  if (object == nullptr) return nullptr;
  const std::string_view uid = (*object)["metadata"]["uid"].AsString();
  if (item.uid.empty()) item.uid = std::string(uid);
  return IsDelete(goal) && uid != item.uid ? nullptr : object;
}

// All goals of the target hold of the same state, or the first that does not.
Verdict Wait::JudgeGoals(Item& item) const {
  for (const PlannedGoal& planned : item.goals) {
    std::vector<const Collection*> collections;
    for (const size_t source : planned.sources) {
      collections.push_back(&item.watchers[source]->collection());
    }
    Verdict verdict =
        IsReady(planned.goal)
            ? JudgeReady(item.target, collections, options_.readiness, host_.WallNow())
            : JudgeObject(SameObject(item, planned.goal, *collections[0]), planned.goal,
                          DisclosureOf(item.target));
    if (verdict.state != Verdict::State::kMet) return verdict;
  }
  return Verdict::Met();
}

void Wait::ScheduleRecheck(Item& item, const Verdict& verdict) {
  item.timer.reset();
  if (!verdict.recheck) return;
  // Wall time has whole seconds: a full one more, so that the moment has surely come.
  const std::chrono::seconds length = *verdict.recheck - host_.WallNow() + 1s;
  // At most a day: nanoseconds cannot count to the year 9999, which certificates reach.
  item.timer = host_.After(std::clamp<std::chrono::seconds>(length, 1s, 24h), [&item] {
    // The answer depends on the clock, and on an object that may have changed unseen.
    item.judge_again = true;
    for (const auto& watcher : item.watchers) watcher->Refresh();
  });
}

// --- telling ---

// "secret/x: REASON; still waiting, 41s left"
void Wait::Tell(const Item& item, LogLevel level, const char* event, const std::string& reason,
                const char* consequence) {
  const std::string label = item.Label();
  const Duration left = std::max<Duration>(deadline_ - host_.Now(), Duration::zero());
  host_.Log({level,
             event,
             Format("%s: %s; %s, %s left", label.c_str(), reason.c_str(), consequence,
                    RoughDuration(left).c_str()),
             {{"target", label}, {"reason", reason}}});
}

void Wait::Say(Item& item, const std::string& reason) {
  if (item.reason == reason) return;
  item.reason = reason;
  if (options_.timeout == Duration::zero()) return;  // the error will say it
  Tell(item, LogLevel::kInfo, "waiting", reason, "still waiting");
}

// The same trouble usually meets all targets: it is said once.
void Wait::SayTrouble(Item& item, const std::string& trouble) {
  bool said = false;
  for (const auto& other : items_) said = said || other->trouble == trouble;
  item.trouble = trouble;
  TellMet();
  if (options_.timeout == Duration::zero()) {
    return OnFailed(item, TimeoutError(item));
  }
  if (said) return;
  Tell(item, LogLevel::kWarning, "trouble", trouble, "retrying");
}

void Wait::OnMet(Item& item, bool silent) {
  item.Close(Item::State::kMet);
  item.silent = silent;
  TellMet();
  FinishIfDecided();
}

// What is met at the first look is told in the order of the command line, whoever answered first;
// what is met later at once.
void Wait::TellMet() {
  for (const auto& item : items_) {
    if (!item->Answered()) return;
    if (item->state != Item::State::kMet || std::exchange(item->told, true) || item->silent) {
      continue;
    }
    const std::string line =
        Format("%s/%s%s", item->target.resource.GroupKind().c_str(), item->target.name.name.c_str(),
               options_.name_only ? "" : " condition met");
    for (size_t i = 0; i < item->goals.size(); ++i) host_.Print(line);
  }
}

void Wait::OnFailed(Item& item, std::string error, WaitOutcome outcome) {
  item.Close(Item::State::kFailed);
  item.error = std::move(error);
  TellMet();
  // Under its own name one failure decides; kubectl goes on with the other targets.
  if (!options_.as_kubectl) return Finish(outcome, {item.error});
  FinishIfDecided();
}

std::string Wait::TimeoutError(const Item& item) const {
  const bool once = options_.timeout == Duration::zero();
  if (options_.as_kubectl) {
    // Nothing was ever seen of it: that is no condition which is not met.
    if (!item.seen && !item.trouble.empty()) return "error: " + item.trouble;
    if (!once && IsCreate(options_.goals[0]) && item.seen && item.IsAbsent()) {
      return "error: timed out waiting for the condition";
    }
    const std::string& plural = item.target.resource.plural;
    return Format("error: %s %s/%s",
                  once ? "condition not met for" : "timed out waiting for the condition on",
                  (plural.empty() ? item.target.name.type : plural).c_str(),
                  item.target.name.name.c_str());
  }
  if (once) return item.ErrorLine(item.WhyNot());
  return Format("error: timed out after %s: %s: %s", RoughDuration(options_.timeout).c_str(),
                item.Label().c_str(), item.WhyNot().c_str());
}

void Wait::OnTimeout() {
  for (const auto& item : items_) {
    if (item->state != Item::State::kPending) continue;
    item->state = Item::State::kFailed;
    item->error = TimeoutError(*item);
  }
  FinishIfDecided();
}

void Wait::FinishIfDecided() {
  std::vector<std::string> errors;
  for (const auto& item : items_) {
    if (item->state == Item::State::kPending) return;
    if (item->state == Item::State::kFailed) errors.push_back(item->error);
  }
  const WaitOutcome outcome = errors.empty() ? WaitOutcome::kMet : WaitOutcome::kNotMet;
  Finish(outcome, std::move(errors));
}

void Wait::Finish(WaitOutcome outcome, std::vector<std::string> errors) {
  if (std::exchange(finished_, true)) return;
  for (const auto& item : items_) {
    item->seen = true;  // nobody is waited for any more
    item->Close(item->state);
  }
  TellMet();
  done_({outcome, std::move(errors)});
}

}  // namespace certlatch
