// Watch bodies from a hostile server: any bytes in any pieces give events or an error, the same for
// every way to cut them, and the session that follows them keeps its promises.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "domain/watch_decoder.h"
#include "domain/watch_session.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

// How many events came before the end or an error; SIZE_MAX stands for an error.
size_t CountEvents(std::string_view body, size_t piece) {
  WatchDecoder decoder;
  size_t count = 0;
  while (!body.empty()) {
    auto events = decoder.Feed(body.substr(0, piece));
    if (!events) return SIZE_MAX;
    count += events->size();
    body.remove_prefix(std::min(piece, body.size()));
  }
  return decoder.Finish() ? count : SIZE_MAX;
}

// Whatever the events say, the session holds only what it was asked for, and says what to do next.
void Follow(std::string_view body) {
  WatchSession session({*FindWellKnown({"secret", "", "", false}), "ns", "web", ""}, {});
  session.Start();
  ApiAnswer list;
  list.status = 200;
  list.body = R"({"metadata":{"resourceVersion":"1"},"items":[]})";
  WatchStep step = session.OnFetched(std::move(list));
  Require(step.what == WatchStep::Do::kWatch);
  step = {};
  WatchDecoder decoder;
  auto events = decoder.Feed(body);
  if (!events) return;
  for (WatchEvent& event : *events) {
    step = session.OnEvent(std::move(event));
    if (step.what != WatchStep::Do::kNothing) break;
  }
  for (const auto& [key, object] : session.collection().objects) {
    Require(object["metadata"]["name"].AsString() == "web");
  }
  Require(step.what == WatchStep::Do::kNothing || step.what == WatchStep::Do::kFetch ||
          session.trouble().has_value());
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;  // NOLINT(google-build-using-namespace): the entry point is C
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const size_t whole = CountEvents(body, SIZE_MAX);
  Require(CountEvents(body, 1) == whole);
  Require(CountEvents(body, 7) == whole);
  Follow(body);
  return 0;
}
