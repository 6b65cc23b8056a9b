#include "domain/decimal.h"

#include <openssl/bn.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/deleter.h"
#include "base/text.h"

namespace certlatch {
namespace {

constexpr int kMaxDigits = 800;
// Beyond these powers of ten everything is infinite, or 0, whatever its digits.
constexpr int kLargest = 310;
constexpr int kSmallest = -345;
constexpr int64_t kMaxExponent = 1'000'000'000;
constexpr int kGuardBits = 2;  // in a quotient, below those of a double

using Big = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Context = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;

// Of numbers as long as these only memory can run out.
void Require(bool truth) {
  if (!truth) std::abort();
}

// number × 10^power
void Scale(BIGNUM* number, int power) {
  for (; power > 0; --power) Require(BN_mul_word(number, 10) == 1);
}

struct Parts {
  Big digits{BN_new()};
  int count = 0;  // of digits, without zeros in front
  int64_t exponent = 0;
  bool negative = false;
};

Parts Read(std::string_view text) {
  Parts parts;
  parts.negative = text.starts_with('-');
  if (parts.negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t end = std::min(text.find_first_of("eE"), text.size());
  bool fraction = false;
  bool more = false;  // a digit other than 0 that was not taken
  for (const char c : text.substr(0, end)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    if (parts.count < kMaxDigits) {
      const auto digit = static_cast<BN_ULONG>(c - '0');
      Scale(parts.digits.get(), 1);
      Require(BN_add_word(parts.digits.get(), digit) == 1);
      if (parts.count > 0 || digit != 0) ++parts.count;
      if (fraction) --parts.exponent;
    } else {
      more = more || c != '0';
      if (!fraction) ++parts.exponent;
    }
  }
  if (more) {
    Scale(parts.digits.get(), 1);
    Require(BN_add_word(parts.digits.get(), 1) == 1);
    ++parts.count;
    --parts.exponent;
  }
  if (end == text.size()) return parts;
  text.remove_prefix(end + 1);
  const bool small = text.starts_with('-');
  if (text.starts_with('+')) text.remove_prefix(1);
  const int64_t beyond = small ? -kMaxExponent : kMaxExponent;
  const int64_t power = ParseInt(text).value_or(beyond);
  parts.exponent += std::clamp(power, -kMaxExponent, kMaxExponent);
  return parts;
}

// The nearest double to quotient × 2^exponent, and a bit more if `inexact`.
double Round(const BIGNUM* quotient, int exponent, bool inexact) {
  int drop = BN_num_bits(quotient) - DBL_MANT_DIG;
  // A subnormal number has fewer digits.
  drop = std::max(drop, DBL_MIN_EXP - DBL_MANT_DIG - exponent);
  const Big kept(BN_new());
  Require(BN_rshift(kept.get(), quotient, drop) == 1);
  uint64_t mantissa = BN_get_word(kept.get());
  for (int bit = 0; bit < drop - 1; ++bit) inexact = inexact || BN_is_bit_set(quotient, bit) != 0;
  const bool half = BN_is_bit_set(quotient, drop - 1) != 0;
  if (half && (inexact || (mantissa & 1) != 0)) ++mantissa;
  return std::ldexp(static_cast<double>(mantissa), exponent + drop);
}

double Divide(const Parts& parts) {
  const Big denominator(BN_new());
  Require(BN_set_word(denominator.get(), 1) == 1);
  Scale(parts.digits.get(), static_cast<int>(parts.exponent));
  Scale(denominator.get(), static_cast<int>(-parts.exponent));
  // So far to the left that the quotient has all of a double's bits, and some to round by.
  const int shift = std::max(0, DBL_MANT_DIG + kGuardBits + BN_num_bits(denominator.get()) -
                                    BN_num_bits(parts.digits.get()));
  const Big quotient(BN_new());
  const Big rest(BN_new());
  const Context context(BN_CTX_new());
  Require(BN_lshift(parts.digits.get(), parts.digits.get(), shift) == 1 &&
          BN_div(quotient.get(), rest.get(), parts.digits.get(), denominator.get(),
                 context.get()) == 1);
  return Round(quotient.get(), -shift, !BN_is_zero(rest.get()));
}

}  // namespace

double ToDouble(std::string_view text) {
  const Parts parts = Read(text);
  const int64_t magnitude = parts.count + parts.exponent;
  double value = 0;
  if (parts.count > 0 && magnitude > kLargest) {
    value = HUGE_VAL;
  } else if (parts.count > 0 && magnitude > kSmallest) {
    value = Divide(parts);
  }
  return parts.negative ? -value : value;
}

}  // namespace certlatch
