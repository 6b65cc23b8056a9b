#include "test/support/fake_host.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "domain/base64.h"

namespace certlatch::test {
namespace {

[[noreturn]] void Die(const char* what, const std::string& detail) {
  std::fprintf(stderr, "FakeHost: %s: %s\n", what, detail.c_str());
  std::abort();
}

}  // namespace

struct FakeHost::Registration : Cancellable {
  explicit Registration(Function<void()> its_cancel) : cancel(std::move(its_cancel)) {}
  ~Registration() override { cancel(); }
  Function<void()> cancel;
};

class FakeHost::FakeMount : public Mount {
 public:
  FakeMount(Directory& directory, const VolumeOptions& volume)
      : directory_(directory), names_{volume.cert_file, volume.key_file, volume.ca_file} {
    ++directory_.open;
  }
  ~FakeMount() override { --directory_.open; }

  Result<VolumeSnapshot> Look() override {
    ++directory_.looks;
    if (directory_.before_look) std::exchange(directory_.before_look, nullptr)();
    updates_ = directory_.fixed ? Status(*directory_.fixed) : Status();
    if (directory_.unreadable) return *directory_.unreadable;
    VolumeSnapshot snapshot;
    for (const std::string& name : names_) {
      VolumeFile& file = snapshot.files.emplace_back();
      const auto found = directory_.files.find(name);
      if (found == directory_.files.end()) {
        file.missing = name + ": No such file or directory";
      } else {
        file.bytes = Secret(std::string(found->second));
      }
    }
    for (const auto& [name, bytes] : directory_.files) {
      snapshot.holds += (snapshot.holds.empty() ? "" : ", ") + name;
    }
    if (snapshot.holds.empty()) snapshot.holds = "nothing";
    return snapshot;
  }
  const Status& updates() const override { return updates_; }

 private:
  Directory& directory_;
  std::vector<std::string> names_;
  Status updates_;
};

FakeHost::~FakeHost() {
  if (!pending_.empty())
    Die("a request outlived its mode", pending_.begin()->second.request.target);
  if (!timers_.empty()) Die("a timer outlived its mode", "");
  for (const auto& [name, directory] : directories) {
    if (directory.open != 0) Die("a mount outlived its mode", name);
  }
}

Handle FakeHost::After(Duration length, Function<void()> then) {
  const TimerKey key(SaturatingAdd(now_, length), ++last_id_);
  timers_[key] = std::move(then);
  return std::make_unique<Registration>([this, key] { timers_.erase(key); });
}

Handle FakeHost::Fetch(const std::string& target, Function<void(const ApiAnswer&)> then) {
  return Register({target, false, now_, "", "GET"}, nullptr, std::move(then));
}

Handle FakeHost::Watch(const std::string& target, Function<void(std::string_view)> bytes,
                       Function<void(const ApiAnswer&)> ended) {
  return Register({target, true, now_, "", "GET"}, std::move(bytes), std::move(ended));
}

Handle FakeHost::Change(const ApiChange& change, Function<void(const ApiAnswer&)> then) {
  return Register({change.target, false, now_, change.body, change.method}, nullptr,
                  std::move(then));
}

Handle FakeHost::Probe(const Reachable& what, Duration limit,
                       Function<void(const ProbeOutcome&)> then) {
  probe_limit = limit;
  Handle handle = Register({what.text, false, now_, "", "PROBE"}, nullptr, nullptr);
  pending_[last_id_].probed = std::move(then);
  return handle;
}

std::unique_ptr<Mount> FakeHost::OpenMount(const std::string& directory, const VolumeOptions& names,
                                           Function<void()> hint) {
  Directory& opened = directories[directory];
  opened.hint = std::make_shared<Function<void()>>(std::move(hint));
  return std::make_unique<FakeMount>(opened, names);
}

void FakeHost::Hint(const std::string& name) {
  Directory& directory = directories[name];
  if (directory.open == 0) return;
  const auto hint = directory.hint;  // it may close the mount
  (*hint)();
}

Handle FakeHost::Register(Request request, Function<void(std::string_view)> bytes,
                          Function<void(const ApiAnswer&)> then) {
  const int id = ++last_id_;
  history.push_back(request);
  pending_[id] = {std::move(request), std::move(bytes), std::move(then), nullptr};
  return std::make_unique<Registration>([this, id] { pending_.erase(id); });
}

Status FakeHost::WriteVolume(const std::string& directory, const Json& data, unsigned mode,
                             std::string& generation) {
  if (write_problem) return *write_problem;
  std::map<std::string, std::string> after;
  for (const auto& [path, bytes] : files) {
    if (path.substr(0, path.rfind('/')) != directory) after[path] = bytes;
  }
  for (const Json::Member& file : data.members()) {
    after[directory + "/" + file.key] = *DecodeBase64(file.value.AsString());
  }
  write_mode = mode;
  if (after == files) return {};
  files = after;
  generation = "..g" + std::to_string(++writes);
  if (on_write) on_write();
  return {};
}

void FakeHost::Advance(Duration length) {
  const Instant until = now_ + length;
  while (!timers_.empty() && timers_.begin()->first.first <= until) {
    now_ = timers_.begin()->first.first;
    const auto then = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    then();
  }
  now_ = until;
}

std::vector<FakeHost::Request> FakeHost::Open() const {
  std::vector<Request> open;
  for (const auto& [id, pending] : pending_) open.push_back(pending.request);
  return open;
}

int FakeHost::Find(std::string_view part) const {
  for (const auto& [id, pending] : pending_) {
    if (pending.request.target.find(part) != std::string::npos) return id;
  }
  return 0;
}

int FakeHost::FindChange() const {
  for (const auto& [id, pending] : pending_) {
    if (pending.request.method != "GET" && pending.request.method != "PROBE") return id;
  }
  return 0;
}

void FakeHost::Answer(int id, const ApiAnswer& answer) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) Die("no such open request", std::to_string(id));
  const auto then = std::move(found->second.then);
  pending_.erase(found);
  then(answer);
}

void FakeHost::Answer(int id, int status, std::string body) {
  ApiAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  Answer(id, answer);
}

void FakeHost::AnswerProbe(int id, const ProbeOutcome& outcome) {
  const auto found = pending_.find(id);
  if (found == pending_.end() || !found->second.probed) Die("no such probe", std::to_string(id));
  const auto then = std::move(found->second.probed);
  pending_.erase(found);
  then(outcome);
}

void FakeHost::Send(int id, std::string_view bytes) {
  const auto found = pending_.find(id);
  if (found == pending_.end() || !found->second.request.is_watch) {
    Die("no such open watch", std::to_string(id));
  }
  auto then = std::exchange(found->second.bytes, nullptr);  // it may cancel its own watch
  then(bytes);
  const auto still = pending_.find(id);
  if (still != pending_.end()) still->second.bytes = std::move(then);
}

std::string FakeHost::Log() const {
  std::string text;
  for (const std::string& line : logged) text += line + "\n";
  return text;
}

}  // namespace certlatch::test
