#include "app/typed_item.h"

#include <utility>

#include "base/text.h"

namespace certlatch {

// kubectl names the type it does not find without its group.
std::string TypedItem::NoSuchType() const {
  if (!target_.name.no_match.empty()) return "error: " + target_.name.no_match;
  const std::string_view type = target_.name.type;
  return Format("error: the server doesn't have a resource type \"%s\"",
                Printable(type.substr(0, type.find('.')), 300).c_str());
}

std::string TypedItem::Label() const {
  return target_.resource.kind.empty() ? target_.name.text : target_.Label();
}

void TypedItem::Close() {
  timer_.reset();
  if (finder_) finder_->Close();
}

void TypedItem::Resolve() {
  // Whoever made the item may know the type.
  if (!target_.resource.kind.empty()) return OnResolved(target_.resource);
  finder_ = std::make_unique<ResourceFinder>(
      host_, target_.name.type, options_.watch.retry_unauthorized,
      [this](Result<Resource>&& resource) { OnResolved(std::move(resource)); });
  finder_->Start();
}

void TypedItem::OnResolved(Result<Resource>&& resource) {
  if (resource) {
    target_.resource = *std::move(resource);
    const std::string& ns = target_.name.ns.empty() ? options_.ns : target_.name.ns;
    target_.ns = target_.resource.namespaced ? ns : "";
    // kubectl looks for the object first.
    if (options_.as_kubectl || !RefuseNamespace()) OnType();
    return;
  }
  const Error& error = resource.error();
  const bool qualified = target_.name.type.find('.') != std::string::npos;
  switch (error.code) {
    case Code::kNotFound:
      // A bare word that no API knows is a typing error; a full name may be a CRD yet to come.
      if (options_.as_kubectl) return Fail(NoSuchType());
      if (!qualified) return Fail("error: " + error.text);
      return Retry(options_.watch.poll_every, error.text + " (yet); is it installed?");
    case Code::kDenied:
      if (!options_.watch.retry_forbidden) return Fail(ErrorLine(error.text));
      [[fallthrough]];
    default:
      return Retry(backoff_.Next(), error.text);
  }
}

bool TypedItem::RefuseNamespace() {
  const bool same = target_.ns.empty() || target_.ns == options_.ns;
  if (same || !options_.ns_given || target_.name.no_match.empty()) return false;
  Fail(
      Format("error: the namespace from the provided object \"%s\" does not match the namespace "
             "\"%s\". You must pass '--namespace=%s' to perform this operation.",
             target_.ns.c_str(), options_.ns.c_str(), target_.ns.c_str()));
  return true;
}

void TypedItem::Retry(Duration pause, const std::string& reason) {
  board_.OnTrouble(*this, reason);
  if (!record.pending()) return;
  timer_ = host_.After(pause, [this] { Resolve(); });
}

std::string TypedItem::LastWord(const ObjectWatcher& watcher) const {
  if (options_.as_kubectl) {
    const bool served = watcher.collection().knowledge != Collection::Knowledge::kNotServed;
    if (!served && !seen_) return NoSuchType();
    if (watcher.stopped() && watcher.trouble()->code == Code::kDenied) {
      return "Error from server (Forbidden): " + watcher.trouble()->text;
    }
  }
  return WaitItem::LastWord(watcher);
}

}  // namespace certlatch
