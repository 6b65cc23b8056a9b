#include "platform/http_call.h"

#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "domain/base64.h"
#include "platform/file.h"
#include "platform/url_request.h"

namespace certlatch {
namespace {

constexpr size_t kMaxAuthFile = 4096;
constexpr size_t kMaxBody = 300;  // what an app says when it refuses

// "user:password", the first line, as the Basic scheme writes it.
Result<Secret> ReadBasicAuth(const std::string& path) {
  Result<std::string> text = ReadSmallFile(path, kMaxAuthFile);
  if (!text) return std::move(text).error().With("--http-auth-file");
  const std::string_view line = Trim(Split(*text, '\n')[0]);
  const bool fits = line.find(':') != std::string_view::npos;
  Secret credentials(fits ? EncodeBase64(line) : "");
  Wipe(*text);
  if (!fits) {
    return PathError(path, "want user:password in its first line").With("--http-auth-file");
  }
  return credentials;
}

class AppCall : public UrlRequest {
 public:
  AppCall(Loop& loop, HttpClient& http, const HttpCall& call,
          Function<void(const TellOutcome&)> then)
      : UrlRequest(loop, http, call.timeout), call_(call), then_(std::move(then)) {}

  void Start() {
    const Status prepared = Prepare();
    if (prepared) return Ask(method_);
    failed_ = ReloadResult::kOther;
    Refuse(prepared.error().text);
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
    return Trust(call_.ca_file, "--http-ca-file");
  }

  void OnAnswer(const ApiAnswer& answer) override {
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
    if (!IsOutOfTime()) return Finish(failed_, problem);
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

  const HttpCall& call_;
  Function<void(const TellOutcome&)> then_;
  ReloadResult failed_ = ReloadResult::kConnection;  // what a problem means
  HttpMethod method_;
  std::string verb_;
};

}  // namespace

Handle CallApp(Loop& loop, HttpClient& http, const HttpCall& call,
               Function<void(const TellOutcome&)> then) {
  auto app_call = std::make_unique<AppCall>(loop, http, call, std::move(then));
  app_call->Start();
  return app_call;
}

}  // namespace certlatch
