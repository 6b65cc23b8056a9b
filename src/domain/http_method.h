// HttpMethod is how an app is told over HTTP: --http "METHOD URL" and what goes with it, checked
// before anything starts. Pure; errors (kConfig) are one line that names the flag and says what it
// wants, and never shows credentials.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace certlatch {

// Views into what was parsed, which must live as long.
struct HttpMethod {
  std::string_view method;       // GET, POST, PUT or PATCH
  std::string_view url;          // as given
  std::string_view host;         // of the URL, without brackets and port; "" on a socket
  uint16_t port = 0;             // 80 or 443 where the URL has none
  std::string_view unix_socket;  // absolute path; "": TCP
  std::string_view target;       // on a socket, what to ask there: "/reload", or ""
};

// "POST https://localhost:9090/-/reload", or with nginx's notation for a Unix socket
// "POST http://unix:/run/app.sock:/reload". The port is 1 to 65535, no user name and no fragment.
Result<HttpMethod> ParseHttpMethod(std::string_view text);

// The rest of `method` out of the URL of a TCP server. False: it is none, and anything is in it.
bool ReadHttpUrl(std::string_view url, HttpMethod& method);

// Where the Location of an answer from `url` leads; not checked yet. RFC 3986, section 5.2, but for
// paths like "../a", which curl cleans.
std::string RedirectUrl(std::string_view url, std::string_view location);

// What curl is to ask: the URL, and "http://localhost/reload" on a socket.
std::string CurlUrl(const HttpMethod& method);

// "Name: value", printable; not those that frame the request.
Status CheckHttpHeader(std::string_view text);

// "200,204", "2xx", "2xx,304": each 100 to 599.
Status CheckHttpStatuses(std::string_view text);

// Whether `status` is among those of a list that was checked.
bool HasHttpStatus(std::string_view statuses, int status);

}  // namespace certlatch
