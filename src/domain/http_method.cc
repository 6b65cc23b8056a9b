#include "domain/http_method.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kMaxUrl = 2000;
constexpr size_t kMaxHeader = 4000;
constexpr size_t kMaxSocketPath = 107;  // sun_path, without its NUL

// Of a list "a,b,c": whether it holds `item`, in lower case.
bool Lists(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::string_view next = list.substr(0, list.find(','));
    if (EqualIgnoringCase(next, item)) return true;
    list.remove_prefix(std::min(next.size() + 1, list.size()));
  }
  return false;
}

bool IsPrintableAscii(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

bool IsUrlText(std::string_view url) {
  return url.size() <= kMaxUrl && IsPrintableAscii(url) &&
         url.find_first_of(" \"#<>\\^`{|}") == std::string_view::npos;
}

// "host", "host:80", "[::1]:80".
bool ReadAuthority(std::string_view authority, HttpMethod& method) {
  const bool brackets = authority.starts_with('[');
  if (brackets) authority.remove_prefix(1);
  const size_t end = authority.find(brackets ? ']' : ':');
  method.host = authority.substr(0, end);
  if (!ConsistsOf(method.host, brackets ? ".:" : "-._")) return false;
  if (brackets && end == std::string_view::npos) return false;
  authority.remove_prefix(method.host.size() + (brackets ? 1 : 0));
  if (authority.empty()) return true;
  method.port = static_cast<uint16_t>(ParseUint(authority.substr(1), 65535).value_or(0));
  return authority[0] == ':' && method.port > 0;
}

// "/run/app.sock:/reload".
bool ReadUnixSocket(std::string_view rest, HttpMethod& method) {
  method.unix_socket = rest.substr(0, rest.find(':'));
  rest.remove_prefix(method.unix_socket.size());
  if (!rest.empty()) rest.remove_prefix(1);
  method.target = rest;
  return method.unix_socket.size() <= kMaxSocketPath && (rest.empty() || rest[0] == '/');
}

bool Read(std::string_view text, HttpMethod& method) {
  constexpr std::string_view kUnix = "http://unix:/";
  method.method = text.substr(0, text.find(' '));
  for (const char* verb : {"GET", "POST", "PUT", "PATCH"}) {
    if (method.method != verb) continue;
    method.url = text.substr(std::min(method.method.size() + 1, text.size()));
    if (!method.url.starts_with(kUnix)) return ReadHttpUrl(method.url, method);
    return IsUrlText(method.url) && ReadUnixSocket(method.url.substr(kUnix.size() - 1), method);
  }
  return false;
}

// Whether `status` is in the list; -1: whether it is a list at all.
bool ReadStatuses(std::string_view list, int status) {
  while (true) {
    const std::string_view item = list.substr(0, list.find(','));
    const bool whole_class = item.size() == 3 && item.substr(1) == "xx";
    const auto number = ParseUint(whole_class ? item.substr(0, 1) : item, 999);
    const int first = static_cast<int>(number.value_or(0)) * (whole_class ? 100 : 1);
    if (first < 100 || first > 599) return false;
    if (status >= first && status <= first + (whole_class ? 99 : 0)) return true;
    if (item.size() == list.size()) return status < 0;
    list.remove_prefix(item.size() + 1);
  }
}

}  // namespace

bool ReadHttpUrl(std::string_view url, HttpMethod& method) {
  const bool plain = url.starts_with("http://");
  if (!IsUrlText(url) || (!plain && !url.starts_with("https://"))) return false;
  method.url = url;
  method.port = plain ? 80 : 443;
  const std::string_view rest = url.substr(plain ? 7 : 8);
  return ReadAuthority(rest.substr(0, rest.find_first_of("/?")), method);
}

std::string RedirectUrl(std::string_view url, std::string_view location) {
  location = location.substr(0, location.find('#'));
  const size_t host = url.find("://") + 3;
  const char* separator = "";
  if (location.find(':') < location.find_first_of("/?")) {
    url = "";
  } else if (location.starts_with("//")) {
    url = url.substr(0, host - 2);
  } else if (location.starts_with('/')) {
    url = url.substr(0, url.find_first_of("/?", host));
  } else {
    const std::string_view page = url.substr(0, url.find('?'));
    const size_t slash = page.rfind('/');
    separator = slash < host ? "/" : "";
    url = slash < host ? page : page.substr(0, slash + 1);
    if (location.starts_with('?')) url = page;
  }
  return Format("%.*s%s%.*s", Length(url), url.data(), separator, Length(location),
                location.data());
}

Result<HttpMethod> ParseHttpMethod(std::string_view text) {
  HttpMethod method;
  if (Read(text, method)) return method;
  // What is before an '@' may be a password.
  const bool secret = text.find('@') != std::string_view::npos;
  return Failure(
      Code::kConfig,
      "--http \"%s\": want a method (GET, POST, PUT, PATCH) and a URL without %s, such as "
      "\"POST http://localhost:9090/reload\" or \"POST http://unix:/run/app.sock:/reload\"",
      secret ? "..." : Printable(text, 200).c_str(),
      secret ? "credentials (see --http-auth-file)" : "odd characters");
}

std::string CurlUrl(const HttpMethod& method) {
  const bool socket = !method.unix_socket.empty();
  const std::string_view rest = socket ? method.target : method.url;
  return Format("%s%.*s", socket ? "http://localhost" : "", Length(rest), rest.data());
}

Status CheckHttpHeader(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  // Curl frames the request; a second opinion would desynchronise it.
  const bool fits = colon != std::string_view::npos && text.size() <= kMaxHeader &&
                    IsHttpToken(name) && IsPrintableAscii(text) &&
                    !Lists("content-length,transfer-encoding,connection,upgrade,expect", name);
  if (fits) return {};
  // The value may be a secret.
  return Failure(Code::kConfig,
                 "--http-header: want \"Name: value\" of printable ASCII, and none that frames the "
                 "request");
}

Status CheckHttpStatuses(std::string_view text) {
  if (ReadStatuses(text, -1)) return {};
  return Failure(Code::kConfig,
                 "--http-status \"%s\": want statuses such as 200,204 or 2xx, from 100 to 599",
                 Printable(text, 100).c_str());
}

bool HasHttpStatus(std::string_view statuses, int status) { return ReadStatuses(statuses, status); }

}  // namespace certlatch
