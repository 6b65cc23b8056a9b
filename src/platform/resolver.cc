#include "platform/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "base/unique_fd.h"

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

// A child that holds our connections would keep them open after we have closed them. By number,
// since musl has no function for it; Linux before 5.9 refuses, and the deadline bounds the effect.
void CloseAllBut(int kept) {
  constexpr int kFirst = STDERR_FILENO + 1;
  const auto close_range = [](int first, unsigned last) {
    syscall(SYS_close_range, static_cast<unsigned>(first), last, 0U);
  };
  if (kept > kFirst) close_range(kFirst, static_cast<unsigned>(kept) - 1);
  close_range(std::max(kept + 1, kFirst), ~0U);
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
  LookUpInChild(Loop& loop, std::string host, Duration deadline,
                std::function<void(Addresses)> then)
      : loop_(loop), host_(std::move(host)), deadline_(deadline), then_(std::move(then)) {}

  ~LookUpInChild() override { End(); }

  void Start() {
    const std::string problem = Fork();
    if (!problem.empty()) {
      // Not from within the call that asked.
      timer_ = loop_.After(Duration::zero(), [this, problem] { Finish(Failure(problem)); });
      return;
    }
    timer_ = loop_.After(
        deadline_, [this] { Finish(Failure("no answer within " + FormatDuration(deadline_))); });
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
    return Error{Code::kRetry, "cannot look up " + host_ + ": " + Printable(problem, 200)};
  }

  void Finish(Addresses result) {
    End();
    const auto then = std::move(then_);
    then(std::move(result));  // last: may destroy this
  }

  Loop& loop_;
  std::string host_;
  Duration deadline_;
  std::function<void(Addresses)> then_;
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

Handle ResolveHost(Loop& loop, const std::string& host, Duration deadline,
                   std::function<void(Addresses)> then) {
  auto look_up = std::make_unique<LookUpInChild>(loop, host, deadline, std::move(then));
  look_up->Start();
  return look_up;
}

}  // namespace certlatch
