// Explain is `certlatch explain`: it looks once at each target, one after the other, and says
// whether it is ready and, link by link, what that hangs on. It waits for nothing. The owner must
// not destroy it from `done`. Met if all are ready; a target that may not be read is an error.
//
// As text, a line a finding; of the target at the margin, of what it hangs on indented:
//   certificate/web: is not ready (DoesNotExist): Issuing certificate as Secret does not exist
//       hint: …
//     certificaterequest/web-1: waits: …
// As JSON, one object a line and target; keys may be added, never renamed:
//   {"ready":false,"target":"certificate/web","namespace":"prod","reason":"…","summary":"…",
//    "nextAttempt":"2026-01-02T03:04:05Z","hopeless":"…",
//    "findings":[{"severity":"cause","object":"certificaterequest/web-1","text":"…"}…]}
// Severities: info, hint, cause. "" where there is none, also of namespaces.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/diagnoser.h"
#include "app/host.h"
#include "app/mode.h"
#include "app/resource_finder.h"
#include "base/function.h"
#include "domain/readiness.h"
#include "domain/target.h"
#include "domain/watch_session.h"

namespace certlatch {

struct ExplainOptions {
  std::vector<TargetName> targets;
  std::string ns = "default";
  Duration timeout = 30s;  // of the whole look
  bool json = false;
  ReadinessSettings readiness;
  WatchSettings watch;  // it watches nothing: how credentials go
};

class Explain : public Mode {
 public:
  // `options` must outlive this.
  Explain(Host& host, const ExplainOptions& options, Function<void(WaitResult&&)> done);
  ~Explain() override;

  void Start() override;
  void Interrupt(const char* signal) override;  // tells what is known, then not met

 private:
  struct Look;

  void CutShort(const std::string& why);
  bool Enter();
  void Begin();
  void OnResolved(Result<Resource>&& resource);
  void ReadNext();
  void Take(const WatchStep& step);
  void OnUnread(const std::string& why);
  void AskServers(std::vector<Reachable> servers);
  void Diagnose();
  void Conclude();
  void Finish();

  void PrintText() const;
  void PrintJson(const std::string& summary) const;

  Host& host_;
  const ExplainOptions& options_;
  Function<void(WaitResult&&)> done_;
  Handle deadline_;
  Handle request_;  // or the moment to go on with the next target
  std::vector<std::string> errors_;

  size_t next_ = 0;             // of the targets, the one after the one that is looked at
  std::unique_ptr<Look> look_;  // at that one
};

}  // namespace certlatch
