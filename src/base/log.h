// One log line: one change of state, for the person on call.
// A line has an event name for machines, a text for people and key=value fields; Render gives it as
// text, logfmt or JSON, always one line of printable characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace certlatch {

enum class LogFormat { kText, kLogfmt, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;  // lower_case, a literal
  std::string value;
};

struct LogLine {
  LogLevel level = LogLevel::kInfo;
  std::string_view event;  // lower_case, a literal; stable across versions
  std::string text;        // complete by itself: the text format prints nothing else
  std::vector<LogField> fields;
};

// Without a line break at the end. `now` stands in logfmt and JSON as ts=2026-01-02T03:04:05Z.
std::string Render(const LogLine& line, LogFormat format, WallTime now);

}  // namespace certlatch
