#include "cli/command_line.h"

#include <cstddef>
#include <utility>

#include "base/text.h"
#include "cli/connection_flags.h"
#include "cli/mode.h"
#include "domain/shell_words.h"

namespace certlatch {
namespace {

constexpr const ModeSyntax* kModes[] = {&kWaitMode,    &kSidecarMode, &kPublishMode, &kCheckMode,
                                        &kExplainMode, &kInstallMode, &kVersionMode};

constexpr const char* kUsage =
    "certlatch holds a pod until what it needs is real, and its apps on their newest certificate.\n"
    "\n"
    "Usage:\n"
    "  certlatch wait TARGET... [flags]   wait until all targets are met\n"
    "  certlatch sidecar [flags]          tell an app of each new certificate, and prove it\n"
    "  certlatch publish [flags]          tell sidecars by a Lease which certificate is right\n"
    "  certlatch check [flags]            are expected, mounted and served the same?\n"
    "  certlatch rbac MODE ...            the least rights that such a command needs, as YAML\n"
    "  certlatch explain TARGET...        why is it not ready? link by link\n"
    "  certlatch install DIR              put this program there, for other containers\n"
    "  certlatch version                  what this is\n"
    "  certlatch MODE --help              the flags of a mode\n"
    "\n"
    "Under the name \"kubectl\" it is `kubectl wait`; as \"sh -c SCRIPT\" it does a script's wait "
    "loops.\n"
    "\n"
    "Flags of all modes, for the API server and the log:\n";

Status Print(std::string text, Command& command) {
  command.kind = Command::Kind::kPrint;
  command.text = std::move(text);
  return {};
}

Status NoSuchVerb(std::string_view verb) {
  return Refuse(
      "error: this is certlatch under the name kubectl: it can \"wait\", not \"%s\"; "
      "\"kubectl wait TYPE/NAME --for=...\" waits for an object, a condition or a value",
      Printable(verb, 100).c_str());
}

Status BadFlag(const Error& error, const char* mode, bool as_kubectl) {
  return Refuse(as_kubectl ? "Error: %s\nSee 'kubectl %s --help' for usage."
                           : "error: %s (see 'certlatch %s --help')",
                error.text.c_str(), mode);
}

// One screen: the mode's own flags leave no room for the others, so it names these.
std::string Help(const ModeSyntax& mode) {
  std::string text = mode.usage;
  for (const FlagTable table : mode.tables) DescribeFlags(table, text);
  text += "\nFor the API server and the log, as in 'certlatch --help':\n";
  NameFlags(kConnectionFlags, text);
  text += mode.examples;
  return text;
}

Status Read(const std::vector<std::string_view>& arguments, const ModeSyntax& mode,
            Parsed& parsed) {
  // kubectl has not all that `wait` has.
  const FlagTable second = parsed.command.wait.as_kubectl ? FlagTable() : mode.tables[1];
  const FlagTable tables[] = {mode.tables[0], second, mode.tables[2], kConnectionFlags};
  char* const command = reinterpret_cast<char*>(&parsed.command);
  void* const parts[kParts] = {&parsed.given, command, command + mode.volume, command + mode.pod,
                               command + mode.expect};
  return ReadFlags(arguments, tables, parts, parsed.positional);
}

}  // namespace

// kubectl's verb may stand anywhere among its flags; ours has been taken off already.
Status ParseMode(const ModeSyntax& mode, const std::vector<std::string_view>& arguments,
                 const Surroundings& surroundings, Command& command) {
  const bool as_kubectl = command.wait.as_kubectl;
  command.kind = mode.kind;
  // A look at something is not why a container ends.
  if (mode.kind >= Command::Kind::kCheck) command.output.termination_log.clear();
  Parsed parsed{command, {}, {}};
  const Status read = Read(arguments, mode, parsed);
  if (!read) return BadFlag(read.error(), mode.name, as_kubectl);
  if (parsed.given.help) return Print(Help(mode), command);
  if (as_kubectl) {
    std::vector<std::string_view>& words = parsed.positional.words;
    const std::string_view verb = words.empty() ? "" : words.front();
    if (verb != mode.name) return NoSuchVerb(verb);
    words.erase(words.begin());
  }
  Status complete = mode.complete(parsed, surroundings);
  if (!complete) return std::move(complete).error().With("error");
  return {};
}

Status RefuseWords(const Positional& positional) {
  if (positional.words.empty()) return {};
  return Refuse("unexpected argument \"%s\"", Printable(positional.words[0], 100).c_str());
}

Status CompleteOutput(const Given& given, const char* known, bool& chosen) {
  chosen = given.output == known;
  if (chosen || given.output.empty()) return {};
  return Refuse("--output knows only \"%s\", not \"%s\"", known,
                Printable(given.output, 100).c_str());
}

Status ParseCommandLine(std::string_view program, const std::vector<std::string_view>& arguments,
                        const Surroundings& surroundings, Command& command) {
  command.output.termination_log = kTerminationLog;
  const std::string_view mode = arguments.empty() ? "" : arguments[0];
  if (BaseName(program) == "kubectl") {
    // Another verb's flags would be refused one by one: the verb is what is wrong.
    if (!mode.starts_with('-') && mode != "wait") return NoSuchVerb(mode);
    command.wait.as_kubectl = true;
    return ParseMode(kWaitMode, arguments, surroundings, command);
  }
  if (WordIn(BaseName(program), "sh bash ash dash") >= 0) {
    return ParseShell(arguments, surroundings, command);
  }
  if (arguments.empty()) return Refuse("error: no mode given (see 'certlatch --help')");
  if (mode == "--help" || mode == "-h" || mode == "help") {
    std::string text = kUsage;
    DescribeFlags(kConnectionFlags, text);
    return Print(std::move(text), command);
  }
  if (mode == "rbac") {
    return ParseRbac({arguments.begin() + 1, arguments.end()}, surroundings, command);
  }
  for (const ModeSyntax* known : kModes) {
    if (mode != known->name && !(known == &kVersionMode && mode == "--version")) continue;
    return ParseMode(*known, {arguments.begin() + 1, arguments.end()}, surroundings, command);
  }
  return Refuse("error: unknown command \"%s\" (see 'certlatch --help')",
                Printable(mode, 100).c_str());
}

}  // namespace certlatch
