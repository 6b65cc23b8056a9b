// SelectedItem is all objects of a type that selectors or --all choose: it lists them until there
// is one, and then asks its board to put an ObjectItem for each in its place. Which objects these
// are is settled then, as in kubectl: what appears later is not waited for. Owns one watch.
#pragma once

#include <memory>
#include <string>

#include "app/object_watcher.h"
#include "app/typed_item.h"

namespace certlatch {

class SelectedItem : public TypedItem {
 public:
  SelectedItem(Host& host, const WaitOptions& options, WaitBoard& board, const std::string& type);

  void Close() override;
  std::string Label() const override;
  // The set is not known, so nothing can be said of its objects.
  std::string KubectlTimeout() const override;

 private:
  void OnType() override;
  void OnChange();
  // kubectl repeats the selectors where the API server does not understand them.
  std::string LastWord(const ObjectWatcher& watcher) const override;
  void Settle(const Collection& found);

  std::unique_ptr<ObjectWatcher> watcher_;
};

}  // namespace certlatch
