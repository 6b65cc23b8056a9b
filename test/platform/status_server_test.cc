#include "platform/status_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "test/platform/loop_fixture.h"

namespace certlatch {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// One connection to the server. Collects what comes until it ends, then calls `ended`.
class Client {
 public:
  Client(Loop& loop, uint16_t port, std::function<void()> ended, bool ipv6 = false,
         int receive_buffer = 0)
      : loop_(loop), fd_(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    if (receive_buffer > 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    // The kernel completes it: nobody needs to accept.
    const int status = ipv6 ? connect(fd_.get(), reinterpret_cast<sockaddr*>(&v6), sizeof v6)
                            : connect(fd_.get(), reinterpret_cast<sockaddr*>(&v4), sizeof v4);
    EXPECT_EQ(status, 0) << std::strerror(errno);
    ended_ = std::move(ended);
    Read();
  }

  void Read() {
    watch_ = loop_.WatchFd(fd_.get(), EPOLLIN, [this](uint32_t) {
      char block[4096];
      const ssize_t count = recv(fd_.get(), block, sizeof block, MSG_DONTWAIT);
      if (count > 0) {
        text_.append(block, static_cast<size_t>(count));
        return;
      }
      over_ = count == 0 ? "closed" : std::strerror(errno);
      watch_.reset();
      ended_();
    });
  }
  void StopReading() { watch_.reset(); }
  void Send(std::string_view bytes) {
    EXPECT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void EndSending() { shutdown(fd_.get(), SHUT_WR); }
  void Reset() {
    watch_.reset();
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.Reset();
  }

  const std::string& text() const { return text_; }
  const std::string& over() const { return over_; }  // "closed" is a FIN; "": not over

 private:
  Loop& loop_;
  UniqueFd fd_;
  std::function<void()> ended_;
  std::string text_;
  std::string over_;
  Handle watch_;
};

class StatusServerTest : public EventLoopTest {
 protected:
  void Listen(std::string_view address = "127.0.0.1:0", Duration deadline = 1min) {
    auto server = StatusServer::Listen(
        *loop_, *ParseListenAddress(address),
        [this](std::string_view path) {
          asked_.emplace_back(path);
          if (path == "/large") return StatusPage{200, "text/plain", std::string(kLarge, 'x')};
          if (path == "/down") return StatusPage{503, "text/plain", "down\n"};
          return path == "/healthz" ? StatusPage{200, "text/plain", "ok\n"} : StatusPage();
        },
        deadline);
    ASSERT_TRUE(server) << server.error().text;
    server_ = *std::move(server);
  }
  void TearDown() override {
    server_.reset();
    EventLoopTest::TearDown();
  }
  std::unique_ptr<Client> Connect(bool ipv6 = false, int receive_buffer = 0) {
    return std::make_unique<Client>(
        *loop_, server_->port(), [this] { loop_->Stop(); }, ipv6, receive_buffer);
  }
  // All that is answered.
  std::string Ask(std::string_view request, bool ipv6 = false) {
    const auto client = Connect(ipv6);
    client->Send(request);
    EXPECT_TRUE(Run());
    EXPECT_EQ(client->over(), "closed");
    return client->text();
  }
  std::string Get(const std::string& path, bool ipv6 = false) {
    return Ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n", ipv6);
  }

  static constexpr size_t kLarge = size_t{16} * 1024 * 1024;
  std::unique_ptr<StatusServer> server_;
  std::vector<std::string> asked_;
};

TEST_F(StatusServerTest, AnswersWithThePageAndCloses) {
  Listen();
  EXPECT_EQ(Get("/healthz"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
            "Connection: close\r\n\r\nok\n");
  EXPECT_THAT(Get("/down"), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\ndown\n")));
  EXPECT_THAT(Get("/nowhere"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("HEAD /healthz HTTP/1.0\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 3\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(asked_, ::testing::ElementsAre("/healthz", "/down", "/nowhere", "/healthz"));
}

TEST_F(StatusServerTest, TakesARequestInPieces) {
  Listen();
  const auto client = Connect();
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char c : request) {
    client->Send({&c, 1});
    const Handle next = loop_->After(1ms, [&] { loop_->Stop(); });
    loop_->Run();
  }
  if (client->over().empty()) {
    EXPECT_TRUE(Run());
  }
  EXPECT_THAT(client->text(), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, AnswersAClientThatHasEndedItsSide) {
  Listen();
  const auto client = Connect();
  client->Send("GET /healthz HTTP/1.0\r\n\r\n");
  client->EndSending();
  EXPECT_TRUE(Run());
  EXPECT_THAT(client->text(), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, ARefusalReachesAClientThatIsStillSending) {
  Listen();
  // Without reading the rest, the server's close would reset the connection and lose the answer.
  EXPECT_THAT(
      Ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n" + std::string(30'000, 'x')),
      StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Ask(std::string(10'000, 'x')), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Ask("\x16\x03\x01"), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(StatusServerTest, AnswersOneRequestAConnection) {
  Listen();
  EXPECT_EQ(Ask("GET /down HTTP/1.0\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n").find("ok\n"),
            std::string::npos);
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(StatusServerTest, ServesIpv4AndIpv6OnAllAddresses) {
  Listen(":0");
  EXPECT_THAT(Get("/healthz"), EndsWith("ok\n"));
  EXPECT_THAT(Get("/healthz", true), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, ServesOneIpv6Address) {
  Listen("[::1]:0");
  EXPECT_THAT(Get("/healthz", true), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, SaysWhyItCannotListen) {
  Listen();
  const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = StatusServer::Listen(*loop_, *ParseListenAddress(taken), nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text, "cannot listen on " + taken + ": Address already in use");
  const auto elsewhere =
      StatusServer::Listen(*loop_, *ParseListenAddress("[2001:db8::1]:1"), nullptr);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().text,
            "cannot listen on [2001:db8::1]:1: Cannot assign requested address");
}

TEST_F(StatusServerTest, ListensAgainAtOnceWhereItListenedBefore) {
  Listen();
  Get("/healthz");  // the server closes first, and so has the TIME_WAIT
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  server_.reset();
  Listen(address);
  EXPECT_THAT(Get("/healthz"), EndsWith("ok\n"));
}

// In a child that has no IPv6: as with ipv6.disable=1, socket() knows no such family.
TEST_F(StatusServerTest, ServesIpv4WhereTheKernelHasNoIpv6) {
  const pid_t child = fork();
  if (child == 0) {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      _exit(2);
    }
    Listen(":0");
    if (StatusServer::Listen(*loop_, *ParseListenAddress("[::1]:0"), nullptr)) _exit(3);
    _exit(server_ != nullptr && Get("/healthz").ends_with("ok\n") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(StatusServerTest, SlowClientsAreCutOff) {
  Listen("127.0.0.1:0", 100ms);
  const Instant start = Loop::Now();
  const auto silent = Connect();
  EXPECT_TRUE(Run());
  EXPECT_EQ(silent->over(), "closed");
  EXPECT_GE(Loop::Now() - start, 100ms);
}

TEST_F(StatusServerTest, ADrippingClientDoesNotMoveItsDeadline) {
  Listen("127.0.0.1:0", 200ms);
  const auto client = Connect();
  Handle drip;
  int drops = 0;
  std::function<void()> again = [&] {
    client->Send("G");
    ++drops;
    drip = loop_->After(20ms, again);
  };
  again();
  EXPECT_TRUE(Run());
  EXPECT_LT(drops, 20);
  EXPECT_EQ(client->text(), "");
}

TEST_F(StatusServerTest, ALargeAnswerGoesOutAsFastAsItIsRead) {
  Listen();
  const auto client = Connect(false, 4096);
  client->StopReading();
  client->Send("GET /large HTTP/1.0\r\n\r\n");
  RunDue();  // the server has filled what the kernel takes
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_THAT(Get("/healthz"), EndsWith("ok\n")) << "meanwhile others are served";
  client->Read();
  EXPECT_TRUE(Run());
  EXPECT_EQ(client->over(), "closed");
  EXPECT_EQ(client->text().size() - client->text().find("\r\n\r\n") - 4, kLarge);
}

TEST_F(StatusServerTest, AClientThatDoesNotReadIsCutOff) {
  Listen("127.0.0.1:0", 100ms);
  const auto client = Connect(false, 4096);
  client->StopReading();
  client->Send("GET /large HTTP/1.0\r\n\r\n");
  const size_t before = OpenDescriptors();
  const Handle later = loop_->After(300ms, [&] { loop_->Stop(); });
  loop_->Run();
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_EQ(OpenDescriptors(), before);  // accepted and closed again
  client->Read();
  EXPECT_TRUE(Run());
  EXPECT_LT(client->text().size(), kLarge);
}

TEST_F(StatusServerTest, SurvivesClientsThatReset) {
  Listen();
  for (const std::string_view sent :
       {"", "GET", "GET /large HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.0\r\n\r\n"}) {
    const auto client = Connect(false, 4096);
    client->StopReading();
    client->Send(sent);
    RunDue();
    client->Reset();
    RunDue();
  }
  EXPECT_THAT(Get("/healthz"), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, TheOldestConnectionGivesWayToANewOne) {
  Listen();
  std::vector<std::unique_ptr<Client>> idle;
  for (size_t i = 0; i < kMaxStatusConnections; ++i) idle.push_back(Connect());
  RunDue();
  EXPECT_EQ(idle[0]->over(), "");
  const auto last = Connect();
  EXPECT_TRUE(Run());
  EXPECT_EQ(idle[0]->over(), "closed");
  EXPECT_EQ(idle[1]->over(), "");
  idle[1]->Send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(Run());
  EXPECT_THAT(idle[1]->text(), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, ManyIdleConnectionsDoNotKeepAProbeOut) {
  Listen();
  std::vector<std::unique_ptr<Client>> idle;
  for (size_t i = 0; i < 10 * kMaxStatusConnections; ++i) {
    idle.push_back(std::make_unique<Client>(*loop_, server_->port(), [] {}));
    if (i % kMaxStatusConnections == 0) RunDue();
  }
  EXPECT_THAT(Get("/healthz"), EndsWith("ok\n"));
  size_t open = 0;
  for (const auto& client : idle) open += client->over().empty() ? 1U : 0U;
  EXPECT_LE(open, kMaxStatusConnections);
}

TEST_F(StatusServerTest, AProbeThatHasAskedIsAnsweredWhateverComesAfterIt) {
  Listen();
  const auto probe = Connect();
  probe->Send("GET /healthz HTTP/1.0\r\n\r\n");
  std::vector<std::unique_ptr<Client>> idle;
  for (size_t i = 0; i < 3 * kMaxStatusConnections; ++i) {
    idle.push_back(std::make_unique<Client>(*loop_, server_->port(), [] {}));
  }
  EXPECT_TRUE(Run());
  EXPECT_THAT(probe->text(), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, WithoutDescriptorsItWaitsAndDoesNotSpin) {
  Listen();
  const auto client = Connect();
  client->Send("GET /healthz HTTP/1.0\r\n\r\n");
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);
  close(lowest);
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  timespec cpu_before{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
  const Handle later = loop_->After(500ms, [&] { loop_->Stop(); });
  loop_->Run();
  timespec cpu_after{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(asked_.empty());
  EXPECT_LT((cpu_after.tv_sec - cpu_before.tv_sec) * 1'000'000'000 + cpu_after.tv_nsec -
                cpu_before.tv_nsec,
            100'000'000);
  EXPECT_TRUE(Run());
  EXPECT_THAT(client->text(), EndsWith("ok\n"));
}

TEST_F(StatusServerTest, MayBeDestroyedWithConnectionsOpen) {
  Listen();
  const auto idle = Connect();
  RunDue();
  server_.reset();
  EXPECT_TRUE(Run());
  EXPECT_EQ(idle->over(), "closed");
}

}  // namespace
}  // namespace certlatch
