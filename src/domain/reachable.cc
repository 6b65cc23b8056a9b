#include "domain/reachable.h"

#include "base/text.h"
#include "domain/http_method.h"

namespace certlatch {
namespace {

constexpr const char* kSchemes[] = {"tcp://",      "http://",       "https://",
                                    "postgres://", "postgresql://", "file:"};
constexpr Reachable::Kind kKinds[] = {Reachable::Kind::kTcp,      Reachable::Kind::kHttp,
                                      Reachable::Kind::kHttp,     Reachable::Kind::kPostgres,
                                      Reachable::Kind::kPostgres, Reachable::Kind::kFile};

// The readers: nullptr, or what is wrong.

const char* ReadHttp(std::string_view url, Reachable& reachable) {
  HttpMethod method;
  if (!ReadHttpUrl(url, method))
    return "want http(s)://HOST[:PORT]/PATH without user, fragment or odd characters";
  reachable.url = url;
  reachable.text = url.substr(0, url.find('?'));
  return nullptr;
}

const char* ReadPostgres(std::string_view rest, Reachable& reachable) {
  constexpr const char* kPassword =
      "no password is needed, and here others can see it: give postgres://HOST:PORT";
  const size_t at = rest.rfind('@');
  const bool named = at != std::string_view::npos;
  if ((named && rest.find_first_of(":/?#") < at) ||
      rest.find("password=") != std::string_view::npos) {
    return kPassword;
  }
  if (named) rest.remove_prefix(at + 1);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const bool has_port = rest.find(':', rest.find(']') + 1) != std::string_view::npos;
  const std::string server = Format("%.*s%s", Length(rest), rest.data(), has_port ? "" : ":5432");
  reachable.text = Format("postgres://%s", server.c_str());
  return ReadEndpoint(server, reachable.endpoint);
}

const char* ReadFile(std::string_view path, Reachable& reachable) {
  if (path.starts_with("///")) path.remove_prefix(2);  // an empty host: RFC 8089
  reachable.path = path;
  const bool absolute = path.starts_with('/') && !path.starts_with("//");
  return absolute ? nullptr : "want an absolute path, such as file:/run/app/ready";
}

const char* Read(std::string_view text, Reachable& reachable) {
  size_t which = 0;
  for (const std::string_view scheme : kSchemes) {
    if (!text.starts_with(scheme)) {
      ++which;
      continue;
    }
    const std::string_view rest = text.substr(scheme.size());
    reachable.kind = kKinds[which];
    switch (reachable.kind) {
      case Reachable::Kind::kTcp:
        return ReadEndpoint(rest, reachable.endpoint);
      case Reachable::Kind::kHttp:
        return ReadHttp(text, reachable);
      case Reachable::Kind::kPostgres:
        return ReadPostgres(rest, reachable);
      case Reachable::Kind::kFile:
        return ReadFile(rest, reachable);
      case Reachable::Kind::kName:  // has no scheme
        break;
    }
  }
  return "there are tcp://HOST:PORT, http(s)://..., postgres://HOST[:PORT] and file:PATH";
}

}  // namespace

bool IsSameServer(const Reachable& one, const Reachable& other) {
  return one.url == other.url && one.address == other.address && one.ca_pem == other.ca_pem;
}

bool IsReachable(std::string_view text) {
  return text.find("://") != std::string_view::npos || text.starts_with("file:");
}

Status ParseReachable(std::string_view text, Reachable& reachable) {
  const char* const problem = Read(text, reachable);
  if (problem == nullptr) {
    if (reachable.text.empty()) reachable.text = Printable(text, 300);
    return {};
  }
  // What is before an '@' may be a password.
  const bool secret = text.find('@') != std::string_view::npos;
  const std::string shown =
      secret ? Format("%s...", Printable(text.substr(0, text.find(':') + 1), 20).c_str())
             : Printable(text.substr(0, text.find('?')), 300);
  return Failure(Code::kConfig, "\"%s\": %s", shown.c_str(), problem);
}

}  // namespace certlatch
