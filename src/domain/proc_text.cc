#include "domain/proc_text.h"

#include "base/text.h"

namespace certlatch {
namespace {

// The part of `text` before `separator`, which is taken off with it.
std::string_view Take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::optional<uint64_t> ParseMask(std::string_view hex) {
  if (hex.empty() || hex.size() > 16) return std::nullopt;
  uint64_t mask = 0;
  for (const char c : hex) {
    const auto digit = HexValue(c);
    if (!digit) return std::nullopt;
    mask = mask << 4 | *digit;
  }
  return mask;
}

}  // namespace

std::string_view ProcField(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = Take(text, '\n');
    if (line.size() > name.size() && line[name.size()] == ':' && line.starts_with(name)) {
      return Trim(line.substr(name.size() + 1));
    }
  }
  return {};
}

std::string_view MountRoot(std::string_view mountinfo, uint64_t id) {
  while (!mountinfo.empty()) {
    std::string_view line = Take(mountinfo, '\n');
    if (ParseUint(Take(line, ' ')) != id) continue;
    Take(line, ' ');  // its parent
    Take(line, ' ');  // the device
    return Take(line, ' ');
  }
  return {};
}

bool IsPinnedRoot(std::string_view root) {
  for (size_t at = root.find("/.."); at != std::string_view::npos; at = root.find("/..", at + 1)) {
    if (root.size() > at + 3 && root[at + 3] >= '0' && root[at + 3] <= '9') return true;
  }
  return root.find("/volume-subpaths/") != std::string_view::npos;
}

std::optional<ProcStat> ParseProcStat(std::string_view stat) {
  const size_t open = stat.find(" (");
  const size_t close = stat.rfind(") ");  // no later field has one
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return std::nullopt;
  }
  ProcStat facts;
  facts.name = stat.substr(open + 2, close - open - 2);
  stat.remove_prefix(close + 2);
  const std::string_view state = Take(stat, ' ');
  const auto parent = ParseUint(Take(stat, ' '), INT32_MAX);
  for (int field = 5; field < 22; ++field) Take(stat, ' ');
  const auto start = ParseUint(Take(stat, ' '));
  if (state.size() != 1 || !parent || !start) return std::nullopt;
  facts.state = state[0];
  facts.parent = static_cast<int>(*parent);
  facts.start_ticks = *start;
  return facts;
}

std::optional<SignalMasks> ParseSignalMasks(std::string_view status) {
  const auto caught = ParseMask(ProcField(status, "SigCgt"));
  const auto blocked = ParseMask(ProcField(status, "SigBlk"));
  const auto ignored = ParseMask(ProcField(status, "SigIgn"));
  std::string_view uids = ProcField(status, "Uid");
  const auto uid = ParseUint(Take(uids, '\t'), UINT32_MAX);
  if (!caught || !blocked || !ignored || !uid) return std::nullopt;
  const std::string_view pids = ProcField(status, "NSpid");
  const bool is_init = pids == "1" || pids.ends_with("\t1");
  return SignalMasks{*caught, *blocked, *ignored, static_cast<uint32_t>(*uid), is_init};
}

SignalFate FateOf(int signal, const SignalMasks& masks) {
  const uint64_t bit = uint64_t{1} << (signal - 1);
  if (((masks.caught | masks.blocked) & bit) != 0) return SignalFate::kHandled;
  return (masks.ignored & bit) != 0 ? SignalFate::kIgnored : SignalFate::kDefault;
}

}  // namespace certlatch
