#include "base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace certlatch {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The length of the UTF-8 sequence at the front of `text` if it is well formed and printable
// (RFC 3629: shortest form, no surrogates, at most U+10FFFF; no C1 controls), else 0.
size_t PrintableSequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool too_large = lead == 0xf4 && second >= 0x90;
  const bool c1_control = lead == 0xc2 && second < 0xa0;
  return overlong || surrogate || too_large || c1_control ? 0 : length;
}

}  // namespace

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = Lower(c);
  return lower;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

bool ConsistsOf(std::string_view text, std::string_view others) {
  for (const char c : text) {
    const char lower = Lower(c);
    const bool alphanumeric = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric && others.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool IsHttpToken(std::string_view text) { return ConsistsOf(text, "!#$%&'*+-.^_`|~"); }

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::optional<unsigned> HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  return std::nullopt;
}

std::optional<uint64_t> ParseUint(std::string_view text, uint64_t max) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (digit > max || value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<uint32_t> ParseIpv4(std::string_view text) {
  const auto parts = Split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  uint32_t address = 0;
  for (const std::string_view part : parts) {
    const auto byte = ParseUint(part, 255);
    if (!byte) return std::nullopt;
    address = address << 8 | static_cast<uint32_t>(*byte);
  }
  return address;
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  const auto address = ParseIpv4(host);
  return address && *address >> 24 == 127;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  const bool negative = text.starts_with('-');
  const uint64_t max = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  const auto size = ParseUint(text.substr(negative ? 1 : 0), max);
  if (!size) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - *size : *size);
}

std::string Printable(std::string_view text, size_t limit) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "...";
    const size_t length = PrintableSequence(text);
    if (length > 0) {
      out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[0]);
    out += Format("\\x%02x", byte);
    text.remove_prefix(1);
  }
  return out;
}

std::string Format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  std::string text = FormatList(pattern, arguments);
  va_end(arguments);
  return text;
}

std::string FormatList(const char* pattern, va_list arguments) {
  char* buffer = nullptr;
  const int length = vasprintf(&buffer, pattern, arguments);
  if (length < 0) std::abort();  // out of memory, or past INT_MAX
  std::string text(buffer, static_cast<size_t>(length));
  std::free(buffer);  // NOLINT(cppcoreguidelines-no-malloc): vasprintf's
  return text;
}

int Length(std::string_view text) {
  return static_cast<int>(std::min<size_t>(text.size(), INT_MAX));
}

}  // namespace certlatch
