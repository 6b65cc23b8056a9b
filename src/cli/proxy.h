// Would a proxy from the environment apply to a server? Go's rules
// (golang.org/x/net/http/httpproxy) as far as they can be told without resolving names. Pure.
#pragma once

#include <string_view>

#include "cli/environment.h"

namespace certlatch {

// The name of the variable that asks for a proxy for `server` (a URL), or "" if none does:
// HTTPS_PROXY or HTTP_PROXY by scheme, in either case; never for loopback; not for what NO_PROXY
// names ("*", a host, a domain with or without a leading dot, an IPv4 network as CIDR).
const char* ProxyVariableFor(std::string_view server, const Environment& environment);

}  // namespace certlatch
