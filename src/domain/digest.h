// SHA-256, the fingerprint of everything that certlatch compares.
// Pure; never fails (a build of OpenSSL without SHA-256 is a bug and aborts); keeps no copy of the
// bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace certlatch {

using Digest = std::array<uint8_t, 32>;

Digest Sha256(std::string_view bytes);

// Of all parts, one after the other, without joining them in memory: they may be secret.
Digest Sha256(std::span<const std::string_view> parts);

// Two lowercase digits a byte.
std::string HexLower(std::span<const uint8_t> bytes);

}  // namespace certlatch
