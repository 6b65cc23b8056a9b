#include "platform/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "platform/resolver.h"

namespace certlatch {
namespace {

constexpr size_t kBlock = 4096;

struct Address {
  explicit Address(const std::string& text, uint16_t port) {
    v4.sin_port = htons(port);  // where IPv6 has it, too
    if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      size = sizeof v4;
    } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      size = sizeof v6;
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&v6); }
  union {
    sockaddr_in6 v6 = {};
    sockaddr_in v4;
  };
  socklen_t size = 0;
};

// The kernel may give a connection to a port of its own range, where nobody listens, that very port
// as its own: then it accepts itself.
bool IsConnectedToItself(int fd) {
  sockaddr_in6 local{};
  sockaddr_in6 peer{};
  socklen_t local_size = sizeof local;
  socklen_t peer_size = sizeof peer;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
         local_size == peer_size && std::memcmp(&local, &peer, local_size) == 0;
}

}  // namespace

void Stream::Open(const Endpoint& peer, Duration deadline) {
  peer_ = &peer;
  deadline_ = deadline;
  timer_ = loop_.After(deadline, [this] { TimeOut(); });
  if (IsIpAddress(peer.host)) {
    addresses_.emplace_back(std::string_view(peer.host));
    start_ = loop_.After(Duration::zero(), [this] { ConnectNext(0); });
    return;
  }
  start_ = ResolveHost(loop_, peer.host, deadline, [this](Result<std::vector<std::string>> found) {
    if (!found) return Finish(std::move(found.error().text));
    addresses_ = *std::move(found);
    ConnectNext(0);
  });
}

int Stream::Connect(const std::string& address) {
  const Address to(address, peer_->port);
  fd_ = UniqueFd(socket(to.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return errno;
  const bool failed = connect(fd_.get(), to.get(), to.size) != 0 && errno != EINPROGRESS;
  return failed ? errno : 0;
}

// `problem` is why the address before failed.
void Stream::ConnectNext(int problem) {
  while (next_ < addresses_.size()) {
    watch_.reset();
    watched_ = 0;
    problem = Connect(addresses_[next_++]);
    if (problem == 0) return Watch();
  }
  Finish(Format("cannot connect to %s: %s", peer_->text.c_str(), std::strerror(problem)));
}

void Stream::Watch() {
  const uint32_t wanted = connected_ && unsent_.empty() ? EPOLLIN : EPOLLOUT;
  if (wanted == watched_) return;
  watched_ = wanted;
  watch_.reset();  // before the next: epoll has a descriptor once
  watch_ = loop_.WatchFd(fd_.get(), wanted, [this](uint32_t) { OnReady(); });
}

int Stream::ConnectionError() const {
  int problem = 0;
  socklen_t size = sizeof problem;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) return errno;
  return problem == 0 && IsConnectedToItself(fd_.get()) ? ECONNREFUSED : problem;
}

void Stream::OnReady() {
  if (!connected_) {
    const int problem = ConnectionError();
    if (problem != 0) return ConnectNext(problem);
    connected_ = true;
    return Say({});
  }
  if (unsent_.empty()) return Receive();
  SendRest();
}

void Stream::Receive() {
  char block[kBlock];
  const ssize_t count = recv(fd_.get(), block, sizeof block, 0);
  if (count > 0) return Say({block, static_cast<size_t>(count)});
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const char* where = peer_->text.c_str();
  Finish(count == 0 ? Format("%s closed the connection", where)
                    : Format("the connection to %s broke: %s", where, std::strerror(errno)));
}

void Stream::Say(std::string_view in) {
  all_said_ = !talk_.Hear(in, unsent_);
  SendRest();
}

// A peer that takes no more may have said why: what it sent is still to be heard.
void Stream::SendRest() {
  while (!unsent_.empty()) {
    const ssize_t count = send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    unsent_.erase(0, count < 0 ? std::string::npos : static_cast<size_t>(count));
  }
  if (all_said_ && unsent_.empty()) return Finish({});
  Watch();
}

void Stream::TimeOut() {
  Finish(Format(connected_ ? "no answer from %s within %s" : "no connection to %s within %s",
                peer_->text.c_str(), RoughDuration(deadline_).c_str()));
}

void Stream::Finish(std::string problem) {
  start_.reset();
  timer_.reset();
  watch_.reset();
  fd_.Reset();
  talk_.End(std::move(problem));  // last: may destroy this
}

}  // namespace certlatch
