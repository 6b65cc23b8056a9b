// ApiStore is the API server's memory: the present objects, and the changes that led to them.
// Owns at most `history` changes and kMaxSnapshots lists that are being paged through; older ones
// are forgotten, which their readers learn as nullopt. Not thread-safe: its owner locks.
// Pure of HTTP and of Kubernetes' rules about what an object may be (see object_rules.h).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/json.h"
#include "test/support/selector.h"

namespace certlatch::test {

constexpr size_t kMaxSnapshots = 64;

using ObjectPtr = std::shared_ptr<const Json>;

struct ObjectKey {
  std::string resource;  // ApiResource::qualified()
  std::string ns;        // "" for cluster-wide resources
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};

// What a LIST or WATCH asks for.
struct Scope {
  std::string resource;
  std::string ns;  // "": all
  Selector labels;
  Selector fields;

  bool Covers(const ObjectKey& key) const;
  bool Selects(const ObjectPtr& object) const;  // of nullptr: false
};

struct Change {
  enum class Type { kAdded, kModified, kDeleted };
  Type type = Type::kAdded;
  int64_t version = 0;
  ObjectKey key;
  ObjectPtr object;    // when deleted: the last state, with the deletion's version
  ObjectPtr previous;  // nullptr when added
};

class ApiStore {
 public:
  explicit ApiStore(size_t history) : history_(history) {}

  int64_t version() const { return version_; }
  ObjectPtr Get(const ObjectKey& key) const;  // nullptr: no such object
  std::vector<ObjectPtr> List(const Scope& scope) const;

  // Stores the object as the next version, which it stamps into metadata.resourceVersion.
  ObjectPtr Write(const ObjectKey& key, const Json& object);
  void Remove(const ObjectKey& key);
  std::vector<ObjectKey> KeysIn(std::string_view ns) const;

  // The scope's changes after `version`, as a watcher sees them: an object that begins to match is
  // added, one that ceases to match is deleted. nullopt: too old.
  std::optional<std::vector<Change>> Since(int64_t version, const Scope& scope) const;
  void Compact();  // forgets all history and every snapshot
  int64_t oldest() const { return oldest_; }

  // A list that is read in pages shows the state of its first page.
  struct Snapshot {
    int64_t version = 0;
    std::vector<ObjectPtr> items;
  };
  int64_t Keep(Snapshot snapshot);  // returns its number
  void Forget(int64_t number) { snapshots_.erase(number); }
  const Snapshot* Kept(int64_t number) const;  // nullptr: forgotten

 private:
  void Record(Change change);

  const size_t history_;
  int64_t version_ = 0;
  int64_t oldest_ = 0;  // changes up to and including this version are forgotten
  std::map<ObjectKey, ObjectPtr> objects_;
  std::deque<Change> changes_;
  int64_t last_snapshot_ = 0;
  std::map<int64_t, Snapshot> snapshots_;
};

}  // namespace certlatch::test
