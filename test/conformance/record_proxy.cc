#include "test/conformance/record_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace certlatch::test {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

size_t Big(std::string_view bytes, size_t at, size_t count) {
  size_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

struct RecordProxy::Side {
  int fd;
  bool is_server;
  int records = 0;
  bool closed = false;  // nothing more comes from it
  bool silent = false;  // nothing more goes to it
  std::string unread = {};
};

RecordProxy::RecordProxy(uint16_t server_port, Rule rule)
    : server_port_(server_port), rule_(std::move(rule)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    Die("the proxy's port");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

RecordProxy::~RecordProxy() {
  stop_.Notify();
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
}

std::vector<Record> RecordProxy::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void RecordProxy::Accept() {
  for (int number = 1;; ++number) {
    pollfd fds[] = {{listener_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    poll(fds, 2, -1);
    if (fds[1].revents != 0) return;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    connections_.emplace_back([this, client, number] { Serve(client, number); });
  }
}

void RecordProxy::Serve(int client, int connection) {
  Side near{client, false};
  Side far{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), true};
  const sockaddr_in address = Loopback(server_port_);
  bool good = connect(far.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (good && !(near.closed && far.closed)) {
    pollfd fds[] = {{near.closed ? -1 : near.fd, POLLIN, 0},
                    {far.closed ? -1 : far.fd, POLLIN, 0},
                    {stop_.fd(), POLLIN, 0}};
    poll(fds, 3, -1);
    if (fds[2].revents != 0) break;
    if (fds[0].revents != 0) good = Pump(near, far, connection);
    if (good && fds[1].revents != 0) good = Pump(far, near, connection);
  }
  close(near.fd);
  close(far.fd);
}

// False: the connection is of no use any more.
bool RecordProxy::Pump(Side& from, Side& to, int connection) {
  char block[16 * 1024];
  const ssize_t got = recv(from.fd, block, sizeof block, 0);
  if (got <= 0) {
    from.closed = true;
    shutdown(to.fd, SHUT_WR);
    return got == 0;
  }
  from.unread.append(block, static_cast<size_t>(got));
  while (from.unread.size() >= kRecordHeader &&
         from.unread.size() >= kRecordHeader + Big(from.unread, 3, 2)) {
    Record record{from.is_server, connection, ++from.records,
                  from.unread.substr(0, kRecordHeader + Big(from.unread, 3, 2))};
    from.unread.erase(0, record.bytes.size());
    Passage passage;
    {
      const std::lock_guard lock(mutex_);
      passage = rule_(record);
      seen_.push_back(std::move(record));
    }
    if (to.silent) continue;
    if (send(to.fd, passage.bytes.data(), passage.bytes.size(), MSG_NOSIGNAL) < 0) return false;
    if (passage.then_close) {
      to.silent = true;
      shutdown(to.fd, SHUT_WR);
    }
  }
  return true;
}

std::string MakeRecord(int type, std::string_view body) {
  std::string record = {static_cast<char>(type), 3, 3, static_cast<char>(body.size() >> 8),
                        static_cast<char>(body.size())};
  return record.append(body);
}

std::vector<int> HandshakeTypes(const Record& record) {
  std::vector<int> types;
  if (record.type() != kHandshakeRecord) return types;
  std::string_view left = record.body();
  while (left.size() >= 4) {
    const size_t size = 4 + Big(left, 1, 3);
    types.push_back(static_cast<unsigned char>(left[0]));
    if (size > left.size()) break;
    left.remove_prefix(size);
  }
  return types;
}

}  // namespace certlatch::test
