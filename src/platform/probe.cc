#include "platform/probe.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "domain/conversation.h"
#include "domain/http_method.h"
#include "platform/resolver.h"
#include "platform/stream.h"
#include "platform/url_request.h"

namespace certlatch {
namespace {

using Then = Function<void(const ProbeOutcome&)>;

constexpr const char* kServer = "the server";  // messages do not name the target
constexpr int kMaxRedirects = 5;
// The status decides; a body is read only for the sake of servers that mind an early end.
constexpr size_t kMaxBody = size_t{64} * 1024;

// Last: may destroy what calls it. Ready without a reason.
void Tell(Then& then, int http_status, std::string reason, bool distrusted = false) {
  const Then call = std::move(then);
  call({reason.empty(), http_status, std::move(reason), distrusted});
}

// `problem` and, where that is not plain, what to look at.
std::string Advise(std::string problem) {
  if (problem.ends_with(std::strerror(ECONNREFUSED))) problem += "; is it listening on that port?";
  return problem;
}

class StreamProbe : public Cancellable, Talk {
 public:
  StreamProbe(Loop& loop, const Reachable& what, Then then)
      : stream_(loop, *this),
        postgres_(what.kind == Reachable::Kind::kPostgres),
        peer_(what.endpoint),
        then_(std::move(then)) {
    peer_.text = kServer;
  }
  void Start(Duration limit) { stream_.Open(peer_, limit); }

 private:
  bool Hear(std::string_view in, std::string& out) override {
    if (!postgres_) return false;
    if (in.empty()) {
      out = kPostgresStartup;
      return true;
    }
    heard_ += in;
    const Result<bool> takes = TakesConnections(heard_);
    if (!takes) problem_ = Format("%s %s", kServer, takes.error().text.c_str());
    return takes && !*takes;
  }
  void End(std::string problem) override {
    Tell(then_, 0, Advise(std::move(problem.empty() ? problem_ : problem)));
  }

  Stream stream_;
  const bool postgres_;
  Endpoint peer_;
  Then then_;
  std::string heard_;
  std::string problem_;
};

class HttpProbe : public UrlRequest {
 public:
  HttpProbe(Loop& loop, HttpClient& http, const Reachable& what, Duration limit, Then then)
      : UrlRequest(loop, http, limit), what_(what), url_(what.url), then_(std::move(then)) {}

  void Start() {
    HttpMethod method;
    if (!ReadHttpUrl(url_, method)) return Refuse("redirected to what is no http(s) URL");
    if (!what_.ca_pem.empty()) {
      TrustOnly(what_.ca_pem, "its caBundle");
    } else if (url_.starts_with("https")) {
      const Status trusted = Trust(what_.ca_file, "--target-ca-file", !what_.insecure);
      if (!trusted) return Refuse(trusted.error().text);
    }
    request_.method = what_.head ? "HEAD" : "GET";
    request_.url = url_;
    request_.addresses.clear();
    // A connection that is kept would say nothing about the next attempt's.
    request_.headers = {"User-Agent: certlatch", "Connection: close"};
    request_.called = redirects_ == 0 ? kServer : nullptr;
    if (!what_.called.empty()) request_.called = what_.called.c_str();
    request_.max_body = kMaxBody;
    request_.location = &location_;
    location_.clear();
    Ask(method, what_.address);
  }

 private:
  void OnAnswer(const ApiAnswer& answer) override {
    const int status = answer.status;
    if (status == 0) return Tell(then_, 0, Advise(answer.problem), answer.distrusted);
    const bool redirect = status >= 300 && status < 400 && !location_.empty();
    if (redirect && what_.follow) return Follow(status);
    if (HasHttpStatus(what_.statuses, status)) return Tell(then_, status, "");
    const char* hint = status < 500 ? " (see --http-status)" : "";
    if (redirect) hint = ": it redirects; give the URL where that leads";
    Tell(then_, status, Format("HTTP %d, not %s%s", status, what_.statuses.c_str(), hint));
  }

  void Follow(int status) {
    std::string url = RedirectUrl(url_, location_);
    const char* problem = nullptr;
    if (++redirects_ > kMaxRedirects) problem = "too many redirects";
    if (url_.starts_with("https:") && url.starts_with("http:")) {
      problem = "redirected from https to http: not followed";
    }
    if (problem != nullptr) return Tell(then_, status, Format("HTTP %d: %s", status, problem));
    url_ = std::move(url);
    Start();
  }

  const Reachable& what_;
  std::string url_;
  std::string location_;  // of the last answer
  int redirects_ = 0;
  Then then_;
};

// "": it is there. Looking opens nothing, since that would block on a FIFO.
std::string ProblemOfFile(const char* path, bool empty_too) {
  struct stat found {};
  if (stat(path, &found) != 0) {
    return errno == ENOENT || errno == ENOTDIR ? "does not exist yet" : std::strerror(errno);
  }
  if (S_ISDIR(found.st_mode)) return "is a directory, not a file";
  if (!S_ISREG(found.st_mode) || empty_too) return "";
  if (found.st_size == 0) return "is empty";
  return access(path, R_OK) == 0 ? "" : Format("cannot be read: %s", std::strerror(errno));
}

}  // namespace

Handle StartProbe(Loop& loop, HttpClient& http, const Reachable& what, Duration limit, Then then) {
  if (what.kind == Reachable::Kind::kHttp) {
    auto probe = std::make_unique<HttpProbe>(loop, http, what, limit, std::move(then));
    probe->Start();
    return probe;
  }
  if (what.kind == Reachable::Kind::kFile) {
    return loop.After(Duration::zero(), [&what, then = std::move(then)]() mutable {
      Tell(then, 0, ProblemOfFile(what.path.c_str(), what.empty_too));
    });
  }
  if (what.kind == Reachable::Kind::kName) {
    return ResolveHost(loop, what.endpoint.host, limit,
                       [then = std::move(then)](Result<std::vector<std::string>> found) mutable {
                         Tell(then, 0, found ? "" : found.error().text);
                       });
  }
  auto probe = std::make_unique<StreamProbe>(loop, what, std::move(then));
  probe->Start(limit);
  return probe;
}

}  // namespace certlatch
