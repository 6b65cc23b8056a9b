// WaitItem is one target at work: it finds out by itself whether the target is met, and tells the
// WaitBoard it belongs to what it sees. Each kind of target is a file of its own: object_item, …
// Items must not be destroyed from within their own calls to the board.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/host.h"
#include "app/mode.h"
#include "app/object_watcher.h"
#include "app/wait_options.h"

namespace certlatch {

class WaitItem;

bool AskForDeletion(const std::vector<Goal>& goals);

// What an item says of itself. Each may end the Wait, and then closes the item.
class WaitBoard {
 public:
  // `silent`: nothing is to be printed.
  virtual void OnMet(WaitItem& item, bool silent) = 0;
  virtual void OnFailed(WaitItem& item, std::string error, WaitOutcome outcome) = 0;
  // Its state is known, and it is not met.
  virtual void OnUnmet(WaitItem& item, const std::string& reason) = 0;
  // Its state is not known.
  virtual void OnTrouble(WaitItem& item, const std::string& trouble) = 0;
  // The item has turned out to stand for these, and has no more to say.
  virtual void OnSelected(WaitItem& item, std::vector<std::unique_ptr<WaitItem>> found) = 0;

 protected:
  ~WaitBoard() = default;
};

// What the board keeps of an item.
struct WaitRecord {
  enum class State { kPending, kMet, kFailed };
  State state = State::kPending;
  bool started = false;
  bool told = false;                           // that it is met
  bool silent = false;                         // nothing is to be told
  std::string reason;                          // why it is not met, as last judged
  std::string trouble;                         // why its present state is not known
  std::string error;                           // the last word on it
  WaitOutcome outcome = WaitOutcome::kNotMet;  // where it failed

  bool pending() const { return state == State::kPending; }
};

class WaitItem {
 public:
  WaitItem(Host& host, const WaitOptions& options, WaitBoard& board)
      : host_(host), options_(options), board_(board) {}
  virtual ~WaitItem() = default;
  WaitItem(const WaitItem&) = delete;
  WaitItem& operator=(const WaitItem&) = delete;

  // `deadline` is the Wait's; it ends the item by itself.
  virtual void Start(Instant deadline) = 0;
  virtual void Close() = 0;  // no more requests, nothing more is told
  // "secret/web-tls": for messages.
  virtual std::string Label() const = 0;
  // "certificate.cert-manager.io/web": what is printed when it is met, so many times.
  virtual std::string Name() const { return Label(); }
  virtual size_t lines() const { return 1; }
  // Whether those named after it may be told to be met: there has been an answer, if a bad one.
  virtual bool Answered() const { return !record.reason.empty() || !record.trouble.empty(); }
  // The error line of a timeout in kubectl's words.
  virtual std::string KubectlTimeout() const;

  std::string WhyNot() const;
  // "error: LABEL: WHY"
  std::string ErrorLine(const std::string& why) const;

  WaitRecord record;

 protected:
  void Fail(std::string error, WaitOutcome outcome = WaitOutcome::kNotMet) {
    board_.OnFailed(*this, std::move(error), outcome);
  }

  // What the watches of an item say together.
  struct Sight {
    bool known = true;               // all that they watch
    const Error* trouble = nullptr;  // of the last that has one
  };
  // Adds what `watcher` says. False: the item has failed by it.
  bool Consult(const ObjectWatcher& watcher, Sight& sight);
  // Whether what they know is to be judged now; if not for some trouble, that has been said.
  bool MayJudge(const Sight& sight);
  // The item's error where what `watcher` says is the end of it; "": it goes on.
  virtual std::string LastWord(const ObjectWatcher& watcher) const;

  // "timed out waiting for the condition on", in kubectl's words for this command.
  const char* KubectlComplaint() const;

  Host& host_;
  const WaitOptions& options_;
  WaitBoard& board_;
};

}  // namespace certlatch
