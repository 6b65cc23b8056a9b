// ToDouble reads a decimal number as the nearest double, as strtod() does: exactly rounded, ties to
// even. Own because musl's strtod is 6 KB; this borrows the big integers of libcrypto.
// Pure; looks at 800 digits at most, and at whether any beyond them is not 0, which decides as much
// as all of them would (a tie between two doubles has at most 768 digits).
#pragma once

#include <string_view>

namespace certlatch {

// `text` is [+-]digits[.digits][e[+-]digits], with a digit before the e; anything else gives some
// number. Too large: infinity. Too small: 0.
double ToDouble(std::string_view text);

}  // namespace certlatch
