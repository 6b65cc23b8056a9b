// Command lines as one types them, and what becomes of them in a pod.
#pragma once

#include <string>
#include <string_view>

#include "app/options.h"
#include "cli/command_line.h"

namespace certlatch {

// A pod of the namespace "prod", whose cluster is at https://10.96.0.1:443.
Surroundings InPod();

// The options of "certlatch LINE"; double quotes keep words together. Fails the test if it is
// refused.
Command ParsedLine(std::string_view line, const Surroundings& surroundings = InPod());

// What is said of "certlatch LINE"; fails the test if it is accepted.
std::string RefusedLine(std::string_view line, const Surroundings& surroundings = InPod());

}  // namespace certlatch
