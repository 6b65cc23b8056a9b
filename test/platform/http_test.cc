#include "platform/http.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

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
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Asked = test::HttpRequest;

constexpr size_t kMaxBody = 1000;

std::unique_ptr<const TlsIdentity> Trust(const std::string& ca_pem) {
  auto identity = std::make_unique<TlsIdentity>();
  identity->certificate_authority = ca_pem;
  return identity;
}

void SayHello(const Asked& request, Connection& connection) {
  connection.SendResponse(200, {}, "hello " + request.target);
}

class HttpTest : public HttpClientTest {
 protected:
  void TearDown() override {
    http_.reset();
    server_.reset();
    HttpClientTest::TearDown();
  }

  void Serve(ServerOptions options, ScriptedServer::Handler handler) {
    server_.emplace(std::move(options), std::move(handler));
  }
  HttpRequest To(const std::string& target) const {
    HttpRequest request;
    request.url = server_->url() + target;
    request.max_body = kMaxBody;
    request.total_timeout = 50s;
    if (server_->url().starts_with("https")) request.tls = Trust(Authority().cert_pem());
    return request;
  }
  ApiAnswer Get(HttpRequest request) {
    ApiAnswer answer;
    request.on_answer = [&](ApiAnswer its_answer) {
      answer = std::move(its_answer);
      loop_->Stop();
    };
    const Handle handle = http_->Send(std::move(request));
    EXPECT_TRUE(Run());
    return answer;
  }
  ApiAnswer Get(const std::string& target) { return Get(To(target)); }

  std::optional<ScriptedServer> server_;
};

// --- what is sent ---

TEST_F(HttpTest, SendsTheHeadersAndTheTokenAndNothingOfItsOwnChoice) {
  Serve({}, SayHello);
  HttpRequest request = To("/api?limit=1&x=%2F");
  request.headers = {"Accept: application/json", "User-Agent: certlatch"};
  request.credentials = Secret("abc.def");
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.body, "hello /api?limit=1&x=%2F");
  const Asked asked = server_->requests()[0];
  EXPECT_EQ(asked.method, "GET");
  EXPECT_EQ(asked.Header("authorization"), "Bearer abc.def");
  EXPECT_EQ(asked.Header("accept"), "application/json");
  EXPECT_EQ(asked.Header("user-agent"), "certlatch");
  EXPECT_EQ(asked.headers.size(), 4U) << "and Host";
}

TEST_F(HttpTest, NoTokenMeansNoAuthorizationHeader) {
  Serve({}, SayHello);
  Get("/");
  EXPECT_EQ(server_->requests()[0].Header("authorization"), "");
}

TEST_F(HttpTest, EnvironmentVariablesDoNotMakeItUseAProxy) {
  Serve({}, SayHello);
  setenv("http_proxy", "http://127.0.0.1:9", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
  EXPECT_EQ(Get("/").status, 200);
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

TEST_F(HttpTest, ConnectsWhereItIsToldButSendsTheNameOfTheUrl) {
  Serve(WithTls(), SayHello);
  HttpRequest request = To("/");
  request.connect_to = "127.0.0.1:" + std::to_string(server_->port());
  request.url = "https://kubernetes.test:443/";
  EXPECT_EQ(Get(std::move(request)).problem, "");
  EXPECT_EQ(server_->requests()[0].Header("host"), "kubernetes.test");
}

TEST_F(HttpTest, TakesTheAddressesOfANameFromTheRequest) {
  Serve({}, SayHello);
  for (const std::string name : {"kubernetes.test", "kubernetes.test."}) {
    const std::string authority = name + ":" + std::to_string(server_->port());
    HttpRequest request = To("/");
    request.url = "http://" + authority + "/";
    request.addresses = authority + ":127.0.0.1";
    EXPECT_EQ(Get(std::move(request)).problem, "") << name;
  }
}

TEST_F(HttpTest, TheLatestAddressesOfANameCount) {
  Serve({}, SayHello);
  const std::string authority = "kubernetes.test:" + std::to_string(server_->port());
  HttpRequest request = To("/");
  request.url = "http://" + authority + "/";
  request.addresses = authority + ":127.99.99.99";  // the whole net is ours, nobody listens there
  EXPECT_THAT(Get(std::move(request)).problem, EndsWith("Connection refused"));
  request = To("/");
  request.url = "http://" + authority + "/";
  request.addresses = authority + ":127.99.99.99,127.0.0.1";
  EXPECT_EQ(Get(std::move(request)).problem, "");
}

// --- the body ---

TEST_F(HttpTest, ABodyMayBeAsLargeAsItsBoundAndNoLarger) {
  Serve({}, [](const Asked& request, Connection& connection) {
    const size_t size = request.path == "/more" ? kMaxBody + 1 : kMaxBody;
    connection.SendResponse(200, {}, std::string(size, 'x'));
  });
  EXPECT_EQ(Get("/").body.size(), kMaxBody);
  const ApiAnswer answer = Get("/more");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.problem, AllOf(StartsWith("the answer of 127.0.0.1:"), EndsWith("too large")));
}

TEST_F(HttpTest, AnEndlessBodyIsCutOff) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    while (connection.SendChunk(std::string(100, 'x'))) {
    }
  });
  EXPECT_THAT(Get("/").problem, EndsWith("too large"));
}

TEST_F(HttpTest, EndlessHeadersAreCutOff) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\n");
    const std::string header = "X-Padding: " + std::string(1000, 'x') + "\r\n";
    while (connection.Send(header)) {
    }
  });
  EXPECT_THAT(Get("/").problem, EndsWith("too large"));
}

TEST_F(HttpTest, AStreamComesInOrderAndPieceByPiece) {
  test::Event seen;
  Serve({}, [&](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    for (int i = 0; i < 20; ++i) {
      connection.SendChunk(std::to_string(i) + ";");
      connection.WaitFor(seen, 30s);  // the next comes only when this one has been seen
      seen.Clear();
    }
    connection.EndChunked();
  });
  std::string expected;
  for (int i = 0; i < 20; ++i) expected += std::to_string(i) + ";";
  std::string streamed;
  HttpRequest request = To("/");
  request.max_body = 0;  // bounds only what is not streamed
  request.on_bytes = [&](std::string_view bytes) {
    streamed += bytes;
    seen.Notify();
  };
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(streamed, expected);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpTest, ALargeStreamComesWhole) {
  constexpr size_t kSize = 20 << 20;
  Serve({}, [](const Asked&, Connection& connection) {
    connection.SendResponse(200, {}, std::string(kSize, 'x'));
  });
  size_t streamed = 0;
  HttpRequest request = To("/");
  request.on_bytes = [&](std::string_view bytes) { streamed += bytes.size(); };
  EXPECT_EQ(Get(std::move(request)).problem, "");
  EXPECT_EQ(streamed, kSize);
}

TEST_F(HttpTest, TheBodyOfARefusalIsNotStreamed) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.SendResponse(403, {}, "forbidden");
  });
  HttpRequest request = To("/");
  request.on_bytes = [](std::string_view) { FAIL(); };
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "forbidden");
}

TEST_F(HttpTest, BytesBeforeABreakAreDeliveredThenTheProblem) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    connection.SendChunk("half");
    connection.CloseWithoutNotify();
  });
  std::string streamed;
  HttpRequest request = To("/");
  request.on_bytes = [&](std::string_view bytes) { streamed += bytes; };
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(streamed, "half");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.problem, HasSubstr("broke"));
}

TEST_F(HttpTest, FollowsNoRedirect) {
  Serve({}, [](const Asked& request, Connection& connection) {
    connection.SendResponse(request.path == "/" ? 302 : 200, {{"Location", "/other"}}, "");
  });
  EXPECT_EQ(Get("/").status, 302);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(HttpTest, ReadsRetryAfterInSecondsAndCapsIt) {
  Serve({}, [](const Asked& request, Connection& connection) {
    connection.SendResponse(429, {{"Retry-After", request.path.substr(1)}}, "");
  });
  EXPECT_EQ(Get("/3").retry_after, 3s);
  EXPECT_EQ(Get("/60").retry_after, kMaxRetryAfter);
  EXPECT_EQ(Get("/86400").retry_after, kMaxRetryAfter);
  EXPECT_EQ(Get("/99999999999999999999").retry_after.value_or(kMaxRetryAfter), kMaxRetryAfter);
  EXPECT_EQ(Get("/0").retry_after, std::nullopt);
  EXPECT_EQ(Get("/soon").retry_after, std::nullopt);
  EXPECT_EQ(Get("/-5").retry_after, std::nullopt);
}

// --- cancelling ---

TEST_F(HttpTest, MayBeCancelledInItsOwnBytes) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    connection.SendChunk("first");
    connection.Stall();
  });
  Handle handle;
  int calls = 0;
  const std::string captured(100, 'x');
  HttpRequest request = To("/");
  request.on_bytes = [&, captured](std::string_view) {
    handle.reset();
    ++calls;
    EXPECT_EQ(captured.size(), 100U);
    loop_->Stop();
  };
  request.on_answer = [](const ApiAnswer&) { FAIL(); };
  handle = http_->Send(std::move(request));
  ASSERT_TRUE(Run());
  RunDue();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(server_->WaitUntil([](const auto& counts) { return counts.open == 0; }, 30s))
      << "cancelling closes the connection";
}

TEST_F(HttpTest, MayBeCancelledInItsOwnAnswerAndReplaced) {
  Serve({}, SayHello);
  Handle handle;
  int answers = 0;
  std::function<void()> send = [&] {
    HttpRequest request = To("/");
    request.on_answer = [&](const ApiAnswer& answer) {
      EXPECT_EQ(answer.status, 200);
      handle.reset();
      if (++answers == 5) return loop_->Stop();
      send();
    };
    handle = http_->Send(std::move(request));
  };
  send();
  ASSERT_TRUE(Run());
  EXPECT_EQ(answers, 5);
}

TEST_F(HttpTest, CancellingBeforeItStartedSendsNothing) {
  Serve({}, SayHello);
  HttpRequest request = To("/");
  request.on_answer = [](const ApiAnswer&) { FAIL(); };
  http_->Send(std::move(request)).reset();
  RunDue();
  EXPECT_EQ(server_->counts().requests, 0U);
}

// All answers are there before the loop looks, so that one batch holds the cancelled ones, too.
TEST_F(HttpTest, OneAnswerMayCancelTheOthersOfItsBatch) {
  Serve({}, SayHello);
  constexpr size_t kTransfers = 10;
  std::vector<Handle> handles(kTransfers);
  int answers = 0;
  for (size_t i = 0; i < kTransfers; ++i) {
    HttpRequest request = To("/");
    request.on_answer = [&](const ApiAnswer&) {
      ++answers;
      for (Handle& handle : handles) handle.reset();
    };
    handles[i] = http_->Send(std::move(request));
  }
  const Handle pause = loop_->After(5ms, [&] {
    // Requests are on their way; wait outside of the loop until all are answered.
    server_->WaitForRequests(kTransfers, 2s);
  });
  const Handle end = loop_->After(50ms, [&] { loop_->Stop(); });
  ASSERT_TRUE(Run());
  EXPECT_LE(answers, 1);
}

TEST_F(HttpTest, BytesOfOneMayCancelTheOthersOfItsBatch) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    connection.SendChunk("bytes");
    connection.Stall();
  });
  std::vector<Handle> handles(10);
  int calls = 0;
  for (Handle& handle : handles) {
    HttpRequest request = To("/");
    request.on_bytes = [&](std::string_view) {
      ++calls;
      for (Handle& any : handles) any.reset();
      loop_->Stop();
    };
    request.on_answer = [](const ApiAnswer&) { FAIL(); };
    handle = http_->Send(std::move(request));
  }
  ASSERT_TRUE(Run());
  RunDue();
  EXPECT_EQ(calls, 1);
}

TEST_F(HttpTest, EndsWithTransfersUnderWay) {
  Serve({}, [](const Asked&, Connection& connection) { connection.Stall(); });
  const Handle handle = http_->Send([&] {
    HttpRequest request = To("/");
    request.on_answer = [](const ApiAnswer&) { FAIL(); };
    return request;
  }());
  Handle look;
  std::function<void()> until_asked = [&] {
    if (server_->counts().requests == 1) return loop_->Stop();
    look = loop_->After(1ms, [&] { until_asked(); });
  };
  until_asked();
  ASSERT_TRUE(Run());
}

// --- connections ---

TEST_F(HttpTest, ManyTransfersAtOnceAllAnswer) {
  for (const bool tls : {false, true}) {
    Serve(tls ? WithTls() : ServerOptions(), SayHello);
    constexpr size_t kTransfers = 100;
    std::vector<Handle> handles;
    size_t answers = 0;
    for (size_t i = 0; i < kTransfers; ++i) {
      HttpRequest request = To("/" + std::to_string(i));
      request.on_answer = [&, i](const ApiAnswer& answer) {
        EXPECT_EQ(answer.body, "hello /" + std::to_string(i)) << answer.problem;
        if (++answers == kTransfers) loop_->Stop();
      };
      handles.push_back(http_->Send(std::move(request)));
    }
    EXPECT_TRUE(Run());
  }
}

TEST_F(HttpTest, UsesAConnectionAgain) {
  Serve(WithTls(), SayHello);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get("/").status, 200);
  EXPECT_EQ(server_->counts().accepted, 1U);
}

TEST_F(HttpTest, NoticesThatAKeptConnectionHasDied) {
  Serve({}, SayHello);
  EXPECT_EQ(Get("/").status, 200);
  server_->DropConnections();
  EXPECT_EQ(Get("/").status, 200);
  EXPECT_EQ(server_->counts().accepted, 2U);
}

TEST_F(HttpTest, AConnectionOpenedUnderAnotherCaIsNotUsedAgain) {
  Serve(WithTls(), SayHello);
  EXPECT_EQ(Get("/").status, 200);
  HttpRequest request = To("/");
  request.tls = Trust(CertAuthority().cert_pem());
  EXPECT_THAT(Get(std::move(request)).problem, HasSubstr("not trusted"));
}

TEST_F(HttpTest, ConnectsToIpv6) {
  ServerOptions options = WithTls();
  options.ipv6 = true;
  if (access("/proc/net/if_inet6", F_OK) != 0) GTEST_SKIP() << "no IPv6 here";
  Serve(options, SayHello);
  HttpRequest request = To("/");
  request.url = "https://[::1]:" + std::to_string(server_->port()) + "/";
  EXPECT_EQ(Get(std::move(request)).problem, "");
}

// --- failures ---

TEST_F(HttpTest, SaysWhereNobodyListens) {
  ServerOptions options;
  options.mode = Mode::kRefuse;
  Serve(options, SayHello);
  const ApiAnswer answer = Get("/");
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.problem, "cannot connect to 127.0.0.1:" + std::to_string(server_->port()) +
                                ": Connection refused");
}

TEST_F(HttpTest, SaysThatNoAnswerCame) {
  Serve({}, [](const Asked&, Connection& connection) { connection.Stall(); });
  HttpRequest request = To("/");
  request.answer_timeout = 50ms;
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.problem, EndsWith(" accepted the request and did not answer within 50ms"));
}

TEST_F(HttpTest, DoesNotClaimThatARequestWasAcceptedBeforeItWasSent) {
  ServerOptions options = WithTls();
  options.mode = Mode::kSilent;
  Serve(options, SayHello);
  HttpRequest request = To("/");
  request.answer_timeout = 50ms;
  EXPECT_THAT(Get(std::move(request)).problem,
              AllOf(StartsWith("no connection to 127.0.0.1:"), EndsWith(" within 50ms")));
}

TEST_F(HttpTest, AnAnswerThatHasBegunIsNotTimedAsOneThatHasNot) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    test::Event never;
    connection.WaitFor(never, 1200ms);
    connection.SendChunk("late");
    connection.EndChunked();
  });
  HttpRequest request = To("/");
  request.answer_timeout = 1s;  // which a busy machine's first byte must not take
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(answer.body, "late");
}

TEST_F(HttpTest, TheTotalTimeoutEndsABodyThatDoesNotEnd) {
  Serve({}, [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    connection.SendChunk("some");
    connection.Stall();
  });
  HttpRequest request = To("/");
  request.total_timeout = 1s;  // which a busy machine's first byte must not take
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.problem, HasSubstr("in time"));
}

TEST_F(HttpTest, ATimeoutOfLessThanAMillisecondIsNotEndless) {
  Serve({}, [](const Asked&, Connection& connection) { connection.Stall(); });
  HttpRequest request = To("/");
  request.total_timeout = Duration(1);
  EXPECT_THAT(Get(std::move(request)).problem, HasSubstr("in time"));
}

TEST_F(HttpTest, ALongTimeoutIsNotAShortOne) {
  Serve({}, SayHello);
  HttpRequest request = To("/");
  request.total_timeout = Duration::max();
  request.connect_timeout = 24h * 365 * 100;
  EXPECT_EQ(Get(std::move(request)).status, 200);
}

TEST_F(HttpTest, AHandshakeThatDoesNotEndIsEnded) {
  ServerOptions options = WithTls();
  options.mode = Mode::kSilent;
  Serve(options, SayHello);
  HttpRequest request = To("/");
  request.connect_timeout = 50ms;
  EXPECT_THAT(Get(std::move(request)).problem, HasSubstr("no answer from 127.0.0.1:"));
}

TEST_F(HttpTest, SaysThatTheConnectionBroke) {
  Serve({}, [](const Asked& request, Connection& connection) {
    if (request.path == "/late") {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    }
    connection.Reset();
  });
  EXPECT_THAT(Get("/").problem, AllOf(StartsWith("the connection to"), HasSubstr("broke")));
  EXPECT_THAT(Get("/late").problem, AllOf(StartsWith("the connection to"), HasSubstr("broke")));
}

TEST_F(HttpTest, SaysThatTheAnswerIsNotHttp) {
  ServerOptions options;
  options.mode = Mode::kGarbage;
  Serve(options, SayHello);
  const ApiAnswer answer = Get("/");
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.problem, StartsWith("the request to 127.0.0.1:"));
}

TEST_F(HttpTest, AnUnusableUrlIsAnAnswerToo) {
  Serve({}, SayHello);
  HttpRequest request = To("/");
  request.url = "http://127.0.0.1:99999/";
  EXPECT_NE(Get(std::move(request)).problem, "");
  request = To("/");
  request.url = "file:///etc/passwd";
  const ApiAnswer answer = Get(std::move(request));
  EXPECT_NE(answer.problem, "");
  EXPECT_EQ(answer.body, "");
}

// --- TLS ---

TEST_F(HttpTest, TrustsTheGivenAuthorityOnly) {
  Serve(WithTls(), SayHello);
  EXPECT_EQ(Get("/").body, "hello /");
  HttpRequest request = To("/");
  request.tls = Trust(CertAuthority("another").cert_pem());
  EXPECT_THAT(Get(std::move(request)).problem,
              AllOf(HasSubstr("is not trusted"), HasSubstr("--certificate-authority")));
  request = To("/");
  request.tls = Trust("");
  EXPECT_THAT(Get(std::move(request)).problem, HasSubstr("is not trusted"));
}

TEST_F(HttpTest, SeveralAuthoritiesMayBeGiven) {
  Serve(WithTls(), SayHello);
  HttpRequest request = To("/");
  request.tls = Trust(CertAuthority("another").cert_pem() + "\n" + Authority().cert_pem());
  EXPECT_EQ(Get(std::move(request)).problem, "");
}

TEST_F(HttpTest, AnotherNameIsNotTrusted) {
  Serve(WithTls(), SayHello);
  HttpRequest request = To("/");
  request.connect_to = "127.0.0.1:" + std::to_string(server_->port());
  request.url = "https://other.test/";
  EXPECT_THAT(Get(std::move(request)).problem,
              AllOf(StartsWith("the certificate of 127.0.0.1:"), HasSubstr("other.test"),
                    HasSubstr("--tls-server-name")));
}

TEST_F(HttpTest, AnExpiredCertificateIsNotTrusted) {
  test::CertSpec spec;
  spec.ip_addresses = {"127.0.0.1"};
  spec.not_before = -48h;
  spec.not_after = -1h;
  const test::PemPair pair = Authority().Issue(spec);
  ServerOptions options;
  options.tls = test::TlsSettings{pair.cert, pair.key};
  Serve(options, SayHello);
  EXPECT_THAT(Get("/").problem, HasSubstr("certificate has expired"));
}

TEST_F(HttpTest, WithoutVerificationWhoeverAnswersIsTrusted) {
  Serve(WithTls(CertAuthority("unknown")), SayHello);
  auto careless = std::make_unique<TlsIdentity>();
  careless->verify = false;
  HttpRequest request = To("/");
  request.tls = std::move(careless);
  EXPECT_EQ(Get(std::move(request)).problem, "");
  EXPECT_THAT(Get("/").problem, HasSubstr("is not trusted"))
      << "the careless connection must not serve the next request";
}

TEST_F(HttpTest, AnUnusableAuthorityIsNoReasonToTrustTheSystems) {
  Serve(WithTls(), SayHello);
  HttpRequest request = To("/");
  request.tls = Trust("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydA==\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(Get(std::move(request)).problem,
            "the certificate authority is not usable (see --certificate-authority)");
}

TEST_F(HttpTest, ShowsItsClientCertificate) {
  ServerOptions options = WithTls();
  options.tls->client_ca_pem = Authority().cert_pem();
  Serve(options, SayHello);
  EXPECT_THAT(Get("/").problem, AllOf(HasSubstr("TLS alert 116: certificate required"),
                                      HasSubstr("--client-certificate")));
  test::CertSpec spec;
  spec.common_name = "pod";
  const test::PemPair pair = Authority().Issue(spec);
  auto identity = std::make_unique<TlsIdentity>();
  identity->certificate_authority = Authority().cert_pem();
  identity->client_certificate = pair.cert;
  identity->client_key = Secret(pair.key);
  HttpRequest request = To("/");
  request.tls = std::move(identity);
  EXPECT_EQ(Get(std::move(request)).problem, "");
  EXPECT_EQ(server_->requests()[0].client_common_name, "pod");
}

TEST_F(HttpTest, AClientKeyOfAnotherCertificateIsRefused) {
  Serve(WithTls(), SayHello);
  auto identity = std::make_unique<TlsIdentity>();
  identity->certificate_authority = Authority().cert_pem();
  identity->client_certificate = Authority().Issue({}).cert;
  identity->client_key = Secret(Authority().Issue({}).key);
  HttpRequest request = To("/");
  request.tls = std::move(identity);
  EXPECT_THAT(Get(std::move(request)).problem, StartsWith("the client certificate or its key"));
}

TEST_F(HttpTest, RefusesTlsOlderThan12) {
  ServerOptions options = WithTls();
  options.tls->min_version = TLS1_VERSION;
  options.tls->max_version = TLS1_1_VERSION;
  Serve(options, SayHello);
  EXPECT_THAT(Get("/").problem, HasSubstr("TLS alert 70: protocol version"));
  EXPECT_EQ(server_->counts().requests, 0U);
}

// --- the system's authorities ---

// A child with /etc/ssl/certs of its own, in which Authority() is the only authority. It is forked
// before there is a server: a fork beside the server's threads could copy a lock that one of them
// holds.
class SystemTrustTest : public HttpTest {
 protected:
  class Asker {
   public:
    Asker(SystemTrustTest& test, const std::string& given_ca) {
      EXPECT_TRUE(test::WriteFile(certs_.File("ca-certificates.crt"), Authority().cert_pem()));
      int ends[2];
      EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
      const UniqueFd url(ends[0]);
      to_child_ = UniqueFd(ends[1]);
      child_ = fork();
      if (child_ == 0) _exit(test.Ask(url.get(), certs_.path(), given_ca));
    }
    // Exit status: 0 trusted, 1 not, 2 the test cannot be made here.
    int Ask(const std::string& url) {
      EXPECT_EQ(write(to_child_.get(), url.data(), url.size()), static_cast<ssize_t>(url.size()));
      to_child_.Reset();
      int status = 0;
      waitpid(child_, &status, 0);
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

   private:
    test::TempDir certs_;
    UniqueFd to_child_;
    pid_t child_ = -1;
  };

  void SetUp() override {
    HttpTest::SetUp();
    http_.reset();
    loop_.reset();
  }

 private:
  int Ask(int url_fd, const std::string& certs, const std::string& given_ca) {
    char url[256];
    const ssize_t length = read(url_fd, url, sizeof url);
    if (length <= 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(certs.c_str(), "/etc/ssl/certs", nullptr, MS_BIND, nullptr) != 0) {
      return 2;
    }
    auto loop = Loop::Create();
    if (!loop) return 2;
    loop_ = *std::move(loop);
    auto client = HttpClient::Create(*loop_);
    if (!client) return 2;
    http_ = *std::move(client);
    HttpRequest request;
    request.url = std::string(url, static_cast<size_t>(length)) + "/";
    request.max_body = kMaxBody;
    request.total_timeout = 50s;
    request.tls = Trust(given_ca);
    return Get(std::move(request)).problem.empty() ? 0 : 1;
  }
};

TEST_F(SystemTrustTest, TheSystemsAuthoritiesCountOnlyWhereNoneIsGiven) {
  Asker without(*this, "");
  Asker with_another(*this, CertAuthority("another").cert_pem());
  Serve(WithTls(), SayHello);
  const int trusted = without.Ask(server_->url());
  const int with_another_trusted = with_another.Ask(server_->url());
  if (trusted == 2) GTEST_SKIP() << "NOT TESTED: this machine allows no mount namespaces";
  EXPECT_EQ(trusted, 0);
  EXPECT_EQ(with_another_trusted, 1);
}

}  // namespace
}  // namespace certlatch
