// WrittenItem is `--write DIR=secret/NAME`: a Secret that is met when it is ready (of type TLS: its
// pair verified) and its files are in the directory. What is not ready is not written.
#pragma once

#include <string>

#include "app/object_item.h"

namespace certlatch {

class WrittenItem : public ObjectItem {
 public:
  // The text of `name` is the directory.
  WrittenItem(Host& host, const WaitOptions& options, WaitBoard& board, const TargetName& name)
      : ObjectItem(host, options, board, name, WellKnown("secret")) {}

  std::string Label() const override;
  std::string Name() const override { return Label(); }

 private:
  void OnReady() override;
};

}  // namespace certlatch
