// The WATCH half of MiniApiserver.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "test/support/api_present.h"
#include "test/support/json_edit.h"
#include "test/support/mini_apiserver.h"

namespace certlatch::test {
namespace {

// kube-apiserver's --min-request-timeout: how long a watch without timeoutSeconds lasts at least.
constexpr Duration kDefaultWatch = 30min;
constexpr uint64_t kMaxTimeoutSeconds = uint64_t{24} * 3600;

Instant Now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

std::string Line(std::string_view type, const Json& object) {
  return Json(Json::Object{{"type", JsonText(type)}, {"object", object}}).Dump() + "\n";
}

std::string_view TypeName(Change::Type type) {
  switch (type) {
    case Change::Type::kAdded:
      return "ADDED";
    case Change::Type::kModified:
      return "MODIFIED";
    case Change::Type::kDeleted:
      return "DELETED";
  }
  return "";
}

Instant WatchEnd(const HttpRequest& request) {
  const std::optional<uint64_t> seconds =
      ParseUint(request.Query("timeoutSeconds"), kMaxTimeoutSeconds);
  if (!seconds || *seconds == 0) return SaturatingAdd(Now(), kDefaultWatch);
  return SaturatingAdd(Now(), std::chrono::seconds(*seconds));
}

// One chunk an event, as the real server sends them.
bool SendLines(Connection& connection, std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = lines.find('\n') + 1;
    if (!connection.SendChunk(lines.substr(0, end))) return false;
    lines.remove_prefix(end);
  }
  return true;
}

}  // namespace

void MiniApiserver::DropWatches(Drop how) {
  std::lock_guard lock(mutex_);
  drop_how_ = how;
  ++drops_;
  Changed();
}

void MiniApiserver::SendBookmarks() {
  std::lock_guard lock(mutex_);
  ++bookmarks_asked_;
  Changed();
}

size_t MiniApiserver::open_watches() const {
  std::lock_guard lock(mutex_);
  return watchers_.size();
}

bool MiniApiserver::WaitForOpenWatches(size_t count, Duration timeout) const {
  std::unique_lock lock(mutex_);
  return watches_changed_.wait_for(lock, timeout, [&] { return watchers_.size() == count; });
}

void MiniApiserver::Watch(const HttpRequest& request, const Target& target,
                          Connection& connection) {
  WatchState watch;
  watch.target = target;
  watch.metadata_only = ViewOf(request.Header("accept")) == View::kMetadata;
  const std::string_view bookmarks = request.Query("allowWatchBookmarks");
  watch.bookmarks = bookmarks == "true" || bookmarks == "1";
  watch.end = WatchEnd(request);
  watch.next_bookmark = SaturatingAdd(Now(), options_.bookmark_interval);
  Event news;
  std::string lines;
  int64_t drops_seen = 0;
  {
    std::lock_guard lock(mutex_);
    if (const std::optional<ApiError> error = BeginWatch(request, watch, lines)) {
      SendStatus(connection, *error);
      return;
    }
    drops_seen = drops_;
    watchers_.insert(&news);
    watches_changed_.notify_all();
  }
  StreamWatch(watch, connection, news, std::move(lines), drops_seen);
  std::lock_guard lock(mutex_);
  watchers_.erase(&news);
  watches_changed_.notify_all();
}

// Where the watch begins, and what it says first; an error if it does not begin at all.
std::optional<ApiError> MiniApiserver::BeginWatch(const HttpRequest& request, WatchState& watch,
                                                  std::string& lines) {
  Result<Selection> selection = Select(request, watch.target);
  if (!selection) return BadRequest(selection.error().text);
  if (!request.Query("sendInitialEvents").empty()) {
    return MakeError(422, "Invalid",
                     "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: "
                     "sendInitialEvents is forbidden for watch unless the WatchList feature gate "
                     "is enabled");
  }
  if (selection->version > store_.version()) {
    return TooLargeVersion(selection->version, store_.version());
  }
  watch.scope = std::move(selection->scope);
  watch.bookmarks_seen = bookmarks_asked_;
  watch.position = selection->exact_start ? selection->version : store_.version();
  if (selection->exact_start) return std::nullopt;
  // Kubernetes API concepts, "Semantics for watch": unset or 0 begins with synthetic ADDED events.
  for (const ObjectPtr& object : store_.List(watch.scope)) {
    lines += Line("ADDED", ShowEvent(watch.target.resource, *object, watch.metadata_only));
  }
  return std::nullopt;
}

void MiniApiserver::StreamWatch(WatchState& watch, Connection& connection, Event& news,
                                std::string lines, int64_t drops_seen) {
  if (!connection.StartChunked(200, "application/json")) return;
  bool over = false;
  while (SendLines(connection, lines)) {
    if (watch.failed || over) {
      connection.EndChunked();
      return;
    }
    news.Clear();
    if (FinishDropped(connection, drops_seen)) return;
    over = Now() >= watch.end;  // decided first: the last look yields the last bookmark
    lines = CollectLines(watch);
    if (over || !lines.empty()) continue;
    const Instant until = watch.bookmarks ? std::min(watch.end, watch.next_bookmark) : watch.end;
    const Wake wake = connection.WaitFor(news, until - Now());
    if (wake == Wake::kPeerClosed || wake == Wake::kStopping) {
      connection.CloseWithoutNotify();
      return;
    }
  }
}

bool MiniApiserver::FinishDropped(Connection& connection, int64_t drops_seen) {
  Drop how{};
  {
    std::lock_guard lock(mutex_);
    if (drops_ == drops_seen) return false;
    how = drop_how_;
  }
  if (how == Drop::kReset) connection.Reset();
  if (how == Drop::kFin) connection.CloseWithoutNotify();
  if (how == Drop::kEnd) connection.EndChunked();
  return true;
}

// What the watch has to say now; advances it.
std::string MiniApiserver::CollectLines(WatchState& watch) {
  std::lock_guard lock(mutex_);
  const std::optional<std::vector<test::Change>> changes =
      store_.Since(watch.position, watch.scope);
  if (!changes) {
    watch.failed = true;
    const std::string message = "too old resource version: " + std::to_string(watch.position) +
                                " (" + std::to_string(store_.oldest()) + ")";
    return Line("ERROR", Expired(message).status);
  }
  std::string lines;
  for (const test::Change& change : *changes) {
    lines += Line(TypeName(change.type),
                  ShowEvent(watch.target.resource, *change.object, watch.metadata_only));
  }
  watch.position = store_.version();
  const Instant now = Now();
  const bool due =
      now >= watch.next_bookmark || now >= watch.end || watch.bookmarks_seen != bookmarks_asked_;
  if (watch.bookmarks && due) {
    lines += BookmarkLine(watch);
    watch.bookmarks_seen = bookmarks_asked_;
    watch.next_bookmark = SaturatingAdd(now, options_.bookmark_interval);
  }
  return lines;
}

std::string MiniApiserver::BookmarkLine(const WatchState& watch) const {
  const ApiResource& resource = watch.target.resource;
  const Json metadata =
      Json(Json::Object{{"resourceVersion", JsonText(std::to_string(watch.position))},
                        {"creationTimestamp", Json()}});
  const Json object = Json(Json::Object{{"kind", JsonText(resource.kind)},
                                        {"apiVersion", JsonText(resource.api_version())},
                                        {"metadata", metadata}});
  return Line("BOOKMARK", ShowEvent(resource, object, watch.metadata_only));
}

}  // namespace certlatch::test
