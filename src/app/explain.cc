#include "app/explain.h"

#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

using Severity = Finding::Severity;
using Findings = std::vector<Finding>;

// What was found of the one that looked, none before it began.
const Findings& FindingsOf(const Diagnoser* diagnoser) {
  static const Findings& none = *new Findings;
  const Diagnosis* diagnosis = diagnoser == nullptr ? nullptr : diagnoser->latest();
  return diagnosis == nullptr ? none : diagnosis->findings();
}

// `label` "": of any link.
bool Says(const Findings& findings, Severity severity, const std::string& label) {
  for (const Finding& finding : findings) {
    if (finding.severity == severity && (label.empty() || finding.label == label)) return true;
  }
  return false;
}

}  // namespace

Explain::Explain(Host& host, const ExplainOptions& options, Function<void(WaitResult)> done)
    : host_(host), options_(options), done_(std::move(done)) {}

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
    verdict_ = Verdict::Unmet("%s", why.c_str());
    if (!told_) Conclude();
  } while (Enter());
  Finish();
}

// The next target. False: there is none.
bool Explain::Enter() {
  if (next_ == options_.targets.size()) return false;
  target_ = Target();
  target_.name = options_.targets[next_++];
  label_ = target_.name.text;
  reads_.clear();
  diagnoser_.reset();
  told_ = false;
  return true;
}

void Explain::Begin() {
  if (!Enter()) return Finish();
  finder_ = std::make_unique<ResourceFinder>(
      host_, target_.name.type, options_.watch.retry_unauthorized,
      [this](Result<Resource> resource) { OnResolved(std::move(resource)); });
  finder_->Start();
}

void Explain::OnResolved(Result<Resource> resource) {
  if (!resource) return OnUnread(resource.error().text);
  target_.resource = *std::move(resource);
  if (target_.resource.namespaced) {
    target_.ns = target_.name.ns.empty() ? options_.ns : target_.name.ns;
  }
  label_ = target_.Label();
  ReadNext();
}

// The next of what its readiness needs; when there is no more, it is judged.
void Explain::ReadNext() {
  std::vector<const Collection*> known;
  for (const auto& read : reads_) known.push_back(&read->collection());
  std::vector<Selection> needs = ReadinessNeeds(target_, known);
  if (known.size() >= needs.size()) {
    verdict_ = JudgeReady(target_, known, options_.readiness, host_.WallNow());
    return Diagnose();
  }
  reads_.push_back(std::make_unique<WatchSession>(std::move(needs[known.size()]), options_.watch));
  Take(reads_.back()->Start());
}

// Whatever would try again, or watch, ends the reading.
void Explain::Take(const WatchStep& step) {
  WatchSession& read = *reads_.back();
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
  verdict_ = Verdict::Unmet("%s", why.c_str());
  reads_.size() > 1 ? Diagnose() : Conclude();
}

void Explain::Diagnose() {
  diagnoser_ = std::make_unique<Diagnoser>(host_, target_, [this] { Conclude(); });
  diagnoser_->Start(reads_[0]->collection().Only(), {});
}

// --- telling ----------------------------------------------------------------------------------

void Explain::Conclude() {
  const bool ready = verdict_.state == Verdict::State::kMet;
  const bool found = Says(FindingsOf(diagnoser_.get()), Severity::kCause, "");
  const std::string summary = found ? diagnoser_->Summary(host_.WallNow()) : verdict_.reason;
  options_.json ? PrintJson(summary) : PrintText();
  if (!ready) {
    errors_.push_back(Format("error: %s: %s", label_.c_str(), summary.c_str()));
  }
  told_ = true;
  // Later, since what has called this must not be destroyed now.
  request_ = host_.After(Duration::zero(), [this] { Begin(); });
}

// The target at the margin, each link once, what else is said of it below it.
void Explain::PrintText() const {
  const Findings& findings = FindingsOf(diagnoser_.get());
  const bool ready = verdict_.state == Verdict::State::kMet;
  std::string label;  // of the line above
  const auto print = [&](const std::string& object, const char* hint, const std::string& text) {
    const char* indent = object == label_ ? "" : "  ";
    host_.Print(object == label ? Format("%s    %s%s", indent, hint, text.c_str())
                                : Format("%s%s: %s%s", indent, object.c_str(), hint, text.c_str()));
    label = object;
  };
  if (!Says(findings, ready ? Severity::kInfo : Severity::kCause, label_)) {
    print(label_, "", ready ? "is ready" : verdict_.reason);
  }
  for (const Finding& finding : findings) {
    print(finding.label, finding.severity == Severity::kHint ? "hint: " : "", finding.text);
  }
}

void Explain::PrintJson(const std::string& summary) const {
  constexpr const char* kSeverities[] = {"info", "hint", "cause"};
  std::string findings;
  for (const Finding& finding : FindingsOf(diagnoser_.get())) {
    findings +=
        Format("%s{\"object\":%s,\"severity\":\"%s\",\"text\":%s}", findings.empty() ? "" : ",",
               JsonQuote(finding.label).c_str(), kSeverities[static_cast<size_t>(finding.severity)],
               JsonQuote(finding.text).c_str());
  }
  const Diagnosis* diagnosis = diagnoser_ ? diagnoser_->latest() : nullptr;
  const bool retries = diagnosis != nullptr && diagnosis->retry_at();
  const std::string values[] = {
      label_,
      target_.ns,
      verdict_.reason,
      summary,
      retries ? FormatWallTime(*diagnosis->retry_at()) : "",
      diagnosis == nullptr ? "" : diagnosis->hopeless(),
  };
  constexpr const char* kKeys[] = {"target",  "namespace",   "reason",
                                   "summary", "nextAttempt", "hopeless"};
  std::string json =
      Format("{\"ready\":%s", verdict_.state == Verdict::State::kMet ? "true" : "false");
  for (size_t i = 0; i < std::size(values); ++i) {
    json += Format(",\"%s\":%s", kKeys[i], JsonQuote(values[i]).c_str());
  }
  host_.Print(Format("%s,\"findings\":[%s]}", json.c_str(), findings.c_str()));
}

void Explain::Finish() {
  deadline_.reset();
  request_.reset();
  const WaitOutcome outcome = errors_.empty() ? WaitOutcome::kMet : WaitOutcome::kNotMet;
  done_({outcome, std::move(errors_)});
}

}  // namespace certlatch
