// Publish is `certlatch publish`, the leader's side: it watches a Secret (or a mounted volume),
// verifies the pair, and keeps the annotations of a Lease up to date for the followers, without
// fighting whoever else writes that Lease. Runs until it is interrupted, which is success, or with
// `once` until the Lease holds what was verified. The owner must not destroy it from `done`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/expectation.h"
#include "app/host.h"
#include "app/mode.h"
#include "app/object_watcher.h"
#include "app/pod.h"
#include "base/function.h"
#include "domain/backoff.h"
#include "domain/lease_record.h"
#include "domain/mounted_pair.h"
#include "domain/watch_session.h"

namespace certlatch {

struct PublishOptions {
  std::string lease;
  std::string secret;    // or
  VolumeOptions volume;  // with a directory
  std::string ns = "default";
  std::string annotation_prefix{kDefaultAnnotationPrefix};
  bool create = false;      // the Lease, where there is none
  bool once = false;        // end after the first success
  Duration timeout = 180s;  // of --once; then it fails
  WatchSettings watch;
};

class Publish : public Mode {
 public:
  // `pod` is asked for its volume where no Secret is named, else for nothing.
  // `options` must outlive this.
  Publish(Host& host, Pod& pod, const PublishOptions& options, Function<void(WaitResult&&)> done);
  Publish(Host&, Pod&, PublishOptions&&, Function<void(WaitResult&&)>) = delete;
  ~Publish() override;

  void Start() override;
  void Interrupt(const char* signal) override;  // met, but not with `once`

 private:
  // The source
  void OnSecret();
  void OnVolumeHint();
  void ReadVolume();
  void Take(const ExaminedPair& pair);
  void Judge();
  void LookAgainLater();

  // The Lease
  void OnLease();
  void Decide();
  void OnHeld(const Expected& there);
  void OnKept(const Expected& there);
  void Send(bool create, const std::string& plan);
  void OnAnswer(bool create, const ApiAnswer& answer);
  void OnWritten(const ApiAnswer& answer);
  void OnRefused(bool create, const ApiAnswer& answer);
  void Postpone(Duration length);
  Expected Read(const Json& lease) const;
  bool WasWritten() const { return written_ && *written_ == *ours_; }

  static std::string Describe(const Publication& record);
  void SayHeld(const char* event, const char* what, const Publication& record);
  void Trouble(std::string& said, const std::string& text);
  bool GaveUp(const ObjectWatcher& watcher, const std::string& label);
  void Fail(const std::string& why);
  void Finish(WaitOutcome outcome, std::vector<std::string> errors);

  Host& host_;
  Pod& pod_;
  const PublishOptions& options_;
  ExpectOptions lease_name_;
  ExpectOptions secret_name_;
  std::string source_label_;  // "secret/web", "volume /tls"
  std::string lease_label_;   // "lease/web"
  Function<void(WaitResult&&)> done_;
  bool finished_ = false;
  Handle deadline_;

  std::unique_ptr<ObjectWatcher> secret_;
  uint64_t seen_secret_ = 0;         // its collection's revision
  Mounted pair_;                     // as last read
  std::optional<Publication> ours_;  // a pair that may be published now
  Handle look_;                      // at the source again
  bool hinted_ = false;
  std::string source_trouble_;  // as last said, like those below; "": none
  std::string volume_trouble_;
  std::string warning_;

  std::unique_ptr<ObjectWatcher> lease_;
  std::optional<Publication> written_;  // the last record that was ours in the Lease
  std::optional<Digest> said_held_;
  std::string lease_trouble_;

  Handle change_;           // at most one is under way
  Publication sent_;        // what it says
  uint64_t sent_from_ = 0;  // the revision of the Lease that it was planned from
  uint64_t stale_ = 0;      // this revision is older than what we have written since
  Instant written_at_{};
  Instant next_change_{};  // not earlier
  Instant next_repeat_{};  // nor this, where the same record was written before
  Handle retry_;
  Backoff failures_;
  Backoff repeats_;  // of the same record
};

}  // namespace certlatch
