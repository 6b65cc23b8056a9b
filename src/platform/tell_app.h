// AppTeller tells the app to reload, in each of the ways of TellOptions: what Pod asks of it.
// Owns which process it has signalled last; what is under way belongs to its
// Handle, which must not outlive this. The caller owns retry, and the Loop and HttpClient.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "app/pod.h"
#include "base/function.h"
#include "base/result.h"
#include "platform/http.h"
#include "platform/loop.h"
#include "platform/process.h"

namespace certlatch {

class AppTeller {
 public:
  // `options` must outlive this.
  AppTeller(Loop& loop, HttpClient& http, const TellOptions& options)
      : loop_(loop), http_(http), options_(options) {}
  AppTeller(Loop&, HttpClient&, TellOptions&&) = delete;
  AppTeller(const AppTeller&) = delete;
  AppTeller& operator=(const AppTeller&) = delete;

  // As Pod's.
  [[nodiscard]] Handle Tell(ReloadMethod method, std::optional<Instant> answered,
                            Function<void(const TellOutcome&)> then);
  std::optional<Instant> FindApp();  // up to 10 ms early; the same for the same process

 private:
  // Names one process for ever.
  struct Identity {
    pid_t pid = 0;
    uint64_t start_ticks = 0;
    bool operator==(const Identity& other) const = default;
  };

  static Identity IdentityOf(const Process& process) {
    return {process.pid(), process.start_ticks()};
  }
  Result<Process> Find() const;
  // None: it takes a second look in a moment, with the same `held`.
  std::optional<TellOutcome> Signal(std::optional<Instant> answered, Identity& held);
  TellOutcome Touch() const;

  Loop& loop_;
  HttpClient& http_;
  const TellOptions& options_;
  Identity signalled_;
  std::optional<Process> app_;  // as found last
  Instant app_started_{};
};

}  // namespace certlatch
