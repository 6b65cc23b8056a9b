#include "cli/environment.h"

namespace certlatch {

std::string_view ValueOf(const Environment& environment, std::string_view name) {
  for (std::string_view entry : environment) {
    if (!entry.starts_with(name)) continue;
    entry.remove_prefix(name.size());
    if (entry.starts_with('=')) return entry.substr(1);
  }
  return {};
}

}  // namespace certlatch
