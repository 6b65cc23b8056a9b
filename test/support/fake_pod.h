// FakePod is a Pod without a pod: files that the test sets, tells and probes that it answers.
// Nothing happens until the test says so. Aborts where a mode breaks Pod's rules, and where what it
// asked for outlives it.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/pod.h"
#include "base/function.h"

namespace certlatch::test {

class FakePod : public Pod {
 public:
  struct OpenTell {
    ReloadMethod method;
    std::optional<Instant> answered;
  };
  struct OpenProbe {
    KeyKind kind;
    Duration deadline;
  };

  // `names`: of certificate, key and CA in `files`.
  explicit FakePod(std::vector<std::string> names = {"tls.crt", "tls.key", "ca.crt"})
      : names_(std::move(names)) {}
  ~FakePod() override;
  FakePod(const FakePod&) = delete;
  FakePod& operator=(const FakePod&) = delete;

  // --- Pod ---
  Result<VolumeReading> ReadVolume() override;
  void OnVolumeHint(Function<void()> hint) override { hint_ = std::move(hint); }
  std::string VolumeTrouble() const override { return volume_trouble; }
  std::optional<Instant> FindApp() override { return app_started; }
  Handle Tell(ReloadMethod method, std::optional<Instant> answered,
              Function<void(const TellOutcome&)> then) override;
  Handle Probe(KeyKind kind, Duration deadline,
               Function<void(const Result<CertFacts>&)> then) override;
  uint64_t ResidentBytes() const override { return 4'000'000; }

  // --- the test's side ---
  void Hint() {
    if (hint_) hint_();
  }
  // What nobody has answered or cancelled, oldest first.
  std::vector<OpenTell> Tells() const;
  std::vector<OpenProbe> Probes() const;
  // The oldest open one (of that method).
  void Answer(ReloadMethod method, const TellOutcome& outcome = {});
  void AnswerProbe(const Result<CertFacts>& served);
  void AnswerProbe(const std::string& chain_pem);  // the app serves this one

  std::map<std::string, std::string> files;  // those of the volume, by name
  std::optional<Error> unreadable;           // instead of them
  Instant appeared{};                        // of the files
  std::string volume_trouble;
  std::optional<Instant> app_started;
  int reads = 0;                   // of the volume
  std::vector<ReloadMethod> told;  // all tells ever made

 private:
  struct PendingTell {
    OpenTell tell;
    Function<void(const TellOutcome&)> then;
  };
  struct PendingProbe {
    OpenProbe probe;
    Function<void(const Result<CertFacts>&)> then;
  };

  std::vector<std::string> names_;
  Function<void()> hint_;
  std::list<std::shared_ptr<PendingTell>> tells_;
  std::list<std::shared_ptr<PendingProbe>> probes_;
};

}  // namespace certlatch::test
