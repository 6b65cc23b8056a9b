#include "test/support/api_store.h"

#include <utility>

#include "test/support/json_edit.h"

namespace certlatch::test {
namespace {

ObjectPtr Stamped(const Json& object, int64_t version) {
  const Json metadata =
      With(object["metadata"], "resourceVersion", JsonText(std::to_string(version)));
  return std::make_shared<const Json>(With(object, "metadata", metadata));
}

}  // namespace

bool Scope::Covers(const ObjectKey& key) const {
  return key.resource == resource && (ns.empty() || key.ns == ns);
}

bool Scope::Selects(const ObjectPtr& object) const {
  return object != nullptr && labels.Matches(*object) && fields.Matches(*object);
}

ObjectPtr ApiStore::Get(const ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> ApiStore::List(const Scope& scope) const {
  std::vector<ObjectPtr> items;
  for (const auto& [key, object] : objects_) {
    if (scope.Covers(key) && scope.Selects(object)) items.push_back(object);
  }
  return items;
}

ObjectPtr ApiStore::Write(const ObjectKey& key, const Json& object) {
  ObjectPtr stamped = Stamped(object, ++version_);
  ObjectPtr& slot = objects_[key];
  const ObjectPtr previous = std::exchange(slot, stamped);
  Record({previous ? Change::Type::kModified : Change::Type::kAdded, version_, key, stamped,
          previous});
  return stamped;
}

void ApiStore::Remove(const ObjectKey& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  const ObjectPtr previous = found->second;
  objects_.erase(found);
  ++version_;
  Record({Change::Type::kDeleted, version_, key, Stamped(*previous, version_), previous});
}

std::vector<ObjectKey> ApiStore::KeysIn(std::string_view ns) const {
  std::vector<ObjectKey> keys;
  for (const auto& [key, object] : objects_) {
    if (key.ns == ns) keys.push_back(key);
  }
  return keys;
}

void ApiStore::Record(Change change) {
  changes_.push_back(std::move(change));
  while (changes_.size() > history_) {
    oldest_ = changes_.front().version;
    changes_.pop_front();
  }
}

std::optional<std::vector<Change>> ApiStore::Since(int64_t version, const Scope& scope) const {
  if (version < oldest_) return std::nullopt;
  std::vector<Change> seen;
  // From the back: a watcher asks for the few changes since its last look.
  auto first = changes_.end();
  while (first != changes_.begin() && std::prev(first)->version > version) --first;
  for (; first != changes_.end(); ++first) {
    if (!scope.Covers(first->key)) continue;
    const bool was = scope.Selects(first->previous);
    const bool is = first->type != Change::Type::kDeleted && scope.Selects(first->object);
    if (!was && !is) continue;
    Change change = *first;
    change.type =
        !is ? Change::Type::kDeleted : (was ? Change::Type::kModified : Change::Type::kAdded);
    seen.push_back(std::move(change));
  }
  return seen;
}

void ApiStore::Compact() {
  oldest_ = version_;
  changes_.clear();
  snapshots_.clear();
}

int64_t ApiStore::Keep(Snapshot snapshot) {
  snapshots_[++last_snapshot_] = std::move(snapshot);
  if (snapshots_.size() > kMaxSnapshots) snapshots_.erase(snapshots_.begin());
  return last_snapshot_;
}

const ApiStore::Snapshot* ApiStore::Kept(int64_t number) const {
  const auto found = snapshots_.find(number);
  return found == snapshots_.end() ? nullptr : &found->second;
}

}  // namespace certlatch::test
