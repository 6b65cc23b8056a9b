#include "app/sidecar.h"

#include <algorithm>
#include <utility>

#include "app/secret_writer.h"
#include "base/duration.h"
#include "base/text.h"

namespace certlatch {
namespace {

constexpr Duration kProbeDeadline = 5s;  // of one handshake on loopback
// A sidecar's watches live long: what is gained by a short one (a dead connection is found sooner)
// the bookmarks give, too, which API servers send about once a minute.
constexpr Duration kWatchFor = 290s;
constexpr Duration kYear = 8760h;     // longer than any round, and can be added up
constexpr Duration kLookAgain = 1ms;  // after the deadline, so that it has surely passed

// In the order of ReloadMethod.
constexpr const char* kMethodNames[kReloadMethods] = {"signal", "http", "exec", "touch"};

// How long one round takes at most, by the methods' own bounds.
Duration RoundBound(const TellOptions& tell) {
  Duration bound = 1s;
  if (tell.Uses(ReloadMethod::kHttp)) bound += std::min(tell.http.timeout, kYear);
  if (tell.Uses(ReloadMethod::kExec)) bound += std::min(tell.exec.timeout, kYear);
  return bound;
}

CertificateMetrics MetricsOf(const LeafFacts& leaf) {
  return {std::nullopt, leaf.sha256, leaf.not_before, leaf.not_after};
}

StatusPage Plain(int status, std::string text) {
  StatusPage page;
  page.status = status;
  page.body = std::move(text);
  page.body += '\n';
  return page;
}

}  // namespace

Sidecar::Sidecar(Host& host, Pod& pod, SidecarOptions& options, BuildInfo build,
                 Function<void(WaitResult&&)> done)
    : host_(host),
      pod_(pod),
      options_(options),
      done_(std::move(done)),
      nudge_(host, options.wait.nudge, [this] { reload_->OnNudgeRefused(At()); }) {
  for (size_t i = 0; i < kReloadMethods; ++i) {
    const auto method = static_cast<ReloadMethod>(i);
    metrics_.reloads[i].configured = options_.pod.tell.Uses(method);
    if (metrics_.reloads[i].configured) methods_.push_back(method);
  }
  metrics_.build = build;
  metrics_.state = {[](size_t bit) { return PhaseName(static_cast<ReloadPhase>(bit)); },
                    static_cast<size_t>(ReloadPhase::kBroken) + 1, 0};
  metrics_.alarms = {AlarmName, kAlarms, 0};
  // What is written are files of the same names.
  const VolumeOptions& files = options_.pod.volume;
  if (!options_.writes.empty()) {
    options_.expect.keys = {files.cert_file, files.key_file, files.ca_file};
  }
  const bool lease = options_.expect.source == ReloadOptions::Source::kLease;
  api_watch_.name = lease ? "lease" : "secret";
}

Sidecar::~Sidecar() = default;

// --- starting ---------------------------------------------------------------------------------

void Sidecar::Start() {
  metrics_.started = host_.WallNow();
  start_by_ = SaturatingAdd(host_.Now(), options_.reload.timeout);
  if (options_.wait.targets.empty()) return Begin();
  options_.wait.timeout = options_.reload.timeout;
  wait_ = std::make_unique<Wait>(host_, options_.wait,
                                 [this](WaitResult&& result) { OnWaited(std::move(result)); });
  wait_->Start();
}

void Sidecar::OnWaited(WaitResult&& result) {
  if (result.outcome != WaitOutcome::kMet) {
    return Finish(result.outcome, std::move(result.errors));
  }
  waited_ = host_.After(Duration::zero(), [this] {
    wait_.reset();
    Begin();
  });
}

void Sidecar::Begin() {
  reload_.emplace(CompleteReload());
  pod_.OnVolumeHint([this] { OnVolumeHint(); });
  WatchExpected();
  Proceed();
}

ReloadOptions Sidecar::CompleteReload() const {
  ReloadOptions complete = options_.reload;
  complete.expect = options_.expect.source;
  complete.methods = methods_.size();
  complete.prove = options_.pod.prove.has_value();
  complete.reload_within = RoundBound(options_.pod.tell);
  complete.timeout = std::max<Duration>(start_by_ - host_.Now(), kLookAgain);
  complete.written = !options_.writes.empty();
  complete.nudge = complete.nudge || complete.written;
  complete.seed = options_.watch.seed;
  return complete;
}

// An outage, or a right that is taken away for a while, is nothing to end for.
void Sidecar::WatchExpected() {
  if (options_.expect.source == ReloadOptions::Source::kNone || options_.reload.expect_on_change) {
    return;
  }
  WatchSettings settings = options_.watch;
  settings.retry_forbidden = settings.retry_unauthorized = settings.retry_refused = true;
  settings.watch_for = kWatchFor;
  watcher_ = std::make_unique<ObjectWatcher>(host_, ExpectSelection(options_.expect), settings,
                                             [this] { OnExpectedObject(); });
  watcher_->OnWatchNews([this](ObjectWatcher::WatchNews news) { OnWatchNews(news); });
  watcher_->Start();
}

void Sidecar::Interrupt(const char* /*signal*/) { Finish(WaitOutcome::kMet, {}); }

void Sidecar::Finish(WaitOutcome outcome, std::vector<std::string> errors) {
  if (std::exchange(finished_, true)) return;
  wake_.reset();
  probe_.reset();
  fetch_.reset();
  nudge_.Close();
  waited_.reset();
  preparing_.reset();
  write_again_.reset();
  for (Handle& tell : tells_) tell.reset();
  if (watcher_) watcher_->Close();
  done_({outcome, std::move(errors)});
}

// --- facts ------------------------------------------------------------------------------------

void Sidecar::OnVolumeHint() {
  if (finished_) return;
  reload_->OnVolumeHint(At());
  if (!preparing_) {
    preparing_ = host_.After(options_.reload.debounce / 2, [this] { Prepare(); });
  }
  Proceed();
}

// While the burst settles: the signatures are the slow part, and once they are known to be good for
// some bytes, they are.
void Sidecar::Prepare() {
  preparing_.reset();
  const Result<VolumeReading> reading = pod_.ReadVolume();
  if (reading) prepared_ = Examine(reading->snapshot);
}

[[gnu::noinline]] void Sidecar::ReadVolume() {
  const Result<VolumeReading> reading = pod_.ReadVolume();
  SayTrouble(false, pod_.VolumeTrouble());
  Mounted mounted;
  if (reading) {
    pair_ = Examine(reading->snapshot);
    mounted = pair_.mounted;
    mounted.appeared = reading->appeared;
  } else {
    mounted.problem = reading.error().text;
  }
  reload_->OnVolume(std::move(mounted), At());
  LookForApp();  // after the volume: what started later has read it
}

void Sidecar::LookForApp() {
  if (options_.pod.tell.Uses(ReloadMethod::kSignal)) reload_->OnApp(pod_.FindApp(), At());
}

// Most readings find nothing new.
ExaminedPair Sidecar::Examine(const VolumeSnapshot& snapshot) const {
  return ExamineFiles(snapshot, RulesOf(options_.pod.volume, options_.require_name),
                      {&prepared_, &pair_});
}

void Sidecar::OnExpectedObject() {
  if (finished_) return;
  const Collection& collection = watcher_->collection();
  const std::optional<Error>& trouble = watcher_->trouble();
  SayTrouble(true, trouble ? trouble->text : "");
  const bool known = collection.knowledge == Collection::Knowledge::kKnown;
  if (trouble || !known || collection.revision == seen_revision_) return;
  seen_revision_ = collection.revision;
  Expect();
}

void Sidecar::Expect() {
  const Json* object = watcher_->collection().Only();
  Expected expected = ReadExpected(options_.expect, object);
  if (!options_.writes.empty()) {
    std::string trouble;
    const Duration pause =
        WriteReady(host_, object, options_.writes[0], options_.wait.write_mode, trouble);
    write_again_.reset();
    if (pause > Duration::zero()) write_again_ = host_.After(pause, [this] { Expect(); });
    SayWritten(trouble);
    ReadVolume();  // before it is compared with what is expected
    if (!trouble.empty()) {
      expected.known = false;  // what must not be written is not what should be mounted
      expected.problem = std::move(trouble);
    }
  }
  reload_->OnExpected(std::move(expected), At());
  if (object != nullptr && (*object)["immutable"].AsBool().value_or(false) &&
      !std::exchange(said_immutable_, true)) {
    host_.Log(
        {LogLevel::kWarning, "immutable",
         Format("%s is immutable: it will never change", ExpectLabel(options_.expect).c_str())});
  }
  Proceed();
}

// Watches end and begin all the time; what is worth a line is one that was cut.
void Sidecar::OnWatchNews(ObjectWatcher::WatchNews news) {
  api_watch_.up = news.open;
  const bool routine = news.open ? said_established_ : news.as_agreed;
  const LogLevel level = routine ? LogLevel::kDebug : LogLevel::kInfo;
  if (news.open) {
    said_established_ = true;
    return SayWatch(level, "watch_established", "established, monitoring for certificate updates");
  }
  ++api_watch_.restarts;
  said_established_ = news.as_agreed;
  SayWatch(level, "watch_closed", "closed, restarting watch");
}

// Users of KubeTemplater grep for these of a Lease.
void Sidecar::SayWatch(LogLevel level, const char* event, const char* what) {
  const bool lease = options_.expect.source == ReloadOptions::Source::kLease;
  host_.Log({level, event, Format("%s watch %s", lease ? "Lease" : "Secret", what)});
}

void Sidecar::OnExpectedAnswer(const ApiAnswer& answer) {
  fetch_.reset();
  Result<Expected> expected = ReadExpectedAnswer(options_.expect, answer);
  SayTrouble(true, expected ? "" : expected.error().text);
  if (!expected) return;  // what was known stays known
  reload_->OnExpected(*std::move(expected), At());
  Proceed();
}

void Sidecar::OnTold(size_t method, const TellOutcome& outcome) {
  metrics_.CountReload(methods_[method], outcome.result, host_.WallNow());
  ReloadOutcome fact;
  fact.method = method;
  fact.retry_in = outcome.retry_in;
  if (outcome.result != ReloadResult::kDone) {
    const bool deferred = outcome.result == ReloadResult::kDeferred;
    fact.kind = deferred ? ReloadOutcome::Kind::kDeferred : ReloadOutcome::Kind::kFailed;
    fact.reason = Format("%s: %s", kMethodNames[static_cast<size_t>(methods_[method])],
                         outcome.reason.c_str());
  }
  reload_->OnReloaded(fact, At());
  Proceed();
}

void Sidecar::OnProbed(const Result<CertFacts>& served) {
  ProofOutcome proof;
  if (served) {
    proof.leaf = {served->sha256, served->not_before, served->not_after};
    answered_ = host_.Now();
  } else {
    proof.problem = served.error().text;
  }
  reload_->OnProof(proof, At());
  Proceed();
}

// --- actions ----------------------------------------------------------------------------------

// One step, and another while it only asks for what is known at once.
void Sidecar::Proceed() {
  if (finished_ || proceeding_) return;
  proceeding_ = true;
  ReloadActions actions;
  do {
    // A reading has just looked.
    if (!actions.read_volume && reload_->MayTell(host_.Now())) LookForApp();
    actions = reload_->Step(At());
    Act(actions);
    if (actions.read_volume && !finished_) ReadVolume();
  } while (actions.read_volume && !finished_);
  proceeding_ = false;
  if (finished_) return;
  UpdateAgreements();
  wake_ = host_.After(std::max<Duration>(actions.wake - host_.Now(), kLookAgain),
                      [this] { Proceed(); });
}

[[gnu::noinline]] void Sidecar::Act(const ReloadActions& actions) {
  for (const ReloadNote& note : actions.log) Write(note);
  if (!actions.timed_out.empty()) {
    std::string error =
        Format("error: no verified certificate after %s: %s",
               RoughDuration(options_.reload.timeout).c_str(), actions.timed_out.c_str());
    std::string cause = api_trouble_;
    if (cause.empty()) cause = write_trouble_;
    if (!cause.empty()) error += Format(" (%s)", cause.c_str());
    return Finish(WaitOutcome::kNotMet, {std::move(error)});
  }
  const bool written = !options_.writes.empty();
  if (actions.kubelet_lag && !written) metrics_.kubelet_lag.Add(*actions.kubelet_lag);
  if (actions.fetch_expected) FetchExpected();
  if (actions.nudge && !written) nudge_.Send();
  // Somebody has changed or removed what we wrote.
  if (actions.nudge && written) {
    write_again_ = host_.After(Duration::zero(), [this] { Expect(); });
  }
  if (actions.probe) Probe();
  for (size_t i = 0; i < methods_.size(); ++i) {
    if ((actions.reload >> i & 1U) != 0) Tell(i);
  }
}

// What is under way is waited for: it ends by itself.
void Sidecar::FetchExpected() {
  if (fetch_ != nullptr) return;
  fetch_ = host_.Fetch(ExpectPath(options_.expect),
                       [this](const ApiAnswer& answer) { OnExpectedAnswer(answer); });
}

void Sidecar::Probe() {
  const Duration deadline = std::min(options_.reload.prove_within, kProbeDeadline);
  probe_ = pod_.Probe(pair_.key_kind, deadline,
                      [this](const Result<CertFacts>& served) { OnProbed(served); });
}

void Sidecar::Tell(size_t method) {
  tells_[method] =
      pod_.Tell(methods_[method], answered_,
                [this, method](const TellOutcome& outcome) { OnTold(method, outcome); });
}

void Sidecar::Write(const ReloadNote& note) {
  std::string text = note.text;
  if (note.level == LogLevel::kDebug) {
    text += Format(" (expected %s, mounted %s, its leaf %s, served leaf %s)", note.expected.c_str(),
                   note.mounted.c_str(), note.mounted_leaf.c_str(), note.served_leaf.c_str());
  }
  host_.Log({note.level,
             note.event,
             text,
             {{"expected", note.expected},
              {"mounted", note.mounted},
              {"mounted_leaf", note.mounted_leaf},
              {"served_leaf", note.served_leaf}}});
}

// Once per change; and when it is over.
void Sidecar::SayTrouble(bool api, const std::string& trouble) {
  std::string& said = api ? api_trouble_ : volume_trouble_;
  if (trouble == said) return;
  said = trouble;
  const bool over = trouble.empty();
  const std::string label = api ? ExpectLabel(options_.expect) : "volume";
  const char* well = api ? "all is well again" : "changes are noticed at once again";
  host_.Log({over ? LogLevel::kInfo : LogLevel::kWarning, over ? "trouble_over" : "trouble",
             over ? Format("%s: %s", label.c_str(), well)
                  : Format("%s: %s%s%s", label.c_str(), api ? "" : "changes are noticed late: ",
                           trouble.c_str(), api ? "; retrying" : "")});
}

// Likewise.
void Sidecar::SayWritten(const std::string& trouble) {
  if (trouble == write_trouble_) return;
  write_trouble_ = trouble;
  const bool over = trouble.empty();
  const TargetName& write = options_.writes[0];
  host_.Log({over ? LogLevel::kInfo : LogLevel::kWarning, over ? "trouble_over" : "trouble",
             Format(over ? "secret/%s: is in %s again%s"
                         : "secret/%s: what is in %s stays, since the new is not written: %s",
                    write.name.c_str(), write.text.c_str(), trouble.c_str())});
}

// --- pages ------------------------------------------------------------------------------------

StatusPage Sidecar::Page(std::string_view path) {
  if (path == "/healthz") return Plain(200, "ok");
  if (path == "/startupz") return Startup();
  if (path == "/readyz") return Readiness();
  if (path != "/metrics") return {};
  StatusPage page;
  page.status = 200;
  page.type = kMetricsType;
  page.body = ReadMetrics();
  return page;
}

StatusPage Sidecar::Startup() const {
  if (!reload_) return Plain(503, "waiting for the targets");
  if (reload_->verified_once()) return Plain(200, "ok");
  return Plain(503, Format("no verified certificate yet: %s", reload_->reason().c_str()));
}

StatusPage Sidecar::Readiness() {
  if (!reload_) return Plain(503, "waiting for the targets");
  if (reload_->IsReady(options_.unready_when, host_.WallNow())) return Plain(200, "ok");
  const std::string_view phase = PhaseName(reload_->phase());
  return Plain(503, Format("%.*s: %s", Length(phase), phase.data(), reload_->reason().c_str()));
}

void Sidecar::UpdateAgreements() {
  const WallTime wall = host_.WallNow();
  const bool mounted = reload_->mounted().readable;
  std::optional<bool> expected_agrees;
  std::optional<bool> served_agrees;
  if (mounted && reload_->expected().known) expected_agrees = reload_->ExpectedIsMounted();
  if (mounted && reload_->served()) served_agrees = reload_->MountedIsServed();
  metrics_.expected_is_mounted.Set(expected_agrees, wall);
  metrics_.mounted_is_served.Set(served_agrees, wall);
}

std::string Sidecar::ReadMetrics() {
  metrics_.resident_bytes = pod_.ResidentBytes();
  metrics_.watches = {{"volume", reload_.has_value() && volume_trouble_.empty(), 0}};
  if (watcher_) metrics_.watches.push_back(api_watch_);
  if (!reload_) return MetricsText(metrics_);
  metrics_.state.set = 1U << static_cast<unsigned>(reload_->phase());
  metrics_.alarms.set = reload_->alarms();
  const Instant since = reload_->behind_since();
  metrics_.behind = since == kNever ? Duration::zero() : host_.Now() - since;
  metrics_.expected = {};
  if (reload_->expected().known) {
    metrics_.expected.file = reload_->expected().cert_hash;
    metrics_.expected.not_after = reload_->expected().valid_until;
  }
  metrics_.mounted = {};
  const Mounted& mounted = reload_->mounted();
  if (mounted.readable) {
    if (mounted.problem.empty()) metrics_.mounted = MetricsOf(mounted.leaf);
    metrics_.mounted.file = mounted.cert_hash;
  }
  metrics_.served = {};
  if (options_.pod.prove && reload_->served()) metrics_.served = MetricsOf(*reload_->served());
  return MetricsText(metrics_);
}

}  // namespace certlatch
