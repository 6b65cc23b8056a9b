#include "platform/probe.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "domain/conversation.h"
#include "test/platform/http_fixture.h"
#include "test/platform/talk_server.h"
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
using test::TalkServer;
using test::Transport;
using test::WithTls;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Asked = test::HttpRequest;

class ProbeTest : public HttpClientTest {
 protected:
  void TearDown() override {
    http_.reset();
    while (HasChildren()) RunDue();  // a look-up that has answered
    HttpClientTest::TearDown();
  }

  void Want(const std::string& text) {
    what_ = Reachable();
    const Status status = ParseReachable(text, what_);
    ASSERT_TRUE(status) << status.error().text;
  }
  void Want(const char* scheme, const Endpoint& peer) { Want(scheme + peer.text); }

  ProbeOutcome Outcome(Duration limit = 30s) {
    std::optional<ProbeOutcome> outcome;
    const Handle handle =
        StartProbe(*loop_, *http_, what_, limit, [&](const ProbeOutcome& its_outcome) {
          EXPECT_FALSE(outcome) << "told twice";
          outcome = its_outcome;
          loop_->Stop();
        });
    EXPECT_FALSE(outcome) << "from within the call";
    EXPECT_TRUE(Run());
    if (!outcome) return {false, 0, "none"};
    EXPECT_EQ(outcome->ready, outcome->reason.empty());
    return *outcome;
  }
  std::string Reason(Duration limit = 30s) { return Outcome(limit).reason; }

  Reachable what_;
  const test::TempDir directory_;
};

// --- tcp ---

void Hear(Transport& peer) {
  std::string in;
  while (peer.Read(in, 30s) == test::Wake::kData) {
  }
}

TEST_F(ProbeTest, AConnectionThatIsAcceptedIsEnough) {
  const TalkServer server(Hear);
  Want("tcp://", server.endpoint());
  EXPECT_EQ(Reason(), "");
  what_.endpoint.host = "localhost";
  EXPECT_EQ(Reason(), "") << "by its name";
}

TEST_F(ProbeTest, SaysWhyThereIsNoConnection) {
  Want("tcp://", test::RefusingEndpoint());
  EXPECT_EQ(Reason(),
            "cannot connect to the server: Connection refused; is it listening on that port?");
  Want("tcp://no-such-host.invalid:80");
  EXPECT_THAT(Reason(), StartsWith("cannot look up no-such-host.invalid: "));
}

// Its queue of connections is full, so that the kernel drops what comes.
TEST_F(ProbeTest, ASilentAddressCostsNoMoreThanTheLimit) {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), generic, size), 0);
  ASSERT_EQ(getsockname(listener.get(), generic, &size), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  const UniqueFd first(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  (void)connect(first.get(), generic, size);  // fills the queue, now or later
  const std::string server = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  Want("tcp://" + server);
  EXPECT_EQ(Reason(100ms), "no connection to the server within 100ms");
  Want("http://" + server);
  EXPECT_THAT(Reason(100ms), StartsWith("no connection to the server within "));
}

// --- postgres ---

std::string Refusal(const std::string& code) {
  std::string fields = "SFATAL" + std::string(1, '\0') + "C" + code + '\0';
  fields += "Mnot now" + std::string(2, '\0');
  return std::string("E\0\0\0", 4) + static_cast<char>(fields.size() + 4) + fields;
}

// Answers a startup packet, byte by byte.
TalkServer::Handler AnswerStartup(const std::string& answer) {
  return [answer](Transport& peer) {
    std::string in;
    while (in.size() < kPostgresStartup.size() && peer.Read(in, 30s) == test::Wake::kData) {
    }
    EXPECT_EQ(in, kPostgresStartup);
    for (const char byte : answer) peer.Write(std::string(1, byte));
    if (!answer.empty()) Hear(peer);
  };
}

TEST_F(ProbeTest, PostgresIsReadyAsPgIsReadySeesIt) {
  const struct {
    std::string answer;
    const char* reason;
  } cases[] = {
      {std::string("R\0\0\0\x08\0\0\0\x05", 9), ""},
      {Refusal("28000"), ""},
      {Refusal("53300"), ""},
      {Refusal("57P03"), "the server is starting up or shutting down"},
      {Refusal(""), "the server cannot serve a connection"},
      {"HTTP/1.1 400 Bad Request\r\n", "the server does not answer as PostgreSQL"},
      {"", "the server closed the connection"},
  };
  for (const auto& [answer, reason] : cases) {
    const TalkServer server(AnswerStartup(answer));
    Want("postgres://", server.endpoint());
    EXPECT_EQ(Reason(), reason) << answer;
  }
}

TEST_F(ProbeTest, ASilentPostgresIsNotReady) {
  const TalkServer server(Hear);
  Want("postgres://", server.endpoint());
  EXPECT_EQ(Reason(100ms), "no answer from the server within 100ms");
}

// --- http ---

ScriptedServer::Handler Answer(int status, const test::TextMap& headers = {},
                               const std::string& body = "") {
  return [=](const Asked&, Connection& connection) {
    connection.SendResponse(status, {headers.begin(), headers.end()}, body);
  };
}

TEST_F(ProbeTest, OneOfTheStatusesIsEnough) {
  int status = 204;
  ScriptedServer server({}, [&](const Asked&, Connection& connection) {
    connection.SendResponse(status, {}, "a secret");
  });
  Want(server.url() + "/ready?x");
  EXPECT_EQ(Outcome().http_status, 204);
  status = 503;
  ProbeOutcome outcome = Outcome();
  EXPECT_EQ(outcome.reason, "HTTP 503, not 2xx");
  EXPECT_EQ(outcome.http_status, 503);
  what_.statuses = "200,503";
  EXPECT_EQ(Reason(), "");
  status = 401;
  EXPECT_EQ(Reason(), "HTTP 401, not 200,503 (see --http-status)");
  const Asked asked = server.requests()[0];
  EXPECT_EQ(asked.method, "GET");
  EXPECT_EQ(asked.target, "/ready?x");
  EXPECT_EQ(asked.Header("user-agent"), "certlatch");
  EXPECT_EQ(asked.Header("connection"), "close");
  EXPECT_EQ(asked.Header("authorization"), "");
  EXPECT_EQ(server.counts().accepted, 4U) << "a connection for each";
}

// As a server does, without a body, but with the length of the one that a GET would get.
TEST_F(ProbeTest, AHeadIsAnsweredByItsHeaders) {
  std::optional<TalkServer> server([](Transport& peer) {
    std::string in;
    while (!in.ends_with("\r\n\r\n") && peer.Read(in, 30s) == test::Wake::kData) {
    }
    EXPECT_THAT(in, AllOf(StartsWith("HEAD / HTTP/1.1\r\n"), testing::Not(HasSubstr("Content-"))));
    peer.Write("HTTP/1.1 100 Continue\r\n\r\n");
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    Hear(peer);
  });
  Want("http://", server->endpoint());
  what_.head = true;
  EXPECT_EQ(Reason(), "");
}

TEST_F(ProbeTest, ABodyWithoutEndDoesNotMatter) {
  ScriptedServer server({}, [](const Asked& asked, Connection& connection) {
    connection.StartChunked(200, "text/plain");
    if (asked.path == "/stall") connection.Stall();
    while (connection.SendChunk(std::string(4096, 'x'))) {
    }
  });
  Want(server.url());
  EXPECT_EQ(Reason(), "");
  Want(server.url() + "/stall");
  EXPECT_EQ(Reason(100ms), "");
}

TEST_F(ProbeTest, SaysWhyThereIsNoAnswer) {
  ScriptedServer server({}, Answer(200));
  Want(server.url());
  server.SetMode(Mode::kRefuse);
  EXPECT_EQ(Reason(),
            "cannot connect to the server: Connection refused; is it listening on that port?");
  server.SetMode(Mode::kHangUp);
  EXPECT_THAT(Reason(), StartsWith("the connection to the server broke ("));
  server.SetMode(Mode::kGarbage);
  EXPECT_THAT(Reason(), StartsWith("the request to the server failed: "));
  server.SetMode(Mode::kSilent);
  EXPECT_EQ(Reason(1500ms), "the server accepted the request and did not answer within 2s");
  Want("http://no-such-host.invalid/");
  EXPECT_THAT(Reason(), StartsWith("cannot look up no-such-host.invalid: "));
}

TEST_F(ProbeTest, TheProxyOfTheEnvironmentIsNotUsed) {
  ScriptedServer server({}, Answer(200));
  setenv("http_proxy", "http://127.0.0.1:1", 1);  // NOLINT(concurrency-mt-unsafe)
  setenv("all_proxy", "http://127.0.0.1:1", 1);   // NOLINT(concurrency-mt-unsafe)
  Want(server.url());
  EXPECT_EQ(Reason(), "");
  unsetenv("http_proxy");  // NOLINT(concurrency-mt-unsafe)
  unsetenv("all_proxy");   // NOLINT(concurrency-mt-unsafe)
}

// --- redirects ---

TEST_F(ProbeTest, ARedirectIsFollowedOnlyWhereThatIsAskedFor) {
  ScriptedServer server({}, [](const Asked& asked, Connection& connection) {
    if (asked.target == "/a/b?x") {
      connection.SendResponse(302, {{"location", "c"}}, "");
    } else if (asked.target == "/a/c") {
      connection.SendResponse(308, {{"Location", "/d?e"}}, "");
    } else {
      connection.SendResponse(200, {}, "");
    }
  });
  Want(server.url() + "/a/b?x");
  EXPECT_EQ(Reason(), "HTTP 302, not 2xx: it redirects; give the URL where that leads");
  what_.follow = true;
  EXPECT_EQ(Outcome().http_status, 200);
  EXPECT_EQ(server.requests().back().target, "/d?e");
  what_.statuses = "302";
  EXPECT_EQ(Outcome().http_status, 200) << "the last answer counts";
  what_.follow = false;
  EXPECT_EQ(Reason(), "");
}

TEST_F(ProbeTest, RedirectsEnd) {
  ScriptedServer server({}, Answer(301, {{"Location", "/again"}}));
  Want(server.url());
  what_.follow = true;
  EXPECT_EQ(Reason(), "HTTP 301: too many redirects");
  EXPECT_EQ(server.counts().requests, 6U);
}

TEST_F(ProbeTest, ARedirectToNowhereIsNone) {
  ScriptedServer server({}, Answer(302));
  Want(server.url());
  what_.follow = true;
  EXPECT_EQ(Reason(), "HTTP 302, not 2xx (see --http-status)");
  for (const char* to :
       {"http://unix:/run/app.sock:/", "ftp://a/", "http://user:pw@a/", "file:///a"}) {
    ScriptedServer other({}, Answer(302, {{"Location", to}}));
    Want(other.url());
    what_.follow = true;
    EXPECT_EQ(Reason(), "redirected to what is no http(s) URL");
  }
}

TEST_F(ProbeTest, NamesTheServerThatARedirectLeadsTo) {
  const std::string gone = test::RefusingEndpoint().text;
  ScriptedServer server({}, Answer(302, {{"Location", "http://" + gone + "?token=s3cret"}}));
  Want(server.url());
  what_.follow = true;
  EXPECT_EQ(Reason(),
            "cannot connect to " + gone + ": Connection refused; is it listening on that port?");
}

// --- TLS ---

TEST_F(ProbeTest, TrustsTheAuthorityOfTheFileAsItIsNow) {
  ServerOptions options = WithTls();
  options.ipv6 = true;
  ScriptedServer server(options, Answer(200));
  Want(server.url());
  EXPECT_THAT(Reason(), AllOf(StartsWith("the certificate of the server is not trusted: "),
                              EndsWith(" (see --target-ca-file)")));
  what_.ca_file = directory_.File("ca.crt");
  EXPECT_EQ(Reason(), "--target-ca-file: " + what_.ca_file + ": No such file or directory");
  ASSERT_TRUE(test::WriteFile(what_.ca_file, Authority().cert_pem()));
  EXPECT_EQ(Reason(), "");
  Want("https://localhost:" + std::to_string(server.port()));
  what_.ca_file = directory_.File("ca.crt");
  EXPECT_EQ(Reason(), "");
  ASSERT_TRUE(test::WriteFile(what_.ca_file, CertAuthority().cert_pem()));
  EXPECT_THAT(Reason(), EndsWith(" (see --target-ca-file)"));
  EXPECT_EQ(server.counts().requests, 2U);
}

// As a webhook is asked: another name than that of the place, and its own bundle.
TEST_F(ProbeTest, TellsACertificateOfAnotherAuthorityOrNameFromOtherTrouble) {
  test::CertSpec spec;
  spec.dns_names = {"hooks.ops.svc"};
  const test::PemPair pair = Authority().Issue(spec);
  ServerOptions options;
  options.tls = test::TlsSettings{pair.cert, pair.key};
  options.ipv6 = true;
  ScriptedServer server(options, Answer(404));
  const auto ask = [&](const std::string& host, const std::string& address,
                       const std::string& bundle) {
    what_ = Reachable();
    what_.kind = Reachable::Kind::kHttp;
    what_.url = "https://" + host + ":" + std::to_string(server.port()) + "/";
    what_.address = address;
    what_.ca_pem = bundle;
    what_.called = "service/hooks";
    what_.head = true;
    return Outcome();
  };
  for (const char* place : {"127.0.0.1", "localhost"}) {
    const ProbeOutcome own = ask("hooks.ops.svc", place, Authority().cert_pem());
    EXPECT_EQ(own.http_status, 404) << own.reason;
    EXPECT_FALSE(own.distrusted);
  }
  const ProbeOutcome foreign = ask("hooks.ops.svc", "127.0.0.1", CertAuthority("b").cert_pem());
  EXPECT_TRUE(foreign.distrusted);
  EXPECT_THAT(foreign.reason, AllOf(StartsWith("the certificate of service/hooks is not trusted: "),
                                    EndsWith(" (see its caBundle)")));
  const ProbeOutcome other = ask("other.ops.svc", "127.0.0.1", Authority().cert_pem());
  EXPECT_TRUE(other.distrusted) << other.reason;
  EXPECT_EQ(server.counts().requests, 2U);

  // Of the rest nothing follows.
  EXPECT_FALSE(ask("hooks.ops.svc", "127.0.0.1", "no PEM at all").distrusted);
  EXPECT_FALSE(ask("hooks.ops.svc", "name.invalid", Authority().cert_pem()).distrusted);
  ScriptedServer plain({}, Answer(200));
  what_.url = "https://hooks.ops.svc:" + std::to_string(plain.port()) + "/";
  what_.address = "127.0.0.1";
  EXPECT_FALSE(Outcome(1s).distrusted) << "does not speak TLS";
}

TEST_F(ProbeTest, ACertificateOutOfItsDatesIsDistrusted) {
  test::CertSpec spec;
  spec.ip_addresses = {"127.0.0.1"};
  spec.not_before = -2h;
  spec.not_after = -1h;
  const test::PemPair pair = Authority().Issue(spec);
  ServerOptions options;
  options.tls = test::TlsSettings{pair.cert, pair.key};
  ScriptedServer server(options, Answer(200));
  Want(server.url());
  what_.ca_pem = Authority().cert_pem();
  EXPECT_TRUE(Outcome().distrusted);
}

TEST_F(ProbeTest, VerifiesNothingOnlyWhereThatIsAskedFor) {
  ScriptedServer server(WithTls(), Answer(200));
  Want(server.url());
  what_.insecure = true;
  EXPECT_EQ(Reason(), "");
}

TEST_F(ProbeTest, NoRedirectLeadsOutOfTls) {
  ScriptedServer plain({}, Answer(200));
  ScriptedServer server(WithTls(), Answer(302, {{"Location", plain.url()}}));
  Want(server.url());
  what_.insecure = true;
  what_.follow = true;
  EXPECT_EQ(Reason(), "HTTP 302: redirected from https to http: not followed");
  EXPECT_EQ(plain.counts().accepted, 0U);
  ScriptedServer into({}, Answer(302, {{"Location", server.url()}}));
  Want(into.url());
  what_.follow = true;
  EXPECT_THAT(Reason(), HasSubstr("is not trusted")) << "the other way is, and is verified";
}

// --- files ---

TEST_F(ProbeTest, AFileIsThereWhenItHasSomething) {
  Want("file:" + directory_.File("ready"));
  EXPECT_EQ(Reason(), "does not exist yet");
  ASSERT_TRUE(test::WriteFile(what_.path, ""));
  EXPECT_EQ(Reason(), "is empty");
  ASSERT_TRUE(test::WriteFile(what_.path, "x"));
  EXPECT_EQ(Reason(), "");
  Want("file:" + directory_.File("link"));
  ASSERT_EQ(symlink("ready", what_.path.c_str()), 0);
  EXPECT_EQ(Reason(), "");
  Want("file:" + directory_.path());
  EXPECT_EQ(Reason(), "is a directory, not a file");
  Want("file:" + directory_.File("ready/below"));
  EXPECT_EQ(Reason(), "does not exist yet");
}

TEST_F(ProbeTest, AFifoIsNotOpened) {
  Want("file:" + directory_.File("fifo"));
  ASSERT_EQ(mkfifo(what_.path.c_str(), 0600), 0);
  EXPECT_EQ(Reason(), "");
}

TEST_F(ProbeTest, AFileThatIsNotOursToReadIsNotReady) {
  Want("file:" + directory_.File("ready"));
  ASSERT_TRUE(test::WriteFile(what_.path, "x"));
  ASSERT_EQ(chmod(what_.path.c_str(), 0), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const bool root = getuid() == 0;  // who may read everything
  if (root) {
    ASSERT_EQ(setresuid(65534, 65534, 0), 0);
  }
  EXPECT_EQ(Reason(), "cannot be read: Permission denied");
  if (root) {
    ASSERT_EQ(setresuid(0, 0, 0), 0);
  }
}

// --- cancelling ---

TEST_F(ProbeTest, DestroyingTheHandleEndsItAtAnyTime) {
  const TalkServer server(Hear);
  const std::string peer = server.endpoint().text;
  const std::string texts[] = {
      "tcp://" + peer,     "postgres://" + peer,  "http://" + peer, "http://localhost/",
      "tcp://localhost:1", "http://127.0.0.1:1/", "file:/"};
  for (const std::string& text : texts) {
    for (const Duration after : {Duration{}, Duration(1ms), Duration(30ms)}) {
      Want(text);
      Handle handle = StartProbe(*loop_, *http_, what_, 1h, [&](const ProbeOutcome&) {
        EXPECT_TRUE(handle) << text;
        handle.reset();  // as is allowed
      });
      const Handle end = loop_->After(after, [&] { handle.reset(); });
      RunDue();
      RunDue();
      EXPECT_FALSE(handle);
    }
  }
}

}  // namespace
}  // namespace certlatch
