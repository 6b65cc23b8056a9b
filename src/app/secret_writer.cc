#include "app/secret_writer.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "domain/secret_files.h"

namespace certlatch {
namespace {

constexpr Duration kRetry = 2s;

}  // namespace

Status WriteSecret(Host& host, const Json& secret, const TargetName& where, unsigned mode) {
  std::vector<SecretFile> files;
  Status status = ReadSecretFiles(secret, files);
  std::string written;
  if (status) status = host.WriteVolume(where.text, files, mode, written);
  if (!status || written.empty()) return status;
  host.Log({LogLevel::kInfo,
            "written",
            Format("secret/%s: %zu files written to %s/%s", where.name.c_str(), files.size(),
                   where.text.c_str(), written.c_str()),
            {{"directory", where.text}, {"generation", written}}});
  return status;
}

SecretWriter::SecretWriter(Host& host, const TargetName& where, unsigned mode,
                           Function<void()> tried)
    : host_(host), where_(where), mode_(mode), tried_(std::move(tried)) {
  target_.resource = WellKnown("secret");
}

void SecretWriter::Watch(const WatchSettings& settings) {
  watcher_ = std::make_unique<ObjectWatcher>(
      host_, Selection{target_.resource, where_.ns, where_.name, ""}, settings,
      [this] { OnChange(); });
  watcher_->Start();
}

void SecretWriter::OnChange() {
  if (watcher_->trouble()) return SayTrouble(watcher_->trouble()->text);
  const Collection& known = watcher_->collection();
  if (known.knowledge == Collection::Knowledge::kKnown &&
      std::exchange(seen_revision_, known.revision) != known.revision) {
    Take(known);
  }
}

void SecretWriter::Take(const Collection& known) {
  known_ = &known;
  Try();
}

void SecretWriter::Close() {
  timer_.reset();
  if (watcher_) watcher_->Close();
}

void SecretWriter::Try() {
  const WallTime now = host_.WallNow();
  const Verdict verdict = JudgeReady(target_, {known_}, settings_, now);
  Duration pause = kRetry;
  bool again = verdict.recheck.has_value();
  std::string trouble = verdict.reason;
  if (verdict.state == Verdict::State::kMet) {
    const Status written = WriteSecret(host_, *known_->Only(), where_, mode_);
    again = !written;
    if (again) trouble = written.error().text;
  } else if (again) {
    pause = std::clamp<std::chrono::seconds>(*verdict.recheck - now + 1s, 1s, 24h);
  }
  SayTrouble(trouble);
  timer_.reset();
  if (again) timer_ = host_.After(pause, [this] { Try(); });
  tried_();
}

// Once per change; and when it is over.
void SecretWriter::SayTrouble(const std::string& trouble) {
  if (trouble == trouble_) return;
  trouble_ = trouble;
  const bool over = trouble.empty();
  host_.Log({over ? LogLevel::kInfo : LogLevel::kWarning, over ? "trouble_over" : "trouble",
             over ? Format("secret/%s: is in %s again", where_.name.c_str(), where_.text.c_str())
                  : Format("secret/%s: %s; what is in %s stays; retrying", where_.name.c_str(),
                           trouble.c_str(), where_.text.c_str())});
}

}  // namespace certlatch
