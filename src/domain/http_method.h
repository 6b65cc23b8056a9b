// HttpMethod is how an app is told over HTTP: --http "METHOD URL" and what goes with it, checked
// before anything starts. Pure; errors (kConfig) are one line that names the flag and says what it
// wants, and never shows credentials.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace certlatch {

struct HttpMethod {
  std::string method;  // GET, POST, PUT or PATCH
  // "http://localhost:9090/-/reload"; "http://localhost/reload" on a socket.
  std::string url;
  std::string host;         // as in the URL, without brackets and port; "" on a socket
  std::string unix_socket;  // absolute path; "": TCP
};

// "POST https://localhost:9090/-/reload", or with nginx's notation for a Unix socket
// "POST http://unix:/run/app.sock:/reload". The port is 1 to 65535, no user name and no fragment.
Result<HttpMethod> ParseHttpMethod(std::string_view text);

// "Name: value", printable; not those that frame the request.
Status CheckHttpHeader(std::string_view text);

// "200,204", "2xx", "2xx,304": each 100 to 599.
Status CheckHttpStatuses(std::string_view text);

// Whether `status` is among those of a list that was checked.
bool HasHttpStatus(std::string_view statuses, int status);

}  // namespace certlatch
