#include "domain/base64.h"

#include <cstdint>
#include <utility>

namespace certlatch {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kGroup = 4;  // characters that stand for three bytes
constexpr uint32_t kNotADigit = 64;

// Arithmetic, not a table: which byte of a key is looked at leaves no trace in the cache.
uint32_t DigitValue(char c) {
  const auto in = [c](char first, char last) { return c >= first && c <= last; };
  if (in('A', 'Z')) return static_cast<uint32_t>(c - 'A');
  if (in('a', 'z')) return static_cast<uint32_t>(c - 'a' + 26);
  if (in('0', '9')) return static_cast<uint32_t>(c - '0' + 52);
  if (c == '+') return 62;
  if (c == '/') return 63;
  return kNotADigit;
}

size_t PaddingOf(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

Error NotBase64(size_t position) {
  return Failure(Code::kRetry, "not valid base64 at character %zu", position + 1);
}

// Decodes into `out`, which is wiped again if the text turns out not to be base64.
Status DecodeInto(std::string_view text, std::string& out) {
  if (text.size() % kGroup != 0) return Error{Code::kRetry, "not valid base64: cut short"};
  const size_t padding = PaddingOf(text);
  const size_t digits = text.size() - padding;
  out.reserve(text.size() / kGroup * 3);  // at once: growing would leave copies behind
  uint32_t bits = 0;
  size_t count = 0;  // bits that wait in `bits`
  for (size_t i = 0; i < digits; ++i) {
    const uint32_t value = DigitValue(text[i]);
    if (value == kNotADigit) {
      Wipe(out);
      return NotBase64(i);
    }
    bits = (bits << 6 | value) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  if ((bits & ((1U << count) - 1)) != 0) {  // RFC 4648, section 3.5: pad bits are zero
    Wipe(out);
    return NotBase64(digits - 1);
  }
  return {};
}

}  // namespace

Result<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  if (Status status = DecodeInto(text, bytes); !status) return std::move(status).error();
  return bytes;
}

Result<Secret> DecodeBase64Secret(std::string_view text) {
  std::string bytes;
  if (Status status = DecodeInto(text, bytes); !status) return std::move(status).error();
  return Secret(std::move(bytes));
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * kGroup);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](size_t i) {
      return at + i < bytes.size() ? uint32_t{static_cast<unsigned char>(bytes[at + i])} : 0;
    };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    const size_t digits = bytes.size() - at >= 3 ? kGroup : bytes.size() - at + 1;
    for (size_t i = 0; i < digits; ++i) text += kAlphabet[bits >> (18 - 6 * i) & 63];
    text.append(kGroup - digits, '=');
  }
  return text;
}

}  // namespace certlatch
