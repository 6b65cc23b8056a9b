#include "platform/kube_client.h"

#include <gmock/gmock.h>
#include <unistd.h>

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
using test::ScriptedServer;
using test::ServerOptions;
using test::WithTls;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Asked = test::HttpRequest;

void SayHello(const Asked& request, Connection& connection) {
  connection.SendResponse(200, {}, "hello " + request.target);
}

class KubeClientTest : public HttpClientTest {
 protected:
  void SetUp() override {
    HttpClientTest::SetUp();
    directory_.emplace();
  }
  void TearDown() override {
    kube_.reset();
    http_.reset();
    server_.reset();
    HttpClientTest::TearDown();
  }

  std::string File(const std::string& name, const std::string& text) {
    EXPECT_TRUE(test::WriteFile(directory_->File(name), text));
    return directory_->File(name);
  }
  // "": it was created.
  std::string Create(ConnectionOptions options) {
    auto kube = KubeClient::Create(*loop_, *http_, std::move(options));
    if (!kube) {
      EXPECT_EQ(kube.error().code, Code::kConfig);
      return kube.error().text;
    }
    kube_ = *std::move(kube);
    return "";
  }
  std::string CreateAt(const std::string& server) {
    ConnectionOptions options;
    options.server = server;
    return Create(std::move(options));
  }
  ConnectionOptions ToServer(const std::string& host = "127.0.0.1") {
    ConnectionOptions options;
    options.server = (server_->url().starts_with("https") ? "https://" : "http://") + host + ":" +
                     std::to_string(server_->port());
    if (server_->url().starts_with("https")) {
      options.certificate_authority = File("ca.crt", Authority().cert_pem());
    }
    return options;
  }
  ApiAnswer Fetch(const std::string& target = "/api") {
    ApiAnswer answer;
    Handle handle = kube_->Fetch(target, [&](ApiAnswer its_answer) {
      answer = std::move(its_answer);
      handle.reset();
      loop_->Stop();
    });
    EXPECT_TRUE(Run());
    return answer;
  }
  std::string TokenOfRequest(size_t number) const {
    return std::string(server_->requests()[number].Header("authorization"));
  }
  // Look-ups that have ended are children until the loop has reaped them.
  void Reap() {
    Handle look;
    std::function<void()> check = [&] {
      if (!HasChildren()) return loop_->Stop();
      look = loop_->After(1ms, [&] { check(); });
    };
    check();
    EXPECT_TRUE(Run());
  }

  std::unique_ptr<KubeClient> kube_;
  std::optional<ScriptedServer> server_;
  std::optional<test::TempDir> directory_;
};

// --- the server's address ---

TEST_F(KubeClientTest, TakesEveryFormOfAddress) {
  for (const char* server :
       {"https://10.96.0.1", "https://10.96.0.1:443", "https://10.96.0.1:6443/", "10.96.0.1:6443",
        "http://localhost", "https://kubernetes.default.svc", "https://kubernetes.default.svc.:1",
        "https://[fd00::1]", "https://[fd00::1]:65535/", "[::1]", "https://a_b-c.example/k8s/c-1/",
        "https://host/with%20space"}) {
    EXPECT_EQ(CreateAt(server), "") << server;
  }
}

TEST_F(KubeClientTest, RefusesWhatIsNoAddress) {
  for (const char* server : {"",
                             "https://",
                             "https://:443",
                             "ftp://host",
                             "https:/host",
                             "https://host:0",
                             "https://host:65536",
                             "https://host:",
                             "https://host:x",
                             "https://host:443x",
                             "https://user@host",
                             "https://user:word@host",
                             "https://ho st",
                             "https://host\n",
                             "https://host?x",
                             "https://host#x",
                             "https://host/?x=1",
                             "https://host/a#b",
                             "https://host/a b",
                             "https://host/a\r\nX: y",
                             "https://host/\xc3\xa4",
                             "https://host\\x",
                             "https://[::1",
                             "https://::1",
                             "https://::1:443",
                             "https://[::1]x:443",
                             "https://[host]",
                             "https://[1.2.3.4]:443",
                             "https://[::g]",
                             "https://[fe80::1%25eth0]",
                             "https://[]",
                             "https://\xc3\xa4.example"}) {
    EXPECT_THAT(CreateAt(server), StartsWith("--server ")) << server;
  }
}

TEST_F(KubeClientTest, ABrokenAddressIsShownPrintable) {
  EXPECT_THAT(CreateAt("https://h\x1b[31m"), HasSubstr("\\x1b"));
}

TEST_F(KubeClientTest, PutsThePrefixInFrontOfEachPath) {
  server_.emplace(ServerOptions(), SayHello);
  ConnectionOptions options = ToServer();
  options.server += "/k8s/clusters/c-1//";
  ASSERT_EQ(Create(std::move(options)), "");
  EXPECT_EQ(Fetch("/api/v1?x=y").body, "hello /k8s/clusters/c-1/api/v1?x=y");
}

TEST_F(KubeClientTest, AsksAnIpv6Server) {
  if (access("/proc/net/if_inet6", F_OK) != 0) GTEST_SKIP() << "no IPv6 here";
  ServerOptions options;
  options.ipv6 = true;
  server_.emplace(options, SayHello);
  ASSERT_EQ(Create(ToServer("[::1]")), "");
  EXPECT_EQ(Fetch().problem, "");
}

// --- names ---

TEST_F(KubeClientTest, LooksTheNameUpInAChild) {
  server_.emplace(WithTls(), SayHello);
  ASSERT_EQ(Create(ToServer("localhost")), "");
  EXPECT_EQ(Fetch().problem, "");
  Reap();
  const Handle handle = kube_->Fetch("/api", [&](const ApiAnswer&) { loop_->Stop(); });
  EXPECT_FALSE(HasChildren()) << "the address is kept for the next request";
  EXPECT_TRUE(Run());
}

TEST_F(KubeClientTest, RequestsAtTheSameTimeShareOneLookUp) {
  server_.emplace(ServerOptions(), SayHello);
  ASSERT_EQ(Create(ToServer("localhost")), "");
  constexpr size_t kRequests = 50;
  std::vector<Handle> handles;
  size_t answers = 0;
  for (size_t i = 0; i < kRequests; ++i) {
    handles.push_back(kube_->Fetch("/api", [&](const ApiAnswer& answer) {
      EXPECT_EQ(answer.problem, "");
      if (++answers == kRequests) loop_->Stop();
    }));
  }
  const auto children = test::ReadFile("/proc/thread-self/children");
  if (children) {
    EXPECT_EQ(std::count(children->begin(), children->end(), ' '), 1) << *children;
  }
  EXPECT_TRUE(Run());
  handles.clear();
  Reap();
}

TEST_F(KubeClientTest, AFailedLookUpIsEveryWaitersAnswer) {
  ASSERT_EQ(CreateAt("https://no-such-name.invalid"), "");
  std::vector<Handle> handles(5);
  int answers = 0;
  for (Handle& handle : handles) {
    handle = kube_->Fetch("/api", [&](const ApiAnswer& answer) {
      EXPECT_EQ(answer.status, 0);
      EXPECT_THAT(answer.problem, StartsWith("cannot look up no-such-name.invalid: "));
      if (++answers == 5) loop_->Stop();
    });
  }
  EXPECT_TRUE(Run());
  Reap();
}

TEST_F(KubeClientTest, AFailedLookUpMayCancelOtherWaitersAndAskAgain) {
  ASSERT_EQ(CreateAt("https://no-such-name.invalid"), "");
  std::vector<Handle> handles(5);
  Handle again;
  int answers = 0;
  for (Handle& handle : handles) {
    handle = kube_->Fetch("/api", [&](const ApiAnswer&) {
      ++answers;
      for (Handle& any : handles) any.reset();
      again = kube_->Fetch("/api", [&](const ApiAnswer&) { loop_->Stop(); });
    });
  }
  EXPECT_TRUE(Run());
  EXPECT_EQ(answers, 1);
  Reap();
}

TEST_F(KubeClientTest, CancellingAllWaitersEndsTheLookUp) {
  ASSERT_EQ(CreateAt("https://no-such-name.invalid"), "");
  Handle first = kube_->Fetch("/api", [](const ApiAnswer&) { FAIL(); });
  Handle second = kube_->Fetch("/api", [](const ApiAnswer&) { FAIL(); });
  first.reset();
  second.reset();
  Reap();
}

TEST_F(KubeClientTest, TheLookUpCountsAgainstTheRequestTimeout) {
  ConnectionOptions options;
  options.server = "https://no-such-name.invalid";
  options.request_timeout = Duration(1);
  ASSERT_EQ(Create(std::move(options)), "");
  EXPECT_EQ(Fetch().problem, "cannot look up no-such-name.invalid: no answer within 1ns");
  Reap();
}

TEST_F(KubeClientTest, AnswersWithinTheRequestTimeout) {
  ServerOptions silent = WithTls();
  silent.mode = test::Mode::kSilent;
  server_.emplace(silent, SayHello);
  ConnectionOptions options = ToServer();
  options.request_timeout = 50ms;
  ASSERT_EQ(Create(std::move(options)), "");
  const std::string problem = Fetch().problem;
  EXPECT_THAT(problem, AnyOf(StartsWith("no connection to "), StartsWith("no answer from ")));
}

TEST_F(KubeClientTest, TheServerNameIsVerifiedAndTheAddressConnectedTo) {
  server_.emplace(WithTls(), SayHello);
  for (const char* host : {"127.0.0.1", "localhost"}) {
    ConnectionOptions options = ToServer(host);
    options.tls_server_name = "kubernetes.test";
    ASSERT_EQ(Create(std::move(options)), "");
    EXPECT_EQ(Fetch().problem, "") << host;
    EXPECT_THAT(std::string(server_->requests().back().Header("host")), StartsWith(host));
  }
  ConnectionOptions options = ToServer();
  options.tls_server_name = "other.test";
  ASSERT_EQ(Create(std::move(options)), "");
  EXPECT_THAT(Fetch().problem, HasSubstr("not trusted"));
  Reap();
}

TEST_F(KubeClientTest, AServerNameCannotEndTheHostOfTheUrl) {
  for (const char* name : {"a/b", "user@host", "host:80", "a b", "a?b", "a\r\nb", "[::1]"}) {
    ConnectionOptions options;
    options.server = "https://127.0.0.1";
    options.tls_server_name = name;
    EXPECT_THAT(Create(std::move(options)), StartsWith("--tls-server-name ")) << name;
  }
}

// --- credentials ---

TEST_F(KubeClientTest, ReadsTheTokenForEachRequest) {
  server_.emplace(WithTls(), SayHello);
  ConnectionOptions options = ToServer();
  options.token_file = File("token", "first\n");
  ASSERT_EQ(Create(std::move(options)), "");
  EXPECT_EQ(Fetch().status, 200);
  File("token", "  second\r\n\n");
  EXPECT_EQ(Fetch().status, 200);
  EXPECT_EQ(TokenOfRequest(0), "Bearer first");
  EXPECT_EQ(TokenOfRequest(1), "Bearer second");
}

TEST_F(KubeClientTest, AGivenTokenComesBeforeTheFile) {
  server_.emplace(WithTls(), SayHello);
  ConnectionOptions options = ToServer();
  options.token = Secret("given");
  options.token_file = directory_->File("missing");
  ASSERT_EQ(Create(std::move(options)), "");
  EXPECT_EQ(Fetch().status, 200);
  EXPECT_EQ(TokenOfRequest(0), "Bearer given");
}

TEST_F(KubeClientTest, ATokenCannotAddHeaders) {
  ConnectionOptions options;
  options.server = "https://127.0.0.1";
  options.token = Secret("a\r\nX-Remote-User: admin");
  EXPECT_THAT(Create(std::move(options)), AllOf(StartsWith("token: "), Not(HasSubstr("admin"))));
  options = {};
  options.server = "https://127.0.0.1";
  options.token_file = File("token", "a\nX-Remote-User: admin");
  EXPECT_THAT(Create(std::move(options)),
              AllOf(EndsWith("holds no token"), Not(HasSubstr("admin"))));
}

TEST_F(KubeClientTest, SendsNoTokenInTheClearExceptOnLoopback) {
  for (const char* server : {"http://10.96.0.1", "http://kubernetes", "http://127.1",
                             "http://127.example", "http://[fd00::1]"}) {
    ConnectionOptions options;
    options.server = server;
    options.token = Secret("abc");
    EXPECT_THAT(Create(std::move(options)), HasSubstr("in the clear")) << server;
    EXPECT_EQ(CreateAt(server), "") << "without a token there is nothing to hide";
  }
  for (const char* server :
       {"http://127.0.0.1", "http://127.1.2.3", "http://[::1]:80", "http://localhost:8001"}) {
    ConnectionOptions options;
    options.server = server;
    options.token = Secret("abc");
    EXPECT_EQ(Create(std::move(options)), "") << server;
  }
}

TEST_F(KubeClientTest, ReadsTheAuthorityForEachRequest) {
  const CertAuthority next("next CA");
  server_.emplace(WithTls(), SayHello);
  ASSERT_EQ(Create(ToServer()), "");
  EXPECT_EQ(Fetch().status, 200);
  server_->SetTls(*WithTls(next).tls);
  server_->DropConnections();
  EXPECT_THAT(Fetch().problem, HasSubstr("not trusted"));
  File("ca.crt", next.cert_pem());
  EXPECT_EQ(Fetch().status, 200);
}

TEST_F(KubeClientTest, ReadsTheClientCertificateForEachRequest) {
  ServerOptions server = WithTls();
  server.tls->client_ca_pem = Authority().cert_pem();
  server_.emplace(server, SayHello);
  for (const char* name : {"first", "second"}) {
    test::CertSpec spec;
    spec.common_name = name;
    const test::PemPair pair = Authority().Issue(spec);
    const std::string certificate = File("client.crt", pair.cert);
    const std::string key = File("client.key", pair.key);
    if (kube_ == nullptr) {
      ConnectionOptions options = ToServer();
      options.client_certificate = certificate;
      options.client_key = key;
      ASSERT_EQ(Create(std::move(options)), "");
    }
    EXPECT_EQ(Fetch().problem, "");
    EXPECT_EQ(server_->requests().back().client_common_name, name);
  }
}

TEST_F(KubeClientTest, RefusesUnusableFilesBeforeItStarts) {
  const std::string missing = directory_->File("missing");
  const std::string empty = File("empty", "");
  const std::string pem = File("pem", Authority().cert_pem());
  const auto problem = [&](auto set) {
    ConnectionOptions options;
    options.server = "https://127.0.0.1";
    set(options);
    return Create(std::move(options));
  };
  EXPECT_EQ(problem([&](auto& options) { options.token_file = missing; }),
            "token: token file: " + missing + ": No such file or directory");
  EXPECT_EQ(problem([&](auto& options) { options.token_file = empty; }),
            "token: token file: " + empty + ": holds no token");
  EXPECT_THAT(problem([&](auto& options) { options.certificate_authority = missing; }),
              HasSubstr("certificate authority: " + missing));
  EXPECT_THAT(problem([&](auto& options) { options.certificate_authority = empty; }),
              EndsWith("holds no PEM certificate"));
  EXPECT_THAT(problem([&](auto& options) { options.client_certificate = missing; }),
              HasSubstr("client certificate: " + missing));
  EXPECT_THAT(problem([&](auto& options) {
                options.client_certificate = pem;
                options.client_key = missing;
              }),
              HasSubstr("client key: " + missing));
  EXPECT_EQ(problem([&](auto& options) { options.certificate_authority = pem; }), "");
}

TEST_F(KubeClientTest, AFileThatVanishedIsAProblemOfTheRequestAndMayComeBack) {
  server_.emplace(WithTls(), SayHello);
  ConnectionOptions options = ToServer();
  options.token_file = File("token", "abc");
  ASSERT_EQ(Create(std::move(options)), "");
  ASSERT_EQ(unlink(directory_->File("token").c_str()), 0);
  const ApiAnswer answer = Fetch();
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.problem,
              AllOf(StartsWith("token file: "), EndsWith("No such file or directory")));
  File("token", "abc");
  EXPECT_EQ(Fetch().status, 200);
  EXPECT_EQ(server_->counts().requests, 1U);
}

TEST_F(KubeClientTest, AWatchStreamsAndMayOutliveTheRequestTimeout) {
  server_.emplace(ServerOptions(), [](const Asked&, Connection& connection) {
    connection.StartChunked(200, "application/json");
    connection.SendChunk("a");
    test::Event never;
    connection.WaitFor(never, 1200ms);
    connection.SendChunk("b");
    connection.EndChunked();
  });
  ConnectionOptions options = ToServer();
  options.request_timeout = 1s;  // which a busy machine's first byte must not take
  ASSERT_EQ(Create(std::move(options)), "");
  std::string bytes;
  ApiAnswer answer;
  const Handle handle = kube_->Watch(
      "/api", [&](std::string_view more) { bytes += more; },
      [&](ApiAnswer its_answer) {
        answer = std::move(its_answer);
        loop_->Stop();
      });
  ASSERT_TRUE(Run());
  EXPECT_EQ(answer.problem, "");
  EXPECT_EQ(bytes, "ab");
}

}  // namespace
}  // namespace certlatch
