// MiniApiserver is a small but honest Kubernetes API server in memory: what it offers it does as
// kube-apiserver 1.32 does, down to the texts of its errors; kubectl and certlatch work with it.
// Owns its objects, `history` changes, and a ScriptedServer with all its threads; destruction ends
// them all. Offered: discovery, GET, LIST with paging, WATCH, POST, PUT, merge PATCH, DELETE,
// /status, finalizers, dryRun, PartialObjectMetadata, bearer tokens with rules. Not offered, and
// answered with an error: server-side apply, JSON patch, protobuf, WatchList, set-based selectors.
// A strategic merge patch of a built-in kind is applied as a merge patch: lists are replaced.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/json.h"
#include "test/support/api_access.h"
#include "test/support/api_resource.h"
#include "test/support/api_status.h"
#include "test/support/api_store.h"
#include "test/support/event.h"
#include "test/support/object_rules.h"
#include "test/support/scripted_server.h"

namespace certlatch::test {

using TokenTable = std::map<std::string, ApiUser, std::less<>>;

struct MiniApiserverOptions {
  ServerOptions server;  // port, TLS, mode
  // Empty: everybody may do everything. Else a request needs a token of the table, or a client
  // certificate that the TLS settings' CA verifies, which may do everything.
  TokenTable tokens;
  Duration bookmark_interval = 1min;
  size_t history = 1000;  // changes kept for watches; older resourceVersions are 410
};

// An object by the resource's plural, with its group where that is not the core group:
// {"secrets", "default", "web"}, {"certificates.cert-manager.io", "default", "web"}.
struct ObjectRef {
  std::string resource;
  std::string ns;  // "" for cluster-wide resources
  std::string name;
};

class MiniApiserver {
 public:
  enum class Drop { kReset, kFin, kEnd };  // RST; FIN without close_notify; a complete response

  explicit MiniApiserver(MiniApiserverOptions options);
  ~MiniApiserver();
  MiniApiserver(const MiniApiserver&) = delete;
  MiniApiserver& operator=(const MiniApiserver&) = delete;

  std::string url() const { return server_.url(); }
  ScriptedServer& server() { return server_; }  // modes, counts, dropping every connection
  std::vector<HttpRequest> requests() const { return server_.requests(); }

  void Register(const ApiResource& resource);
  void SetTokens(TokenTable tokens);

  // Creates or replaces the object, its status included, and its namespace where that is missing;
  // returns the resourceVersion. Aborts on malformed JSON, an unknown kind or a missing name: a
  // mistake of the test.
  int64_t Put(std::string_view object_json);
  // Merges into the object's "status". False: there is no such object.
  bool PatchStatus(const ObjectRef& ref, std::string_view status_json);
  bool Delete(const ObjectRef& ref);  // at once, finalizers or not
  std::optional<Json> Get(const ObjectRef& ref) const;
  int64_t version() const;

  void CompactHistory();  // every resourceVersion but the present one becomes too old
  void DropWatches(Drop how);
  void SendBookmarks();  // now, to the watches that allow them
  size_t open_watches() const;
  bool WaitForOpenWatches(size_t count, Duration timeout) const;  // exactly so many

  // Requests for which `chosen` is true are answered by `handler` instead, `times` times (-1: for
  // ever), before authentication. Earlier faults go first. Both run in the connection's thread.
  void InjectFault(std::function<bool(const HttpRequest&)> chosen, ScriptedServer::Handler handler,
                   int times = 1);
  void ClearFaults();

 private:
  // The resource, object and part that a path names.
  struct Target {
    ApiResource resource;
    std::string ns;
    std::string name;
    bool status = false;
    ObjectKey key() const { return {resource.qualified(), ns, name}; }
  };
  struct Fault {
    std::function<bool(const HttpRequest&)> chosen;
    ScriptedServer::Handler handler;
    int times;
  };
  struct Reply {
    int code;
    Json body;
  };
  struct Selection {  // of a LIST or WATCH
    Scope scope;
    int64_t version = 0;       // 0: any
    bool exact_start = false;  // a resourceVersion other than 0 was given
  };
  struct WatchState {
    Target target;
    Scope scope;
    bool metadata_only = false;
    bool bookmarks = false;
    bool failed = false;  // has sent its ERROR
    int64_t position = 0;
    int64_t bookmarks_seen = 0;
    Instant end{};
    Instant next_bookmark{};
  };

  void Handle(const HttpRequest& request, Connection& connection);
  void Answer(const HttpRequest& request, Connection& connection);
  ScriptedServer::Handler TakeFault(const HttpRequest& request);

  std::optional<ApiUser> Authenticate(const HttpRequest& request) const;
  std::optional<ApiError> Authorize(const HttpRequest& request, const Target& target,
                                    const ApiUser& user) const;
  std::optional<Json> Document(std::string_view path) const;
  std::optional<Target> Resolve(std::string_view path) const;
  const ApiResource* FindResource(std::string_view qualified) const;

  Result<Selection> Select(const HttpRequest& request, const Target& target) const;
  Reply Perform(const HttpRequest& request, const Target& target);
  Reply GetOne(const Target& target) const;
  Reply List(const HttpRequest& request, const Target& target);
  Reply Page(const HttpRequest& request, const Target& target, int64_t snapshot, size_t start);
  Reply Create(const HttpRequest& request, const Target& target);
  Reply Change(const HttpRequest& request, const Target& target);
  Reply Remove(const Target& target);
  Reply Store(const Target& target, const Json& old, const Json& updated, bool dry_run);
  void Erase(const ObjectKey& key);
  void Changed();

  void Watch(const HttpRequest& request, const Target& target, Connection& connection);
  std::optional<ApiError> BeginWatch(const HttpRequest& request, WatchState& watch,
                                     std::string& lines);
  void StreamWatch(WatchState& watch, Connection& connection, Event& news, std::string lines,
                   int64_t drops_seen);
  bool FinishDropped(Connection& connection, int64_t drops_seen);
  std::string CollectLines(WatchState& watch);
  std::string BookmarkLine(const WatchState& watch) const;

  const MiniApiserverOptions options_;

  mutable std::mutex mutex_;  // guards everything below, but for server_
  mutable std::condition_variable watches_changed_;
  std::vector<ApiResource> resources_;
  TokenTable tokens_;
  ApiStore store_;
  std::list<Fault> faults_;
  std::set<Event*> watchers_;
  int64_t drops_ = 0;
  Drop drop_how_ = Drop::kReset;
  int64_t bookmarks_asked_ = 0;

  ScriptedServer server_;  // last: its threads use all of the above
};

}  // namespace certlatch::test
