// Environment is a process's environment as a value: "NAME=VALUE" each, as execve() passes it on.
#pragma once

#include <string_view>
#include <vector>

namespace certlatch {

using Environment = std::vector<std::string_view>;

// "" if there is none; the first one counts.
std::string_view ValueOf(const Environment& environment, std::string_view name);

}  // namespace certlatch
