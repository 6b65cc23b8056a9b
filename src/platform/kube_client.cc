#include "platform/kube_client.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "platform/file.h"
#include "platform/resolver.h"

namespace certlatch {
namespace {

constexpr size_t kMaxTokenFile = size_t{64} * 1024;
constexpr size_t kMaxPemFile = 4 << 20;      // a system's whole bundle is about 220 KiB
constexpr size_t kMaxAnswerBody = 32 << 20;  // a page of large objects
constexpr Duration kAnswerTimeout = 15s;     // API servers begin to answer at once, watches too
constexpr Duration kConnectTimeout = 10s;    // TCP and TLS
constexpr Duration kLookUpTimeout = 10s;
constexpr Duration kAddressesFor = 30s;

// What may stand in a URL's authority; everything else (user info, spaces, controls) is refused.
bool IsHostText(std::string_view host) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:";
  return !host.empty() && host.find_first_not_of(kAllowed) == std::string_view::npos;
}

Error BadServer(const std::string& server, const char* problem) {
  return Failure(Code::kConfig, "--server %s: %s", Printable(server, 300).c_str(), problem);
}

Error AsConfig(Error error, const char* flag) {
  error.code = Code::kConfig;
  return std::move(error).With(flag);
}

// Bytes that can be sent as they are, in a header or in the path of a URL.
bool IsVisibleAscii(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  return true;
}

}  // namespace

// A request that has to wait for its host's address first.
class KubeClient::Call : public Cancellable {
 public:
  Call(KubeClient& client, uint64_t id, HttpRequest request)
      : client_(client), id_(id), request_(std::move(request)), begun_(Loop::Now()) {}
  ~Call() override { client_.OnCallEnded(id_); }

  void Send(const std::vector<std::string>& addresses) {
    if (request_.total_timeout > Duration::zero()) {
      const Duration left = request_.total_timeout - (Loop::Now() - begun_);
      request_.total_timeout = std::max<Duration>(left, 1ms);
    }
    transfer_ = client_.SendTo(addresses, std::move(request_));
  }
  void Fail(const Error& error) {
    ApiAnswer answer;
    answer.problem = error.text;
    const auto then = std::move(request_.on_answer);
    then(answer);  // last: may destroy this
  }

 private:
  KubeClient& client_;
  uint64_t id_;
  HttpRequest request_;
  Instant begun_;
  Handle transfer_;
};

Result<std::unique_ptr<KubeClient>> KubeClient::Create(Loop& loop, HttpClient& http,
                                                       ConnectionOptions options) {
  std::unique_ptr<KubeClient> client(new KubeClient(loop, http, std::move(options)));
  Status server = client->ParseServer();
  if (server) server = client->CheckServer();
  if (!server) return server.error();
  const Result<Secret> token = client->ReadToken();
  if (!token) return AsConfig(token.error(), "token");
  if (!client->tls_ && !token->empty() && !IsLoopback(client->host_)) {
    return BadServer(client->options_.server,
                     "would send the token in the clear; use https, or http on loopback only");
  }
  const auto identity = client->ReadIdentity();
  if (!identity) return AsConfig(identity.error(), "TLS");
  return client;
}

// scheme://host[:port][/prefix]; IPv6 addresses in brackets.
Status KubeClient::ParseServer() {
  std::string_view rest = options_.server;
  if (rest.find("://") == std::string_view::npos) {
    tls_ = true;
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    tls_ = false;
    rest.remove_prefix(7);
  } else {
    return BadServer(options_.server, "neither https nor http");
  }
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    prefix_ = std::string(rest.substr(slash));
    while (prefix_.ends_with('/')) prefix_.pop_back();
    rest = rest.substr(0, slash);
  }
  const size_t bracket = rest.find(']');
  const size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  port_ = tls_ ? "443" : "80";
  if (colon != std::string_view::npos) {
    port_ = std::string(rest.substr(colon + 1));
    rest = rest.substr(0, colon);
  }
  const bool bracketed = rest.starts_with('[') && rest.ends_with(']');
  host_ = std::string(bracketed ? rest.substr(1, rest.size() - 2) : rest);
  if (!IsHostText(host_) || bracketed != IsIpv6(host_)) {
    return BadServer(options_.server, "no host name or IP address");
  }
  return {};
}

Status KubeClient::CheckServer() const {
  const auto port = ParseUint(port_, 65535);
  if (!port || *port == 0) return BadServer(options_.server, "no port between 1 and 65535");
  if (prefix_.find_first_of("?#\\") != std::string::npos) {
    return BadServer(options_.server, "a path cannot have a query");
  }
  if (!IsVisibleAscii(prefix_)) {
    return BadServer(options_.server,
                     "white space and letters beyond ASCII must be encoded as %XX");
  }
  // It becomes the host of the URL: nothing in it may end that.
  const std::string& name = options_.tls_server_name;
  if (!name.empty() &&
      (!IsHostText(name) || (name.find(':') != std::string::npos && !IsIpv6(name)))) {
    return Failure(Code::kConfig, "--tls-server-name %s: no host name",
                   Printable(name, 300).c_str());
  }
  return {};
}

Result<Secret> KubeClient::ReadToken() const {
  if (!options_.token.empty()) {
    if (!IsVisibleAscii(options_.token.Reveal())) {
      return Error{Code::kConfig, "holds characters that no token has"};
    }
    return Secret(std::string(options_.token.Reveal()));
  }
  if (options_.token_file.empty()) return Secret();
  Result<std::string> text = ReadSmallFile(options_.token_file, kMaxTokenFile);
  if (!text) return std::move(text).error().With("token file");
  Secret token{std::string(Trim(*text))};
  Wipe(*text);
  if (token.empty() || !IsVisibleAscii(token.Reveal())) {
    return PathError(options_.token_file, "holds no token").With("token file");
  }
  return token;
}

Result<std::unique_ptr<const TlsIdentity>> KubeClient::ReadIdentity() const {
  auto identity = std::make_unique<TlsIdentity>();
  identity->verify = !options_.insecure_skip_tls_verify;
  identity->certificate_authority = options_.certificate_authority_data;
  if (!options_.certificate_authority.empty() && identity->verify) {
    Result<std::string> pem =
        ReadCertificates(options_.certificate_authority, "certificate authority");
    if (!pem) return std::move(pem).error();
    identity->certificate_authority = *std::move(pem);
  }
  identity->client_certificate = options_.client_certificate_data;
  identity->client_key = Secret(std::string(options_.client_key_data.Reveal()));
  if (!options_.client_certificate.empty()) {
    Result<std::string> certificate =
        ReadCertificates(options_.client_certificate, "client certificate");
    if (!certificate) return std::move(certificate).error();
    identity->client_certificate = *std::move(certificate);
  }
  if (!options_.client_key.empty()) {
    Result<std::string> key = ReadSmallFile(options_.client_key, kMaxPemFile);
    if (!key) return std::move(key).error().With("client key");
    identity->client_key = Secret(*std::move(key));
  }
  return {std::move(identity)};
}

void KubeClient::Impersonate(HttpRequest& request) const {
  const auto add = [&request](const char* what, const std::string& value) {
    if (!value.empty())
      request.headers.push_back(Format("Impersonate-%s: %s", what, value.c_str()));
  };
  add("User", options_.as);
  add("Uid", options_.as_uid);
  for (const std::string& group : options_.as_groups) add("Group", group);
}

Result<HttpRequest> KubeClient::Prepare(const std::string& target) const {
  HttpRequest request;
  // The name that is verified and sent as SNI stands in the URL; curl connects to the other.
  const bool renamed = !options_.tls_server_name.empty() && tls_;
  const std::string url_host = Bracketed(renamed ? options_.tls_server_name : host_);
  request.url = Format("http%s://%s:%s%s%s", tls_ ? "s" : "", url_host.c_str(), port_.c_str(),
                       prefix_.c_str(), target.c_str());
  if (renamed) {
    request.connect_to = Format("%s:%s", Bracketed(host_).c_str(), port_.c_str());
    request.headers.push_back(Format("Host: %s", request.connect_to.c_str()));
  }
  request.headers.emplace_back("Accept: application/json");
  request.headers.emplace_back("User-Agent: certlatch");
  Impersonate(request);
  Result<Secret> token = ReadToken();
  if (!token) return std::move(token).error();
  request.credentials = *std::move(token);
  if (tls_) {
    auto identity = ReadIdentity();
    if (!identity) return std::move(identity).error();
    request.tls = *std::move(identity);
  }
  request.max_body = kMaxAnswerBody;
  return request;
}

Handle KubeClient::Fetch(const std::string& target, Function<void(const ApiAnswer&)> then) {
  return Begin(Prepare(target), options_.request_timeout, nullptr, std::move(then));
}

Handle KubeClient::Watch(const std::string& target, Function<void(std::string_view)> bytes,
                         Function<void(const ApiAnswer&)> ended) {
  return Begin(Prepare(target), Duration::zero(), std::move(bytes), std::move(ended));
}

Handle KubeClient::Change(const ApiChange& change, Function<void(const ApiAnswer&)> then) {
  Result<HttpRequest> request = Prepare(change.target);
  if (request) {
    request->method = change.method;
    request->body = change.body;
    request->headers.push_back(Format("Content-Type: %s", change.content_type));
  }
  return Begin(std::move(request), options_.request_timeout, nullptr, std::move(then));
}

Handle KubeClient::Begin(Result<HttpRequest> prepared, Duration total_timeout,
                         Function<void(std::string_view)> bytes,
                         Function<void(const ApiAnswer&)> then) {
  if (!prepared) {
    return loop_.After(Duration::zero(),
                       [then = std::move(then), problem = std::move(prepared.error().text)] {
                         ApiAnswer answer;
                         answer.problem = problem;
                         then(answer);
                       });
  }
  HttpRequest request = *std::move(prepared);
  request.total_timeout = total_timeout;
  request.connect_timeout = std::min(options_.request_timeout, kConnectTimeout);
  request.answer_timeout = std::min(options_.request_timeout, kAnswerTimeout);
  request.on_bytes = std::move(bytes);
  request.on_answer = [this, then = std::move(then)](const ApiAnswer& answer) {
    // The next attempt asks for the address again: the old one may be why there is no answer.
    if (answer.status == 0) addresses_until_ = Instant();
    then(answer);
  };
  if (IsIpAddress(host_)) return http_.Send(std::move(request));
  if (Loop::Now() < addresses_until_) return SendTo(addresses_, std::move(request));
  return LookUpAndSend(std::move(request));
}

Handle KubeClient::SendTo(const std::vector<std::string>& addresses, HttpRequest request) {
  request.addresses = CurlAddresses(host_, port_.c_str(), addresses);
  return http_.Send(std::move(request));
}

Handle KubeClient::LookUpAndSend(HttpRequest request) {
  const uint64_t id = ++last_call_;
  auto call = std::make_unique<Call>(*this, id, std::move(request));
  waiting_[id] = call.get();
  if (look_up_ == nullptr) {
    const Duration deadline = std::min(options_.request_timeout, kLookUpTimeout);
    look_up_ =
        ResolveHost(loop_, host_, deadline,
                    [this](const Result<std::vector<std::string>>& found) { OnLookedUp(found); });
  }
  return call;
}

void KubeClient::OnLookedUp(const Result<std::vector<std::string>>& found) {
  look_up_.reset();
  if (found) {
    addresses_ = *found;
    addresses_until_ = Loop::Now() + kAddressesFor;
  }
  // Those that have been waiting: who fails may ask again, and then waits for the next look-up.
  const uint64_t last = last_call_;
  while (!waiting_.empty() && waiting_.begin()->first <= last) {
    Call* call = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    if (found) {
      call->Send(addresses_);
    } else {
      call->Fail(found.error());
    }
  }
}

void KubeClient::OnCallEnded(uint64_t id) {
  waiting_.erase(id);
  if (waiting_.empty()) look_up_.reset();
}

}  // namespace certlatch
