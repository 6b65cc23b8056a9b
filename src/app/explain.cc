#include "app/explain.h"

#include <utility>

#include "app/server_proof.h"
#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

using Severity = Finding::Severity;
using Findings = std::vector<Finding>;

// `label` "": of any link.
bool Says(const Findings& findings, Severity severity, const std::string& label) {
  for (const Finding& finding : findings) {
    if (finding.severity == severity && (label.empty() || finding.label == label)) return true;
  }
  return false;
}

// ,"key":"value"
void AddMember(std::string& json, const char* key, const std::string& value) {
  json += Format(",\"%s\":%s", key, JsonQuote(value).c_str());
}

}  // namespace

struct Explain::Look {
  explicit Look(const TargetName& name) : label(name.text) { target.name = name; }

  bool ready() const { return verdict.state == Verdict::State::kMet; }
  // nullptr: nothing was looked for.
  const Diagnosis* diagnosis() const { return diagnoser ? diagnoser->latest() : nullptr; }
  const Findings& findings() const { return diagnoser ? diagnosis()->findings() : none; }

  Target target;
  std::string label;
  std::unique_ptr<ResourceFinder> finder;
  std::vector<std::unique_ptr<WatchSession>> reads;  // what its readiness needs
  Verdict verdict;
  std::unique_ptr<ServerProof> proof;
  std::unique_ptr<Diagnoser> diagnoser;
  bool told = false;
  Findings none;
};

Explain::Explain(Host& host, const ExplainOptions& options, Function<void(WaitResult&&)> done)
    : host_(host), options_(options), done_(std::move(done)) {}

Explain::~Explain() = default;

// --- looking ----------------------------------------------------------------------------------

void Explain::Start() {
  deadline_ = host_.After(options_.timeout, [this] {
    CutShort(Format("no answer within %s", RoughDuration(options_.timeout).c_str()));
  });
  Begin();
}

void Explain::Interrupt(const char* signal) { CutShort(Format("interrupted by %s", signal)); }

// Tells what is known of the targets that are not told yet.
void Explain::CutShort(const std::string& why) {
  if (!deadline_) return;  // all is told
  do {
    // What is looked along has been judged.
    if (!look_->diagnoser) look_->verdict = Verdict::Unmet("%s", why.c_str());
    if (!look_->told) Conclude();
  } while (Enter());
  Finish();
}

// The next target. False: there is none.
bool Explain::Enter() {
  if (next_ == options_.targets.size()) return false;
  look_ = std::make_unique<Look>(options_.targets[next_++]);
  return true;
}

void Explain::Begin() {
  if (!Enter()) return Finish();
  look_->finder = std::make_unique<ResourceFinder>(
      host_, look_->target.name.type, options_.watch.retry_unauthorized,
      [this](Result<Resource>&& resource) { OnResolved(std::move(resource)); });
  look_->finder->Start();
}

void Explain::OnResolved(Result<Resource>&& resource) {
  if (!resource) return OnUnread(resource.error().text);
  look_->target.resource = *std::move(resource);
  if (look_->target.resource.namespaced) {
    look_->target.ns = look_->target.name.ns.empty() ? options_.ns : look_->target.name.ns;
  }
  look_->label = look_->target.Label();
  ReadNext();
}

// The next of what its readiness needs; when there is no more, it is judged.
void Explain::ReadNext() {
  std::vector<const Collection*> known;
  for (const auto& read : look_->reads) known.push_back(&read->collection());
  std::vector<Selection> needs = ReadinessNeeds(look_->target, known);
  if (known.size() >= needs.size()) {
    look_->verdict = JudgeReady(look_->target, known, options_.readiness, host_.WallNow());
    return AskServers(ReadinessServers(look_->target, known));
  }
  look_->reads.push_back(
      std::make_unique<WatchSession>(std::move(needs[known.size()]), options_.watch));
  Take(look_->reads.back()->Start());
}

// Whatever would try again, or watch, ends the reading.
void Explain::Take(const WatchStep& step) {
  WatchSession& read = *look_->reads.back();
  if (step.what == WatchStep::Do::kFetch) {
    request_ = host_.Fetch(
        step.target, [this, &read](const ApiAnswer& answer) { Take(read.OnFetched(answer)); });
  } else if (read.collection().knowledge == Collection::Knowledge::kKnown) {
    ReadNext();
  } else {
    OnUnread(read.trouble() ? read.trouble()->text : "it changes too fast to be read");
  }
}

// Without what it needs besides itself, the target can be looked at, if not judged.
void Explain::OnUnread(const std::string& why) {
  look_->verdict = Verdict::Unmet("%s", why.c_str());
  look_->reads.size() > 1 ? Diagnose() : Conclude();
}

void Explain::AskServers(std::vector<Reachable> servers) {
  Look& look = *look_;
  look.proof = std::make_unique<ServerProof>(host_, [this] { Diagnose(); });
  if (!look.ready() || look.proof->Asked(std::move(servers))) Diagnose();
}

void Explain::Diagnose() {
  if (look_->proof && !look_->proof->complaint().empty()) {
    look_->verdict = Verdict::Unmet("%s", look_->proof->complaint().c_str());
  }
  look_->diagnoser = std::make_unique<Diagnoser>(host_, look_->target, [this] { Conclude(); });
  look_->diagnoser->Start(look_->reads[0]->collection().Only(), {});
}

// --- telling ----------------------------------------------------------------------------------

void Explain::Conclude() {
  const bool found = Says(look_->findings(), Severity::kCause, "");
  const std::string summary =
      found ? look_->diagnoser->Summary(host_.WallNow()) : look_->verdict.reason;
  options_.json ? PrintJson(summary) : PrintText();
  if (!look_->ready()) {
    errors_.push_back(Format("error: %s: %s", look_->label.c_str(), summary.c_str()));
  }
  look_->told = true;
  // Later, since what has called this must not be destroyed now.
  request_ = host_.After(Duration::zero(), [this] { Begin(); });
}

// The target at the margin, each link once, what else is said of it below it.
void Explain::PrintText() const {
  const Findings& findings = look_->findings();
  std::string label;  // of the line above
  const auto print = [&](const std::string& object, const char* hint, const std::string& text) {
    const char* indent = object == look_->label ? "" : "  ";
    host_.Print(object == label ? Format("%s    %s%s", indent, hint, text.c_str())
                                : Format("%s%s: %s%s", indent, object.c_str(), hint, text.c_str()));
    label = object;
  };
  if (!Says(findings, look_->ready() ? Severity::kInfo : Severity::kCause, look_->label)) {
    print(look_->label, "", look_->ready() ? "is ready" : look_->verdict.reason);
  }
  for (const Finding& finding : findings) {
    print(finding.label, finding.severity == Severity::kHint ? "hint: " : "", finding.text);
  }
}

void Explain::PrintJson(const std::string& summary) const {
  constexpr const char* kSeverities[] = {"info", "hint", "cause"};
  std::string findings;
  for (const Finding& finding : look_->findings()) {
    findings += findings.empty() ? "{" : "},{";
    findings += Format("\"severity\":\"%s\"", kSeverities[static_cast<size_t>(finding.severity)]);
    AddMember(findings, "object", finding.label);
    AddMember(findings, "text", finding.text);
  }
  if (!findings.empty()) findings += '}';
  const Diagnosis* diagnosis = look_->diagnosis();
  const bool retries = diagnosis != nullptr && diagnosis->retry_at();
  std::string json = Format("{\"ready\":%s", look_->ready() ? "true" : "false");
  AddMember(json, "target", look_->label);
  AddMember(json, "namespace", look_->target.ns);
  AddMember(json, "reason", look_->verdict.reason);
  AddMember(json, "summary", summary);
  AddMember(json, "nextAttempt", retries ? FormatWallTime(*diagnosis->retry_at()) : "");
  AddMember(json, "hopeless", diagnosis == nullptr ? "" : diagnosis->hopeless());
  host_.Print(Format("%s,\"findings\":[%s]}", json.c_str(), findings.c_str()));
}

void Explain::Finish() {
  deadline_.reset();
  request_.reset();
  const WaitOutcome outcome = errors_.empty() ? WaitOutcome::kMet : WaitOutcome::kNotMet;
  done_({outcome, std::move(errors_)});
}

}  // namespace certlatch
