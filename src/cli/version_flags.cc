// `certlatch version`.

#include "cli/mode.h"

namespace certlatch {
namespace {

constexpr const char* kVersionUsage =
    "What this is: its version, its commit, and the libraries inside.\n"
    "\n"
    "Usage: certlatch version [flags]\n"
    "\n"
    "Flags:\n";

constexpr const char* kVersionExamples =
    "\n"
    "Examples:\n"
    "  certlatch version\n"
    "  certlatch version -o json\n";

constexpr Flag kVersionFlags[] = {
    {"output", "json", "print JSON", SetText, CERTLATCH_GIVEN(output), 'o'},
};

Status CompleteVersion(Parsed& parsed, const Surroundings& surroundings) {
  Status status = RefuseWords(parsed.positional);
  bool json = false;
  if (status) status = CompleteOutput(parsed.given, "json", json);
  parsed.command.text = json ? surroundings.version_json : surroundings.version;
  return status;
}

}  // namespace

const ModeSyntax kVersionMode = {
    "version", Command::Kind::kPrint, kVersionUsage, kVersionExamples, {kVersionFlags}, 0, 0,
    0,         CompleteVersion};

}  // namespace certlatch
