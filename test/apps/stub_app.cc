// stub_app PORT DIRECTORY MODE: a TLS server with the certificate of DIRECTORY which says on
// standard output how often it got a HUP ("hup 2"), and does with it what MODE says:
//   reload   reads the certificate again
//   ignore   nothing
//   late     reads it when USR1 follows

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "test/support/files.h"
#include "test/support/tls_context.h"

namespace certlatch::test {
namespace {

std::shared_ptr<SSL_CTX> Load(const std::string& directory) {
  const auto cert = ReadFile(directory + "/tls.crt");
  const auto key = ReadFile(directory + "/tls.key");
  if (!cert || !key) std::abort();
  TlsSettings settings;
  settings.cert_chain_pem = *cert;
  settings.key_pem = *key;
  return MakeServerContext(settings);
}

int Listen(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    std::perror("stub_app: listen");
    std::exit(1);
  }
  return fd;
}

// A handshake, and no more. A client that never ends it does not stop the others for long.
void Greet(int listener, SSL_CTX* context) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  const timeval patience{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  SSL* const tls = SSL_new(context);
  SSL_set_fd(tls, fd);
  if (SSL_accept(tls) == 1) SSL_shutdown(tls);
  ERR_clear_error();
  SSL_free(tls);
  close(fd);
}

int SignalsAsBytes() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGHUP);
  sigaddset(&ours, SIGUSR1);
  sigprocmask(SIG_BLOCK, &ours, nullptr);
  return signalfd(-1, &ours, SFD_CLOEXEC);
}

int Serve(uint16_t port, const std::string& directory, std::string_view mode) {
  std::signal(SIGPIPE, SIG_IGN);
  const int signals = SignalsAsBytes();
  const int listener = Listen(port);
  std::shared_ptr<SSL_CTX> context = Load(directory);
  int hups = 0;
  while (true) {
    pollfd fds[] = {{signals, POLLIN, 0}, {listener, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) return 1;
    if (fds[1].revents != 0) Greet(listener, context.get());
    if (fds[0].revents == 0) continue;
    signalfd_siginfo info{};
    if (read(signals, &info, sizeof info) != sizeof info) return 1;
    const bool is_hup = info.ssi_signo == SIGHUP;
    if (mode == (is_hup ? "reload" : "late")) context = Load(directory);
    if (!is_hup) continue;
    std::printf("hup %d\n", ++hups);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace certlatch::test

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto port = certlatch::ParseUint(argv[1], UINT16_MAX);
  return certlatch::test::Serve(static_cast<uint16_t>(port.value_or(0)), argv[2], argv[3]);
}
