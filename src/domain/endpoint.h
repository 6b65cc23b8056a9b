// Endpoint is one end of a TCP connection as the user writes it, HOST:PORT or [v6]:PORT;
// ProbeTarget adds how to speak TLS there. Pure: the form is checked, nothing is looked up. Which
// addresses are allowed is for the caller to say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace certlatch {

struct Endpoint {
  std::string host;  // a name, or an address without brackets
  uint16_t port = 0;
  std::string text;  // as given, for messages
};

struct ProbeTarget {
  Endpoint endpoint;
  std::string sni;        // "": no name is asked for
  bool postgres = false;  // TLS begins after PostgreSQL's SSLRequest
};

// nullptr, or what is wrong with `text`, to follow it.
const char* ReadEndpoint(std::string_view text, Endpoint& endpoint);

// HOST:PORT[,sni=NAME][,starttls=postgres]. Error (kConfig): one line that names the part at fault.
Result<ProbeTarget> ParseProbe(std::string_view text);

}  // namespace certlatch
