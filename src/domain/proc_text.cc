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

}  // namespace certlatch
