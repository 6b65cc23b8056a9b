// Check is `certlatch check`, the exec probe: it looks once at what is expected, mounted and
// served, all at the same time, prints the three fingerprints, and succeeds when those that were
// asked for agree and the mounted pair may be used. The owner must not destroy it from `done`.
//
// As text, a line each of those that were asked for ("-" for digits that are not known), and "ok:
// …" if all is well; if not, the reason is the result's error:
//   expected  FILE-SHA256  lease/web, valid until 2026-01-02T03:04:05Z
//   mounted   FILE-SHA256  LEAF-SHA256  /tls, valid until 2026-01-02T03:04:05Z
//   served    -            LEAF-SHA256  127.0.0.1:8443, valid until 2026-01-02T03:04:05Z
// As JSON, one object without a line break; what was not asked for, or is not known, is left out:
//   {"ok":false, "verdict":"mounted is behind: …",
//    "expected":{"source":"lease/web", "fileSHA256":"…", "validUntil":"…", "problem":"…"},
//    "mounted":{"source":"/tls", "fileSHA256":"…", "leafSHA256":"…", "validUntil":"…",
//               "problem":"…", "warning":"…"},
//    "served":{"source":"127.0.0.1:8443", "leafSHA256":"…", "validUntil":"…", "problem":"…"}}
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/expectation.h"
#include "app/host.h"
#include "app/mode.h"
#include "app/pod.h"
#include "base/function.h"
#include "domain/mounted_pair.h"

namespace certlatch {

struct CheckOptions {
  PodOptions pod;  // its volume and `prove`
  ExpectOptions expect;
  std::string require_name;
  Duration min_validity{};
  Duration timeout = 10s;  // of the whole look
  bool json = false;
};

class Check : public Mode {
 public:
  // `options` must outlive this.
  Check(Host& host, Pod& pod, const CheckOptions& options, Function<void(WaitResult&&)> done);
  Check(Host&, Pod&, CheckOptions&&, Function<void(WaitResult&&)>) = delete;

  void Start() override;
  void Interrupt(const char* signal) override;  // not met

 private:
  // What is known of one of the three.
  struct Finding {
    const char* name;
    std::string source = {};  // "": not asked for
    bool answered = false;
    std::optional<Digest> file = {};
    std::optional<Digest> leaf = {};
    std::optional<WallTime> valid_until = {};
    std::string problem = {};
    std::string warning = {};
  };

  void ReadVolume();
  void OnExpected(const ApiAnswer& answer);
  void OnServed(const Result<CertFacts>& served);
  void OnTimeout(const std::string& why);
  void FinishIfComplete();

  std::string Verdict() const;
  std::string ExpectedVerdict() const;
  std::string ServedVerdict() const;
  std::string Praise() const;
  void PrintText(const std::string& wrong);
  void PrintJson(const std::string& wrong);

  Host& host_;
  Pod& pod_;
  const CheckOptions& options_;
  Function<void(WaitResult&&)> done_;
  bool finished_ = false;
  Handle start_;  // the owner is told later than Start() returns
  Handle deadline_;
  Handle fetch_;
  Handle probe_;
  ExaminedPair pair_;
  Expected expectation_;
  Finding expected_{"expected"};
  Finding mounted_{"mounted"};
  Finding served_{"served"};
};

}  // namespace certlatch
