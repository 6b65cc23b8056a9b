#include "test/support/fake_pod.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace certlatch::test {
namespace {

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "FakePod: %s\n", what);
  std::abort();
}

// Its end takes what was asked for out of the list, unless it has been answered.
template <typename T>
struct Registration : Cancellable {
  Registration(std::list<std::shared_ptr<T>>& its_list, std::shared_ptr<T> its_item)
      : list(its_list), item(std::move(its_item)) {}
  ~Registration() override { list.remove(item); }
  std::list<std::shared_ptr<T>>& list;
  std::shared_ptr<T> item;
};

template <typename T>
Handle Register(std::list<std::shared_ptr<T>>& list, T item) {
  list.push_back(std::make_shared<T>(std::move(item)));
  return std::make_unique<Registration<T>>(list, list.back());
}

}  // namespace

FakePod::~FakePod() {
  if (!tells_.empty()) Die("a tell outlived its mode");
  if (!probes_.empty()) Die("a probe outlived its mode");
}

Result<VolumeReading> FakePod::ReadVolume() {
  ++reads;
  if (unreadable) return *unreadable;
  VolumeReading reading;
  reading.appeared = appeared;
  bool misses = false;
  for (const std::string& name : names_) {
    VolumeFile file;
    const auto found = files.find(name);
    if (found != files.end()) {
      file.bytes = Secret(std::string(found->second));
    } else {
      file.missing = "/tls/" + name + ": No such file or directory";
      misses = true;
    }
    reading.snapshot.files.push_back(std::move(file));
  }
  if (!misses) return reading;
  std::string& holds = reading.snapshot.holds;
  for (const auto& [name, bytes] : files) holds += (holds.empty() ? "" : ", ") + name;
  if (holds.empty()) holds = "nothing";
  return reading;
}

Handle FakePod::Tell(ReloadMethod method, std::optional<Instant> answered,
                     Function<void(const TellOutcome&)> then) {
  told.push_back(method);
  return Register(tells_, PendingTell{{method, answered}, std::move(then)});
}

Handle FakePod::Probe(KeyKind kind, Duration deadline,
                      Function<void(const Result<CertFacts>&)> then) {
  return Register(probes_, PendingProbe{{kind, deadline}, std::move(then)});
}

std::vector<FakePod::OpenTell> FakePod::Tells() const {
  std::vector<OpenTell> open;
  for (const auto& pending : tells_) open.push_back(pending->tell);
  return open;
}

std::vector<FakePod::OpenProbe> FakePod::Probes() const {
  std::vector<OpenProbe> open;
  for (const auto& pending : probes_) open.push_back(pending->probe);
  return open;
}

void FakePod::Answer(ReloadMethod method, const TellOutcome& outcome) {
  const auto found = std::find_if(tells_.begin(), tells_.end(), [&](const auto& pending) {
    return pending->tell.method == method;
  });
  if (found == tells_.end()) Die("no such open tell");
  const auto answered = *found;
  tells_.erase(found);
  answered->then(outcome);
}

void FakePod::AnswerProbe(const Result<CertFacts>& served) {
  if (probes_.empty()) Die("no open probe");
  const auto answered = probes_.front();
  probes_.pop_front();
  answered->then(served);
}

void FakePod::AnswerProbe(const std::string& chain_pem) { AnswerProbe(ReadLeaf(chain_pem)); }

}  // namespace certlatch::test
