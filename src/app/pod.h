// Pod is what a mode may do to the pod it runs in, beside what Host allows: read the mounted files,
// tell the app, ask the app which certificate it serves. The real one is platform/linux_pod; tests
// use test/support/fake_pod.
// Handles and callbacks behave as Host's: a Handle that is destroyed cancels, callbacks come one at
// a time, never from within the call that asked for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "base/result.h"
#include "domain/cert_pair.h"
#include "domain/endpoint.h"
#include "domain/metrics.h"
#include "domain/mounted_pair.h"
#include "domain/volume_snapshot.h"

namespace certlatch {

// --- how the app is told, one struct for each ReloadMethod ---

struct SignalMethod {
  int number = 0;        // SIGHUP, …; 0: not this way
  std::string process;   // its name; "": whatever the PID file says
  std::string pid_file;  // "": found by its name
  // How old a process must be before its first signal, unless it has answered a probe: Go's runtime
  // has a handler for every signal from the start, and dies by it until the program asks for it.
  Duration first_signal_after = 10s;
};

struct HttpCall {
  std::string request;               // "POST http://127.0.0.1:9090/-/reload"; "": not this way
  std::vector<std::string> headers;  // "Name: value", checked
  std::string body;
  std::string statuses = "2xx";  // those that count as success, checked
  Duration timeout = 10s;
  std::string auth_file;  // holds "user:password", read for each call; "": none
  std::string ca_file;    // whom to trust, read for each call; "": the system's
};

struct ExecMethod {
  std::vector<std::string> command;  // program and arguments; none: not this way
  Duration timeout = 30s;
};

struct TellOptions {
  SignalMethod signal;
  HttpCall http;
  ExecMethod exec;
  std::string touch;  // path; "": not this way

  bool Uses(ReloadMethod method) const {
    switch (method) {
      case ReloadMethod::kSignal:
        return signal.number != 0;
      case ReloadMethod::kHttp:
        return !http.request.empty();
      case ReloadMethod::kExec:
        return !exec.command.empty();
      case ReloadMethod::kTouch:
        return !touch.empty();
    }
    return false;
  }
};

struct VolumeOptions {
  std::string directory;
  std::string cert_file = "tls.crt";  // names inside it
  std::string key_file = "tls.key";
  std::string ca_file = "ca.crt";
};

// `volume` must outlive them.
inline PairRules RulesOf(const VolumeOptions& volume, const std::string& require_name = "") {
  return {require_name, {volume.cert_file, volume.key_file}, volume.ca_file};
}

struct PodOptions {
  VolumeOptions volume;
  TellOptions tell;
  std::optional<ProbeTarget> prove;
};

// --- what comes back ---

struct VolumeReading {
  VolumeSnapshot snapshot;  // certificate, key and CA, in this order
  Instant appeared{};       // as snapshot.appeared
};

// How telling the app in one way went.
struct TellOutcome {
  ReloadResult result = ReloadResult::kDone;
  std::string reason;   // "" when done; one printable line that says what to change
  Duration retry_in{};  // deferred: when it may be possible; 0: not known
};

class Pod {
 public:
  virtual ~Pod() = default;

  // Reads the volume, and has `hint` called after every later change that it can notice. Errors:
  // as Volume::Read().
  virtual Result<VolumeReading> ReadVolume() = 0;
  virtual void OnVolumeHint(Function<void()> hint) = 0;
  // Why changes are noticed by looking only; "": they are noticed at once.
  virtual std::string VolumeTrouble() const = 0;

  // When the app's process started, where a signal goes to one; none: there is no such process (or
  // several), or no way to know.
  virtual std::optional<Instant> FindApp() = 0;
  // `answered` is when the app last answered a probe. Once, within the method's own timeout.
  [[nodiscard]] virtual Handle Tell(ReloadMethod method, std::optional<Instant> answered,
                                    Function<void(const TellOutcome&)> then) = 0;
  // The leaf that the app serves to those who ask for a key of this kind.
  [[nodiscard]] virtual Handle Probe(KeyKind kind, Duration deadline,
                                     Function<void(const Result<CertFacts>&)> then) = 0;

  virtual uint64_t ResidentBytes() const = 0;  // of this process; 0: not known
};

}  // namespace certlatch
