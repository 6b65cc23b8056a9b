#include "platform/http_call.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "domain/base64.h"
#include "domain/http_method.h"
#include "platform/file.h"
#include "platform/resolver.h"

namespace certlatch {
namespace {

constexpr size_t kMaxAuthFile = 4096;
constexpr size_t kMaxBody = 300;      // what an app says when it refuses
constexpr Duration kRounding = 50ms;  // of curl's timers

// "user:password", the first line, as the Basic scheme writes it.
Result<Secret> ReadBasicAuth(const std::string& path) {
  Result<std::string> text = ReadSmallFile(path, kMaxAuthFile);
  if (!text) return std::move(text).error().With("--http-auth-file");
  const std::string_view line = Trim(Split(*text, '\n')[0]);
  const bool fits = line.find(':') != std::string_view::npos;
  Secret credentials(fits ? EncodeBase64(line) : "");
  Wipe(*text);
  if (!fits) {
    return Failure(Code::kRetry, "--http-auth-file: %s: want user:password in its first line",
                   path.c_str());
  }
  return credentials;
}

class AppCall : public Cancellable {
 public:
  AppCall(Loop& loop, HttpClient& http, const HttpCall& call,
          Function<void(const TellOutcome&)> then)
      : loop_(loop), http_(http), call_(call), then_(std::move(then)), begun_(Loop::Now()) {}

  void Start() {
    const Status prepared = Prepare();
    if (!prepared) {
      // Not from within the call that asked.
      under_way_ = loop_.After(Duration::zero(), [this, problem = prepared.error().text] {
        Finish(ReloadResult::kOther, problem);
      });
    } else if (method_.unix_socket.empty() && !IsIpAddress(std::string(method_.host))) {
      under_way_ =
          ResolveHost(loop_, std::string(method_.host), call_.timeout,
                      [this](const Result<std::vector<std::string>>& found) { OnLookedUp(found); });
    } else {
      Send();
    }
  }

 private:
  Status Prepare() {
    const Result<HttpMethod> method = ParseHttpMethod(call_.request);
    if (!method) return method.error();
    method_ = *method;
    verb_ = std::string(method_.method);
    request_.method = verb_.c_str();
    request_.url = CurlUrl(method_);
    request_.unix_socket = std::string(method_.unix_socket);
    request_.body = call_.body;
    request_.headers = call_.headers;
    request_.headers.emplace_back("User-Agent: certlatch");
    request_.max_body = kMaxBody;
    request_.cut_body = true;
    if (!call_.auth_file.empty()) {
      Result<Secret> credentials = ReadBasicAuth(call_.auth_file);
      if (!credentials) return std::move(credentials).error();
      request_.auth_scheme = "Basic";
      request_.credentials = *std::move(credentials);
    }
    if (!method_.url.starts_with("https")) return {};
    auto identity = std::make_unique<TlsIdentity>();
    if (!call_.ca_file.empty()) {
      Result<std::string> pem = ReadCertificates(call_.ca_file, "--http-ca-file");
      if (!pem) return std::move(pem).error();
      identity->certificate_authority = *std::move(pem);
    }
    request_.tls = std::move(identity);
    request_.trust_flag = "--http-ca-file";
    request_.name_flag = "";
    return {};
  }

  Duration Left() const {
    return std::max<Duration>(call_.timeout - (Loop::Now() - begun_), Duration::zero());
  }

  void OnLookedUp(const Result<std::vector<std::string>>& found) {
    if (!found) return Fail(found.error().text);
    request_.addresses =
        CurlAddresses(std::string(method_.host), Format("%d", int{method_.port}).c_str(), *found);
    Send();
  }

  void Send() {
    const Duration left = std::max<Duration>(Left(), 1ms);
    request_.connect_timeout = left;
    request_.answer_timeout = left;
    request_.total_timeout = left;
    request_.on_answer = [this](const ApiAnswer& answer) { OnAnswer(answer); };
    under_way_ = http_.Send(std::move(request_));
  }

  void OnAnswer(const ApiAnswer& answer) {
    if (!answer.problem.empty()) return Fail(answer.problem);
    if (HasHttpStatus(call_.statuses, answer.status)) return Finish(ReloadResult::kDone, "");
    const bool redirect = answer.status >= 300 && answer.status < 400;
    const std::string words =
        redirect ? "redirects are not followed" : Printable(Trim(answer.body));
    const bool auth = answer.status == 401 || answer.status == 403;
    Finish(ReloadResult::kStatus,
           Format("HTTP %d%s%s (see %s)", answer.status, words.empty() ? "" : ": ", words.c_str(),
                  auth ? "--http-auth-file" : "--http-status"));
  }

  void Fail(const std::string& problem) {
    if (Left() > kRounding) return Finish(ReloadResult::kConnection, problem);
    Finish(ReloadResult::kTimeout, Format("%s (see --http-timeout)", problem.c_str()));
  }

  // A query may hold what is secret.
  void Finish(ReloadResult result, const std::string& problem) {
    TellOutcome outcome;
    outcome.result = result;
    if (result != ReloadResult::kDone) {
      const std::string_view what =
          std::string_view(call_.request).substr(0, call_.request.find('?'));
      outcome.reason = Format("--http \"%.*s\": %s", Length(what), what.data(), problem.c_str());
    }
    const auto then = std::move(then_);
    then(outcome);  // last: may destroy this
  }

  Loop& loop_;
  HttpClient& http_;
  const HttpCall& call_;
  Function<void(const TellOutcome&)> then_;
  Instant begun_;
  HttpMethod method_;
  std::string verb_;
  HttpRequest request_;
  Handle under_way_;
};

}  // namespace

Handle CallApp(Loop& loop, HttpClient& http, const HttpCall& call,
               Function<void(const TellOutcome&)> then) {
  auto app_call = std::make_unique<AppCall>(loop, http, call, std::move(then));
  app_call->Start();
  return app_call;
}

}  // namespace certlatch
