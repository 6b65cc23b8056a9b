#include "test/support/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

namespace certlatch::test {
namespace {

constexpr Duration kWriteTimeout = 30s;

Instant Now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

// Rounded up, so that poll never spins on the last fraction of a millisecond.
int PollMillis(Duration timeout) {
  if (timeout >= 24h) return -1;
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return static_cast<int>(std::max<int64_t>(millis, 0));
}

}  // namespace

Transport::Transport(int fd, const Event& stop) : fd_(fd), stop_(stop) {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Transport::~Transport() {
  CloseWithoutNotify();
  SSL_free(tls_);
}

Wake Transport::Poll(short direction, Duration timeout, const Event* event) {
  const Instant end = SaturatingAdd(Now(), timeout);
  while (true) {
    pollfd fds[] = {{fd_, direction, 0},
                    {stop_.fd(), POLLIN, 0},
                    {event != nullptr ? event->fd() : -1, POLLIN, 0}};
    const int ready = poll(fds, std::size(fds), PollMillis(end - Now()));
    if (fds[1].revents != 0) return Wake::kStopping;
    if (fds[0].revents != 0) return Wake::kData;
    if (fds[2].revents != 0) return Wake::kEvent;
    if (ready == 0 && Now() >= end) return Wake::kTimeout;
  }
}

bool Transport::SendAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (Poll(POLLOUT, kWriteTimeout, nullptr) != Wake::kData) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool Transport::FlushRecords() {
  char* records = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(tls_), &records);
  const bool sent = size <= 0 || SendAll({records, static_cast<size_t>(size)});
  (void)BIO_reset(SSL_get_wbio(tls_));
  return sent;
}

bool Transport::Write(std::string_view bytes) {
  if (!is_open()) return false;
  if (tls_ == nullptr) return SendAll(bytes);
  if (bytes.empty()) return true;
  size_t written = 0;
  ERR_clear_error();
  if (SSL_write_ex(tls_, bytes.data(), bytes.size(), &written) != 1) return false;
  return FlushRecords();
}

Wake Transport::ReceiveOnce(std::string& into) {
  char block[16 * 1024];
  const ssize_t got = recv(fd_, block, sizeof block, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Wake::kTimeout;
  if (got <= 0) return Wake::kPeerClosed;
  const size_t size = static_cast<size_t>(got);
  if (tls_ != nullptr) {
    size_t written = 0;
    BIO_write_ex(SSL_get_rbio(tls_), block, size, &written);
  } else {
    into.append(block, size);
  }
  return Wake::kData;
}

bool Transport::Handshake(SSL_CTX* context, Duration timeout) {
  const Instant end = SaturatingAdd(Now(), timeout);
  tls_ = SSL_new(context);
  SSL_set_bio(tls_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(tls_);
  std::string none;
  while (true) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_);
    const int error = SSL_get_error(tls_, result);
    if (!FlushRecords()) return false;  // an alert, too, must reach the peer
    if (result == 1) return true;
    if (error != SSL_ERROR_WANT_READ) return false;
    if (Poll(POLLIN, end - Now(), nullptr) != Wake::kData) return false;
    if (ReceiveOnce(none) == Wake::kPeerClosed) return false;
  }
}

bool Transport::ReadDecrypted(std::string& into, bool* closed) {
  char block[16 * 1024];
  size_t got = 0;
  bool any = false;
  ERR_clear_error();
  while (SSL_read_ex(tls_, block, sizeof block, &got) == 1) {
    into.append(block, got);
    any = true;
  }
  *closed = SSL_get_error(tls_, 0) != SSL_ERROR_WANT_READ;
  if (!*closed) FlushRecords();  // e.g. the answer to a key update
  return any;
}

Wake Transport::Read(std::string& into, Duration timeout, const Event* event) {
  const Instant end = SaturatingAdd(Now(), timeout);
  while (is_open()) {
    bool closed = false;
    if (tls_ != nullptr && ReadDecrypted(into, &closed)) return Wake::kData;
    if (closed) return Wake::kPeerClosed;
    const Wake wake = Poll(POLLIN, end - Now(), event);
    if (wake != Wake::kData) return wake;
    const Wake received = ReceiveOnce(into);
    if (received == Wake::kPeerClosed || (received == Wake::kData && tls_ == nullptr)) {
      return received;
    }
  }
  return Wake::kPeerClosed;
}

void Transport::Close() {
  if (!is_open()) return;
  if (tls_ != nullptr && SSL_is_init_finished(tls_)) {
    ERR_clear_error();
    SSL_shutdown(tls_);
    FlushRecords();
  }
  CloseWithoutNotify();
}

void Transport::CloseWithoutNotify() {
  if (!is_open()) return;
  shutdown(fd_, SHUT_WR);
  // close() with unread bytes would send RST and could destroy what we sent last.
  char block[16 * 1024];
  while (recv(fd_, block, sizeof block, MSG_DONTWAIT) > 0) {
  }
  close(std::exchange(fd_, -1));
}

void Transport::Reset() {
  if (!is_open()) return;
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(std::exchange(fd_, -1));
}

std::string Transport::PeerCommonName() const {
  X509* leaf = tls_ != nullptr ? SSL_get0_peer_certificate(tls_) : nullptr;
  if (leaf == nullptr) return "";
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name, sizeof name);
  return name;
}

}  // namespace certlatch::test
