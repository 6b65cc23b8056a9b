#include "domain/go_text.h"

#include <algorithm>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

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
    if (precision == 17 || std::strtod(text, nullptr) == value) break;
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
  out += decimal.digits[0];
  if (decimal.digits.size() > 1) out.append(1, '.').append(decimal.digits, 1);
  const int size = std::abs(decimal.exponent);
  out += decimal.exponent < 0 ? "e-" : "e+";
  if (size < 10 && two_digit_exponent) out += '0';
  out += std::to_string(size);
}

void AppendPlain(const Decimal& decimal, std::string& out) {
  if (decimal.exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-decimal.exponent) - 1, '0');
    out += decimal.digits;
    return;
  }
  const size_t whole = static_cast<size_t>(decimal.exponent) + 1;
  std::string digits = decimal.digits;
  if (digits.size() < whole) digits.resize(whole, '0');
  if (digits.size() > whole) digits.insert(whole, 1, '.');
  out += digits;
}

enum class Style { kText, kJson };

// fmt writes an exponent below 1e-4 and from 1e6 on with at least two digits, encoding/json below
// 1e-6 and from 1e21 on, as JavaScript does.
void AppendNumber(std::string_view spelling, Style style, std::string& out) {
  const GoNumber number = ReadGoNumber(spelling);
  if (number.is_integer) {
    out += std::to_string(number.integer);
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
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const std::string_view three = text.substr(i, 3);
    if (const char letter = ShortEscape(c)) {
      out.append(1, '\\').append(1, letter);
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      out.append("\\u00").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else if (three == "\u2028" || three == "\u2029") {
      out.append("\\u202").append(1, three[2] == '\xa8' ? '8' : '9');
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

}  // namespace

GoNumber ReadGoNumber(std::string_view spelling) {
  GoNumber number;
  const char* end = spelling.data() + spelling.size();
  const auto [stop, problem] = std::from_chars(spelling.data(), end, number.integer);
  number.is_integer = problem == std::errc() && stop == end;
  if (!number.is_integer) number.real = std::strtod(std::string(spelling).c_str(), nullptr);
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
  sorted.reserve(object.members().size());
  for (const Json::Member& member : object.members()) sorted.push_back(&member);
  // Of equal keys the last in the text comes first, and is the one that unique keeps.
  std::sort(sorted.begin(), sorted.end(), [](const Json::Member* a, const Json::Member* b) {
    const int order = a->key.compare(b->key);
    return order != 0 ? order < 0 : a > b;
  });
  const auto same = [](const Json::Member* a, const Json::Member* b) { return a->key == b->key; };
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
  return sorted;
}

}  // namespace certlatch
