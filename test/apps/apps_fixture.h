// AppsTest is the fixture of tests that run `certlatch sidecar` beside real servers. All of it runs
// in a PID namespace of its own where that is allowed (main.cc), as the containers of a pod with
// shareProcessNamespace do: no other server of the machine has the names, and nothing survives.
// SidecarRun is the sidecar, watched through its log, its status pages and its end.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "test/apps/app.h"
#include "test/support/test_client.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {

using Parts = std::initializer_list<std::string_view>;

struct RunAs {
  uid_t uid;
  gid_t gid;
};

class SidecarRun {
 public:
  // `certlatch sidecar ARGUMENTS`, with the status pages on a port of its own, a short resync and
  // a log for machines.
  explicit SidecarRun(const Args& arguments, std::optional<RunAs> user = std::nullopt);

  Subprocess& process() const { return *process_; }
  std::string Log() const { return process_->Err(); }

  // A line of the log has all `parts`, now or soon; lines before `from` do not count.
  bool Says(Parts parts, size_t from = 0) const;
  size_t CountLines(Parts parts) const;
  // What the app has, and is known to have, is this pair's leaf.
  bool IsConvergedOn(const PemPair& pair) const;

  std::optional<Response> Get(std::string_view path) const;
  std::string Metric(std::string_view series) const;  // its value; "": there is none
  bool MetricBecomes(std::string_view series, std::string_view value) const;

 private:
  uint16_t port_ = FreePort();
  std::unique_ptr<Subprocess> process_;
};

class AppsTest : public testing::Test {
 protected:
  PemPair NewPair() const;
  const CertAuthority& authority() const { return authority_; }
  // A volume that has `pair`.
  static std::unique_ptr<TlsVolume> Mount(const PemPair& pair, VolumeRules rules = {});

  // `sidecar` for `app`'s volume and proof, with `more`.
  static Args For(const TlsVolume& volume, const App& app, const Args& more);

 private:
  CertAuthority authority_;
};

// The app serves the pair, and the sidecar says so everywhere.
void ExpectConverged(const SidecarRun& sidecar, const App& app, const PemPair& pair);

// What needs another user, or the right to become one.
#define SKIP_UNLESS_ROOT() \
  if (geteuid() != 0) GTEST_SKIP() << "NOT RUN: needs root, to start programs as other users"

}  // namespace certlatch::test
