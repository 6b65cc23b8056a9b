// Host is everything a mode may do to the world. The real one is platform/linux_host; tests drive
// the modes with test/support/fake_host, in virtual time.
// Every request returns a Handle: destroying it cancels, and its callback is never called again.
// Callbacks come one at a time, never from within the call that asked for them, and may destroy
// their own handle.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/api_answer.h"
#include "domain/reachable.h"
#include "domain/volume_snapshot.h"

namespace certlatch {

class Cancellable {
 public:
  virtual ~Cancellable() = default;
};
using Handle = std::unique_ptr<Cancellable>;

// A request that changes something.
struct ApiChange {
  const char* method = "PATCH";
  const char* content_type = "application/merge-patch+json";
  std::string target;  // path and query
  std::string body;
};

struct VolumeOptions;

// A directory where a Secret is mounted.
class Mount {
 public:
  virtual ~Mount() = default;
  // Certificate, key and CA, in this order; every later change that can be noticed is hinted.
  virtual Result<VolumeSnapshot> Look() = 0;
  // After Look(): why nothing will ever change (kConfig), if that is so.
  virtual const Status& updates() const = 0;
};

class Host {
 public:
  virtual ~Host() = default;

  virtual Instant Now() = 0;
  virtual WallTime WallNow() = 0;
  [[nodiscard]] virtual Handle After(Duration length, Function<void()> then) = 0;

  // GET of a path and query at the API server. One answer, within the request timeout.
  [[nodiscard]] virtual Handle Fetch(const std::string& target,
                                     Function<void(const ApiAnswer&)> then) = 0;
  // The same as a watch: the body of a 200 goes to `bytes` as it comes, `ended` comes once.
  [[nodiscard]] virtual Handle Watch(const std::string& target,
                                     Function<void(std::string_view)> bytes,
                                     Function<void(const ApiAnswer&)> ended) = 0;
  // One answer, within the request timeout. It may have been done although the answer was lost.
  [[nodiscard]] virtual Handle Change(const ApiChange& change,
                                      Function<void(const ApiAnswer&)> then) = 0;

  // One attempt at something outside the API server, within `limit`. `what` outlives the handle.
  [[nodiscard]] virtual Handle Probe(const Reachable& what, Duration limit,
                                     Function<void(const ProbeOutcome&)> then) = 0;

  // `hint` may come without any change, and may destroy the mount.
  [[nodiscard]] virtual std::unique_ptr<Mount> OpenMount(const std::string& directory,
                                                         const VolumeOptions& names,
                                                         Function<void()> hint) = 0;

  // Brings what `directory` shows to the files of a Secret's `data`, which CheckSecretFiles let
  // through, all at once, with `mode`. The name of the new generation goes to `written`; "": it
  // holds them already. Errors: kConfig where waiting alone cannot help, else kRetry; one line with
  // the next step.
  virtual Status WriteVolume(const std::string& directory, const Json& data, unsigned mode,
                             std::string& written) = 0;

  virtual void Print(std::string_view line) = 0;  // to standard output
  // The user's own text as it is, with its line breaks or without, to one or the other.
  virtual void Say(std::string_view text, bool to_stderr) = 0;
  virtual void Log(const LogLine& line) = 0;  // to standard error
};

}  // namespace certlatch
