#include "app/wait_item.h"

#include "base/text.h"

namespace certlatch {

bool AskForDeletion(const std::vector<Goal>& goals) {
  for (const Goal& goal : goals) {
    if (std::holds_alternative<DeleteGoal>(goal)) return true;
  }
  return false;
}

std::string WaitItem::WhyNot() const {
  const std::string& reason = record.reason;
  const std::string& trouble = record.trouble;
  if (!record.started) return "not looked at yet";
  if (trouble.empty()) return reason.empty() ? "no answer from the API server" : reason;
  if (reason.empty()) return trouble;
  return Format("%s (as last seen; %s)", reason.c_str(), trouble.c_str());
}

std::string WaitItem::ErrorLine(const std::string& why) const {
  return Format("error: %s: %s", Label().c_str(), why.c_str());
}

bool WaitItem::Consult(const ObjectWatcher& watcher, Sight& sight) {
  std::string last_word = LastWord(watcher);
  if (!last_word.empty()) {
    Fail(std::move(last_word));
    return false;
  }
  if (watcher.collection().knowledge != Collection::Knowledge::kKnown) sight.known = false;
  if (watcher.trouble()) sight.trouble = &*watcher.trouble();
  return true;
}

bool WaitItem::MayJudge(const Sight& sight) {
  if (sight.trouble == nullptr) {
    record.trouble.clear();
    return sight.known;
  }
  // What is known may be long past: only what has been seen since counts.
  board_.OnTrouble(*this, sight.trouble->text);
  return false;
}

std::string WaitItem::LastWord(const ObjectWatcher& watcher) const {
  return watcher.stopped() ? ErrorLine(watcher.trouble()->text) : "";
}

const char* WaitItem::KubectlComplaint() const {
  return options_.timeout == Duration::zero() ? "condition not met for"
                                              : "timed out waiting for the condition on";
}

std::string WaitItem::KubectlTimeout() const {
  return Format("error: %s %s", KubectlComplaint(), Label().c_str());
}

}  // namespace certlatch
