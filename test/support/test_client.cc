#include "test/support/test_client.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdlib>

#include "base/text.h"

namespace certlatch::test {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio BioOf(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

Certificate CertificateOf(const std::string& pem) {
  return {PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr), X509_free};
}

int ConnectedSocket(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval timeout{std::chrono::duration_cast<std::chrono::seconds>(kClientTimeout).count(),
                        0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

SSL* HandshakenTls(int fd, const std::string& ca_pem, const PemPair& client) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), CertificateOf(ca_pem).get());
  if (!client.cert.empty()) {
    const Key key(PEM_read_bio_PrivateKey(BioOf(client.key).get(), nullptr, nullptr, nullptr),
                  EVP_PKEY_free);
    SSL_CTX_use_certificate(context, CertificateOf(client.cert).get());
    SSL_CTX_use_PrivateKey(context, key.get());
  }
  SSL* tls = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_fd(tls, fd);
  if (SSL_connect(tls) == 1) return tls;
  ERR_clear_error();
  SSL_free(tls);
  return nullptr;
}

}  // namespace

std::unique_ptr<TestClient> TestClient::Connect(uint16_t port, const std::string& ca_pem,
                                                const PemPair& client) {
  // OpenSSL writes without MSG_NOSIGNAL to a server that may have reset us.
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<TestClient> connected(new TestClient);
  connected->fd_ = ConnectedSocket(port);
  if (connected->fd_ < 0) return nullptr;
  if (ca_pem.empty()) return connected;
  connected->tls_ = HandshakenTls(connected->fd_, ca_pem, client);
  return connected->tls_ != nullptr ? std::move(connected) : nullptr;
}

TestClient::~TestClient() {
  SSL_free(tls_);
  if (fd_ >= 0) close(fd_);
}

bool TestClient::Send(std::string_view bytes) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::optional<std::string> TestClient::ReadOnce() {
  char block[16 * 1024];
  ssize_t got = 0;
  bool clean = false;
  if (tls_ != nullptr) {
    ERR_clear_error();
    got = SSL_read(tls_, block, sizeof block);
    clean = got <= 0 && SSL_get_error(tls_, static_cast<int>(got)) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
  } else {
    got = recv(fd_, block, sizeof block, 0);
    clean = got == 0;
  }
  if (got > 0) return std::string(block, static_cast<size_t>(got));
  end_ = clean ? End::kClean : End::kTruncated;
  return std::nullopt;
}

bool TestClient::Fill() {
  const std::optional<std::string> bytes = ReadOnce();
  if (bytes) unread_ += *bytes;
  return bytes.has_value();
}

std::optional<std::string> TestClient::ReadLine() {
  size_t end = 0;
  while ((end = unread_.find("\r\n")) == std::string::npos) {
    if (!Fill()) return std::nullopt;
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 2);
  return line;
}

std::optional<std::string> TestClient::ReadExactly(size_t size) {
  while (unread_.size() < size) {
    if (!Fill()) return std::nullopt;
  }
  std::string bytes = unread_.substr(0, size);
  unread_.erase(0, size);
  return bytes;
}

bool TestClient::SendRequest(std::string_view method, std::string_view target,
                             std::string_view body, std::string_view headers) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  text += "Host: localhost\r\n" + std::string(headers);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return Send(text + "\r\n" + std::string(body));
}

std::optional<Response> TestClient::ReadHead() {
  std::optional<std::string> line = ReadLine();
  if (!line || line->size() < 12) return std::nullopt;
  Response response;
  response.status = static_cast<int>(ParseUint(line->substr(9, 3)).value_or(0));
  while ((line = ReadLine()) && !line->empty()) {
    const size_t colon = line->find(':');
    if (colon == std::string::npos) return std::nullopt;
    response.headers[ToLower(line->substr(0, colon))] = Trim(line->substr(colon + 1));
  }
  if (!line) return std::nullopt;
  return response;
}

std::optional<std::string> TestClient::ReadChunk() {
  const std::optional<std::string> line = ReadLine();
  if (!line) return std::nullopt;
  size_t size = 0;
  if (std::from_chars(line->data(), line->data() + line->size(), size, 16).ec != std::errc()) {
    return std::nullopt;
  }
  std::optional<std::string> chunk = ReadExactly(size);
  if (!chunk || !ReadLine()) return std::nullopt;
  return chunk;
}

std::optional<Response> TestClient::ReadResponse() {
  std::optional<Response> response = ReadHead();
  if (!response) return std::nullopt;
  const auto length = response->headers.find("content-length");
  if (length == response->headers.end()) {
    std::optional<std::string> chunk;
    while ((chunk = ReadChunk()) && !chunk->empty()) response->body += *chunk;
    return chunk ? response : std::nullopt;
  }
  const std::optional<std::string> body =
      ReadExactly(static_cast<size_t>(ParseUint(length->second).value_or(0)));
  if (!body) return std::nullopt;
  response->body = *body;
  return response;
}

std::optional<Response> TestClient::Request(std::string_view method, std::string_view target,
                                            std::string_view body, std::string_view headers) {
  if (!SendRequest(method, target, body, headers)) return std::nullopt;
  return ReadResponse();
}

}  // namespace certlatch::test
