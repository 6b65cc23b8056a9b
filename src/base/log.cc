#include "base/log.h"

#include <cstdint>

#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

constexpr size_t kMaxText = 4096;

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

// Quoted for logfmt and JSON alike. Printable has replaced what JSON would need other escapes for.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : Printable(text, kMaxText)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

bool IsBare(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<signed char>(c) < 0)
      return false;
  }
  return true;
}

void Append(std::string_view key, std::string_view value, LogFormat format, std::string& out) {
  if (format == LogFormat::kJson) {
    out += out.empty() ? '{' : ',';
    out += Quoted(key);
    out += ':';
    out += Quoted(value);
    return;
  }
  if (!out.empty()) out += ' ';
  out += key;
  out += '=';
  out += IsBare(value) ? std::string(value) : Quoted(value);
}

}  // namespace

std::string Render(const LogLine& line, LogFormat format, WallTime now) {
  if (format == LogFormat::kText) return Printable(line.text, kMaxText);
  std::string out;
  Append("ts", FormatWallTime(now), format, out);
  Append("level", LevelName(line.level), format, out);
  Append("event", line.event, format, out);
  for (const LogField& field : line.fields) Append(field.key, field.value, format, out);
  Append("msg", line.text, format, out);
  if (format == LogFormat::kJson) out += '}';
  return out;
}

}  // namespace certlatch
