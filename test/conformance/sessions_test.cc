// What happens after the handshake: sessions that are resumed, keys that are renewed, handshakes
// that are repeated.
#include <openssl/ssl.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "test/conformance/twins.h"

namespace certlatch::test {
namespace {

const Args kLater = {"configmap/later", "--for=create", "--timeout=30s"};

class Sessions : public Twins {
 protected:
  ServerOptions Speaking(int version) {
    const PemPair leaf = Leaf();
    ServerOptions options;
    options.tls = TlsSettings{leaf.cert, leaf.key};
    options.tls->min_version = options.tls->max_version = version;
    return options;
  }
  Args WaitLater(const std::string& url) {
    return {"wait",         "--server=" + url, "--certificate-authority=" + CaFile(),
            "--token=t",    "configmap/later", "--for=create",
            "--timeout=30s"};
  }
  std::string CaFile() { return Write("ca.crt", root().cert); }
};

bool SendLater(Connection& connection) {
  return connection.SendChunk(EventLine("ADDED", ConfigMapJson("later", "1", 3))) &&
         connection.EndChunked();
}

bool SendBookmark(Connection& connection) {
  return connection.SendChunk(EventLine(
      "BOOKMARK", R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"2"}})"));
}

// The server ends the connection after the list, so the watch needs another: an abbreviated
// handshake, with a ticket of TLS 1.2 or a pre-shared key of 1.3.
TEST_F(Sessions, AreResumed) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string& binary : {SmallBinary(), WholeBinary()}) {
      SCOPED_TRACE(std::to_string(version) + " " + binary);
      std::mutex mutex;
      std::vector<bool> resumed;
      const auto note = [&](Connection& connection) {
        const std::lock_guard lock(mutex);
        resumed.push_back(SSL_session_reused(connection.tls()) == 1);
      };
      ScriptedServer server(Speaking(version),
                            [&](const HttpRequest& request, Connection& connection) {
                              note(connection);
                              EmptyListThen([](const HttpRequest& /*watch*/, Connection& watch) {
                                watch.StartChunked(200, "application/json");
                                SendLater(watch);
                              })(request, connection);
                              connection.Close();
                            });
      const Outcome outcome = StartTwin(binary, WaitLater(server.url()))->Wait(kHang);
      EXPECT_THAT(outcome, ExitsWith(0));
      ASSERT_GE(resumed.size(), 2U);
      EXPECT_FALSE(resumed[0]);
      for (size_t i = 1; i < resumed.size(); ++i) EXPECT_TRUE(resumed[i]) << "connection " << i + 1;
    }
  }
}

// A server that has forgotten the session makes a full handshake of it.
TEST_F(Sessions, ThatTheServerForgotAreNoError) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string& binary : {SmallBinary(), WholeBinary()}) {
      SCOPED_TRACE(std::to_string(version) + " " + binary);
      const ServerOptions options = Speaking(version);
      ScriptedServer* known = nullptr;
      ScriptedServer server(options, [&](const HttpRequest& request, Connection& connection) {
        known->SetTls(*options.tls);  // another context has other ticket keys
        EmptyListThen([](const HttpRequest& /*watch*/, Connection& watch) {
          watch.StartChunked(200, "application/json");
          SendLater(watch);
        })(request, connection);
        connection.Close();
      });
      known = &server;
      EXPECT_THAT(StartTwin(binary, WaitLater(server.url()))->Wait(kHang), ExitsWith(0));
    }
  }
}

// Nothing that was verified once is believed for ever: a session does not outlive its authority.
TEST_F(Sessions, AreNotResumedUnderAnotherAuthority) {
  for (const std::string& binary : {SmallBinary(), WholeBinary()}) {
    SCOPED_TRACE(binary);
    const std::string other = NewRoot("other").cert;
    const std::string ca = CaFile();
    ScriptedServer server(
        Speaking(TLS1_3_VERSION), [&](const HttpRequest& request, Connection& connection) {
          Write("ca.crt", other);
          EmptyListThen([](const HttpRequest& /*watch*/, Connection& watch) { watch.Close(); })(
              request, connection);
          connection.Close();
        });
    Args arguments = WaitLater(server.url());
    arguments.back() = "--timeout=2s";
    const Outcome outcome = StartTwin(binary, arguments)->Wait(kHang);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_THAT(outcome.err, testing::HasSubstr("is not trusted"));
    EXPECT_EQ(CountWatches(server.requests()), 0U);
  }
}

// A client that is asked for new keys, too, renews them before the next that it sends, at the
// latest: the request for the next watch, on the same connection.
TEST_F(Sessions, RenewTheirKeysInTheMiddleOfAWatch) {
  for (const int kind : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    for (const std::string& binary : {SmallBinary(), WholeBinary()}) {
      SCOPED_TRACE(std::to_string(kind) + " " + binary);
      static std::atomic<int> answers;  // a callback of OpenSSL's has no other place for it
      answers = 0;
      std::atomic<int> watches = 0;
      ScriptedServer server(
          Speaking(TLS1_3_VERSION),
          EmptyListThen([&](const HttpRequest& /*request*/, Connection& connection) {
            connection.StartChunked(200, "application/json");
            if (++watches > 1) {
              SendLater(connection);
              return;
            }
            SSL_set_msg_callback(connection.tls(),
                                 [](int written, int /*version*/, int type, const void* bytes,
                                    size_t size, SSL* /*ssl*/, void* /*argument*/) {
                                   if (written == 0 && type == SSL3_RT_HANDSHAKE && size > 0 &&
                                       *static_cast<const char*>(bytes) == SSL3_MT_KEY_UPDATE) {
                                     ++answers;
                                   }
                                 });
            for (int i = 0; i < 3; ++i) {
              SSL_key_update(connection.tls(), kind);
              SendBookmark(connection);
            }
            connection.EndChunked();
          }));
      EXPECT_THAT(StartTwin(binary, WaitLater(server.url()))->Wait(kHang), ExitsWith(0));
      EXPECT_EQ(watches, 2);
      EXPECT_EQ(answers > 0, kind == SSL_KEY_UPDATE_REQUESTED);
      for (const HttpRequest& request : server.requests()) EXPECT_EQ(request.connection, 1);
    }
  }
}

TEST_F(Sessions, OfTls12AreRenegotiatedAlike) {
  std::vector<int> codes;
  std::vector<bool> shaken;
  for (const std::string& binary : {SmallBinary(), WholeBinary()}) {
    bool again = false;
    {
      ScriptedServer server(
          Speaking(TLS1_2_VERSION),
          EmptyListThen([&](const HttpRequest& /*request*/, Connection& connection) {
            connection.StartChunked(200, "application/json");
            const uint64_t before =
                static_cast<uint64_t>(SSL_total_renegotiations(connection.tls()));
            SSL_renegotiate(connection.tls());
            SendBookmark(connection);
            connection.WaitForPeerClose(1s);
            SendLater(connection);
            again = static_cast<uint64_t>(SSL_total_renegotiations(connection.tls())) > before;
            connection.WaitForPeerClose(5s);
          }));
      const Outcome outcome = StartTwin(binary, WaitLater(server.url()))->Wait(kHang);
      EXPECT_EQ(outcome.signal, 0);
      codes.push_back(outcome.exit_code.value_or(-1));
    }
    shaken.push_back(again);
  }
  EXPECT_EQ(codes[0], codes[1]);
  EXPECT_EQ(shaken[0], shaken[1]);
}

}  // namespace
}  // namespace certlatch::test
