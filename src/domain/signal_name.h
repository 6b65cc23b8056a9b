// The signals' names, as kill(1) knows them: "HUP", "SIGHUP". Pure; Linux's numbers, 1 to 31.
// Numbers of real-time signals have no names and are written as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace certlatch {

std::string SignalName(int number);  // "SIGHUP"; "signal 34" of those without a name

// "HUP", "SIGHUP", "hup" or a number from 1 to 64.
std::optional<int> ParseSignalName(std::string_view text);

}  // namespace certlatch
