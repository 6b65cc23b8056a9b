// Resolver looks up a host name without blocking the loop: getaddrinfo runs in a child process that
// is killed at its deadline. One child per look-up; answers are at most kMaxAddresses addresses.
#pragma once

#include <string>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "base/result.h"
#include "platform/loop.h"

namespace certlatch {

constexpr size_t kMaxAddresses = 16;

// "127.0.0.1", "::1": needs no look-up.
bool IsIpAddress(const std::string& host);

// "[::1]", "127.0.0.1": as a host stands in a URL.
std::string Bracketed(const std::string& host);

// What was found, as HttpRequest::addresses wants it.
std::string CurlAddresses(const std::string& host, const char* port,
                          const std::vector<std::string>& addresses);

// `then` gets numeric addresses in the resolver's order, or an error that names `host`.
[[nodiscard]] Handle ResolveHost(Loop& loop, const std::string& host, Duration deadline,
                                 Function<void(Result<std::vector<std::string>>)> then);

}  // namespace certlatch
