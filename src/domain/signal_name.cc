#include "domain/signal_name.h"

#include "base/text.h"

namespace certlatch {
namespace {

// In the order of their numbers, each followed by a blank.
constexpr std::string_view kNames =
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP "
    "TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS ";

std::string_view TakeName(std::string_view& names) {
  const std::string_view name = names.substr(0, names.find(' '));
  names.remove_prefix(name.size() + 1);
  return name;
}

}  // namespace

std::string SignalName(int number) {
  std::string_view names = kNames;
  for (int at = 1; !names.empty(); ++at) {
    const std::string_view name = TakeName(names);
    if (at == number) return Format("SIG%.*s", Length(name), name.data());
  }
  return Format("signal %d", number);
}

std::optional<int> ParseSignalName(std::string_view text) {
  if (const auto number = ParseUint(text, 64); number && *number > 0) {
    return static_cast<int>(*number);
  }
  if (EqualIgnoringCase(text.substr(0, 3), "sig")) text.remove_prefix(3);
  std::string_view names = kNames;
  for (int at = 1; !names.empty(); ++at) {
    if (EqualIgnoringCase(TakeName(names), text)) return at;
  }
  return std::nullopt;
}

}  // namespace certlatch
