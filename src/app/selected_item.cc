#include "app/selected_item.h"

#include <utility>

#include "app/object_item.h"
#include "base/text.h"

namespace certlatch {

SelectedItem::SelectedItem(Host& host, const WaitOptions& options, WaitBoard& board,
                           const std::string& type)
    : TypedItem(host, options, board, {type, type, "", "", ""}) {}

void SelectedItem::Close() {
  TypedItem::Close();
  if (watcher_) watcher_->Close();
}

std::string SelectedItem::Label() const { return target_.name.text; }

std::string SelectedItem::KubectlTimeout() const { return "error: " + WhyNot(); }

void SelectedItem::OnType() {
  if (options_.all_namespaces) target_.ns.clear();
  const Selection selection{target_.resource, target_.ns, "", options_.label_selector,
                            options_.field_selector};
  watcher_ =
      std::make_unique<ObjectWatcher>(host_, selection, options_.watch, [this] { OnChange(); });
  watcher_->Start();
}

void SelectedItem::OnChange() {
  Sight sight;
  if (!record.pending() || !Consult(*watcher_, sight) || !MayJudge(sight)) return;
  const Collection& found = watcher_->collection();
  const bool may_come = !options_.must_exist() && !AskForDeletion(options_.goals);
  if (found.objects.empty() && may_come) {
    return board_.OnUnmet(*this, "nothing that is selected exists yet");
  }
  Settle(found);
}

std::string SelectedItem::LastWord(const ObjectWatcher& watcher) const {
  constexpr std::string_view kBadRequest = "HTTP 400: ";
  const std::string_view text = watcher.stopped() ? watcher.trouble()->text : std::string_view();
  if (!options_.as_kubectl || !text.starts_with(kBadRequest)) return TypedItem::LastWord(watcher);
  const Resource& resource = target_.resource;
  return Format(
      "Error from server (BadRequest): Unable to find \"%s/%s, Resource=%s\" that match label "
      "selector \"%s\", field selector \"%s\": %s",
      resource.group.c_str(), resource.version.c_str(), resource.plural.c_str(),
      Printable(options_.label_selector).c_str(), Printable(options_.field_selector).c_str(),
      text.data() + kBadRequest.size());
}

void SelectedItem::Settle(const Collection& found) {
  std::vector<std::unique_ptr<WaitItem>> items;
  TargetName name = target_.name;
  for (const Json::Member& member : found.objects) {
    const Json& metadata = member.value["metadata"];
    name.name = metadata["name"].AsString();
    name.ns = metadata["namespace"].AsString();
    // The server's word is not taken for what becomes a part of a path.
    if (!IsObjectName(name.name) || !(name.ns.empty() || IsObjectName(name.ns))) continue;
    items.push_back(std::make_unique<ObjectItem>(host_, options_, board_, name, target_.resource));
  }
  board_.OnSelected(*this, std::move(items));
}

}  // namespace certlatch
