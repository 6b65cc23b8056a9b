#include "platform/http.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "platform/file.h"
#include "platform/tls_words.h"

namespace certlatch {
namespace {

// A peer that vanished is noticed after 15 s of silence and three probes.
constexpr long kKeepAliveIdle = 15;
constexpr long kKeepAliveInterval = 5;
constexpr unsigned kUserTimeoutMs = 30'000;
// Of an answer that is not the expected success: enough for any Status object.
constexpr size_t kMaxErrorBody = size_t{64} * 1024;
// Go's own limit is 1 MiB; API servers send some hundred bytes.
constexpr size_t kMaxHeaders = size_t{256} * 1024;

constexpr size_t kMaxPemFile = 4 << 20;  // a system's whole bundle is about 220 KiB

// Rounded up, since 0 means unlimited to curl.
long ToMilliseconds(Duration duration) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::clamp<int64_t>(milliseconds, 0, INT_MAX));
}

struct HeaderList {
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() {
    // The list holds a copy of the token.
    for (curl_slist* at = list; at != nullptr; at = at->next) Wipe(at->data, std::strlen(at->data));
    curl_slist_free_all(list);
  }
  void Add(const char* header) { list = curl_slist_append(list, header); }
  curl_slist* list = nullptr;
};

struct StringList {
  StringList() = default;
  StringList(const StringList&) = delete;
  StringList& operator=(const StringList&) = delete;
  ~StringList() { curl_slist_free_all(list); }
  void Add(const std::string& text) { list = curl_slist_append(list, text.c_str()); }
  curl_slist* list = nullptr;
};

int SetSocketOptions(void* /*client*/, curl_socket_t fd, curlsocktype purpose) {
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKOPT_OK;
  // Data we sent and nobody acknowledged: keepalive does not probe while such data is on its way.
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
  return CURL_SOCKOPT_OK;
}

curl_blob Blob(std::string_view bytes) {
  curl_blob blob{};
  blob.data = const_cast<char*>(bytes.data());  // curl does not write to it
  blob.len = bytes.size();
  blob.flags = CURL_BLOB_NOCOPY;
  return blob;
}

std::string Authority(const char* url) {
  std::string_view text = url == nullptr ? "" : url;
  const size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  return std::string(text.substr(0, text.find_first_of("/?")));
}

bool IsHeader(std::string_view line, std::string_view name, std::string_view& value) {
  if (!EqualIgnoringCase(line.substr(0, name.size()), name)) return false;
  value = Trim(line.substr(name.size()));
  return true;
}

// Every option of a request counts: one that cannot be set must not be passed over in silence.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* easy) : easy_(easy) {}
  template <typename Value>
  void operator()(CURLoption option, Value value) {
    if (code_ == CURLE_OK) code_ = curl_easy_setopt(easy_, option, value);
  }
  CURLcode code() const { return code_; }

 private:
  CURL* easy_;
  CURLcode code_ = CURLE_OK;
};

struct NumberOption {
  CURLoption option;
  long value;
};

constexpr NumberOption kFixedOptions[] = {
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_TCP_KEEPALIVE, 1},
    {CURLOPT_TCP_KEEPIDLE, kKeepAliveIdle},
    {CURLOPT_TCP_KEEPINTVL, kKeepAliveInterval},
};

// Those that every verifier shares: a key that is too short for OpenSSL, say, may do for others.
constexpr long kPlainDistrusts[] = {
    X509_V_OK,
    X509_V_ERR_UNSPECIFIED,
    X509_V_ERR_HOSTNAME_MISMATCH,
    X509_V_ERR_IP_ADDRESS_MISMATCH,
    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
    X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
    X509_V_ERR_CERT_SIGNATURE_FAILURE,
    X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
    X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
    X509_V_ERR_CERT_NOT_YET_VALID,
    X509_V_ERR_CERT_HAS_EXPIRED,
};

bool IsPlainDistrust(long result) {
  return std::find(std::begin(kPlainDistrusts), std::end(kPlainDistrusts), result) !=
         std::end(kPlainDistrusts);
}

}  // namespace

// Everything curl points to while the transfer lives.
struct HttpClient::Transfer {
  uint64_t id = 0;
  HttpRequest request;
  CURL* easy = nullptr;
  HeaderList headers;
  StringList connect_to;
  StringList addresses;
  char error[CURL_ERROR_SIZE] = "";
  std::string body;       // of an answer that is not streamed
  std::string streamed;   // received, not handed on yet
  bool answered = false;  // all its headers are here
  size_t header_bytes = 0;
  std::optional<Duration> retry_after;
  bool too_large = false;
  bool timed_out = false;  // no answer within answer_timeout
  Handle answer_timer;

  ~Transfer() {
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
  bool IsHead() const { return request.method[0] == 'H'; }
  bool Streams() const { return request.on_bytes && Status() == 200; }
  int Status() const {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }
  std::string Where() const;
  CURLcode Configure();
  CURLcode ConfigureTls();
  bool TakeHeader(std::string_view line);
  bool Take(std::string_view bytes);
  ApiAnswer Answer(CURLcode code);
  long VerifyResult() const;
  std::string Problem(CURLcode code) const;
};

struct HttpClient::Registration : Cancellable {
  Registration(HttpClient& its_client, uint64_t its_id) : client(its_client), id(its_id) {}
  ~Registration() override { client.Cancel(id); }
  HttpClient& client;
  uint64_t id;
};

struct HttpClient::Curl {
  static int OnSocket(CURL* /*easy*/, curl_socket_t fd, int what, void* client, void* /*socket*/) {
    static_cast<HttpClient*>(client)->OnSocket(fd, what);
    return 0;
  }
  static int OnTimer(CURLM* /*multi*/, long milliseconds, void* client) {
    static_cast<HttpClient*>(client)->OnTimer(milliseconds);
    return 0;
  }
  static size_t OnBody(char* bytes, size_t size, size_t count, void* transfer) {
    const size_t length = size * count;
    const bool taken = static_cast<Transfer*>(transfer)->Take({bytes, length});
    return taken ? length : CURL_WRITEFUNC_ERROR;
  }
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* transfer) {
    const size_t length = size * count;
    return static_cast<Transfer*>(transfer)->TakeHeader({bytes, length}) ? length : 0;
  }
};

std::string HttpClient::Transfer::Where() const {
  if (request.called != nullptr) return request.called;
  if (!request.unix_socket.empty()) return request.unix_socket;
  return request.connect_to.empty() ? Authority(request.url.c_str()) : request.connect_to;
}

// Curl keeps what it is given of them while it reads; 7.88 has no bound of its own.
bool HttpClient::Transfer::TakeHeader(std::string_view line) {
  // Read here, since a curl built without dates knows no Retry-After at all, and ours no Location.
  std::string_view value;
  if (IsHeader(line, "retry-after:", value)) {
    const auto seconds = ParseUint(value);
    if (seconds && *seconds > 0) {
      retry_after = std::chrono::seconds(
          std::min<uint64_t>(*seconds, static_cast<uint64_t>(kMaxRetryAfter / 1s)));
    }
  } else if (request.location != nullptr && IsHeader(line, "location:", value)) {
    *request.location = value;
  }
  // The empty line ends the headers; those of a 1xx announce an answer still to come.
  if (line == "\r\n" || line == "\n") answered = Status() >= 200;
  header_bytes += line.size();
  too_large = header_bytes > kMaxHeaders;
  // To curl, which does not know that it asks for no more, a HEAD's answer ends here.
  return !too_large && !(answered && IsHead());
}

bool HttpClient::Transfer::Take(std::string_view bytes) {
  if (Streams()) {
    streamed += bytes;  // handed on when curl has returned
    return true;
  }
  const size_t most =
      Status() == 200 ? request.max_body : std::min(request.max_body, kMaxErrorBody);
  const size_t room = most - body.size();
  too_large = bytes.size() > room && !request.cut_body;
  if (too_large) return false;
  body += bytes.substr(0, room);
  return true;
}

CURLcode HttpClient::Transfer::Configure() {
  OptionSetter set(easy);
  for (const NumberOption& fixed : kFixedOptions) set(fixed.option, fixed.value);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  // Where curl was built without proxies the option does not exist: all the better.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  set(CURLOPT_ERRORBUFFER, error);
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_WRITEFUNCTION, &Curl::OnBody);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Curl::OnHeader);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_SOCKOPTFUNCTION, &SetSocketOptions);
  set(CURLOPT_CONNECTTIMEOUT_MS, ToMilliseconds(request.connect_timeout));
  set(CURLOPT_TIMEOUT_MS, ToMilliseconds(request.total_timeout));

  if (IsHead()) {
    set(CURLOPT_CUSTOMREQUEST, request.method);
  } else if (std::string_view(request.method) != "GET") {
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    set(CURLOPT_CUSTOMREQUEST, request.method);
    headers.Add("Expect:");  // no "100-continue", which costs a second where nobody knows it
  }
  for (const std::string& header : request.headers) headers.Add(header.c_str());
  if (!request.credentials.empty()) {
    std::string header = Format("Authorization: %s ", request.auth_scheme);
    header.reserve(header.size() + request.credentials.Reveal().size());
    header += request.credentials.Reveal();
    headers.Add(header.c_str());
    Wipe(header);
  }
  set(CURLOPT_HTTPHEADER, headers.list);
  // Whatever the URL says.
  if (!request.connect_to.empty()) connect_to.Add(Format("::%s", request.connect_to.c_str()));
  if (connect_to.list != nullptr) set(CURLOPT_CONNECT_TO, connect_to.list);
  if (!request.unix_socket.empty()) {
    set(CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  }
  if (!request.addresses.empty()) addresses.Add(request.addresses);
  if (addresses.list != nullptr) set(CURLOPT_RESOLVE, addresses.list);

  if (set.code() != CURLE_OK || request.tls == nullptr) return set.code();
  return ConfigureTls();
}

CURLcode HttpClient::Transfer::ConfigureTls() {
  OptionSetter set(easy);
  const TlsIdentity& tls = *request.tls;
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  if (!tls.certificate_authority.empty()) {
    // As bytes: curl keeps a CA *file* for 24 hours, and ours rotates.
    const curl_blob blob = Blob(tls.certificate_authority);
    set(CURLOPT_CAINFO_BLOB, &blob);
    set(CURLOPT_CAPATH, nullptr);
  }
  if (!tls.client_certificate.empty()) {
    const curl_blob certificate = Blob(tls.client_certificate);
    const curl_blob key = Blob(tls.client_key.Reveal());
    set(CURLOPT_SSLCERT_BLOB, &certificate);
    set(CURLOPT_SSLKEY_BLOB, &key);
  }
  return set.code();
}

ApiAnswer HttpClient::Transfer::Answer(CURLcode code) {
  ApiAnswer answer;
  answer.status = Status();
  answer.body = std::move(body);
  if (code != CURLE_OK && !(answered && IsHead())) answer.problem = Problem(code);
  if (!answered) answer.status = 0;
  answer.retry_after = retry_after;
  answer.distrusted = code == CURLE_PEER_FAILED_VERIFICATION && IsPlainDistrust(VerifyResult());
  return answer;
}

// Of the server's certificate. OK or unspecified: it is another host's, which curl itself finds.
long HttpClient::Transfer::VerifyResult() const {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &number);
  return number;
}

// One line for the person on call: what failed, where, and what to look at.
std::string HttpClient::Transfer::Problem(CURLcode code) const {
  const std::string place = Where();
  const char* const where = place.c_str();
  if (timed_out) {
    curl_off_t sent_after = 0;
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
    // What a look-up took of it does not count: the same trouble has the same words.
    const bool long_enough = request.answer_timeout > 1s;
    const std::string limit = RoughDuration(request.answer_timeout + (long_enough ? 999ms : 0ms));
    if (sent_after == 0) return Format("no connection to %s within %s", where, limit.c_str());
    return Format("%s accepted the request and did not answer within %s", where, limit.c_str());
  }
  if (too_large) return Format("the answer of %s is too large", where);
  std::string detail = TlsWords(error);
  if (detail.empty()) detail = Printable(error[0] != 0 ? error : curl_easy_strerror(code), 300);
  const char* why = detail.c_str();
  long number = 0;
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
      if (number != 0) why = std::strerror(static_cast<int>(number));
      return Format("cannot connect to %s: %s", where, why);
    case CURLE_OPERATION_TIMEDOUT:
      return Format("no answer from %s in time (%s)", where, why);
    case CURLE_PEER_FAILED_VERIFICATION:
      number = VerifyResult();
      if (number != X509_V_OK && number != X509_V_ERR_UNSPECIFIED) {
        why = X509_verify_cert_error_string(number);
      }
      return Format("the certificate of %s is not trusted: %s (see %s%s)", where, why,
                    request.trust_flag, request.name_flag);
    case CURLE_SSL_CACERT_BADFILE:
      return Format("the certificate authority is not usable (see %s)", request.trust_flag);
    case CURLE_SSL_CERTPROBLEM:
      return "the client certificate or its key is not usable (see --client-certificate and "
             "--client-key)";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return Format("the connection to %s broke (%s)", where, why);
    default:
      return Format("the request to %s failed: %s", where, why);
  }
}

Result<std::string> ReadCertificates(const std::string& path, const char* what) {
  Result<std::string> pem = ReadSmallFile(path, kMaxPemFile);
  if (!pem) return std::move(pem).error().With(what);
  if (pem->find("-----BEGIN CERTIFICATE") == std::string::npos &&
      pem->find("-----BEGIN TRUSTED CERTIFICATE") == std::string::npos) {
    return PathError(path, "holds no PEM certificate").With(what);
  }
  return pem;
}

Result<std::unique_ptr<HttpClient>> HttpClient::Create(Loop& loop) {
  // Curl would write the secrets of every connection to the file that this names.
  unsetenv("SSLKEYLOGFILE");
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Error{Code::kBug, "libcurl cannot be initialised"};
  }
  std::unique_ptr<HttpClient> client(new HttpClient(loop));
  client->multi_ = curl_multi_init();
  if (client->multi_ == nullptr) return Error{Code::kBug, "libcurl cannot be initialised"};
  CURLM* multi = client->multi_;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Curl::OnSocket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client.get());
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Curl::OnTimer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client.get());
  return client;
}

HttpClient::HttpClient(Loop& loop) : loop_(loop) {}

HttpClient::~HttpClient() {
  for (auto& [id, transfer] : transfers_) curl_multi_remove_handle(multi_, transfer->easy);
  transfers_.clear();
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

Handle HttpClient::Send(HttpRequest request) {
  auto owned = std::make_unique<Transfer>();
  Transfer& transfer = *owned;
  const uint64_t id = ++last_id_;
  transfer.id = id;
  transfer.request = std::move(request);
  transfer.easy = curl_easy_init();
  transfers_[id] = std::move(owned);
  CURLcode code = transfer.Configure();
  // Asks for a timer of 0 ms: starts from the loop.
  const bool sent = code == CURLE_OK && curl_multi_add_handle(multi_, transfer.easy) == CURLM_OK;
  if (!sent) {
    if (code == CURLE_OK) code = CURLE_FAILED_INIT;
    transfer.answer_timer = loop_.After(Duration::zero(), [this, id, code] { Finish(id, code); });
  } else if (transfer.request.answer_timeout > Duration::zero()) {
    transfer.answer_timer = loop_.After(transfer.request.answer_timeout, [this, &transfer] {
      if (transfer.answered) return;
      transfer.timed_out = true;
      Finish(transfer.id, CURLE_OPERATION_TIMEDOUT);
    });
  }
  return std::make_unique<Registration>(*this, id);
}

void HttpClient::Cancel(uint64_t id) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  curl_multi_remove_handle(multi_, found->second->easy);
  transfers_.erase(found);
}

void HttpClient::OnTimer(long milliseconds) {
  if (milliseconds < 0) return timer_.reset();
  timer_ =
      loop_.After(std::chrono::milliseconds(milliseconds), [this] { Act(CURL_SOCKET_TIMEOUT, 0); });
}

void HttpClient::OnSocket(int fd, int what) {
  sockets_.erase(fd);
  if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) return;
  uint32_t events = 0;
  if (what != CURL_POLL_OUT) events |= EPOLLIN;
  if (what != CURL_POLL_IN) events |= EPOLLOUT;
  sockets_[fd] = loop_.WatchFd(fd, events, [this, fd](uint32_t ready) {
    int mask = 0;
    if ((ready & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
    if ((ready & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
    if ((ready & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
    Act(fd, mask);
  });
}

// Curl runs to its end before anyone hears of what it did: no callback of ours may add or remove
// a transfer from within curl.
void HttpClient::Act(int fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  DeliverBytes();
  DeliverAnswers();
}

void HttpClient::DeliverBytes() {
  std::vector<uint64_t> ids;
  for (const auto& [id, transfer] : transfers_) {
    if (!transfer->streamed.empty()) ids.push_back(id);
  }
  for (const uint64_t id : ids) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) continue;  // cancelled by one before it
    const std::string bytes = std::exchange(found->second->streamed, {});
    auto then = std::move(found->second->request.on_bytes);  // may cancel its own transfer
    then(bytes);
    const auto still = transfers_.find(id);
    if (still != transfers_.end()) still->second->request.on_bytes = std::move(then);
  }
}

void HttpClient::DeliverAnswers() {
  struct Done {
    uint64_t id;
    CURLcode code;
  };
  std::vector<Done> all;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    all.push_back({transfer->id, message->data.result});
  }
  for (const Done& done : all) Finish(done.id, done.code);
}

void HttpClient::Finish(uint64_t id, CurlCode code) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;  // cancelled by one that finished before it
  ApiAnswer answer = found->second->Answer(static_cast<CURLcode>(code));
  const auto then = std::move(found->second->request.on_answer);
  Cancel(id);
  then(answer);
}

}  // namespace certlatch
