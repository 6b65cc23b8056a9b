#include "app/written_item.h"

#include "app/secret_writer.h"
#include "base/text.h"

namespace certlatch {

std::string WrittenItem::Label() const {
  return Format("%s=%s", target_.name.text.c_str(), target_.Label().c_str());
}

void WrittenItem::OnReady() {
  const Status written = WriteSecret(host_, *Object(), target_.name, options_.write_mode);
  if (written) return ObjectItem::OnReady();
  const Error& error = written.error();
  if (error.code == Code::kConfig) return Fail(ErrorLine(error.text));
  board_.OnUnmet(*this, error.text);
  if (record.pending()) RecheckAfter(options_.watch.poll_every);
}

}  // namespace certlatch
