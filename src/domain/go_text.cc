#include "domain/go_text.h"

#include <algorithm>
#include <cfloat>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "domain/decimal.h"

namespace certlatch {
namespace {

// value = ±D.DDD × 10^exponent, with as few digits as read back to the same value.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

Decimal Shortest(double value) {
  // 15 digits survive a round trip through any normal double, so fewer need not be tried.
  int precision = std::fabs(value) < DBL_MIN ? 1 : 15;
  char text[40];
  while (true) {
    std::snprintf(text, sizeof text, "%.*e", precision - 1, value);
    if (precision == 17 || ToDouble(text) == value) break;
    ++precision;
  }
  Decimal decimal;
  const char* at = text;
  for (; *at != 'e'; ++at) {
    if (*at == '-') decimal.negative = true;
    if (*at >= '0' && *at <= '9') decimal.digits += *at;
  }
  decimal.exponent = std::atoi(at + 1);
  decimal.digits.resize(std::max<size_t>(decimal.digits.find_last_not_of('0') + 1, 1));
  return decimal;
}

void AppendScientific(const Decimal& decimal, bool two_digit_exponent, std::string& out) {
  const char* digits = decimal.digits.c_str();
  out += Format(two_digit_exponent ? "%c%s%se%+03d" : "%c%s%se%+d", digits[0],
                digits[1] == '\0' ? "" : ".", digits + 1, decimal.exponent);
}

void AppendPlain(const Decimal& decimal, std::string& out) {
  if (decimal.exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-decimal.exponent) - 1, '0');
    out += decimal.digits;
    return;
  }
  const size_t whole = static_cast<size_t>(decimal.exponent) + 1;
  for (size_t i = 0; i < std::max(whole, decimal.digits.size()); ++i) {
    if (i == whole) out += '.';
    out += i < decimal.digits.size() ? decimal.digits[i] : '0';
  }
}

enum class Style { kText, kJson };

// fmt writes an exponent below 1e-4 and from 1e6 on with at least two digits, encoding/json below
// 1e-6 and from 1e21 on, as JavaScript does.
void AppendNumber(std::string_view spelling, Style style, std::string& out) {
  const GoNumber number = ReadGoNumber(spelling);
  if (number.is_integer) {
    out += Format("%" PRId64, number.integer);
    return;
  }
  if (std::isinf(number.real)) {
    out += number.real < 0 ? "-Inf" : "+Inf";
    return;
  }
  const Decimal decimal = Shortest(number.real);
  if (decimal.negative) out += '-';
  const bool json = style == Style::kJson;
  if (decimal.exponent < (json ? -6 : -4) || decimal.exponent >= (json ? 21 : 6)) {
    AppendScientific(decimal, !json, out);
  } else {
    AppendPlain(decimal, out);
  }
}

// The letter of a two-character escape, or 0.
char ShortEscape(char c) {
  constexpr std::string_view kCharacters = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  const size_t found = kCharacters.find(c);
  return found == std::string_view::npos ? '\0' : kLetters[found];
}

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const std::string_view three = text.substr(i, 3);
    if (const char letter = ShortEscape(c)) {
      out.append(1, '\\').append(1, letter);
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      out += Format("\\u%04x", byte);
    } else if (three == "\u2028" || three == "\u2029") {
      out += three[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendText(const Json& value, size_t limit, std::string& out) {
  if (out.size() > limit) return;
  const char* separator = "";
  switch (value.kind()) {
    case Json::Kind::kNull:
      out += "<nil>";
      break;
    case Json::Kind::kBool:
      out += *value.AsBool() ? "true" : "false";
      break;
    case Json::Kind::kNumber:
      AppendNumber(value.NumberText(), Style::kText, out);
      break;
    case Json::Kind::kString:
      out += value.AsString();
      break;
    case Json::Kind::kArray:
      out += '[';
      for (const Json& item : value.items()) {
        out += separator;
        AppendText(item, limit, out);
        separator = " ";
      }
      out += ']';
      break;
    case Json::Kind::kObject:
      out += "map[";
      for (const Json::Member* member : SortedMembers(value)) {
        out.append(separator).append(member->key).append(1, ':');
        AppendText(member->value, limit, out);
        separator = " ";
      }
      out += ']';
      break;
  }
}

// Of equal keys the last in the text comes first, and is the one that is kept.
int CompareMembers(const void* left, const void* right) {
  const Json::Member* a = *static_cast<const Json::Member* const*>(left);
  const Json::Member* b = *static_cast<const Json::Member* const*>(right);
  const int order = a->key.compare(b->key);
  return order != 0 ? order : a > b ? -1 : 1;
}

}  // namespace

GoNumber ReadGoNumber(std::string_view spelling) {
  GoNumber number;
  const std::optional<int64_t> integer = ParseInt(spelling);
  number.is_integer = integer.has_value();
  number.integer = integer.value_or(0);
  if (!number.is_integer) number.real = ToDouble(spelling);
  return number;
}

std::string GoText(const Json& value, size_t limit) {
  std::string out;
  AppendText(value, limit, out);
  return out;
}

void AppendGoJson(const Json& value, std::string& out) {
  const char* separator = "";
  switch (value.kind()) {
    case Json::Kind::kNumber:
      AppendNumber(value.NumberText(), Style::kJson, out);
      break;
    case Json::Kind::kString:
      AppendQuoted(value.AsString(), out);
      break;
    case Json::Kind::kArray:
      out += '[';
      for (const Json& item : value.items()) {
        out += separator;
        AppendGoJson(item, out);
        separator = ",";
      }
      out += ']';
      break;
    case Json::Kind::kObject:
      out += '{';
      for (const Json::Member* member : SortedMembers(value)) {
        out += separator;
        AppendQuoted(member->key, out);
        out += ':';
        AppendGoJson(member->value, out);
        separator = ",";
      }
      out += '}';
      break;
    default:
      out += value.Dump();
  }
}

std::vector<const Json::Member*> SortedMembers(const Json& object) {
  std::vector<const Json::Member*> sorted;
  for (const Json::Member& member : object.members()) sorted.push_back(&member);
  if (!sorted.empty()) std::qsort(sorted.data(), sorted.size(), sizeof(void*), CompareMembers);
  size_t kept = 0;
  for (const Json::Member* member : sorted) {
    if (kept == 0 || sorted[kept - 1]->key != member->key) sorted[kept++] = member;
  }
  sorted.resize(kept);
  return sorted;
}

}  // namespace certlatch
