// `certlatch install`.

#include "cli/mode.h"

namespace certlatch {
namespace {

constexpr const char* kInstallUsage =
    "Put this program into a directory, where other containers can run it: as an exec probe.\n"
    "\n"
    "Usage: certlatch install DIR\n";

constexpr const char* kInstallExamples =
    "\n"
    "Exit status: 0 it is there; 1 it is not.\n"
    "\n"
    "Examples:\n"
    "  certlatch install /shared\n"
    "  certlatch install /shared --log-format=json\n";

Status CompleteInstall(Parsed& parsed, const Surroundings& /*surroundings*/) {
  const std::vector<std::string_view>& words = parsed.positional.words;
  if (words.size() != 1 || words[0].empty()) {
    return Refuse("install needs one directory: mount an emptyDir, and give its path");
  }
  parsed.command.text = words[0];
  parsed.command.connection.server.clear();
  return {};
}

}  // namespace

const ModeSyntax kInstallMode = {
    "install", Command::Kind::kInstall, kInstallUsage, kInstallExamples, {}, 0, 0,
    0,         CompleteInstall};

}  // namespace certlatch
