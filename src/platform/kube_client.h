// KubeClient makes requests to one API server: address, credentials, trust, time limits.
// Credentials and CA are read from their files for each request, since the kubelet rotates them;
// the token goes to this server only. Owns one name look-up at most, for all requests that wait for
// it; connections are HttpClient's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/host.h"
#include "app/options.h"
#include "base/function.h"
#include "platform/http.h"
#include "platform/loop.h"

namespace certlatch {

class KubeClient {
 public:
  // Error (kConfig): the server's address is malformed, or a file that was asked for cannot be
  // used.
  static Result<std::unique_ptr<KubeClient>> Create(Loop& loop, HttpClient& http,
                                                    ConnectionOptions options);

  // As Host's. One answer, at the latest after the request timeout.
  [[nodiscard]] Handle Fetch(const std::string& target, Function<void(const ApiAnswer&)> then);
  [[nodiscard]] Handle Watch(const std::string& target, Function<void(std::string_view)> bytes,
                             Function<void(const ApiAnswer&)> ended);
  [[nodiscard]] Handle Change(const ApiChange& change, Function<void(const ApiAnswer&)> then);

 private:
  class Call;

  KubeClient(Loop& loop, HttpClient& http, ConnectionOptions options)
      : loop_(loop), http_(http), options_(std::move(options)) {}

  Status ParseServer();
  Status CheckServer() const;
  void Impersonate(HttpRequest& request) const;
  Result<HttpRequest> Prepare(const std::string& target) const;
  Result<std::unique_ptr<const TlsIdentity>> ReadIdentity() const;
  Result<Secret> ReadToken() const;
  Handle Begin(Result<HttpRequest> prepared, Duration total_timeout,
               Function<void(std::string_view)> bytes, Function<void(const ApiAnswer&)> then);
  Handle SendTo(const std::vector<std::string>& addresses, HttpRequest request);
  Handle LookUpAndSend(HttpRequest request);
  void OnLookedUp(const Result<std::vector<std::string>>& found);
  void OnCallEnded(uint64_t id);

  Loop& loop_;
  HttpClient& http_;
  ConnectionOptions options_;
  bool tls_ = true;
  std::string host_;  // without brackets
  std::string port_;
  std::string prefix_;                  // of paths: "/k8s/clusters/c-1", mostly ""
  std::vector<std::string> addresses_;  // of host_, if it is a name
  Instant addresses_until_{};
  uint64_t last_call_ = 0;
  std::map<uint64_t, Call*> waiting_;  // for the look-up, in order of their coming
  Handle look_up_;
};

}  // namespace certlatch
