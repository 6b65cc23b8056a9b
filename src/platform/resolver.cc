#include "platform/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "platform/descriptors.h"

namespace certlatch {
namespace {

using Addresses = Result<std::vector<std::string>>;

constexpr size_t kMaxAnswer = kMaxAddresses * (INET6_ADDRSTRLEN + 1) + 256;
constexpr char kFailure = '!';  // begins an answer that is an error text

std::string LookUp(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (problem == EAI_SYSTEM) return kFailure + std::string(std::strerror(errno));
  if (problem != 0) return kFailure + std::string(gai_strerror(problem));
  std::string answer;
  size_t count = 0;
  for (const addrinfo* at = found; at != nullptr && count < kMaxAddresses; at = at->ai_next) {
    char text[INET6_ADDRSTRLEN];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) !=
        0) {
      continue;
    }
    answer += text;
    answer += '\n';
    ++count;
  }
  freeaddrinfo(found);
  return answer;
}

[[noreturn]] void RunChild(const std::string& host, int out, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent died before the line above
  CloseAllBut(out);
  const std::string answer = LookUp(host);
  const ssize_t written = write(out, answer.data(), answer.size());
  _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
}

class LookUpInChild : public Cancellable {
 public:
  LookUpInChild(Loop& loop, std::string host, Duration deadline, Function<void(Addresses)> then)
      : loop_(loop), host_(std::move(host)), deadline_(deadline), then_(std::move(then)) {}

  ~LookUpInChild() override { End(); }

  void Start() {
    const std::string problem = Fork();
    if (!problem.empty()) {
      // Not from within the call that asked.
      timer_ = loop_.After(Duration::zero(), [this, problem] { Finish(Failure(problem)); });
      return;
    }
    timer_ = loop_.After(deadline_, [this] {
      Finish(Failure(Format("no answer within %s", FormatDuration(deadline_).c_str())));
    });
    exit_ = loop_.OnChildExit(child_, [this](int) { child_ = 0; });
    readable_ = loop_.WatchFd(pipe_.get(), EPOLLIN, [this](uint32_t) { OnReadable(); });
  }

 private:
  std::string Fork() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return std::strerror(errno);
    pipe_ = UniqueFd(ends[0]);
    const UniqueFd out(ends[1]);
    fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ < 0) return std::strerror(errno);
    if (child_ == 0) RunChild(host_, out.get(), parent);
    return "";
  }

  // The child is reaped by the loop, which reaps all.
  void End() {
    if (child_ > 0) kill(child_, SIGKILL);
    child_ = 0;
    exit_.reset();
    readable_.reset();
    timer_.reset();
  }

  void OnReadable() {
    char buffer[512];
    const ssize_t count = read(pipe_.get(), buffer, sizeof buffer);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0 && answer_.size() + static_cast<size_t>(count) <= kMaxAnswer) {
      answer_.append(buffer, static_cast<size_t>(count));
      return;
    }
    Finish(Answer());
  }

  Addresses Answer() const {
    if (answer_.empty()) return Failure("no address");
    if (answer_[0] == kFailure) return Failure(answer_.substr(1));
    std::vector<std::string> addresses;
    for (const std::string_view line : Split(Trim(answer_), '\n')) {
      // Others are of one link only ("fe80::1%eth0"): no URL can name them.
      if (IsIpAddress(std::string(line))) addresses.emplace_back(line);
    }
    if (addresses.empty()) return Failure("no usable address");
    return addresses;
  }

  Error Failure(std::string_view problem) const {
    return certlatch::Failure(Code::kRetry, "cannot look up %s: %s", host_.c_str(),
                              Printable(problem, 200).c_str());
  }

  void Finish(Addresses result) {
    End();
    const auto then = std::move(then_);
    then(std::move(result));  // last: may destroy this
  }

  Loop& loop_;
  std::string host_;
  Duration deadline_;
  Function<void(Addresses)> then_;
  pid_t child_ = 0;
  UniqueFd pipe_;
  std::string answer_;
  Handle readable_;
  Handle timer_;
  Handle exit_;
};

}  // namespace

bool IsIpAddress(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || IsIpv6(host);
}

std::string Bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : Format("[%s]", host.c_str());
}

std::string CurlAddresses(const std::string& host, const char* port,
                          const std::vector<std::string>& addresses) {
  std::string text = Format("%s:%s", host.c_str(), port);
  char separator = ':';
  for (const std::string& address : addresses) {
    text += separator;
    text += Bracketed(address);
    separator = ',';
  }
  return text;
}

Handle ResolveHost(Loop& loop, const std::string& host, Duration deadline,
                   Function<void(Addresses)> then) {
  auto look_up = std::make_unique<LookUpInChild>(loop, host, deadline, std::move(then));
  look_up->Start();
  return look_up;
}

}  // namespace certlatch
