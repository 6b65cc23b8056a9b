// One log line: one change of state, for the person on call.
// A line has an event name for machines, a text for people and key=value fields; Render gives it as
// text, logfmt or JSON, always one line of printable characters.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/time.h"

namespace certlatch {

enum class LogFormat { kText, kLogfmt, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  const char* key;  // lower_case
  std::string_view value;
};

// A view, for the length of a call: it copies nothing.
struct LogLine {
  LogLevel level;
  const char* event;      // lower_case; stable across versions
  std::string_view text;  // complete by itself: the text format prints nothing else
  std::initializer_list<LogField> fields = {};
};

// Without a line break at the end. `now` stands in logfmt and JSON as ts=2026-01-02T03:04:05Z.
std::string Render(const LogLine& line, LogFormat format, WallTime now);

}  // namespace certlatch
