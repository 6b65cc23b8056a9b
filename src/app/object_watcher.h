// ObjectWatcher runs one WatchSession on the Host: makes its requests, decodes its watch, waits out
// its pauses. Owns at most one request and one timer. Tells its owner after every change of what is
// known; the owner must not destroy it from there.
#pragma once

#include <string>
#include <utility>

#include "app/host.h"
#include "base/function.h"
#include "domain/watch_decoder.h"
#include "domain/watch_session.h"

namespace certlatch {

class ObjectWatcher {
 public:
  ObjectWatcher(Host& host, Selection selection, WatchSettings settings,
                Function<void()> on_change);

  // What becomes of the watch, for those who tell of it: `open` when one begins, false when it
  // ends; `as_agreed`: the server has kept it open for as long as it was asked to.
  struct WatchNews {
    bool open = false;
    bool as_agreed = false;
  };
  void OnWatchNews(Function<void(WatchNews)> then) { on_news_ = std::move(then); }

  void Start();
  void Close();    // no more requests; what is known stays
  void Refresh();  // reads anew at once; tells when that is done, as after every change

  const Selection& selection() const { return session_.selection(); }
  const Collection& collection() const { return session_.collection(); }
  const std::optional<Error>& trouble() const { return session_.trouble(); }
  bool stopped() const { return stopped_; }  // until Refresh(): trouble() says why

 private:
  void Proceed(const WatchStep& step);
  void Take(const WatchStep& step);
  void OpenWatch(const WatchStep& step);
  void OnBytes(std::string_view bytes);
  void OnEnded(const ApiAnswer& answer);
  void ExpectSignOfLife();
  void EndWatch(bool as_agreed = false);
  void Tell();

  Host& host_;
  WatchSession session_;
  Function<void()> on_change_;
  Function<void(WatchNews)> on_news_;
  Handle request_;
  Handle timer_;
  WatchDecoder decoder_;
  Instant opened_{};
  Duration silence_{};  // after which the open watch is taken for dead
  bool watching_ = false;
  bool stopped_ = false;
  bool closed_ = false;
};

}  // namespace certlatch
