#include "test/support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "test/support/tls_context.h"

namespace certlatch::test {
namespace {

constexpr Duration kHandshakeTimeout = 30s;
constexpr int kBacklog = 128;
constexpr int kPortAttempts = 20;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

// A socket on the loopback's port, -1 where that port is taken. SO_REUSEPORT lets the reserving
// and the listening socket share it; only listening sockets are offered connections.
int BoundSocket(int family, uint16_t port) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) Die("socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  int result = -1;
  if (family == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = in6addr_loopback;
    result = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (result == 0) return fd;
  close(fd);
  return -1;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) Die("getsockname");
  return ntohs(address.sin_port);
}

// A thread of ours must not take the signals that the test program waits for.
void BlockAllSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

ServerOptions WithTls(const CertAuthority& authority) {
  CertSpec spec;
  spec.dns_names = {"localhost", "kubernetes.test"};
  spec.ip_addresses = {"127.0.0.1", "::1"};
  const PemPair pair = authority.Issue(spec);
  ServerOptions options;
  options.tls = TlsSettings{pair.cert, pair.key};
  return options;
}

ScriptedServer::ScriptedServer(ServerOptions options, Handler handler)
    : options_(std::move(options)), handler_(std::move(handler)), mode_(options_.mode) {
  if (options_.tls) context_ = MakeServerContext(*options_.tls);
  BindPort(options_.port);
  if (mode_ != Mode::kRefuse) Listen();
  acceptor_ = std::thread([this] { AcceptLoop(); });
}

ScriptedServer::~ScriptedServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Served& served : served_) served.stop.Notify();
  }
  wake_acceptor_.Notify();
  acceptor_.join();
  StopListening();
  // No new ones come; each ends by itself now, and needs the mutex to say so.
  for (Served& served : served_) served.thread.join();
  for (const int fd : reserved_) close(fd);
}

std::string ScriptedServer::url() const {
  return (options_.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

void ScriptedServer::BindPort(uint16_t port) {
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    const int v4 = BoundSocket(AF_INET, port);
    if (v4 < 0) continue;
    port_ = PortOf(v4);
    const int v6 = options_.ipv6 ? BoundSocket(AF_INET6, port_) : -1;
    if (!options_.ipv6 || v6 >= 0) {
      reserved_.push_back(v4);
      if (v6 >= 0) reserved_.push_back(v6);
      return;
    }
    close(v4);
  }
  Die("bind");
}

void ScriptedServer::Listen() {
  for (const int family : {AF_INET, AF_INET6}) {
    if (family == AF_INET6 && !options_.ipv6) continue;
    const int fd = BoundSocket(family, port_);
    if (fd < 0 || listen(fd, kBacklog) != 0) Die("listen");
    listeners_.push_back(fd);
  }
}

void ScriptedServer::StopListening() {
  for (const int fd : listeners_) {
    // close() alone would leave it listening for as long as the acceptor sleeps in poll() on it.
    shutdown(fd, SHUT_RDWR);
    close(fd);
  }
  listeners_.clear();
}

void ScriptedServer::SetMode(Mode mode) {
  std::lock_guard lock(mutex_);
  if (mode == Mode::kRefuse) StopListening();
  if (mode != Mode::kRefuse && listeners_.empty()) Listen();
  mode_ = mode;
  wake_acceptor_.Notify();
}

void ScriptedServer::SetTls(const TlsSettings& tls) {
  if (!options_.tls) Die("SetTls on a plain server");
  std::shared_ptr<SSL_CTX> context = MakeServerContext(tls);
  std::lock_guard lock(mutex_);
  context_ = std::move(context);
}

std::shared_ptr<SSL_CTX> ScriptedServer::tls_context() const {
  std::lock_guard lock(mutex_);
  return context_;
}

void ScriptedServer::DropConnections() {
  std::unique_lock lock(mutex_);
  int last = 0;
  for (Served& served : served_) {
    served.reset = true;
    served.stop.Notify();
    last = std::max(last, served.number);
  }
  changed_.wait(lock, [&] {
    return std::all_of(served_.begin(), served_.end(),
                       [&](const Served& served) { return served.done || served.number > last; });
  });
}

std::vector<HttpRequest> ScriptedServer::requests() const {
  std::lock_guard lock(mutex_);
  return {requests_.begin(), requests_.end()};
}

ServerCounts ScriptedServer::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

bool ScriptedServer::WaitUntil(const std::function<bool(const ServerCounts&)>& reached,
                               Duration timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return reached(counts_); });
}

bool ScriptedServer::WaitForRequests(size_t count, Duration timeout) const {
  return WaitUntil([&](const ServerCounts& counts) { return counts.requests >= count; }, timeout);
}

void ScriptedServer::AcceptLoop() {
  BlockAllSignals();
  while (true) {
    std::vector<pollfd> fds{{wake_acceptor_.fd(), POLLIN, 0}};
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      for (const int fd : listeners_) fds.push_back({fd, POLLIN, 0});
    }
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) Die("poll");
    wake_acceptor_.Clear();
    JoinDone();
    for (size_t i = 1; i < fds.size(); ++i) {
      if (fds[i].revents != 0) AcceptFrom(fds[i].fd);
    }
  }
}

void ScriptedServer::AcceptFrom(int listener) {
  std::lock_guard lock(mutex_);
  // SetMode may have closed it since, and another file may have its number.
  if (stopping_ || std::count(listeners_.begin(), listeners_.end(), listener) == 0) return;
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;  // gone again
  ++counts_.accepted;
  if (served_.size() >= kMaxConnections) {
    close(fd);
    return;
  }
  ++counts_.open;
  Served& served = served_.emplace_back();
  served.number = static_cast<int>(counts_.accepted);
  served.thread = std::thread([this, fd, &served] { Serve(fd, served); });
  changed_.notify_all();
}

void ScriptedServer::JoinDone() {
  std::list<Served> done;
  {
    std::lock_guard lock(mutex_);
    for (auto it = served_.begin(); it != served_.end();) {
      const auto next = std::next(it);
      if (it->done) done.splice(done.end(), served_, it);
      it = next;
    }
  }
  for (Served& served : done) served.thread.join();
}

void ScriptedServer::Serve(int fd, Served& served) {
  BlockAllSignals();
  {
    Transport transport(fd, served.stop);
    ServeInMode(transport, served);
    bool reset = false;
    {
      std::lock_guard lock(mutex_);
      reset = served.reset;
    }
    if (reset) transport.Reset();
  }
  std::lock_guard lock(mutex_);
  served.done = true;
  --counts_.open;
  changed_.notify_all();
  wake_acceptor_.Notify();
}

void ScriptedServer::ServeInMode(Transport& transport, Served& served) {
  Mode mode = Mode::kServe;
  {
    std::lock_guard lock(mutex_);
    mode = mode_;
  }
  if (mode == Mode::kSilent) {
    Connection(transport).Stall();
  } else if (mode == Mode::kGarbage) {
    transport.Write(options_.garbage);
    transport.Close();
  } else if (mode == Mode::kHangUp) {
    std::string heard;  // what is unread at the end would make it a reset
    transport.Read(heard, kHandshakeTimeout);
    transport.Close();
  } else {
    const std::shared_ptr<SSL_CTX> context = tls_context();
    if (!context || transport.Handshake(context.get(), kHandshakeTimeout)) {
      ServeRequests(transport, served);
    }
  }
}

void ScriptedServer::ServeRequests(Transport& transport, const Served& served) {
  Connection connection(transport);
  while (std::optional<HttpRequest> request = connection.ReadRequest()) {
    request->connection = served.number;
    request->client_common_name = transport.PeerCommonName();
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(*request);
      if (requests_.size() > kMaxRecorded) requests_.pop_front();
      ++counts_.requests;
      changed_.notify_all();
    }
    handler_(*request, connection);
    if (!connection.is_open()) return;
    if (EqualIgnoringCase(request->Header("connection"), "close")) break;
  }
  bool stopped = false;
  {
    std::lock_guard lock(mutex_);
    stopped = stopping_ || served.reset;
  }
  if (!stopped) connection.Close();
}

}  // namespace certlatch::test
