// FakeHost is a Host without a world: virtual time, requests that the test answers, output kept.
// Nothing happens until the test says so; time moves only in AdvanceTo and Advance, which run the
// timers on the way in order. Aborts where a mode breaks Host's rules.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/host.h"
#include "app/pod.h"
#include "base/function.h"
#include "domain/json.h"

namespace certlatch::test {

class FakeHost : public Host {
 public:
  struct Request {
    std::string target;
    bool is_watch = false;
    Instant at;
    std::string body;    // of a change
    std::string method;  // "GET", "PATCH", …
  };

  ~FakeHost() override;

  // --- Host ---
  Instant Now() override { return now_; }
  WallTime WallNow() override {
    return wall_start_ + std::chrono::duration_cast<std::chrono::seconds>(now_ - Instant());
  }
  Handle After(Duration length, Function<void()> then) override;
  Handle Fetch(const std::string& target, Function<void(const ApiAnswer&)> then) override;
  Handle Watch(const std::string& target, Function<void(std::string_view)> bytes,
               Function<void(const ApiAnswer&)> ended) override;
  Handle Change(const ApiChange& change, Function<void(const ApiAnswer&)> then) override;
  Handle Probe(const Reachable& what, Duration limit,
               Function<void(const ProbeOutcome&)> then) override;
  std::unique_ptr<Mount> OpenMount(const std::string& directory, const VolumeOptions& names,
                                   Function<void()> hint) override;
  Status WriteVolume(const std::string& directory, const Json& data, unsigned mode,
                     std::string& generation) override;
  void Print(std::string_view line) override { printed.emplace_back(line); }
  void Say(std::string_view text, bool to_stderr) override {
    said += (to_stderr ? "!" : "") + std::string(text);
  }
  void Log(const LogLine& line) override { logged.emplace_back(line.text); }

  // --- the test's side ---
  void Advance(Duration length);
  bool HasTimers() const { return !timers_.empty(); }
  Instant NextTimer() const { return timers_.begin()->first.first; }

  // The requests that nobody has answered or cancelled, oldest first.
  std::vector<Request> Open() const;
  // The oldest open request whose target contains `part`; 0 if there is none.
  int Find(std::string_view part) const;
  int FindChange() const;  // the oldest open one that is not a GET; 0 if there is none
  void Answer(int id, const ApiAnswer& answer);  // ends a fetch or a watch
  void Answer(int id, int status, std::string body);
  void Send(int id, std::string_view bytes);  // to an open watch
  // A probe's request has the method "PROBE" and its text as target.
  void AnswerProbe(int id, const ProbeOutcome& outcome);

  // What --mounted finds in a directory.
  struct Directory {
    std::map<std::string, std::string> files;
    std::optional<Error> unreadable;  // instead of them
    std::optional<Error> fixed;       // why nothing will ever change
    Function<void()> before_look;     // what happens in the moment before it is read
    int looks = 0;
    int open = 0;  // how many mounts watch it
    std::shared_ptr<Function<void()>> hint;
  };
  std::map<std::string, Directory> directories;
  void Hint(const std::string& directory);  // something has changed there

  // All lines logged, as text.
  std::string Log() const;

  std::vector<std::string> printed;
  std::vector<std::string> logged;  // texts
  // What directories that were written hold, by "DIR/NAME", and how often that was changed.
  std::map<std::string, std::string> files;
  int writes = 0;
  unsigned write_mode = 0;             // of the last write
  Function<void()> on_write;           // after each change
  std::optional<Error> write_problem;  // instead of writing
  std::string said;                    // with a '!' before what went to standard error
  std::vector<Request> history;        // all requests ever made
  Duration probe_limit{};              // of the last probe

 private:
  struct Pending {
    Request request;
    Function<void(std::string_view)> bytes;
    Function<void(const ApiAnswer&)> then;
    Function<void(const ProbeOutcome&)> probed;
  };
  struct Registration;
  class FakeMount;
  using TimerKey = std::pair<Instant, int>;

  Handle Register(Request request, Function<void(std::string_view)> bytes,
                  Function<void(const ApiAnswer&)> then);

  Instant now_{};
  WallTime wall_start_{std::chrono::seconds(1'800'000'000)};  // 2027-01-15T08:00:00Z
  int last_id_ = 0;
  std::map<int, Pending> pending_;
  std::map<TimerKey, Function<void()>> timers_;
};

}  // namespace certlatch::test
