// LoopProbe is what a pasted loop looks at again and again, read from the words of one command:
// kubectl, nc, pg_isready, curl or wget. Pure; nothing is looked up. An option that would change
// what the command means and is not understood is an Error (kConfig) that names it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/endpoint.h"
#include "domain/jsonpath.h"
#include "domain/shell_words.h"
#include "domain/target.h"

namespace certlatch {

struct LoopProbe {
  enum class Kind { kGet, kWait, kTcp, kPostgres, kHttp };
  // The first two nobody looks at. kName: a line TYPE/NAME for each object.
  enum class Printed { kOther, kTable, kJsonPath, kName, kHttpStatus };
  Kind kind = Kind::kGet;
  Printed printed = Printed::kOther;

  // kGet: `kubectl get`. It succeeds when all targets exist; a list always does, once it is
  // answered. The path is applied to the one target; else to a List: {"items": […]}.
  std::vector<TargetName> targets;  // each with its namespace, where the command names one
  std::string list_type;            // without targets: `kubectl get pods`
  std::string ns;
  std::string selector;
  std::string field_selector;
  bool all_namespaces = false;
  bool ignore_not_found = false;  // it succeeds without the targets, too, and prints nothing
  std::optional<JsonPath> path;   // kJsonPath

  std::vector<std::string> arguments;  // kWait: kubectl's own, "wait" among them

  Endpoint endpoint;  // kTcp: a connection is accepted; kPostgres: pg_isready's exit status 0

  // kHttp: curl or wget. kHttpStatus prints three digits, 000 without an answer.
  std::string url;
  bool any_status = false;  // curl without -f: any answer is success; else below 400
  bool follow = false;      // redirects
  bool head = false;        // HEAD, not GET
  bool insecure = false;    // the server's certificate is not verified
};

// `words` are the command's, its name first. `probe` is a new one, or with an error anything.
Status ReadLoopProbe(const std::vector<std::string>& words, const ShellVariables& variables,
                     LoopProbe& probe);

// The targets of `certlatch wait` that come closest: "certificate/web@prod", "tcp://db:5432".
std::vector<std::string> TargetsOf(const LoopProbe& probe);

// An option of a command: "-w 3", "-w3", "--timeout=3", …
struct ShellOption {
  char id = '\0';  // as in -w
  bool takes_value = false;
  const char* name = nullptr;  // as in --timeout; nullptr: none
};

struct GivenOption {
  char id = '\0';
  std::string value;
};

struct GivenOptions {
  std::vector<GivenOption> options;
  std::vector<std::string> others;  // the words that are none
};

// As getopt_long() does. Error: cannot do "COMMAND OPTION".
Status ReadShellOptions(const std::vector<std::string>& words, const ShellOption* options,
                        size_t count, GivenOptions& given);

template <size_t kCount>
Status ReadShellOptions(const std::vector<std::string>& words, const ShellOption (&options)[kCount],
                        GivenOptions& given) {
  return ReadShellOptions(words, options, kCount, given);
}

}  // namespace certlatch
