#include "test/support/http_message.h"

#include <cstddef>

#include "base/text.h"

namespace certlatch::test {
namespace {

std::string_view Lookup(const TextMap& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? std::string_view() : std::string_view(found->second);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

TextMap ParseQuery(std::string_view text) {
  TextMap query;
  for (const std::string_view pair : Split(text, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    query[PercentDecode(pair.substr(0, equals), true)] = PercentDecode(value, true);
  }
  return query;
}

}  // namespace

std::string_view HttpRequest::Header(std::string_view lower_case_name) const {
  return Lookup(headers, lower_case_name);
}

std::string_view HttpRequest::Query(std::string_view name) const { return Lookup(query, name); }

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (text[i] == '%' && high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

std::optional<HttpRequest> ParseRequestHead(std::string_view head) {
  const std::vector<std::string_view> lines = Split(head, '\n');
  const std::vector<std::string_view> words = Split(Trim(lines[0]), ' ');
  if (words.size() != 3 || words[2].substr(0, 7) != "HTTP/1.") return std::nullopt;
  HttpRequest request;
  request.method = words[0];
  request.target = words[1];
  const size_t question = words[1].find('?');
  request.path = PercentDecode(words[1].substr(0, question), false);
  if (question != std::string_view::npos) request.query = ParseQuery(words[1].substr(question + 1));
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = Trim(lines[i]);
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    request.headers[ToLower(line.substr(0, colon))] = Trim(line.substr(colon + 1));
  }
  return request;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

}  // namespace certlatch::test
