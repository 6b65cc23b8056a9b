// TypedItem is what items of one type of the Kubernetes API begin with: finding out which type it
// is, from the table or by discovery, again and again while it may still come. Owns the finder; the
// item that derives from it goes on from OnType.
#pragma once

#include <memory>
#include <string>

#include "app/resource_finder.h"
#include "app/wait_item.h"
#include "domain/backoff.h"

namespace certlatch {

class TypedItem : public WaitItem {
 public:
  // The name's type is what is looked for; its text is the item's label until that is found.
  TypedItem(Host& host, const WaitOptions& options, WaitBoard& board, const TargetName& name)
      : WaitItem(host, options, board), backoff_(100ms, 2s, options.watch.seed) {
    target_.name = name;
  }

  void Start(Instant /*deadline*/) override { Resolve(); }
  void Close() override;
  std::string Label() const override;

 protected:
  // target_ is complete.
  virtual void OnType() = 0;
  // As kubectl puts it: denied, or no such type.
  std::string LastWord(const ObjectWatcher& watcher) const override;
  // True: the item has failed, since its manifest has another namespace than the command line.
  bool RefuseNamespace();

  Target target_;
  bool seen_ = false;  // the present state of all that it is judged by has been known once
  Backoff backoff_;
  Handle timer_;

 private:
  void Resolve();
  void OnResolved(Result<Resource>&& resource);
  void Retry(Duration pause, const std::string& reason);
  std::string NoSuchType() const;

  std::unique_ptr<ResourceFinder> finder_;
};

}  // namespace certlatch
