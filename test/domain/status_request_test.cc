#include "domain/status_request.h"

#include <gtest/gtest.h>

#include "domain/digest.h"

namespace certlatch {
namespace {

// The path asked for (HEAD: with "HEAD " before it), the refusal, or "more".
std::string Read(std::string_view bytes) {
  const StatusRequest request = ReadStatusRequest(bytes);
  if (!request.complete) return "more";
  if (request.refused != 0) return std::to_string(request.refused);
  return (request.head_only ? "HEAD " : "") + std::string(request.path);
}

std::string Read11(const std::string& line, const std::string& headers = "") {
  return Read(line + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
}

TEST(StatusRequest, IsWhatKubeletAndPrometheusSend) {
  EXPECT_EQ(Read11("GET /healthz",
                   "User-Agent: kube-probe/1.32\r\nAccept: */*\r\n"
                   "Connection: close\r\n"),
            "/healthz");
  EXPECT_EQ(Read11("GET /metrics?name=a&b", "Accept-Encoding: gzip\r\n"), "/metrics");
  EXPECT_EQ(Read11("HEAD /readyz"), "HEAD /readyz");
}

TEST(StatusRequest, MayBeOldOrTypedByHand) {
  EXPECT_EQ(Read("GET / HTTP/1.0\r\n\r\n"), "/");
  EXPECT_EQ(Read("GET /healthz HTTP/1.0\n\n"), "/healthz");
  EXPECT_EQ(Read("GET / HTTP/1.1\nHOST:a\r\n\n"), "/");
}

TEST(StatusRequest, NeedsItsWholeHeadAndNoMore) {
  const std::string head = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t size = 0; size < head.size(); ++size) EXPECT_EQ(Read(head.substr(0, size)), "more");
  EXPECT_EQ(Read(head + "GET /second HTTP/1.1\r\n\r\n\x01"), "/healthz");
}

TEST(StatusRequest, HasNoOtherMethod) {
  for (const char* line : {"POST /healthz", "get /healthz", "OPTIONS *", "CONNECT a:443"}) {
    EXPECT_EQ(Read11(line), "405") << line;
  }
}

TEST(StatusRequest, HasNoBody) {
  EXPECT_EQ(Read11("GET /", "Content-Length: 0\r\n"), "/");
  EXPECT_EQ(Read11("GET /", "content-length: 1\r\n"), "413");
  EXPECT_EQ(Read11("GET /", "Content-Length: 0\r\nContent-Length: 7\r\n"), "413");
  EXPECT_EQ(Read11("GET /", "Content-Length: 99999999999999999999999\r\n"), "413");
  EXPECT_EQ(Read11("GET /", "Transfer-Encoding: chunked\r\n"), "413");
  for (const char* length : {"", "-1", "+1", "0x1", "1, 1", "0, 0"}) {
    EXPECT_EQ(Read11("GET /", std::string("Content-Length: ") + length + "\r\n"), "413") << length;
  }
}

TEST(StatusRequest, IsRefusedWhenMalformed) {
  for (const char* line :
       {"GET", "GET /", "GET  / HTTP/1.1", "GET / a HTTP/1.1", " GET / HTTP/1.1", "GET a HTTP/1.1",
        "GET http://a/ HTTP/1.1", "GE(T / HTTP/1.1", "", "GET / HTTP/1.10", "GET / http/1.1",
        "GET / HTTP/1.1 ", "G\x7fT / HTTP/1.1"}) {
    EXPECT_EQ(Read(std::string(line) + "\r\nHost: a\r\n\r\n"), "400") << line;
  }
  for (const char* header : {"name", ": value", " folded: line", "na me: value", "name : value",
                             "a: b\rc: d", "name: \x01", "\xff: value"}) {
    EXPECT_EQ(Read11("GET /", std::string(header) + "\r\n"), "400") << header;
  }
  EXPECT_EQ(Read("GET / HTTP/2.0\r\n\r\n"), "400");
  EXPECT_EQ(Read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400");
}

TEST(StatusRequest, OfAnHttpsProbeIsRefusedAtOnce) {
  EXPECT_EQ(Read("\x16\x03\x01"), "400");
  EXPECT_EQ(Read(std::string_view("GET /\0", 6)), "400");
}

TEST(StatusRequest, FitsItsBound) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nname: ";
  const std::string fits = start + std::string(kMaxStatusHead - start.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), kMaxStatusHead);
  EXPECT_EQ(Read(fits), "/");
  EXPECT_EQ(Read(fits.substr(0, kMaxStatusHead - 1)), "more");
  EXPECT_EQ(Read(start + std::string(kMaxStatusHead - start.size() - 3, 'x') + "\r\n\r\n"), "431");
  EXPECT_EQ(Read(std::string(100'000, 'x')), "431");
}

TEST(StatusResponse, HasALengthAndEndsTheConnection) {
  const StatusRequest get = ReadStatusRequest("GET / HTTP/1.0\n\n");
  EXPECT_EQ(StatusResponse(get, {200, "text/plain", "ok\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
            "Connection: close\r\n\r\nok\n");
  EXPECT_EQ(StatusResponse(get, {503, "text/plain", "no\n"}).substr(0, 33),
            "HTTP/1.1 503 Service Unavailable\r");
  EXPECT_EQ(StatusResponse(get, {}).substr(0, 24), "HTTP/1.1 404 Not Found\r\n");
}

TEST(StatusResponse, ToHeadIsAllButTheBody) {
  EXPECT_EQ(StatusResponse(ReadStatusRequest("HEAD / HTTP/1.0\n\n"), {200, "text/plain", "ok\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
            "Connection: close\r\n\r\n");
}

TEST(StatusResponse, ToARefusedRequestShowsNoPage) {
  const std::string response =
      StatusResponse(ReadStatusRequest("POST / HTTP/1.0\n\n"), {200, "text/secret", "page"});
  EXPECT_EQ(response,
            "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n"
            "Connection: close\r\n\r\nnot accepted\n");
}

// "family|bytes|port", or the error.
std::string Listen(std::string_view text) {
  const auto address = ParseListenAddress(text);
  if (!address) return address.error().text;
  EXPECT_EQ(address->text, text);
  return std::to_string(address->family) + "|" +
         HexLower(address->bytes).substr(0, address->family == ListenAddress::kIpv4 ? 8 : 32) +
         "|" + std::to_string(address->port);
}

TEST(ListenAddress, IsAnAddressAndAPort) {
  EXPECT_EQ(Listen(":9847"), "0|" + std::string(32, '0') + "|9847");
  EXPECT_EQ(Listen("127.0.0.1:0"), "1|7f000001|0");
  EXPECT_EQ(Listen("[::1]:9847"), "2|" + std::string(31, '0') + "1|9847");
}

TEST(ListenAddress, IsNothingElse) {
  EXPECT_EQ(Listen("localhost:9847"),
            "cannot listen on \"localhost:9847\": want ADDR:PORT, such as :9847, 127.0.0.1:9847 or "
            "[::1]:9847");
  for (const std::string_view text :
       {std::string_view(""), std::string_view("9847"), std::string_view(":"),
        std::string_view(":65536"), std::string_view(":-1"), std::string_view("::1:9847"),
        std::string_view("[]:1"), std::string_view("[127.0.0.1]:1"), std::string_view("[::1]"),
        std::string_view("[fe80::1%eth0]:1"), std::string_view("1.2.3:1"),
        std::string_view("1.2.3.4\0:1", 10)}) {
    EXPECT_EQ(Listen(text).substr(0, 18), "cannot listen on \"") << text;
  }
}

}  // namespace
}  // namespace certlatch
