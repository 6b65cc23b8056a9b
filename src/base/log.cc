#include "base/log.h"

#include <cstdint>

#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

constexpr size_t kMaxText = 4096;

constexpr const char* kLevelNames[] = {"debug", "info", "warning", "error"};  // LogLevel's order

// Quoted for logfmt and JSON alike. Printable has replaced what JSON would need other escapes for.
void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : Printable(text, kMaxText)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

bool IsBare(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<signed char>(c) < 0)
      return false;
  }
  return true;
}

// The first is always "ts".
void Append(std::string_view key, std::string_view value, LogFormat format, std::string& out) {
  const bool json = format == LogFormat::kJson;
  if (!out.empty()) {
    out += json ? ',' : ' ';
  } else if (json) {
    out += '{';
  }
  if (json) {
    AppendQuoted(key, out);
  } else {
    out += key;
  }
  out += json ? ':' : '=';
  if (json || !IsBare(value)) return AppendQuoted(value, out);
  out += value;
}

}  // namespace

std::string Render(const LogLine& line, LogFormat format, WallTime now) {
  if (format == LogFormat::kText) return Printable(line.text, kMaxText);
  std::string out;
  Append("ts", FormatWallTime(now), format, out);
  Append("level", kLevelNames[static_cast<int>(line.level)], format, out);
  Append("event", line.event, format, out);
  for (const LogField& field : line.fields) Append(field.key, field.value, format, out);
  Append("msg", line.text, format, out);
  if (format == LogFormat::kJson) out += '}';
  return out;
}

}  // namespace certlatch
