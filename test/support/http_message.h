// HttpRequest is one parsed HTTP/1.1 request; the functions here turn text into its parts.
// Pure. ParseRequestHead takes at most what its caller has bounded; the body comes separately.
// Only what test servers need: no folded headers, of repeated headers the last counts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace certlatch::test {

using TextMap = std::map<std::string, std::string, std::less<>>;

struct HttpRequest {
  std::string method;
  std::string target;  // as sent
  std::string path;    // decoded, without the query
  TextMap query;       // decoded
  TextMap headers;     // names in lower case
  std::string body;
  int connection = 0;              // which of the server's connections, from 1
  std::string client_common_name;  // of the client certificate; "" without one

  std::string_view Header(std::string_view lower_case_name) const;  // "" without it
  std::string_view Query(std::string_view name) const;
};

// `head` is all up to the empty line. nullopt: malformed.
std::optional<HttpRequest> ParseRequestHead(std::string_view head);

// "%2F" to "/"; a broken escape stays as it is. In a query '+' is a space.
std::string PercentDecode(std::string_view text, bool plus_is_space);

std::string_view ReasonPhrase(int status);

}  // namespace certlatch::test
