#include "domain/http_method.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kMaxUrl = 2000;
constexpr size_t kMaxHeader = 4000;
constexpr size_t kMaxSocketPath = 107;  // sun_path, without its NUL
constexpr std::string_view kUnix = "unix:";

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH"};
// Curl frames the request; a second opinion would desynchronise it.
constexpr std::string_view kFraming[] = {"content-length", "transfer-encoding", "connection",
                                         "upgrade", "expect"};

template <size_t size>
bool IsOneOf(std::string_view text, const std::string_view (&words)[size]) {
  return std::any_of(std::begin(words), std::end(words),
                     [text](std::string_view word) { return EqualIgnoringCase(text, word); });
}

bool IsPrintableAscii(std::string_view text, char first) {
  return std::all_of(text.begin(), text.end(), [first](char c) { return c >= first && c < 0x7f; });
}

// "" or what is wrong with "host:port".
const char* ReadAuthority(std::string_view authority, std::string& host) {
  if (authority.find('@') != std::string_view::npos)
    return "credentials belong into --http-auth-file";
  const bool brackets = authority.starts_with('[');
  const size_t end = brackets ? authority.find(']') : authority.find(':');
  const std::string_view name = authority.substr(brackets ? 1 : 0, end - (brackets ? 1 : 0));
  authority.remove_prefix(std::min(end, authority.size()));
  if (brackets && !authority.empty()) authority.remove_prefix(1);
  if (brackets ? end == std::string_view::npos || !ConsistsOf(name, ".:")
               : !ConsistsOf(name, "-._"))
    return "no host in the URL";
  host = std::string(name);
  if (authority.empty()) return "";
  const auto port = ParseUint(authority.substr(1), 65535);
  return authority[0] == ':' && port && *port > 0 ? "" : "no port from 1 to 65535 in the URL";
}

// "" or what is wrong with "unix:PATH:/request".
const char* ReadUnixSocket(std::string_view rest, HttpMethod& method) {
  rest.remove_prefix(kUnix.size());
  const size_t colon = rest.find(':');
  const std::string_view path = rest.substr(0, colon);
  if (!path.starts_with('/')) return "the path of the Unix socket must be absolute";
  if (path.size() > kMaxSocketPath) return "the path of the Unix socket is longer than 107 bytes";
  rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  if (!rest.empty() && rest[0] != '/') return "what follows the Unix socket must begin with /";
  method.unix_socket = std::string(path);
  method.url = "http://localhost";
  method.url += rest.empty() ? "/" : rest;
  return "";
}

// "" or what is wrong.
const char* Read(std::string_view text, HttpMethod& method) {
  const size_t space = text.find(' ');
  const std::string_view verb = text.substr(0, space);
  std::string_view url = space == std::string_view::npos ? "" : text.substr(space + 1);
  if (std::find(std::begin(kMethods), std::end(kMethods), verb) == std::end(kMethods))
    return "want GET, POST, PUT or PATCH and a URL";
  method.method = std::string(verb);
  if (url.size() > kMaxUrl || !IsPrintableAscii(url, '!') ||
      url.find_first_of("#\"<>\\^`{|}") != std::string_view::npos)
    return "characters that cannot stand in a URL, or more than 2000 of them";
  method.url = std::string(url);
  const bool plain = url.starts_with("http://");
  if (!plain && !url.starts_with("https://")) return "want an http:// or https:// URL";
  url.remove_prefix(plain ? 7 : 8);
  if (url.starts_with("unix:/") || url.starts_with("unix:.")) {
    return plain ? ReadUnixSocket(url, method) : "a Unix socket speaks http://";
  }
  return ReadAuthority(url.substr(0, url.find_first_of("/?")), method.host);
}

// One of a list's items; the digits "2xx" stand for 200 to 299.
bool IsStatus(std::string_view item) {
  if (item.size() != 3 || item[0] < '1' || item[0] > '5') return false;
  return item.substr(1) == "xx" || ParseUint(item).has_value();
}

}  // namespace

Result<HttpMethod> ParseHttpMethod(std::string_view text) {
  HttpMethod method;
  const char* const problem = Read(text, method);
  if (*problem == '\0') return method;
  // What is before an '@' may be a password.
  const bool secret = text.find('@') != std::string_view::npos;
  return Failure(Code::kConfig, "--http \"%s\": %s", secret ? "..." : Printable(text, 200).c_str(),
                 problem);
}

Status CheckHttpHeader(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const bool fits = colon != std::string_view::npos && text.size() <= kMaxHeader &&
                    ConsistsOf(name, "!#$%&'*+-.^_`|~") && IsPrintableAscii(text, ' ');
  // The value may be a secret.
  if (!fits) return Failure(Code::kConfig, "--http-header: want \"Name: value\", printable ASCII");
  if (!IsOneOf(name, kFraming)) return {};
  return Failure(Code::kConfig, "--http-header: %s is set by certlatch itself",
                 Printable(name).c_str());
}

Status CheckHttpStatuses(std::string_view text) {
  const auto items = Split(text, ',');
  if (std::all_of(items.begin(), items.end(), IsStatus)) return {};
  return Failure(Code::kConfig,
                 "--http-status \"%s\": want statuses such as 200,204 or 2xx, from 100 to 599",
                 Printable(text, 100).c_str());
}

bool HasHttpStatus(std::string_view statuses, int status) {
  const auto items = Split(statuses, ',');
  return std::any_of(items.begin(), items.end(), [status](std::string_view item) {
    const auto exactly = ParseUint(item);
    return exactly ? static_cast<int>(*exactly) == status : item[0] - '0' == status / 100;
  });
}

}  // namespace certlatch
