#include "test/apps/apps_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/text.h"

namespace certlatch::test {
namespace {

constexpr size_t kShortHash = 12;  // digits of a hash in the log

bool HasAll(std::string_view line, const Parts& parts) {
  return std::all_of(parts.begin(), parts.end(), [line](std::string_view part) {
    return line.find(part) != std::string_view::npos;
  });
}

std::string ShortLeaf(const PemPair& pair) {
  return CertFingerprint(pair.cert).substr(0, kShortHash);
}

}  // namespace

SidecarRun::SidecarRun(const Args& arguments, std::optional<RunAs> user) {
  Command command;
  command.env = BasicEnvironment();
  if (user) {
    command.argv = {"/usr/bin/setpriv", "--reuid=" + std::to_string(user->uid),
                    "--regid=" + std::to_string(user->gid), "--clear-groups", CertlatchBinary()};
    command.path = command.argv[0];
  } else {
    command.argv = {"certlatch"};
    command.path = CertlatchBinary();
  }
  const Args own = {"sidecar", "--log-format=logfmt", "--listen=127.0.0.1:" + std::to_string(port_),
                    "--resync=1s"};
  command.argv.insert(command.argv.end(), own.begin(), own.end());
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  auto started = Subprocess::Start(std::move(command));
  if (!started) {
    ADD_FAILURE() << started.error().text;
    std::abort();
  }
  process_ = *std::move(started);
}

size_t SidecarRun::CountLines(Parts parts) const {
  const std::vector<std::string> lines = Lines(Log());
  return static_cast<size_t>(std::count_if(
      lines.begin(), lines.end(), [&](const std::string& line) { return HasAll(line, parts); }));
}

bool SidecarRun::Says(Parts parts, size_t from) const {
  const auto said = [&] {
    const std::string log = Log();
    // The last line may have come in half.
    const std::string_view whole = std::string_view(log).substr(0, log.rfind('\n') + 1);
    for (const std::string& line : Lines(whole.substr(std::min(from, whole.size())))) {
      if (HasAll(line, parts)) return true;
    }
    return false;
  };
  const bool done = Eventually([&] { return said() || !process_->Signal(0); }) && said();
  if (!done) ADD_FAILURE() << "certlatch said only:\n" << Log();
  return done;
}

bool SidecarRun::IsConvergedOn(const PemPair& pair) const {
  return Says({"event=converged", ShortLeaf(pair)});
}

std::optional<Response> SidecarRun::Get(std::string_view path) const {
  const auto client = TestClient::Connect(port_);
  if (!client || !client->SendRequest("GET", path, "", "Connection: close\r\n")) {
    return std::nullopt;
  }
  return client->ReadResponse();
}

std::string SidecarRun::Metric(std::string_view series) const {
  const std::optional<Response> page = Get("/metrics");
  if (!page) return "";
  for (const std::string_view line : Split(page->body, '\n')) {
    const size_t space = line.rfind(' ');
    if (line.substr(0, space) == series) return std::string(line.substr(space + 1));
  }
  return "";
}

bool SidecarRun::MetricBecomes(std::string_view series, std::string_view value) const {
  const bool done = Eventually([&] { return Metric(series) == value; }, kPatience);
  if (!done) {
    const std::optional<Response> page = Get("/metrics");
    ADD_FAILURE() << series << " did not become " << value << ":\n"
                  << (page ? page->body : "no answer") << Log();
  }
  return done;
}

PemPair AppsTest::NewPair() const {
  CertSpec spec;
  spec.dns_names = {"localhost"};
  spec.ip_addresses = {"127.0.0.1"};
  return authority_.Issue(spec);
}

std::unique_ptr<TlsVolume> AppsTest::Mount(const PemPair& pair, VolumeRules rules) {
  auto volume = std::make_unique<TlsVolume>(rules);
  volume->Write(pair);
  return volume;
}

Args AppsTest::For(const TlsVolume& volume, const App& app, const Args& more) {
  Args all = {"--volume=" + volume.path(), "--prove=" + app.Prove()};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void ExpectConverged(const SidecarRun& sidecar, const App& app, const PemPair& pair) {
  EXPECT_TRUE(sidecar.IsConvergedOn(pair));
  EXPECT_TRUE(app.Serves(pair)) << app.process().Err();
  EXPECT_TRUE(sidecar.MetricBecomes("certlatch_state{state=\"converged\"}", "1"));
  EXPECT_TRUE(
      sidecar.MetricBecomes("certlatch_fingerprints_agree{between=\"mounted_served\"}", "1"));
  const std::optional<Response> ready = sidecar.Get("/readyz");
  EXPECT_TRUE(ready && ready->status == 200) << (ready ? ready->body : "no answer");
}

}  // namespace certlatch::test
