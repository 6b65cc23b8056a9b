#include "app/publish.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"
#include "domain/secret_pair.h"

namespace certlatch {
namespace {

constexpr Duration kResync = 60s;      // of a volume, for what no event tells
constexpr Duration kBadResync = 2s;    // while its pair must not be published
constexpr Duration kDebounce = 100ms;  // kubelet's swaps come in bursts of events
constexpr Duration kDeniedRetry = 10s;
constexpr Duration kBetween = 1s;  // two changes
// A record that stayed for so long was not dropped by a rival.
constexpr Duration kStayed = 10min;
constexpr int kRival = 3;  // repetitions in a row that somebody else must be the cause of
constexpr size_t kShortHash = 12;

std::string Short(const Digest& digest) { return HexLower(digest).substr(0, kShortHash); }

}  // namespace

Publish::Publish(Host& host, Pod& pod, const PublishOptions& options,
                 Function<void(WaitResult&&)> done)
    : host_(host),
      pod_(pod),
      options_(options),
      done_(std::move(done)),
      failures_(2s, 60s, options_.watch.seed + 2),
      repeats_(2s, 60s, options_.watch.seed + 3) {
  using Source = ReloadOptions::Source;
  lease_name_ = {Source::kLease, options_.lease, options_.ns, options_.annotation_prefix};
  secret_name_ = {Source::kSecret, options_.secret, options_.ns, ""};
  lease_label_ = ExpectLabel(lease_name_);
  source_label_ = options_.secret.empty()
                      ? Format("volume %s", Printable(options_.volume.directory).c_str())
                      : ExpectLabel(secret_name_);
}

Publish::~Publish() = default;

void Publish::Start() {
  if (options_.once) {
    deadline_ = host_.After(options_.timeout, [this] {
      Fail(Format("timed out after %s", RoughDuration(options_.timeout).c_str()));
    });
  }
  // A right that is missing may be granted while we run; it is said.
  WatchSettings settings = options_.watch;
  settings.retry_forbidden = settings.retry_unauthorized = true;
  lease_ = std::make_unique<ObjectWatcher>(host_, ExpectSelection(lease_name_), settings,
                                           [this] { OnLease(); });
  lease_->Start();
  if (options_.secret.empty()) {
    pod_.OnVolumeHint([this] { OnVolumeHint(); });
    return ReadVolume();
  }
  ++settings.seed;
  secret_ = std::make_unique<ObjectWatcher>(host_, ExpectSelection(secret_name_), settings,
                                            [this] { OnSecret(); });
  secret_->Start();
}

void Publish::Interrupt(const char* signal) {
  if (options_.once) return Fail(Format("interrupted by %s", signal));
  Finish(WaitOutcome::kMet, {});
}

// --- the source -------------------------------------------------------------------------------

void Publish::OnSecret() {
  if (finished_) return;
  if (GaveUp(*secret_, source_label_)) return;
  // What was verified before an outage stays verified.
  if (secret_->trouble()) return Trouble(source_trouble_, secret_->trouble()->text);
  const Collection& collection = secret_->collection();
  if (collection.knowledge != Collection::Knowledge::kKnown) return;
  if (std::exchange(seen_secret_, collection.revision) == collection.revision) return Judge();
  const Json* object = collection.Only();
  const Result<SecretPair> pair =
      object == nullptr ? Failure(Code::kNotFound, "does not exist") : ReadSecretPair(*object);
  if (pair) return Take(ExaminePair(pair->Bytes(), PairRules()));
  ExaminedPair none;
  none.mounted.problem = pair.error().text;
  Take(none);
}

void Publish::OnVolumeHint() {
  if (finished_ || std::exchange(hinted_, true)) return;
  look_ = host_.After(kDebounce, [this] { ReadVolume(); });
}

// The same bytes are the same pair, and cost no signatures.
void Publish::ReadVolume() {
  hinted_ = false;
  const Result<VolumeReading> reading = pod_.ReadVolume();
  Trouble(volume_trouble_, pod_.VolumeTrouble());
  if (!reading) {
    ExaminedPair none;
    none.mounted.problem = reading.error().text;
    return Take(none);
  }
  const bool verified = pair_.readable && pair_.problem.empty();
  if (verified && BundleDigest(BytesOf(reading->snapshot)) == pair_.digest) return Judge();
  Take(ExamineFiles(reading->snapshot, RulesOf(options_.volume)));
}

void Publish::Take(const ExaminedPair& pair) {
  pair_ = pair.mounted;
  Trouble(warning_, pair_.warning);
  Judge();
}

// Whether the pair may be published, by its dates too: an answer that time changes.
void Publish::Judge() {
  const std::string problem = ProblemAt(pair_, host_.WallNow());
  Trouble(source_trouble_, problem);
  ours_.reset();
  if (problem.empty()) {
    ours_ = Publication{pair_.cert_hash, pair_.digest, pair_.leaf.not_after};
    // This mount may show fewer files of the Secret than those of the followers.
    if (secret_ == nullptr && !pair_.all_files) ours_->bundle.reset();
  }
  LookAgainLater();
  Decide();
}

void Publish::LookAgainLater() {
  look_.reset();
  if (secret_ == nullptr) {
    look_ = host_.After(ours_ ? kResync : kBadResync, [this] { ReadVolume(); });
    return;
  }
  const WallTime now = host_.WallNow();
  const bool early = pair_.readable && pair_.problem.empty() && now < pair_.leaf.not_before;
  if (!early) return;
  const Duration left = std::min<std::chrono::seconds>(pair_.leaf.not_before - now, 60s);
  look_ = host_.After(left, [this] { Judge(); });
}

// --- the Lease --------------------------------------------------------------------------------

void Publish::OnLease() {
  if (finished_ || GaveUp(*lease_, lease_label_)) return;
  if (lease_->trouble()) return Trouble(lease_trouble_, lease_->trouble()->text);
  Decide();
}

// What is to be written, if anything, and if it is time.
void Publish::Decide() {
  if (finished_ || change_ != nullptr || !ours_ || lease_->trouble()) return;
  const Collection& collection = lease_->collection();
  if (collection.knowledge != Collection::Knowledge::kKnown) return;
  if (collection.revision == stale_) return;  // our own change is yet to be seen
  const Json* lease = collection.Only();
  if (lease == nullptr && !options_.create) {
    return Trouble(lease_trouble_, "does not exist; create it or give --create");
  }
  const Json& annotations = lease == nullptr ? Json::Null() : (*lease)["metadata"]["annotations"];
  const std::string plan = PlanPublish(annotations, options_.annotation_prefix, *ours_, written_);
  if (plan.empty()) {
    const Expected there = Read(*lease);
    return there.known && there.cert_hash == ours_->cert_hash ? OnHeld(there) : OnKept(there);
  }
  const Instant next = WasWritten() ? std::max(next_change_, next_repeat_) : next_change_;
  if (next <= host_.Now()) return Send(lease == nullptr, plan);
  retry_ = host_.After(next - host_.Now(), [this] { Decide(); });
}

Expected Publish::Read(const Json& lease) const {
  return ReadLeaseAnnotations(lease["metadata"]["annotations"], options_.annotation_prefix);
}

// The Lease says what we say.
void Publish::OnHeld(const Expected& there) {
  if (there.bundle == ours_->bundle) written_ = ours_;
  if (said_held_ == ours_->cert_hash) {
    Trouble(lease_trouble_, "");
  } else {
    SayHeld("up_to_date", "is up to date", *ours_);
  }
  if (options_.once) Finish(WaitOutcome::kMet, {});
}

// It says something else, which is not ours to replace.
void Publish::OnKept(const Expected& there) {
  said_held_.reset();
  if (!there.known || !there.valid_until) return Trouble(lease_trouble_, there.problem);
  Trouble(lease_trouble_,
          Format("another publisher has written cert-hash %s, valid until %s, no shorter than ours "
                 "(%s); it stays. Certificates that each pod has for itself (CSI) must not share a "
                 "Lease; if that one is withdrawn, delete its annotations",
                 Short(there.cert_hash).c_str(), FormatWallTime(*there.valid_until).c_str(),
                 Describe(*ours_).c_str()));
}

void Publish::Send(bool create, const std::string& plan) {
  if (!WasWritten() || host_.Now() - written_at_ >= kStayed) repeats_.Reset();
  if (repeats_.attempt() == kRival) {
    host_.Log({LogLevel::kWarning, "rival",
               Format("%s: its annotations are dropped or replaced again and again by somebody who "
                      "writes it, too; give certlatch a Lease of its own",
                      lease_label_.c_str())});
  }
  ApiChange change;
  change.target = ExpectPath(lease_name_);
  change.body = plan;
  if (create) {
    change.method = "POST";
    change.content_type = "application/json";
    change.target.resize(change.target.rfind('/'));
    // The plan begins with the metadata, to which the name is added.
    constexpr std::string_view kStart = R"({"metadata":{)";
    change.body = Format(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","spec":{},)"
                         R"("metadata":{"name":%s,%s)",
                         JsonQuote(options_.lease).c_str(), plan.c_str() + kStart.size());
  }
  sent_from_ = lease_->collection().revision;
  sent_ = *ours_;
  change_ =
      host_.Change(change, [this, create](const ApiAnswer& answer) { OnAnswer(create, answer); });
}

void Publish::OnAnswer(bool create, const ApiAnswer& answer) {
  change_.reset();
  const bool done = answer.problem.empty() && (answer.status == 200 || answer.status == 201);
  done ? OnWritten(answer) : OnRefused(create, answer);
  Decide();
}

void Publish::OnWritten(const ApiAnswer& answer) {
  failures_.Reset();
  written_ = sent_;
  written_at_ = host_.Now();
  next_change_ = written_at_ + kBetween;
  next_repeat_ = written_at_ + repeats_.Next();
  stale_ = sent_from_;
  SayHeld("annotated", "annotated", sent_);
  if (!options_.once) return;
  // The answer is the Lease as it is now: that is all there is to wait for.
  const Result<Json> lease = ParseJson(answer.body);
  if (lease && Read(*lease).cert_hash == sent_.cert_hash) Finish(WaitOutcome::kMet, {});
}

void Publish::OnRefused(bool create, const ApiAnswer& answer) {
  const std::string words = DescribeAnswer(answer);
  // Somebody was faster: it is there by now, or it has gone.
  if (answer.status == (create ? 409 : 404)) {
    Postpone(kBetween);
    return lease_->Refresh();
  }
  const Duration pause = std::max(failures_.Next(), answer.retry_after.value_or(Duration::zero()));
  if (answer.status != 403) {
    Postpone(pause);
    return Trouble(lease_trouble_, Format("%s; retrying", words.c_str()));
  }
  Postpone(std::max(pause, kDeniedRetry));
  Trouble(lease_trouble_,
          Format("may not be %s; grant the verb \"%s\" on leases.coordination.k8s.io in namespace "
                 "%s (%s)",
                 create ? "created" : "patched", create ? "create" : "patch", options_.ns.c_str(),
                 words.c_str()));
}

void Publish::Postpone(Duration length) { next_change_ = SaturatingAdd(host_.Now(), length); }

// --- telling ----------------------------------------------------------------------------------

void Publish::SayHeld(const char* event, const char* what, const Publication& record) {
  said_held_ = record.cert_hash;
  lease_trouble_.clear();
  const std::string hash = HexLower(record.cert_hash);
  const std::string until = FormatWallTime(record.not_after);
  host_.Log({LogLevel::kInfo,
             event,
             Format("%s %s: %s", lease_label_.c_str(), what, Describe(record).c_str()),
             {{"lease", options_.lease}, {"cert_hash", hash}, {"valid_until", until}}});
}

std::string Publish::Describe(const Publication& record) {
  return Format("cert-hash %s, valid until %s", Short(record.cert_hash).c_str(),
                FormatWallTime(record.not_after).c_str());
}

// Once per change; and when it is over.
void Publish::Trouble(std::string& said, const std::string& text) {
  if (text == said) return;
  said = text;
  const bool over = text.empty();
  const std::string& label = &said == &lease_trouble_ ? lease_label_ : source_label_;
  host_.Log({over ? LogLevel::kInfo : LogLevel::kWarning, over ? "trouble_over" : "trouble",
             Format("%s: %s", label.c_str(), over ? "all is well again" : text.c_str())});
}

bool Publish::GaveUp(const ObjectWatcher& watcher, const std::string& label) {
  if (!watcher.stopped()) return false;
  Finish(WaitOutcome::kNotMet,
         {Format("error: %s: %s", label.c_str(), watcher.trouble()->text.c_str())});
  return true;
}

void Publish::Fail(const std::string& why) {
  const bool source = !ours_;
  const std::string& trouble = source ? source_trouble_ : lease_trouble_;
  Finish(WaitOutcome::kNotMet,
         {Format("error: %s: %s: %s", why.c_str(), (source ? source_label_ : lease_label_).c_str(),
                 trouble.empty() ? "no answer from the API server" : trouble.c_str())});
}

void Publish::Finish(WaitOutcome outcome, std::vector<std::string> errors) {
  if (std::exchange(finished_, true)) return;
  deadline_.reset();
  look_.reset();
  retry_.reset();
  change_.reset();
  if (secret_) secret_->Close();
  lease_->Close();
  done_({outcome, std::move(errors)});
}

}  // namespace certlatch
