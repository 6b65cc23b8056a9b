// WatchSession keeps an up-to-date copy of some objects of the API: list, watch from there, and
// come back from every way in which that can fail. It is fed with facts and answers each with the
// next step; the caller takes the step (a request, a pause) and reports what came of it. Pure: no
// clock but the instants it is given, no I/O. Holds at most kMaxObjects objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/api_answer.h"
#include "domain/backoff.h"
#include "domain/resource.h"
#include "domain/watch_decoder.h"

namespace certlatch {

constexpr size_t kMaxObjects = 5000;

// Which objects: one by name, or all of a namespace (or of the cluster) that match the selectors.
struct Selection {
  Resource resource;
  std::string ns;                   // "": all namespaces, or a type that has none
  std::string name;                 // "": all
  std::string label_selector;       // "": all
  std::string field_selector = {};  // "": all. Not with a name

  bool operator==(const Selection& other) const;
};

// What is known of the selected objects.
struct Collection {
  enum class Knowledge {
    kUnknown,    // no complete answer yet
    kNotServed,  // the API server does not know the type (yet)
    kKnown,
  };
  Knowledge knowledge = Knowledge::kUnknown;
  Json::Object objects;   // their keys are "namespace/name"; sorted by these, each once
  uint64_t revision = 0;  // grows with every change of the above

  const Json* Only() const { return objects.empty() ? nullptr : &objects[0].value; }
};

struct WatchSettings {
  Duration poll_every = 2s;  // where watching is forbidden, or the type is not served
  // How long the server is asked to keep one watch open, and how much later a watch that has not
  // told anything is taken for dead. Short enough for a wait: a connection that died in silence (a
  // load balancer that forgot it) must not cost the rest of a timeout.
  Duration watch_for = 45s;
  Duration watch_grace = 10s;
  Duration retry_first = 100ms;
  Duration retry_most = 5s;
  bool retry_unauthorized = true;  // credentials come from files that rotate
  bool retry_forbidden = false;
  bool retry_refused = false;  // any other refusal: for those who have nothing better to do
  uint64_t seed = 0;           // of the jitter
};

struct WatchStep {
  enum class Do {
    kNothing,  // go on with the watch that is open
    kFetch,    // GET `target`, then OnFetched
    kWatch,    // GET `target` as a watch, then OnEvent…, OnWatchEnded; OnWatchDead after `length`
    kPause,    // wait for `length`, then OnPauseOver
    kStop,     // cannot succeed by trying again: see trouble()
  };
  Do what = Do::kNothing;
  std::string target;  // path and query
  Duration length{};
};

class WatchSession {
 public:
  WatchSession(Selection selection, WatchSettings settings);

  WatchStep Start();
  WatchStep OnFetched(const ApiAnswer& answer);
  WatchStep OnEvent(WatchEvent event);
  // `opened` and `now` tell a watch that lived from one that ended at once.
  WatchStep OnWatchEnded(const ApiAnswer& answer, Instant opened, Instant now);
  WatchStep OnWatchDead();  // open for longer than the server was asked to keep it
  WatchStep OnMalformed(const Error& error);  // the watch's bytes were no events: ended
  WatchStep OnPauseOver();
  // Whatever was under way has been dropped: read anew, now.
  WatchStep Refresh();

  const Selection& selection() const { return selection_; }
  const Collection& collection() const { return collection_; }
  // What keeps us from knowing the present state; nullopt while all is well.
  const std::optional<Error>& trouble() const { return trouble_; }
  // Said once each; the caller prints them.
  std::vector<std::string> TakeWarnings() { return std::exchange(warnings_, {}); }

 private:
  enum class Reading { kList, kObject };  // kObject: list is forbidden, get is not
  enum class After { kFetch, kWatch };    // what follows a pause

  WatchStep Fetch();
  WatchStep Watch();
  WatchStep Relist();
  WatchStep AtOnceThenSlower(After after);
  WatchStep Pause(Duration length, After after);
  WatchStep Stop(Error trouble);
  WatchStep Retry(std::string text, Duration at_least = {});
  void ForgetPages();

  WatchStep OnList(Json list);
  WatchStep OnObject(Json object);
  WatchStep OnUnfit(const Error& error);
  WatchStep OnComplete();
  WatchStep OnNotFound(const ApiAnswer& answer);
  WatchStep OnForbidden(const ApiAnswer& answer);
  WatchStep OnRefused(const ApiAnswer& answer);
  WatchStep OnErrorEvent(const Json& status);
  WatchStep OnWatchForbidden(const ApiAnswer& answer);
  WatchStep OnNotServed();

  Status Put(Json object, Json::Object& objects) const;
  void AddSelectors(std::string& target) const;

  Selection selection_;
  WatchSettings settings_;
  Backoff backoff_;
  Collection collection_;
  std::optional<Error> trouble_;
  std::vector<std::string> warnings_;

  Reading reading_ = Reading::kList;
  bool watch_allowed_ = true;
  bool watch_worked_ = false;
  int denials_ = 0;        // 403s in a row although reading was allowed before
  int watch_denials_ = 0;  // likewise of watching
  bool tried_fallback_ = false;
  After after_pause_ = After::kFetch;
  std::string resource_version_;
  std::string continue_token_;
  Json::Object pages_;  // of a list that is not complete yet
  size_t page_count_ = 0;
};

// For queries: everything but letters, digits and "-._~" as %XX.
std::string UrlEncode(std::string_view text);

}  // namespace certlatch
