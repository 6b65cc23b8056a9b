#include "domain/endpoint.h"

#include <arpa/inet.h>

#include "base/text.h"
#include "domain/resource.h"

namespace certlatch {
namespace {

constexpr size_t kMaxName = 253;  // RFC 1035, section 2.3.4, as text

Error Malformed(std::string_view text, const char* problem) {
  return Failure(Code::kConfig, "\"%s\": %s", Printable(text, 300).c_str(), problem);
}

bool IsHostName(std::string_view name) { return name.size() <= kMaxName && IsDottedName(name); }

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

Result<Endpoint> ParseEndpoint(std::string_view text) {
  Endpoint endpoint;
  endpoint.text = text;
  const size_t colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : ParseUint(text.substr(colon + 1), 65535);
  if (!port || *port == 0) return Malformed(text, "must be HOST:PORT, with a port from 1 to 65535");
  endpoint.port = static_cast<uint16_t>(*port);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  endpoint.host = bracketed ? host.substr(1, host.size() - 2) : host;
  if (bracketed && IsIpv6(endpoint.host)) return endpoint;
  if (IsIpv6(endpoint.host)) return Malformed(text, "an IPv6 address must stand in brackets");
  if (bracketed || !IsHostName(host)) return Malformed(text, "no host name and no address");
  return endpoint;
}

Result<ProbeTarget> ParseProbe(std::string_view text) {
  constexpr std::string_view kSni = "sni=";
  ProbeTarget target;
  const auto parts = Split(text, ',');
  auto endpoint = ParseEndpoint(parts[0]);
  if (!endpoint) return std::move(endpoint).error();
  target.endpoint = *std::move(endpoint);
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string_view option = parts[i];
    if (option == "starttls=postgres" && !target.postgres) {
      target.postgres = true;
    } else if (option.starts_with(kSni) && target.sni.empty()) {
      target.sni = option.substr(kSni.size());
      // RFC 6066, section 3: names only.
      if (!IsHostName(target.sni) || ParseIpv4(target.sni)) {
        return Malformed(option, "must be a DNS name");
      }
    } else {
      return Malformed(
          option,
          "unknown or given twice; HOST:PORT may be followed by sni=NAME and starttls=postgres");
    }
  }
  return target;
}

}  // namespace certlatch
