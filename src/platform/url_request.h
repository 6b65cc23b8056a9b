// UrlRequest is one request to a URL that a user gave, to be derived from: it looks the host up and
// asks, all within a limit, with nothing of what the API server is told. Owns the look-up or the
// request under way; destroying it cancels.
#pragma once

#include <string>

#include "app/host.h"
#include "domain/http_method.h"
#include "platform/http.h"
#include "platform/loop.h"

namespace certlatch {

class UrlRequest : public Cancellable {
 protected:
  // Both outlive it. The limit counts from now.
  UrlRequest(Loop& loop, HttpClient& http, Duration limit);

  // request_ trusts the system's authorities, or those in a file as it is now; or anyone.
  Status Trust(const std::string& ca_file, const char* flag, bool verify = true);
  // The same of certificates in PEM ("": the system's); `source` is what messages call them.
  void TrustOnly(std::string ca_pem, const char* source, bool verify = true);
  // Sends request_ to method's host, or Unix socket; or to another host in its place.
  void Ask(const HttpMethod& method, const std::string& instead = {});
  // Ends in OnAnswer, too, with no more than the problem.
  void Refuse(std::string problem);
  // Whether the limit, and no other trouble, is why there is no answer.
  bool IsOutOfTime() const;

  // From the loop, once for each Ask or Refuse. A problem may be that of a look-up.
  virtual void OnAnswer(const ApiAnswer& answer) = 0;

  HttpRequest request_;  // to be filled in before each Ask, but for its limits and addresses

 private:
  Duration Left() const;
  void Send();

  Loop& loop_;
  HttpClient& http_;
  const Instant end_;
  Handle under_way_;
};

}  // namespace certlatch
