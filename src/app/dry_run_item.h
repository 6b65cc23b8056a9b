// DryRunItem is a target dry-run:FILE: an object whose creation the API server is asked to try,
// again and again, until its admission chain says what is expected. Nothing is kept there.
#pragma once

#include <string>

#include "app/typed_item.h"
#include "domain/dry_run.h"

namespace certlatch {

class DryRunItem : public TypedItem {
 public:
  // `name` with its object.
  using TypedItem::TypedItem;

  void Close() override;
  std::string Label() const override;

 private:
  void OnType() override { Try(); }
  void Try();
  void OnAnswer(const ApiAnswer& answer);

  Handle request_;
};

}  // namespace certlatch
