#include "test/support/scripted_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/support/test_client.h"

namespace certlatch::test {
namespace {

constexpr Duration kLong = 30s;
using End = TestClient::End;

void SayHello(const HttpRequest& request, Connection& connection) {
  connection.SendResponse(200, {}, "hello " + request.path + " " + request.body);
}

TEST(ScriptedServer, AnswersSeveralRequestsOnOneConnection) {
  ScriptedServer server({}, SayHello);
  const std::unique_ptr<TestClient> client = TestClient::Connect(server.port());
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(client->Request("GET", "/a")->body, "hello /a ");
  EXPECT_EQ(client->Request("POST", "/b", "body")->body, "hello /b body");
  ASSERT_TRUE(server.WaitForRequests(2, kLong));
  EXPECT_EQ(server.requests()[1].method, "POST");
  EXPECT_EQ(server.requests()[1].connection, 1);
  EXPECT_EQ(server.counts().accepted, 1U);
}

TEST(ScriptedServer, ReadsAChunkedBodySplitAtEveryByte) {
  ScriptedServer server({}, SayHello);
  const std::unique_ptr<TestClient> client = TestClient::Connect(server.port());
  ASSERT_NE(client, nullptr);
  for (const char byte : std::string_view("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n")) {
    ASSERT_TRUE(client->Send(std::string_view(&byte, 1)));
  }
  EXPECT_EQ(client->ReadResponse()->body, "hello / abc0123456789");
}

TEST(ScriptedServer, SendsOneTlsRecordACall) {
  ScriptedServer server(WithTls(), [](const HttpRequest&, Connection& connection) {
    connection.Send("a");
    connection.Send("bc");
    connection.Close();
  });
  const std::unique_ptr<TestClient> client =
      TestClient::Connect(server.port(), Authority().cert_pem());
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(client->SendRequest("GET", "/"));
  EXPECT_EQ(client->ReadOnce(), "a");
  EXPECT_EQ(client->ReadOnce(), "bc");
  EXPECT_EQ(client->ReadOnce(), std::nullopt);
  EXPECT_EQ(client->end(), End::kClean);
}

TEST(ScriptedServer, SendsLargeBodiesToASlowReader) {
  const std::string large(size_t{3} * 1024 * 1024, 'x');
  ScriptedServer server(WithTls(), [&](const HttpRequest&, Connection& connection) {
    connection.SendResponse(200, {}, large);
  });
  const std::unique_ptr<TestClient> client =
      TestClient::Connect(server.port(), Authority().cert_pem());
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(client->Request("GET", "/")->body, large);
}

TEST(ScriptedServer, CutsAndResetsConnections) {
  ScriptedServer server(WithTls(), [](const HttpRequest& request, Connection& connection) {
    if (request.path == "/cut") connection.CloseWithoutNotify();
    if (request.path == "/reset") connection.Reset();
  });
  for (const char* path : {"/cut", "/reset"}) {
    const std::unique_ptr<TestClient> client =
        TestClient::Connect(server.port(), Authority().cert_pem());
    ASSERT_NE(client, nullptr);
    EXPECT_EQ(client->Request("GET", path), std::nullopt);
    EXPECT_EQ(client->end(), End::kTruncated) << path;
  }
}

TEST(ScriptedServer, SeesThePeerClose) {
  ScriptedServer server(WithTls(), [](const HttpRequest&, Connection& connection) {
    if (connection.WaitForPeerClose(kLong)) connection.Reset();
  });
  {
    const std::unique_ptr<TestClient> client =
        TestClient::Connect(server.port(), Authority().cert_pem());
    ASSERT_NE(client, nullptr);
    ASSERT_TRUE(client->SendRequest("GET", "/"));
    ASSERT_TRUE(server.WaitForRequests(1, kLong));
    EXPECT_EQ(server.counts().open, 1U);
  }
  EXPECT_TRUE(server.WaitUntil([](const ServerCounts& now) { return now.open == 0; }, kLong));
}

TEST(ScriptedServer, EndsStalledHandlersAndSilentConnectionsWithItself) {
  auto server = std::make_unique<ScriptedServer>(
      WithTls(), [](const HttpRequest&, Connection& connection) { connection.Stall(); });
  const std::unique_ptr<TestClient> stalled =
      TestClient::Connect(server->port(), Authority().cert_pem());
  ASSERT_NE(stalled, nullptr);
  ASSERT_TRUE(stalled->SendRequest("GET", "/"));
  ASSERT_TRUE(server->WaitForRequests(1, kLong));
  const std::unique_ptr<TestClient> mute = TestClient::Connect(server->port());
  ASSERT_TRUE(server->WaitUntil([](const ServerCounts& now) { return now.open == 2; }, kLong));
  server.reset();
  EXPECT_EQ(stalled->ReadOnce(), std::nullopt);
  EXPECT_EQ(mute->ReadOnce(), std::nullopt);
}

TEST(ScriptedServer, RefusesUntilToldToServeOnTheSamePort) {
  ServerOptions options;
  options.mode = Mode::kRefuse;
  ScriptedServer server(options, SayHello);
  EXPECT_EQ(TestClient::Connect(server.port()), nullptr);
  server.SetMode(Mode::kServe);
  const std::unique_ptr<TestClient> client = TestClient::Connect(server.port());
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(client->Request("GET", "/a")->status, 200);
  server.SetMode(Mode::kRefuse);
  EXPECT_EQ(TestClient::Connect(server.port()), nullptr);
  EXPECT_EQ(client->Request("GET", "/b")->status, 200);
}

TEST(ScriptedServer, TalksGarbageInsteadOfTls) {
  ServerOptions options = WithTls();
  options.mode = Mode::kGarbage;
  ScriptedServer server(options, SayHello);
  EXPECT_EQ(TestClient::Connect(server.port(), Authority().cert_pem()), nullptr);
  const std::unique_ptr<TestClient> plain = TestClient::Connect(server.port());
  ASSERT_NE(plain, nullptr);
  EXPECT_THAT(plain->ReadOnce().value_or(""), testing::HasSubstr("neither TLS nor HTTP"));
}

TEST(ScriptedServer, HangsUpInTheHandshake) {
  ServerOptions options = WithTls();
  options.mode = Mode::kHangUp;
  ScriptedServer server(options, SayHello);
  const std::unique_ptr<TestClient> plain = TestClient::Connect(server.port());
  ASSERT_NE(plain, nullptr);
  ASSERT_TRUE(plain->Send("\x16\x03\x01 as if a ClientHello"));
  EXPECT_EQ(plain->ReadOnce(), std::nullopt);
  EXPECT_EQ(plain->end(), End::kClean);
}

TEST(ScriptedServer, KeepsSilentInTheHandshake) {
  ServerOptions options = WithTls();
  options.mode = Mode::kSilent;
  ScriptedServer server(options, SayHello);
  const std::unique_ptr<TestClient> plain = TestClient::Connect(server.port());
  ASSERT_NE(plain, nullptr);
  ASSERT_TRUE(plain->Send("\x16\x03\x01 as if a ClientHello"));
  ASSERT_TRUE(server.WaitUntil([](const ServerCounts& now) { return now.open == 1; }, kLong));
  server.DropConnections();
  EXPECT_EQ(plain->ReadOnce(), std::nullopt);
  EXPECT_EQ(plain->end(), End::kTruncated);
}

TEST(ScriptedServer, AsksForClientCertificates) {
  ServerOptions options = WithTls();
  options.tls->client_ca_pem = Authority().cert_pem();
  ScriptedServer server(options, [](const HttpRequest& request, Connection& connection) {
    connection.SendResponse(200, {}, request.client_common_name);
  });
  CertSpec spec;
  spec.common_name = "operator";
  const auto known =
      TestClient::Connect(server.port(), Authority().cert_pem(), Authority().Issue(spec));
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->Request("GET", "/")->body, "operator");
  // With TLS 1.3 a client learns of the rejection only when it reads.
  const auto unknown = TestClient::Connect(server.port(), Authority().cert_pem());
  EXPECT_TRUE(unknown == nullptr || !unknown->Request("GET", "/").has_value());
}

TEST(ScriptedServer, PresentsARotatedCertificateToNewConnections) {
  ScriptedServer server(WithTls(), SayHello);
  const CertAuthority other("other CA");
  const PemPair pair = other.Issue({});
  EXPECT_EQ(TestClient::Connect(server.port(), other.cert_pem()), nullptr);
  server.SetTls({pair.cert, pair.key});
  EXPECT_NE(TestClient::Connect(server.port(), other.cert_pem()), nullptr);
  EXPECT_EQ(TestClient::Connect(server.port(), Authority().cert_pem()), nullptr);
}

TEST(ScriptedServer, LimitsTheTlsVersion) {
  ServerOptions options = WithTls();
  options.tls->max_version = TLS1_2_VERSION;
  const ScriptedServer server(options, SayHello);
  const auto client = TestClient::Connect(server.port(), Authority().cert_pem());
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(client->Request("GET", "/")->status, 200);
}

TEST(ScriptedServer, ListensOnBothLoopbacks) {
  ServerOptions options;
  options.ipv6 = true;
  const ScriptedServer server(options, SayHello);
  EXPECT_NE(TestClient::Connect(server.port()), nullptr);
}

}  // namespace
}  // namespace certlatch::test
