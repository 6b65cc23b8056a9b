#include "app/object_watcher.h"

#include <utility>

namespace certlatch {

ObjectWatcher::ObjectWatcher(Host& host, Selection selection, WatchSettings settings,
                             std::function<void()> on_change)
    : host_(host), session_(std::move(selection), settings), on_change_(std::move(on_change)) {}

void ObjectWatcher::Start() { Take(session_.Start()); }

void ObjectWatcher::Take(const WatchStep& step) {
  switch (step.what) {
    case WatchStep::Do::kNothing:
      return;
    case WatchStep::Do::kFetch:
      request_ = host_.Fetch(step.target, [this](const ApiAnswer& answer) {
        request_.reset();
        Take(session_.OnFetched(answer));
        Tell();
      });
      return;
    case WatchStep::Do::kWatch:
      return OpenWatch(step);
    case WatchStep::Do::kPause:
      timer_ = host_.After(step.length, [this] { Take(session_.OnPauseOver()); });
      return;
    case WatchStep::Do::kStop:
      stopped_ = true;
      return;
  }
}

void ObjectWatcher::OpenWatch(const WatchStep& step) {
  decoder_ = WatchDecoder();
  opened_ = host_.Now();
  timer_ = host_.After(step.length, [this] {
    EndWatch();
    Take(session_.OnWatchDead());
    Tell();
  });
  request_ = host_.Watch(
      step.target, [this](std::string_view bytes) { OnBytes(bytes); },
      [this](ApiAnswer answer) { OnEnded(std::move(answer)); });
}

void ObjectWatcher::OnBytes(std::string_view bytes) {
  Result<std::vector<WatchEvent>> events = decoder_.Feed(bytes);
  WatchStep step;
  if (!events) {
    step = session_.OnMalformed(events.error());
  } else if (events->empty()) {
    return;
  } else {
    for (WatchEvent& event : *events) {
      step = session_.OnEvent(std::move(event));
      if (step.what != WatchStep::Do::kNothing) break;  // the session has left this watch
    }
  }
  if (step.what != WatchStep::Do::kNothing) {
    EndWatch();
    Take(step);
  }
  Tell();
}

void ObjectWatcher::OnEnded(ApiAnswer answer) {
  EndWatch();
  const Status finished = decoder_.Finish();
  if (answer.status == 200 && answer.problem.empty() && !finished) {
    answer.problem = finished.error().text;
  }
  Take(session_.OnWatchEnded(answer, opened_, host_.Now()));
  Tell();
}

void ObjectWatcher::EndWatch() {
  request_.reset();
  timer_.reset();
}

void ObjectWatcher::Tell() {
  for (std::string& warning : session_.TakeWarnings()) {
    host_.Log({LogLevel::kWarning, "watch_forbidden", std::move(warning), {}});
  }
  on_change_();
}

}  // namespace certlatch
