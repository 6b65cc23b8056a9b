#include "platform/http_call.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "test/platform/http_fixture.h"
#include "test/support/files.h"
#include "test/support/pki.h"
#include "test/support/scripted_server.h"

namespace certlatch {
namespace {

using test::Authority;
using test::CertAuthority;
using test::Connection;
using test::Mode;
using test::ScriptedServer;
using test::ServerOptions;
using test::WithTls;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Asked = test::HttpRequest;

ScriptedServer::Handler Answer(int status, const std::string& body = "") {
  return [=](const Asked&, Connection& connection) { connection.SendResponse(status, {}, body); };
}

class HttpCallTest : public HttpClientTest {
 protected:
  void TearDown() override {
    http_.reset();
    server_.reset();
    while (HasChildren()) RunDue();  // a look-up that has answered
    HttpClientTest::TearDown();
  }

  void Serve(ServerOptions options, ScriptedServer::Handler handler) {
    server_.emplace(std::move(options), std::move(handler));
    call_.request = "POST " + server_->url() + "/-/reload";
  }
  // The same server by its name.
  void UseName() { call_.request.replace(call_.request.find("127.0.0.1"), 9, "localhost"); }
  std::string File(const std::string& text) {
    EXPECT_TRUE(test::WriteFile(directory_.File("file"), text));
    return directory_.File("file");
  }
  TellOutcome Call() {
    std::optional<TellOutcome> outcome;
    const Handle handle = CallApp(*loop_, *http_, call_, [&](const TellOutcome& its_outcome) {
      outcome = its_outcome;
      loop_->Stop();
    });
    EXPECT_FALSE(outcome) << "from within the call";
    EXPECT_TRUE(Run());
    return outcome.value_or(TellOutcome{ReloadResult::kOther, "none", {}});
  }
  std::string Named() const { return "--http \"" + call_.request + "\": "; }

  const test::TempDir directory_;
  HttpCall call_;
  std::optional<ScriptedServer> server_;
};

// --- what is sent ---

TEST_F(HttpCallTest, SendsWhatItIsTold) {
  Serve({}, Answer(200));
  call_.request = "PUT " + server_->url() + "/config?a=b";
  call_.headers = {"Content-Type: application/json", "X-Kind: tls"};
  call_.body = "{}";
  EXPECT_EQ(Call().result, ReloadResult::kDone);
  const Asked asked = server_->requests()[0];
  EXPECT_EQ(asked.method, "PUT");
  EXPECT_EQ(asked.target, "/config?a=b");
  EXPECT_EQ(asked.body, "{}");
  EXPECT_EQ(asked.Header("content-type"), "application/json");
  EXPECT_EQ(asked.Header("x-kind"), "tls");
  EXPECT_EQ(asked.Header("user-agent"), "certlatch");
  EXPECT_EQ(asked.Header("authorization"), "");
}

TEST_F(HttpCallTest, ReadsThePasswordForEachCallAndNeverShowsIt) {
  Serve({}, Answer(401, "go away"));
  call_.auth_file = File("admin:s3cret:x \nsecond line\n");
  const TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kStatus);
  EXPECT_EQ(outcome.reason, Named() + "HTTP 401: go away (see --http-auth-file)");
  EXPECT_EQ(server_->requests()[0].Header("authorization"), "Basic YWRtaW46czNjcmV0Ong=");
  File("admin:\n");
  Call();
  EXPECT_EQ(server_->requests()[1].Header("authorization"), "Basic YWRtaW46");
}

TEST_F(HttpCallTest, SaysWhatIsWrongWithAFileAndAsksNobody) {
  Serve({}, Answer(200));
  call_.auth_file = directory_.File("none");
  TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kOther);
  EXPECT_THAT(outcome.reason,
              EndsWith("--http-auth-file: " + call_.auth_file + ": No such file or directory"));
  call_.auth_file = File("s3cret\n");
  outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kOther);
  EXPECT_THAT(outcome.reason,
              AllOf(EndsWith(": want user:password in its first line"), Not(HasSubstr("s3cret"))));
  EXPECT_EQ(server_->counts().requests, 0U);
}

// --- what comes back ---

TEST_F(HttpCallTest, OnlyTheStatusesAskedForAreSuccess) {
  int status = 204;
  Serve({}, [&](const Asked&, Connection& connection) {
    connection.SendResponse(status, {{"Location", "/other"}}, "");
  });
  EXPECT_EQ(Call().result, ReloadResult::kDone);
  call_.statuses = "200,302";
  TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kStatus);
  EXPECT_EQ(outcome.reason, Named() + "HTTP 204 (see --http-status)");
  status = 302;
  EXPECT_EQ(Call().result, ReloadResult::kDone);
  call_.statuses = "2xx";
  outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kStatus);
  EXPECT_EQ(outcome.reason, Named() + "HTTP 302: redirects are not followed (see --http-status)");
  EXPECT_EQ(server_->counts().requests, 4U);
}

TEST_F(HttpCallTest, TellsWhatTheAppSaysAboutItsFailureMadePrintable) {
  Serve({}, Answer(500, "failed to reload:\x1b[31m\nline 3\n"));
  EXPECT_EQ(Call().reason,
            Named() + "HTTP 500: failed to reload:\\x1b[31m\\x0aline 3 (see --http-status)");
}

TEST_F(HttpCallTest, ALongAnswerIsNoFailureAndIsCut) {
  Serve({}, Answer(200, std::string(200'000, 'x')));
  EXPECT_EQ(Call().result, ReloadResult::kDone);
  server_.reset();
  Serve({}, Answer(503, std::string(200'000, 'x')));
  const TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kStatus);
  EXPECT_LT(outcome.reason.size(), 500U);
}

TEST_F(HttpCallTest, TheQueryIsNotShown) {
  Serve({}, Answer(500));
  call_.request += "?token=s3cret";
  EXPECT_THAT(Call().reason, AllOf(HasSubstr("/-/reload\": HTTP 500"), Not(HasSubstr("s3cret"))));
}

// --- connections ---

TEST_F(HttpCallTest, SaysThatNobodyListens) {
  Serve({}, Answer(200));
  server_->SetMode(Mode::kRefuse);
  TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kConnection);
  EXPECT_THAT(outcome.reason,
              AllOf(StartsWith(Named() + "cannot connect to "), EndsWith("Connection refused")));
  server_->SetMode(Mode::kHangUp);
  EXPECT_EQ(Call().result, ReloadResult::kConnection);
}

TEST_F(HttpCallTest, ATimeoutIsOneOfTheWholeCall) {
  Serve({}, [](const Asked&, Connection& connection) { connection.Stall(); });
  call_.timeout = 200ms;
  TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kTimeout);
  EXPECT_THAT(outcome.reason, AllOf(StartsWith(Named()), EndsWith(" (see --http-timeout)")));
  server_.reset();
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "text/plain");
    connection.Stall();
  });
  EXPECT_EQ(Call().result, ReloadResult::kTimeout) << "begun, but not ended";
}

TEST_F(HttpCallTest, FindsAHostByItsName) {
  ServerOptions options;
  options.ipv6 = true;
  Serve(options, Answer(200));
  UseName();
  EXPECT_EQ(Call().reason, "");
  call_.request = "POST http://no-such-host.invalid/";
  const TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kConnection);
  EXPECT_THAT(outcome.reason, StartsWith(Named() + "cannot look up no-such-host.invalid: "));
}

TEST_F(HttpCallTest, DestroyingTheHandleCancels) {
  Serve({}, Answer(200));
  UseName();
  for (int i = 0; i < 2; ++i) {
    {
      const Handle handle = CallApp(*loop_, *http_, call_, [](const TellOutcome&) { FAIL(); });
    }
    RunDue();
    call_.request = "POST " + server_->url();
  }
  EXPECT_EQ(server_->counts().requests, 0U);
}

// --- TLS ---

TEST_F(HttpCallTest, TrustsTheAuthorityOfTheFileAlone) {
  Serve(WithTls(), Answer(200));
  call_.ca_file = File(Authority().cert_pem());
  EXPECT_EQ(Call().reason, "");
  server_->DropConnections();
  UseName();
  EXPECT_EQ(Call().reason, "");
  server_->DropConnections();
  File(CertAuthority().cert_pem());
  const TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kConnection);
  EXPECT_THAT(outcome.reason, AllOf(HasSubstr("is not trusted"), EndsWith("(see --http-ca-file)")));
  call_.ca_file = "";
  EXPECT_THAT(Call().reason, HasSubstr("is not trusted")) << "by the system";
  File("no PEM");
  call_.ca_file = directory_.File("file");
  EXPECT_THAT(Call().reason, EndsWith("holds no PEM certificate"));
  EXPECT_EQ(server_->counts().requests, 2U);
}

// --- Unix sockets ---

TEST_F(HttpCallTest, ReachesAnAppOnAUnixSocket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory_.File("app.sock");
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  call_.request = "POST http://unix:" + path + ":/reload?x";
  TellOutcome outcome = Call();
  EXPECT_EQ(outcome.result, ReloadResult::kConnection);
  EXPECT_EQ(outcome.reason, "--http \"POST http://unix:" + path + ":/reload\": cannot connect to " +
                                path + ": No such file or directory");

  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  std::string request;
  std::thread server([&] {
    const UniqueFd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char byte = 0;
    while (request.find("\r\n\r\n") == std::string::npos && read(peer.get(), &byte, 1) == 1) {
      request += byte;
    }
    constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";
    EXPECT_EQ(write(peer.get(), kAnswer.data(), kAnswer.size()), ssize_t{kAnswer.size()});
  });
  outcome = Call();
  if (outcome.result != ReloadResult::kDone) shutdown(listener.get(), SHUT_RDWR);
  server.join();
  EXPECT_EQ(outcome.reason, "");
  EXPECT_THAT(request, StartsWith("POST /reload?x HTTP/1.1\r\nHost: localhost\r\n"));
}

}  // namespace
}  // namespace certlatch
