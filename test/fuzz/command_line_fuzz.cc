// Arguments from anywhere (a chart's values, a pasted script): any list of them gives a command or
// a refusal of printable lines, and a command for `wait` has targets and a bound on its time.
// The input is the program's name and its arguments, each ended by a line break.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/command_line.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void RequirePrintable(std::string_view text) {
  for (const std::string_view line : Split(text, '\n')) {
    Require(Printable(line, SIZE_MAX) == line);
  }
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;  // NOLINT(google-build-using-namespace): the entry point is C
  std::vector<std::string_view> lines = Split({reinterpret_cast<const char*>(data), size}, '\n');
  const std::string_view program = lines[0];
  lines.erase(lines.begin());
  Surroundings surroundings;
  surroundings.environment = {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"};
  Command command;
  const Status status = ParseCommandLine(program, lines, surroundings, command);
  if (!status) {
    Require(!status.error().text.empty());
    RequirePrintable(status.error().text);
    return 0;
  }
  if (command.kind != Command::Kind::kWait) return 0;
  Require(!command.wait.targets.empty() && command.wait.targets.size() <= kMaxTargets);
  Require(command.wait.timeout >= Duration::zero());
  for (const TargetName& target : command.wait.targets) {
    Require(target.name.find('/') == std::string::npos && target.name != "..");
  }
  return 0;
}
