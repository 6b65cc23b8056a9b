// HttpClient makes HTTP/1.1 requests on the Loop, through curl's multi interface.
// Owns the connections and every byte in flight: a body is at most `max_body` bytes, a streamed one
// is handed on as it comes. No redirects, no proxies, no cookies, no DNS: addresses come with the
// request. Answers come from the loop, never from within Send.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "domain/api_answer.h"
#include "platform/loop.h"

namespace certlatch {

// Whom to trust and who we are, as PEM. Shared by the requests that are under way.
struct TlsIdentity {
  std::string certificate_authority;  // "": the system's
  std::string client_certificate;     // "": none
  Secret client_key;
  bool verify = true;
};

struct HttpRequest {
  const char* method = "GET";
  std::string url;
  std::string body;                  // to be sent; not of a GET or HEAD
  std::vector<std::string> headers;  // "Accept: application/json"
  const char* auth_scheme = "Bearer";
  Secret credentials;  // as the scheme writes them; "": no Authorization header
  std::unique_ptr<const TlsIdentity> tls;
  const char* trust_flag = "--certificate-authority";  // for messages, as the next one
  const char* name_flag = " and --tls-server-name";
  const char* called = nullptr;  // the server, in messages; nullptr: by its address
  std::string unix_socket;       // path to connect to; "": TCP
  // "host:port" to connect to instead of what the URL says, which is still verified; "": as the
  // URL.
  std::string connect_to;
  // "host:port:address,address" for a host that is a name; "": it is an address.
  std::string addresses;
  Duration connect_timeout = 10s;   // TCP and TLS
  Duration total_timeout{};         // of all; 0: unlimited
  Duration answer_timeout{};        // until the answer begins; 0: unlimited
  size_t max_body = 0;              // of the answer
  bool cut_body = false;            // what is more is dropped; else an error
  std::string* location = nullptr;  // where the answer's Location goes, if it has one
  // Set: the body of a 200 goes here, without a bound in all.
  Function<void(std::string_view)> on_bytes;
  Function<void(const ApiAnswer&)> on_answer;
};

// A PEM file of certificates as it is now, for TlsIdentity; `what` it is for the error. Code
// kRetry: it may come to be well.
Result<std::string> ReadCertificates(const std::string& path, const char* what);

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> Create(Loop& loop);
  ~HttpClient();

  // Destroying the handle cancels.
  [[nodiscard]] Handle Send(HttpRequest request);

 private:
  using CurlCode = int;  // CURLcode
  struct Transfer;
  struct Registration;
  struct Curl;  // curl's C callbacks

  explicit HttpClient(Loop& loop);
  void OnTimer(long milliseconds);
  void OnSocket(int fd, int what);
  void Act(int fd, int events);
  void DeliverBytes();
  void DeliverAnswers();
  void Finish(uint64_t id, CurlCode code);
  void Cancel(uint64_t id);

  Loop& loop_;
  void* multi_ = nullptr;  // CURLM
  Handle timer_;
  std::map<int, Handle> sockets_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, std::unique_ptr<Transfer>> transfers_;
};

}  // namespace certlatch
