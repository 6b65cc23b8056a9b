#include "domain/decimal.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "base/text.h"

namespace certlatch {
namespace {

void ExpectAsStrtod(const std::string& text) {
  const double expected = std::strtod(text.c_str(), nullptr);
  EXPECT_EQ(std::bit_cast<uint64_t>(ToDouble(text)), std::bit_cast<uint64_t>(expected)) << text;
}

TEST(Decimal, IsTheNearestDoubleAsStrtodHasIt) {
  for (const char* text : {"0",
                           "-0",
                           "1",
                           "+1",
                           "-1.5",
                           ".5",
                           "5.",
                           "0.1",
                           "1e0",
                           "1E+2",
                           "1e-2",
                           "123456789012345678",
                           "9007199254740993",
                           "9007199254740992.5",
                           "0.3",
                           "1e22",
                           "1e23",
                           "8.5e22",
                           "2.5e-324",
                           "4.9e-324",
                           "2.4703282292062327e-324",
                           "2.4703282292062328e-324",
                           "2.2250738585072011e-308",
                           "2.2250738585072014e-308",
                           "1.7976931348623157e308",
                           "1.7976931348623159e308",
                           "1e309",
                           "-1e400",
                           "1e-400",
                           "1e99999999999999999999",
                           "1e-99999999999999999999",
                           "0e999999999999",
                           "0.000000000000000000000000000000000000000000000000000000000001e60"}) {
    ExpectAsStrtod(text);
  }
}

TEST(Decimal, SeesTheDigitThatDecidesATieHoweverLate) {
  const std::string tie = "9007199254740993";  // between two doubles: to the even one
  ExpectAsStrtod(tie + "." + std::string(1000, '0'));
  ExpectAsStrtod(tie + "." + std::string(1000, '0') + "1");
  ExpectAsStrtod(tie + std::string(2000, '0') + "1e-2001");
  ExpectAsStrtod(std::string(5000, '0') + "." + std::string(300, '0') + "17");
}

TEST(Decimal, IsTheNearestDoubleOfAnyNumber) {
  std::mt19937_64 random(20261122);  // NOLINT(bugprone-random-generator-seed): the same every time
  for (int i = 0; i < 2000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    for (const int precision : {3, 16, 17, 25}) ExpectAsStrtod(Format("%.*e", precision, value));
    // Halfway to the next one, exactly, and the digits of that beside it.
    const double next = std::nextafter(value, INFINITY);
    const long double middle = (static_cast<long double>(value) + next) / 2;
    ExpectAsStrtod(Format("%.800Le", middle));
  }
}

}  // namespace
}  // namespace certlatch
