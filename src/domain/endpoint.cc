#include "domain/endpoint.h"

#include "base/text.h"
#include "domain/resource.h"

namespace certlatch {
namespace {

constexpr size_t kMaxName = 253;  // RFC 1035, section 2.3.4, as text

bool IsHostName(std::string_view name) { return name.size() <= kMaxName && IsDottedName(name); }

const char* ReadOption(std::string_view option, ProbeTarget& target) {
  constexpr std::string_view kSni = "sni=";
  if (option == "starttls=postgres" && !target.postgres) {
    target.postgres = true;
    return nullptr;
  }
  if (!option.starts_with(kSni) || !target.sni.empty()) {
    return "unknown or given twice; there are sni=NAME and starttls=postgres";
  }
  option.remove_prefix(kSni.size());
  target.sni = option;
  // RFC 6066, section 3: no addresses.
  return IsHostName(option) && !ParseIpv4(option) ? nullptr : "must be a DNS name";
}

}  // namespace

const char* ReadEndpoint(std::string_view text, Endpoint& endpoint) {
  endpoint.text = text;
  const size_t colon = text.rfind(':');
  const auto port = ParseUint(text.substr(colon + 1), 65535);
  if (colon == std::string_view::npos || !port || *port == 0) {
    return "must be HOST:PORT, with a port from 1 to 65535";
  }
  endpoint.port = static_cast<uint16_t>(*port);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  if (IsIpv6(endpoint.host)) {
    return bracketed ? nullptr : "an IPv6 address must stand in brackets";
  }
  return IsHostName(host) && !bracketed ? nullptr : "no host name and no address";
}

Result<ProbeTarget> ParseProbe(std::string_view text) {
  ProbeTarget target;
  bool first = true;
  for (const std::string_view part : Split(text, ',')) {
    const char* problem = first ? ReadEndpoint(part, target.endpoint) : ReadOption(part, target);
    first = false;
    if (problem == nullptr) continue;
    return Failure(Code::kConfig, "\"%s\": %s", Printable(part, 300).c_str(), problem);
  }
  return target;
}

}  // namespace certlatch
