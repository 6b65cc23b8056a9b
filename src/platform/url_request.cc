#include "platform/url_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "platform/resolver.h"

namespace certlatch {
namespace {

// Of timers: curl's own get so much more, so that ours ends what is too slow. Its words are
// clearer.
constexpr Duration kRounding = 50ms;

}  // namespace

UrlRequest::UrlRequest(Loop& loop, HttpClient& http, Duration limit)
    : loop_(loop), http_(http), end_(Loop::Now() + limit) {}

Duration UrlRequest::Left() const { return std::max<Duration>(end_ - Loop::Now(), 1ms); }

bool UrlRequest::IsOutOfTime() const { return Left() <= kRounding; }

Status UrlRequest::Trust(const std::string& ca_file, const char* flag, bool verify) {
  std::string ca_pem;
  if (!ca_file.empty()) {
    Result<std::string> pem = ReadCertificates(ca_file, flag);
    if (!pem) return std::move(pem).error();
    ca_pem = *std::move(pem);
  }
  TrustOnly(std::move(ca_pem), flag, verify);
  return {};
}

void UrlRequest::TrustOnly(std::string ca_pem, const char* source, bool verify) {
  auto identity = std::make_unique<TlsIdentity>();
  identity->verify = verify;
  identity->certificate_authority = std::move(ca_pem);
  request_.tls = std::move(identity);
  request_.trust_flag = source;
  request_.name_flag = "";
}

void UrlRequest::Ask(const HttpMethod& method, const std::string& instead) {
  const std::string host(method.host);
  if (host.empty() || IsIpAddress(host)) return Send();
  const std::string port = Format("%d", int{method.port});
  if (IsIpAddress(instead)) {
    request_.addresses = CurlAddresses(host, port.c_str(), {instead});
    return Send();
  }
  under_way_ = ResolveHost(loop_, instead.empty() ? host : instead, Left(),
                           [this, host, port](const Result<std::vector<std::string>>& found) {
                             if (!found) return Refuse(found.error().text);
                             request_.addresses = CurlAddresses(host, port.c_str(), *found);
                             Send();
                           });
}

void UrlRequest::Refuse(std::string problem) {
  under_way_ = loop_.After(Duration::zero(), [this, problem = std::move(problem)] {
    ApiAnswer answer;
    answer.problem = problem;
    OnAnswer(answer);
  });
}

void UrlRequest::Send() {
  request_.answer_timeout = Left();
  request_.connect_timeout = request_.answer_timeout + kRounding;
  request_.total_timeout = request_.connect_timeout;
  request_.on_answer = [this](const ApiAnswer& answer) { OnAnswer(answer); };
  under_way_ = http_.Send(std::move(request_));
}

}  // namespace certlatch
