#include "platform/status_server.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr int kBacklog = 64;
// Of accepted connections in one go: the loop has other things to do.
constexpr size_t kMaxAccepts = kMaxStatusConnections;
// Without descriptors or memory: connections wait in the backlog until then.
constexpr Duration kPause = 200ms;
// What is read and dropped after the answer.
constexpr size_t kMaxDropped = size_t{64} * 1024;

}  // namespace

// Reads the head, writes the answer, and then reads until the peer closes: to close a socket with
// bytes unread resets the connection, and the peer may lose the answer.
struct StatusServer::Connection {
  UniqueFd fd;
  std::string head;
  std::string answer;  // what is left of it
  bool answered = false;
  size_t dropped = 0;
  Handle watch;  // before the descriptor: destroyed in reverse
  Handle deadline;
};

StatusServer::StatusServer(Loop& loop, Page page, Duration deadline)
    : loop_(loop), page_(std::move(page)), deadline_(deadline) {}

StatusServer::~StatusServer() = default;

Result<std::unique_ptr<StatusServer>> StatusServer::Listen(Loop& loop, const ListenAddress& address,
                                                           Page page, Duration deadline) {
  std::unique_ptr<StatusServer> server(new StatusServer(loop, std::move(page), deadline));
  bool open = server->Open(address.family == ListenAddress::kIpv4 ? AF_INET : AF_INET6, address);
  // ipv6.disable=1 of the kernel, or a container runtime without it.
  if (!open && address.family == ListenAddress::kAll &&
      (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
    open = server->Open(AF_INET, address);
  }
  if (!open) {
    return Failure(Code::kConfig, "cannot listen on %.*s: %s", Length(address.text),
                   address.text.data(), std::strerror(errno));
  }
  server->WatchListener();
  return server;
}

// False: errno says why.
bool StatusServer::Open(int family, const ListenAddress& address) {
  // Zeros are "all addresses" in both.
  sockaddr_in6 name{};
  name.sin6_family = static_cast<sa_family_t>(family);
  name.sin6_port = htons(address.port);  // at the same place in sockaddr_in
  const bool ipv6 = family == AF_INET6;
  if (ipv6) {
    std::memcpy(&name.sin6_addr, address.bytes, sizeof name.sin6_addr);
  } else {
    std::memcpy(reinterpret_cast<char*>(&name) + offsetof(sockaddr_in, sin_addr), address.bytes,
                sizeof(in_addr));
  }
  listener_ = UniqueFd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = listener_.get();
  const int yes = 1;
  const int no = 0;
  // We close first, so connections of our predecessor may still be in TIME_WAIT. IPv4, too,
  // whatever net.ipv6.bindv6only says.
  return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
         (!ipv6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0) &&
         bind(fd, reinterpret_cast<sockaddr*>(&name), ipv6 ? sizeof name : sizeof(sockaddr_in)) ==
             0 &&
         listen(fd, kBacklog) == 0;
}

uint16_t StatusServer::port() const {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.sin6_port);  // IPv4's is at the same place
}

void StatusServer::WatchListener() {
  listening_ = loop_.WatchFd(listener_.get(), EPOLLIN, [this](uint32_t) { Accept(); });
}

void StatusServer::Accept() {
  for (size_t i = 0; i < kMaxAccepts; ++i) {
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Add(std::move(fd));
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // EMFILE and the like: the listener stays readable, and the loop would spin.
    listening_.reset();
    listening_ = loop_.After(kPause, [this] { WatchListener(); });
    return;
  }
}

void StatusServer::Add(UniqueFd fd) {
  if (connections_.size() == kMaxStatusConnections) connections_.erase(connections_.begin());
  auto owned = std::make_unique<Connection>();
  Connection& connection = *owned;
  connections_.push_back(std::move(owned));
  connection.fd = std::move(fd);
  connection.deadline = loop_.After(deadline_, [this, &connection] { Close(connection); });
  Watch(connection, EPOLLIN);
  // Most have sent their request by now, and so cannot be the oldest when the next one comes.
  Advance(connection);
}

void StatusServer::Watch(Connection& connection, uint32_t events) {
  connection.watch.reset();  // first: the loop knows a descriptor once
  connection.watch = loop_.WatchFd(connection.fd.get(), events,
                                   [this, &connection](uint32_t) { Advance(connection); });
}

// As far as it goes without waiting.
void StatusServer::Advance(Connection& connection) {
  const bool alive = connection.answer.empty() ? Read(connection) : Write(connection);
  if (!alive) Close(connection);
}

// False: it is over.
bool StatusServer::Read(Connection& connection) {
  char block[kMaxStatusHead];
  const size_t room = sizeof block - (connection.answered ? 0 : connection.head.size());
  const ssize_t count = recv(connection.fd.get(), block, room, 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  if (connection.answered) {
    connection.dropped += static_cast<size_t>(count);
    return connection.dropped <= kMaxDropped;
  }
  connection.head.append(block, static_cast<size_t>(count));
  const StatusRequest request = ReadStatusRequest(connection.head);
  if (!request.complete) return true;
  StatusPage page;
  if (request.refused == 0) page = page_(request.path);
  connection.answer = StatusResponse(request, std::move(page));
  connection.answered = true;
  return Write(connection);
}

bool StatusServer::Write(Connection& connection) {
  std::string& answer = connection.answer;
  const ssize_t count = send(connection.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (count > 0) answer.erase(0, static_cast<size_t>(count));
  Watch(connection, answer.empty() ? EPOLLIN : EPOLLOUT);
  if (answer.empty()) shutdown(connection.fd.get(), SHUT_WR);
  return true;
}

void StatusServer::Close(const Connection& connection) {
  std::erase_if(connections_, [&](const auto& other) { return other.get() == &connection; });
}

}  // namespace certlatch
