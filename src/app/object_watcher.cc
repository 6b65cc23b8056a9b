#include "app/object_watcher.h"

#include <utility>

namespace certlatch {

ObjectWatcher::ObjectWatcher(Host& host, Selection selection, WatchSettings settings,
                             Function<void()> on_change)
    : host_(host), session_(std::move(selection), settings), on_change_(std::move(on_change)) {}

void ObjectWatcher::Start() { Take(session_.Start()); }

void ObjectWatcher::Close() {
  closed_ = true;
  request_.reset();
  timer_.reset();
}

void ObjectWatcher::Refresh() {
  if (closed_) return;
  stopped_ = false;  // until there is an answer again
  EndWatch();
  Take(session_.Refresh());
}

// The owner hears of what is known before the next request goes out: it may want no more.
void ObjectWatcher::Proceed(const WatchStep& step) {
  stopped_ = step.what == WatchStep::Do::kStop;
  Tell();
  if (!closed_) Take(step);
}

void ObjectWatcher::Take(const WatchStep& step) {
  switch (step.what) {
    case WatchStep::Do::kNothing:
    case WatchStep::Do::kStop:
      return;
    case WatchStep::Do::kFetch:
      request_ = host_.Fetch(step.target, [this](const ApiAnswer& answer) {
        request_.reset();
        Proceed(session_.OnFetched(answer));
      });
      return;
    case WatchStep::Do::kWatch:
      return OpenWatch(step);
    case WatchStep::Do::kPause:
      timer_ = host_.After(step.length, [this] { Take(session_.OnPauseOver()); });
      return;
  }
}

void ObjectWatcher::OpenWatch(const WatchStep& step) {
  decoder_ = WatchDecoder();
  opened_ = host_.Now();
  silence_ = step.length;
  ExpectSignOfLife();
  request_ = host_.Watch(
      step.target, [this](std::string_view bytes) { OnBytes(bytes); },
      [this](const ApiAnswer& answer) { OnEnded(answer); });
  watching_ = true;
  if (on_news_) on_news_({true, false});
}

void ObjectWatcher::ExpectSignOfLife() {
  timer_ = host_.After(silence_, [this] {
    EndWatch();
    Proceed(session_.OnWatchDead());
  });
}

void ObjectWatcher::OnBytes(std::string_view bytes) {
  ExpectSignOfLife();
  Result<std::vector<WatchEvent>> events = decoder_.Feed(bytes);
  if (!events) {
    EndWatch();
    return Proceed(session_.OnMalformed(events.error()));
  }
  // The owner sees every state: one that lasts for a single event may be what it waits for.
  for (WatchEvent& event : *events) {
    const WatchStep step = session_.OnEvent(std::move(event));
    const bool leaves = step.what != WatchStep::Do::kNothing;
    if (leaves) EndWatch();
    Proceed(step);
    if (leaves || closed_) return;
  }
}

void ObjectWatcher::OnEnded(const ApiAnswer& answer) {
  EndWatch(answer.status == 200 && answer.problem.empty());
  ApiAnswer end = answer;
  const Status finished = decoder_.Finish();
  if (end.status == 200 && end.problem.empty() && !finished) end.problem = finished.error().text;
  Proceed(session_.OnWatchEnded(end, opened_, host_.Now()));
}

void ObjectWatcher::EndWatch(bool as_agreed) {
  request_.reset();
  timer_.reset();
  if (std::exchange(watching_, false) && on_news_) on_news_({false, as_agreed});
}

void ObjectWatcher::Tell() {
  for (std::string& warning : session_.TakeWarnings()) {
    host_.Log({LogLevel::kWarning, "watch_forbidden", std::move(warning), {}});
  }
  on_change_();
}

}  // namespace certlatch
