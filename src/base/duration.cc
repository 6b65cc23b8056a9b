#include "base/duration.h"

#include <cinttypes>
#include <cstdint>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr uint64_t kMaxNanoseconds = static_cast<uint64_t>(INT64_MAX);

struct Unit {
  char name[8];
  uint64_t nanoseconds;
};

constexpr Unit kUnits[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000},
    {"\xce\xbcs", 1000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60 * 1'000'000'000ULL},
    {"h", 3600 * 1'000'000'000ULL},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && IsDigit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

const Unit* FindUnit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

Error BadDuration(const std::string& problem, std::string_view text) {
  return Failure(Code::kConfig, "time: %s duration \"%s\"", problem.c_str(),
                 Printable(text, 100).c_str());
}

// The fraction's share of a unit, cut off to whole nanoseconds as Go does.
uint64_t FractionOf(std::string_view digits, uint64_t unit) {
  double scale = 1;
  uint64_t value = 0;
  for (const char c : digits) {
    if (value > kMaxNanoseconds / 10 - 1) break;  // more digits than a nanosecond can show
    value = value * 10 + static_cast<uint64_t>(c - '0');
    scale *= 10;
  }
  return static_cast<uint64_t>(static_cast<double>(value) * (static_cast<double>(unit) / scale));
}

// "12", "." and "345" of "12.345".
struct Quantity {
  std::string_view whole;
  std::string_view fraction;
};

void AppendPadded(uint64_t value, uint64_t scale, std::string& out) {
  // value/scale without trailing zeros in the fraction.
  out += Format("%" PRIu64, value / scale);
  uint64_t rest = value % scale;
  if (rest == 0) return;
  out += '.';
  while (rest != 0) {
    scale /= 10;
    out += static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration(0);
  if (rest.empty()) return BadDuration("invalid", text);

  uint64_t total = 0;
  while (!rest.empty()) {
    Quantity quantity;
    quantity.whole = TakeDigits(rest);
    if (!rest.empty() && rest[0] == '.') {
      rest.remove_prefix(1);
      quantity.fraction = TakeDigits(rest);
    }
    if (quantity.whole.empty() && quantity.fraction.empty()) return BadDuration("invalid", text);

    size_t unit_length = 0;
    while (unit_length < rest.size() && rest[unit_length] != '.' && !IsDigit(rest[unit_length])) {
      ++unit_length;
    }
    if (unit_length == 0) return BadDuration("missing unit in", text);
    const std::string_view name = rest.substr(0, unit_length);
    const Unit* unit = FindUnit(name);
    if (unit == nullptr) {
      return BadDuration(Format("unknown unit \"%s\" in", Printable(name, 100).c_str()), text);
    }
    rest.remove_prefix(unit_length);

    const auto whole = quantity.whole.empty()
                           ? std::optional<uint64_t>(0)
                           : ParseUint(quantity.whole, kMaxNanoseconds / unit->nanoseconds);
    if (!whole) return BadDuration("invalid", text);
    const uint64_t part =
        *whole * unit->nanoseconds + FractionOf(quantity.fraction, unit->nanoseconds);
    if (part > kMaxNanoseconds - total) return BadDuration("invalid", text);
    total += part;
  }
  const auto nanoseconds = static_cast<int64_t>(total);
  return Duration(negative ? -nanoseconds : nanoseconds);
}

std::string FormatDuration(Duration duration) {
  const int64_t count = duration.count();
  std::string out = count < 0 ? "-" : "";
  auto rest = count < 0 ? ~static_cast<uint64_t>(count) + 1 : static_cast<uint64_t>(count);
  if (rest == 0) return "0s";
  const uint64_t minute = 60 * 1'000'000'000ULL;
  const Unit fine[] = {{"ns", 1}, {"\xc2\xb5s", 1000}, {"ms", 1'000'000}};
  for (const Unit& unit : fine) {
    if (rest >= 1000 * unit.nanoseconds) continue;
    AppendPadded(rest, unit.nanoseconds, out);
    return out += unit.name;
  }
  if (rest >= 60 * minute) out += Format("%" PRIu64 "h", rest / (60 * minute));
  if (rest >= minute) out += Format("%" PRIu64 "m", rest / minute % 60);
  AppendPadded(rest % minute, 1'000'000'000, out);
  return out += 's';
}

std::string RoughDuration(Duration duration) {
  if (duration < 1s && duration > -1s) {
    return FormatDuration(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
  }
  std::string text = FormatDuration(std::chrono::duration_cast<std::chrono::seconds>(duration));
  // "3m0s" and "1h0m0s" say no more than "3m" and "1h".
  if (text.size() > 3 && text.ends_with("m0s")) text.resize(text.size() - 2);
  if (text.size() > 3 && text.ends_with("h0m")) text.resize(text.size() - 2);
  return text;
}

}  // namespace certlatch
