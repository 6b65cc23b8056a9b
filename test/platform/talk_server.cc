#include "test/platform/talk_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <utility>

namespace certlatch::test {
namespace {

// A socket bound to a free port of 127.0.0.1.
int Bind(uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) std::abort();
  port = ntohs(address.sin_port);
  return fd;
}

Endpoint At(uint16_t port) { return {"127.0.0.1", port, "127.0.0.1:" + std::to_string(port)}; }

}  // namespace

TalkServer::TalkServer(Handler handler) : handler_(std::move(handler)), listener_(Bind(port_)) {
  if (listen(listener_, SOMAXCONN) != 0) std::abort();
  thread_ = std::thread([this] { Serve(); });
}

TalkServer::~TalkServer() {
  stop_.Notify();
  thread_.join();
  close(listener_);
}

Endpoint TalkServer::endpoint() const { return At(port_); }

void TalkServer::Serve() {
  while (true) {
    pollfd fds[] = {{listener_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    poll(fds, std::size(fds), -1);
    if (fds[1].revents != 0) return;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    Transport transport(fd, stop_);
    handler_(transport);
  }
}

Endpoint RefusingEndpoint() {
  uint16_t port = 0;
  close(Bind(port));
  return At(port);
}

}  // namespace certlatch::test
