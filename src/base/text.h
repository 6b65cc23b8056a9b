// Small helpers for text that comes from people and from the network.
// Pure; no locale: ASCII rules, as in Kubernetes names.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certlatch {

// The parts of `text` between `separator`s: "a,,b" has three. An empty text has one empty part.
std::vector<std::string_view> Split(std::string_view text, char separator);

std::string_view Trim(std::string_view text);  // without white space at both ends
std::string ToLower(std::string_view text);
bool EqualIgnoringCase(std::string_view a, std::string_view b);
// Of letters, digits and `others` alone, and not empty.
bool ConsistsOf(std::string_view text, std::string_view others);
bool IsHttpToken(std::string_view text);  // a method or a header's name: RFC 9110, section 5.6.2

std::string_view BaseName(std::string_view path);  // "kubectl" of "/usr/bin/kubectl"

// Of a lowercase digit; nullopt: it is none.
std::optional<unsigned> HexValue(char digit);

// A decimal number without sign; nullopt: empty, another character, or more than `max`.
std::optional<uint64_t> ParseUint(std::string_view text, uint64_t max = UINT64_MAX);

// An IPv4 address in its usual form, a.b.c.d.
std::optional<uint32_t> ParseIpv4(std::string_view text);

bool IsIpv6(const std::string& host);  // without brackets

// "localhost", "::1" (without brackets), 127.0.0.0/8: what is sent there stays on this machine.
bool IsLoopback(std::string_view host);

// As ParseUint, after an optional '-'; nullopt also where it does not fit.
std::optional<int64_t> ParseInt(std::string_view text);

// One printable line: control characters and broken UTF-8 become \xNN, longer texts than `limit`
// bytes end in "...". For everything that a server or a file can choose.
std::string Printable(std::string_view text, size_t limit = 1024);

// A line from printf's pattern and arguments, checked against each other by the compiler. The
// shortest way to make a message: a call with strings that are there, instead of a chain of
// temporaries. "%s" ends at a NUL; never for secrets, since the buffer is not wiped.
[[gnu::format(printf, 1, 2)]] std::string Format(const char* pattern, ...);
[[gnu::format(printf, 1, 0)]] std::string FormatList(const char* pattern, va_list arguments);

// For "%.*s": Format("%.*s", Length(view), view.data()). At most INT_MAX.
int Length(std::string_view text);

}  // namespace certlatch
