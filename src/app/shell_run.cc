#include "app/shell_run.h"

#include <algorithm>
#include <utility>

#include "app/object_watcher.h"
#include "app/resource_finder.h"
#include "app/wait.h"
#include "base/text.h"
#include "domain/goal.h"
#include "domain/jsonpath.h"

namespace certlatch {
namespace {

// A loop that does not sleep must not keep a server busy.
constexpr Duration kShortestPause = 200ms;
constexpr Duration kHttpLimit = 30s;  // of one attempt
constexpr Duration kConnectLimit = 5s;

// The condition that a path such as {.status.conditions[?(@.type=="Ready")].status} asks for; "".
std::string_view ConditionIn(std::string_view path) {
  constexpr std::string_view kType = "@.type==";
  const size_t at = path.find(kType);
  if (at == std::string_view::npos) return "";
  path.remove_prefix(at + kType.size());
  const size_t start = path.find_first_not_of("\\\"'");
  if (start == std::string_view::npos) return "";
  path.remove_prefix(start);
  return path.substr(0, path.find_first_of("\\\"')"));
}

}  // namespace

// One test of the loop at work.
struct ShellRun::Look {
  enum class State { kUnknown, kUnmet, kHolds };

  const ScriptTest* test = nullptr;
  WaitOptions* options = nullptr;
  State state = State::kUnknown;
  std::string why;  // it does not hold, as last said
  Resource resource;
  std::unique_ptr<ResourceFinder> finder;
  std::unique_ptr<ObjectWatcher> watcher;
  std::unique_ptr<Wait> wait;
  Handle handle;  // a probe, or the pause before the type is looked for again

  const LoopProbe& probe() const { return test->probe; }
  bool IsSecret() const { return resource.GroupResource() == "secrets"; }

  std::string Label() const {
    std::string target = TargetOf(probe());
    const std::string_view type = probe().type;
    if (!target.empty()) return target;
    return probe().reachable ? probe().reachable->text : Printable(type.empty() ? "kubectl" : type);
  }

  // What `kubectl get` prints. False: it fails; `problem` is why, where it says more than that the
  // object is not there.
  bool Print(const Collection& known, std::string& printed, std::string& problem) const {
    const Json* const object = known.Only();
    const bool is_list = probe().name.empty();
    if (known.knowledge != Collection::Knowledge::kKnown) return false;
    if (!is_list && object == nullptr) return probe().ignore_not_found;
    if (probe().printed == LoopProbe::Printed::kName) {
      for (const Json::Member& one : known.objects) {
        const std::string_view name = one.value["metadata"]["name"].AsString();
        printed += Format("%s/%.*s\n", resource.GroupKind().c_str(), Length(name), name.data());
      }
    }
    if (probe().printed != LoopProbe::Printed::kJsonPath) return true;
    const Result<JsonPath> path = JsonPath::Parse(probe().path);
    if (!path) return false;
    Result<std::string> text = path->Print(is_list ? ListOf(known) : *object, true);
    if (!text) {
      problem = Format("kubectl get fails: %s", Printable(text.error().text, 200).c_str());
      return false;
    }
    printed = *std::move(text);
    return true;
  }

  static Json ListOf(const Collection& known) {
    Json::Array items;
    for (const Json::Member& one : known.objects) items.push_back(one.value);
    Json::Object list;
    list.push_back({"items", Json(std::move(items))});
    return Json(std::move(list));
  }

  // Why what kubectl gets does not end the loop. What a Secret holds is never told.
  std::string WhyNot(const Collection& known, bool succeeded, const std::string& printed,
                     std::string&& problem) const {
    const Json* const object = known.Only();
    if (object == nullptr) return "not found yet";
    if (test->condition.kind == LoopCondition::Kind::kSucceeds) {
      return succeeded ? "still there" : "cannot be printed so yet";
    }
    if (!problem.empty() && !IsSecret()) return std::move(problem);
    const std::string_view condition = ConditionIn(probe().path);
    if (!condition.empty() && !probe().name.empty()) {
      std::string reason = JudgeCondition(*object, condition).reason;
      if (!reason.empty()) return reason;
    }
    if (IsSecret()) return "not what the loop waits for yet";
    return Format("kubectl would print \"%s\"", Printable(printed, 100).c_str());
  }
};

ShellRun::ShellRun(Host& host, ShellOptions& options, Function<void(WaitResult&&)> done)
    : host_(host), options_(options), done_(std::move(done)) {}

ShellRun::~ShellRun() = default;

void ShellRun::Interrupt(const char* signal) {
  result_ = {WaitOutcome::kNotMet, {}};
  for (const auto& look : looks_) {
    if (look->state == Look::State::kHolds) continue;
    result_.errors.push_back(Format("error: interrupted by %s: %s: %s", signal,
                                    look->Label().c_str(),
                                    look->why.empty() ? "no answer yet" : look->why.c_str()));
  }
  if (result_.errors.empty()) result_.errors = {Format("error: interrupted by %s", signal)};
  GoTo(options_.plan.steps.size());
}

// The next step, when nobody who could tell of this one is on the stack any more.
void ShellRun::GoTo(size_t step) {
  over_ = true;
  at_ = step;
  timer_ = host_.After(0s, [this] { Proceed(); });
}

// Takes steps up to one that has to be waited for.
void ShellRun::Proceed() {
  looks_.clear();
  while (at_ < options_.plan.steps.size()) {
    const LoopStep& step = options_.plan.steps[at_];
    if (step.kind >= LoopStep::Kind::kUntil && step.kind != LoopStep::Kind::kExit) {
      return BeginTests(step);
    }
    result_ = {WaitOutcome::kMet, {}};
    ++at_;
    if (step.kind == LoopStep::Kind::kExit) break;
    if (step.kind == LoopStep::Kind::kPause) {
      timer_ = host_.After(step.pause, [this] { Proceed(); });
      return;
    }
    host_.Say(step.text, step.to_stderr);
  }
  done_(std::move(result_));
}

void ShellRun::BeginTests(const LoopStep& step) {
  over_ = false;
  for (size_t i = step.first_test; i < step.last_test; ++i) {
    looks_.push_back(std::make_unique<Look>());
    looks_.back()->test = options_.plan.tests[i].get();
    looks_.back()->options = options_.kubectl[i].get();
  }
  StartRound();
}

void ShellRun::StartRound() {
  round_ = true;
  for (const auto& look : looks_) Attempt(*look);
  CheckRound();
}

void ShellRun::Attempt(Look& look) {
  const LoopProbe& probe = look.probe();
  if (probe.kind == LoopProbe::Kind::kGet) {
    if (look.watcher == nullptr && look.finder == nullptr) return Resolve(look);
    if (look.watcher != nullptr && look.watcher->stopped()) look.watcher->Refresh();
    return;
  }
  look.state = Look::State::kUnknown;
  if (probe.kind == LoopProbe::Kind::kWait) {
    look.wait = std::make_unique<Wait>(host_, *look.options, [this, &look](WaitResult&& result) {
      OnWaited(look, std::move(result));
    });
    return look.wait->Start();
  }
  const bool http = probe.reachable->kind == Reachable::Kind::kHttp;
  look.handle =
      host_.Probe(*probe.reachable, http ? kHttpLimit : kConnectLimit,
                  [this, &look](const ProbeOutcome& outcome) { OnProbed(look, outcome); });
}

void ShellRun::OnProbed(Look& look, const ProbeOutcome& outcome) {
  const std::string status = Format("%03d", outcome.http_status);
  const bool http = look.probe().reachable->kind == Reachable::Kind::kHttp;
  Know(look, Holds(look.test->condition, outcome.ready, status),
       !outcome.ready ? outcome.reason
       : http         ? Format("HTTP %s", status.c_str())
                      : "still there",
       LogLevel::kInfo);
}

// `kubectl wait` says itself why it waits; what it ends with is said once.
void ShellRun::OnWaited(Look& look, WaitResult&& result) {
  if (over_) return;  // interrupted, and not yet left
  const bool met = result.outcome == WaitOutcome::kMet;
  const LoopStep& step = options_.plan.steps[at_];
  if (step.kind == LoopStep::Kind::kUntil) {
    const std::string why = result.errors.empty() ? "" : result.errors[0];
    return Know(look, Holds(look.test->condition, met, ""), why, LogLevel::kInfo);
  }
  result_ = {met ? WaitOutcome::kMet : WaitOutcome::kNotMet, std::move(result.errors)};
  const size_t next = met ? at_ + 1 : step.if_failed;
  // The last words are the owner's to say.
  if (next < options_.plan.steps.size()) {
    for (const std::string& error : result_.errors) {
      host_.Log({LogLevel::kError, "failed", error});
    }
  }
  GoTo(next);
}

void ShellRun::Resolve(Look& look) {
  look.finder = std::make_unique<ResourceFinder>(
      host_, std::string(look.probe().type), look.options->watch.retry_unauthorized,
      [this, &look](Result<Resource>&& resource) { OnResolved(look, std::move(resource)); });
  look.finder->Start();
}

void ShellRun::OnResolved(Look& look, Result<Resource>&& resource) {
  WatchSettings settings = look.options->watch;
  if (!resource) {
    // A type that is not there has no objects: kubectl fails.
    const bool answered = resource.error().code == Code::kNotFound;
    look.handle = host_.After(settings.poll_every, [this, &look] { Resolve(look); });
    return Know(look, answered && Holds(look.test->condition, false, ""), resource.error().text,
                LogLevel::kWarning);
  }
  look.resource = *std::move(resource);
  const LoopProbe& probe = look.probe();
  const bool everywhere = probe.all_namespaces || !look.resource.namespaced;
  Selection selection{look.resource, everywhere ? "" : look.options->ns, std::string(probe.name),
                      std::string(probe.selector), std::string(probe.field_selector)};
  // The loop would ask again, too.
  settings.retry_forbidden = true;
  for (const auto& other : looks_) settings.seed += other->watcher != nullptr ? 1U : 0U;
  look.watcher = std::make_unique<ObjectWatcher>(host_, std::move(selection), settings,
                                                 [this, &look] { OnChange(look); });
  look.watcher->Start();
}

void ShellRun::OnChange(Look& look) {
  const Collection& known = look.watcher->collection();
  const bool not_served = known.knowledge == Collection::Knowledge::kNotServed;
  const std::optional<Error>& trouble = look.watcher->trouble();
  // Whoever does not answer has not said that it is not there.
  if (trouble && !not_served) return Know(look, false, trouble->text, LogLevel::kWarning);
  if (known.knowledge == Collection::Knowledge::kUnknown) return;
  std::string printed;
  std::string problem;
  const bool succeeded = look.Print(known, printed, problem);
  const bool holds = Holds(look.test->condition, succeeded, printed);
  Know(look, holds,
       trouble ? trouble->text : look.WhyNot(known, succeeded, printed, std::move(problem)),
       LogLevel::kInfo);
}

void ShellRun::Know(Look& look, bool holds, const std::string& why, LogLevel level) {
  if (over_) return;
  look.state = holds ? Look::State::kHolds : Look::State::kUnmet;
  if (!holds && look.why != why && !why.empty()) {
    const std::string label = look.Label();
    host_.Log({level,
               level == LogLevel::kInfo ? "waiting" : "trouble",
               Format("certlatch: %s: %s", label.c_str(), why.c_str()),
               {{"target", label}, {"reason", why}}});
  }
  look.why = holds ? "" : why;
  CheckRound();
}

// Once all is known of this round: either the loop ends, or what it says is said.
void ShellRun::CheckRound() {
  if (over_) return;
  bool all = true;
  for (const auto& look : looks_) {
    if (look->state == Look::State::kUnknown) return;
    all = all && look->state == Look::State::kHolds;
  }
  if (all) {
    result_ = {WaitOutcome::kMet, {}};
    return GoTo(at_ + 1);
  }
  if (!std::exchange(round_, false)) return;
  const LoopStep& step = options_.plan.steps[at_];
  for (size_t i = step.first_say; i < step.last_say; ++i) {
    host_.Say(options_.plan.says[i].text, options_.plan.says[i].to_stderr);
  }
  timer_ = host_.After(std::max(step.pause, kShortestPause), [this] { StartRound(); });
}

}  // namespace certlatch
