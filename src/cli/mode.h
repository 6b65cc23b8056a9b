// ModeSyntax is one word of the command line, such as "wait": its help, its flags, and what its
// arguments mean together. Each is defined in a file of its own (wait_flags.cc, …); command_line.cc
// reads the arguments by it.
#pragma once

#include <string>
#include <vector>

#include "app/options.h"
#include "base/result.h"
#include "cli/command_line.h"
#include "cli/flags.h"

namespace certlatch {

constexpr Duration kNotGiven = Duration::min();

// What flags say that is no option by itself.
struct Given {
  std::vector<std::string> fors;
  Duration timeout = kNotGiven;
  std::string ns;
  std::string kubeconfig;
  std::string context;
  std::string output;
  std::string require_name;
  Duration min_validity{};
  enum class LeaseMode { kUnsaid = -1, kWatch, kOnChange } lease_mode = LeaseMode::kUnsaid;
  bool all = false;
  bool exec = false;
  bool no_proxy = false;
  bool help = false;
};

// Where flags put their values. The last three belong to one mode or another.
enum Part : uint8_t { kGivenPart, kCommandPart, kVolumePart, kPodPart, kExpectPart, kParts };

#define CERTLATCH_GIVEN(member) CERTLATCH_PLACE(kGivenPart, Given, member)
#define CERTLATCH_COMMAND(member) CERTLATCH_PLACE(kCommandPart, Command, member)

struct Parsed {
  Command& command;
  Given given;
  Positional positional;
};

struct ModeSyntax {
  const char* name;
  Command::Kind kind;
  const char* usage;     // all that stands before the flags in its help
  const char* examples;  // all that stands after them
  FlagTable tables[3];   // its own flags, as the help shows them; those of all modes follow
  // Where its parts are in a Command; 0: it has no such flags.
  uint16_t volume;
  uint16_t pod;
  uint16_t expect;
  // Checks the flags together, and fills in what they do not say. Errors: one line, without
  // "error".
  Status (*complete)(Parsed& parsed, const Surroundings& surroundings);
};

extern const ModeSyntax kWaitMode;
extern const ModeSyntax kSidecarMode;
extern const ModeSyntax kPublishMode;
extern const ModeSyntax kCheckMode;
extern const ModeSyntax kExplainMode;
extern const ModeSyntax kInstallMode;
extern const ModeSyntax kVersionMode;

// Reads `arguments`, without the mode's name, into `command`. Under the name kubectl that is its
// verb, and still among them. Errors are complete.
Status ParseMode(const ModeSyntax& mode, const std::vector<std::string_view>& arguments,
                 const Surroundings& surroundings, Command& command);

// `sh -c SCRIPT`. Errors are complete.
Status ParseShell(const std::vector<std::string_view>& arguments, const Surroundings& surroundings,
                  Command& command);

// `rbac [FLAGS] MODE …`, as text to print. Errors are complete.
Status ParseRbac(std::vector<std::string_view> arguments, Surroundings surroundings,
                 Command& command);

// Reads the files of those that are dry runs.
Status CompleteDryRuns(const Surroundings& surroundings, std::vector<TargetName>& targets);

// Refuses the arguments of a mode that takes flags alone.
Status RefuseWords(const Positional& positional);

// -o: `chosen` if it is `known`, the only word there is.
Status CompleteOutput(const Given& given, const char* known, bool& chosen);

}  // namespace certlatch
