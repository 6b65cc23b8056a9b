#include "cli/proxy.h"

#include "base/text.h"

namespace certlatch {
namespace {

std::string HostOf(std::string_view server) {
  const size_t scheme = server.find("://");
  if (scheme != std::string_view::npos) server.remove_prefix(scheme + 3);
  server = server.substr(0, server.find('/'));
  if (server.starts_with('[')) return std::string(server.substr(1, server.find(']') - 1));
  return ToLower(server.substr(0, server.find(':')));
}

bool InNetwork(std::string_view host, std::string_view cidr) {
  const size_t slash = cidr.find('/');
  if (slash == std::string_view::npos) return false;
  const auto address = ParseIpv4(host);
  const auto network = ParseIpv4(cidr.substr(0, slash));
  const auto bits = ParseUint(cidr.substr(slash + 1), 32);
  if (!address || !network || !bits) return false;
  return *bits == 0 || (*address >> (32 - *bits)) == (*network >> (32 - *bits));
}

bool Excepted(std::string_view host, std::string_view no_proxy) {
  for (const std::string_view part : Split(no_proxy, ',')) {
    std::string entry = ToLower(Trim(part));
    if (entry.empty()) continue;
    if (entry == "*" || InNetwork(host, entry)) return true;
    if (entry.starts_with("*.")) entry.erase(0, 1);
    if (entry == host) return true;
    if (entry[0] != '.') entry.insert(0, 1, '.');
    if (host.ends_with(entry)) return true;
  }
  return false;
}

}  // namespace

const char* ProxyVariableFor(std::string_view server, const Environment& environment) {
  const std::string host = HostOf(server);
  if (IsLoopback(host)) return "";
  const bool plain = server.starts_with("http://");
  for (const char* name : {"NO_PROXY", "no_proxy"}) {
    if (Excepted(host, ValueOf(environment, name))) return "";
  }
  for (const char* name :
       {plain ? "HTTP_PROXY" : "HTTPS_PROXY", plain ? "http_proxy" : "https_proxy"}) {
    if (!ValueOf(environment, name).empty()) return name;
  }
  return "";
}

}  // namespace certlatch
