#include "platform/stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "test/platform/loop_fixture.h"
#include "test/platform/talk_server.h"

namespace certlatch {
namespace {

using test::TalkServer;
using test::Transport;
using ::testing::EndsWith;

// Says `first`, then hears until `enough` bytes have come.
struct Listener final : Talk {
  explicit Listener(Loop& loop) : loop_(loop), stream_(std::make_unique<Stream>(loop, *this)) {}

  bool Hear(std::string_view in, std::string& out) override {
    if (in.empty()) out = first;
    heard.append(in);
    return heard.size() < enough;
  }
  void End(std::string problem) override {
    EXPECT_FALSE(end) << "called twice";
    end = std::move(problem);
    stream_.reset();  // as its contract allows
    loop_.Stop();
  }

  std::string first;
  size_t enough = 1;
  std::string heard;
  std::optional<std::string> end;

  Loop& loop_;
  std::unique_ptr<Stream> stream_;
};

class StreamTest : public EventLoopTest {
 protected:
  std::string Talk(Listener& talk, const Endpoint& peer, Duration deadline = 30s) {
    talk.stream_->Open(peer, deadline);
    EXPECT_FALSE(talk.end) << "called from within Open";
    EXPECT_TRUE(Run());
    return talk.end.value_or("none");
  }
};

void Echo(Transport& peer) {
  std::string in;
  while (peer.Read(in, 30s) == test::Wake::kData) {
    peer.Write(in);
    in.clear();
  }
}

TEST_F(StreamTest, SaysAndHears) {
  const TalkServer server(Echo);
  Listener talk(*loop_);
  talk.first = "hello";
  talk.enough = 5;
  EXPECT_EQ(Talk(talk, server.endpoint()), "");
  EXPECT_EQ(talk.heard, "hello");
}

TEST_F(StreamTest, AConnectionAloneCanBeEnough) {
  const TalkServer server([](Transport& peer) {
    std::string in;
    peer.Read(in, 30s);
  });
  Listener talk(*loop_);
  talk.enough = 0;
  EXPECT_EQ(Talk(talk, server.endpoint()), "");
}

TEST_F(StreamTest, LooksNamesUpAndTriesEachAddress) {
  const TalkServer server(Echo);  // not on ::1
  Endpoint peer = server.endpoint();
  peer.host = "localhost";
  Listener talk(*loop_);
  talk.first = "x";
  EXPECT_EQ(Talk(talk, peer), "");
  Listener nobody(*loop_);
  peer.host = "no such name";
  EXPECT_THAT(Talk(nobody, peer), testing::StartsWith("cannot look up no such name: "));
  while (HasChildren()) RunDue();  // the look-ups' end after their answers
}

TEST_F(StreamTest, SaysAllEvenToASlowReader) {
  constexpr size_t kMuch = size_t{16} * 1024 * 1024;  // more than sockets buffer
  const TalkServer server([](Transport& peer) {
    std::string in;
    while (in.size() < kMuch && peer.Read(in, 30s) == test::Wake::kData) {
    }
    peer.Write(std::to_string(in.size()));
  });
  Listener talk(*loop_);
  talk.first = std::string(kMuch, 'x');
  talk.enough = 8;
  EXPECT_EQ(Talk(talk, server.endpoint()), "");
  EXPECT_EQ(talk.heard, "16777216");
}

TEST_F(StreamTest, ARefusalNamesThePeer) {
  const Endpoint peer = test::RefusingEndpoint();
  Listener talk(*loop_);
  EXPECT_EQ(Talk(talk, peer), "cannot connect to " + peer.text + ": Connection refused");
}

TEST_F(StreamTest, AnAddressThatIsImpossibleFailsFromTheLoopToo) {
  Listener talk(*loop_);
  EXPECT_THAT(Talk(talk, {"255.255.255.255", 1, "everybody:1"}),
              testing::StartsWith("cannot connect to everybody:1: "));
}

TEST_F(StreamTest, AnEndTooEarlyNamesThePeer) {
  const TalkServer closing([](Transport&) {});
  Listener talk(*loop_);
  EXPECT_EQ(Talk(talk, closing.endpoint()), closing.endpoint().text + " closed the connection");
  const TalkServer resetting([](Transport& peer) {
    std::string in;
    peer.Read(in, 30s);
    peer.Reset();
  });
  Listener other(*loop_);
  other.first = "x";
  EXPECT_EQ(Talk(other, resetting.endpoint()),
            "the connection to " + resetting.endpoint().text + " broke: Connection reset by peer");
}

TEST_F(StreamTest, WhatAPeerSaidBeforeItLeftIsHeard) {
  const TalkServer server([](Transport& peer) { peer.Write("bye"); });
  Listener talk(*loop_);
  talk.enough = 1000;
  EXPECT_THAT(Talk(talk, server.endpoint()), EndsWith(" closed the connection"));
  EXPECT_EQ(talk.heard, "bye");
}

TEST_F(StreamTest, TheDeadlineEndsASilentTalk) {
  const TalkServer server(Echo);
  Listener talk(*loop_);
  EXPECT_EQ(Talk(talk, server.endpoint(), 50ms),
            "no answer from " + server.endpoint().text + " within 50ms");
}

TEST_F(StreamTest, DestroyingItAtAnyTimeEndsIt) {
  const TalkServer server(Echo);
  for (const Duration after : {Duration{}, Duration(1ms), Duration(30ms)}) {
    Listener talk(*loop_);
    const Endpoint peer = server.endpoint();
    talk.stream_->Open(peer, 1h);
    const Handle end = loop_->After(after, [&] { talk.stream_.reset(); });
    RunDue();
    RunDue();
    EXPECT_FALSE(talk.end);
  }
}

// In a network of its own, whose only port for connections is 5555.
int ConnectToItself() {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return 77;
  const int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq up{};
  std::snprintf(up.ifr_name, sizeof up.ifr_name, "lo");
  up.ifr_flags = IFF_UP;
  if (write(range, "5555 5555", 9) != 9 || ioctl(any, SIOCSIFFLAGS, &up) != 0) return 77;
  auto loop = Loop::Create();
  Listener talk(**loop);
  talk.enough = 0;
  const Endpoint peer{"127.0.0.1", 5555, "itself"};
  talk.stream_->Open(peer, 10s);
  (*loop)->Run();
  return talk.end == "cannot connect to itself: Connection refused" ? 0 : 1;
}

TEST_F(StreamTest, AConnectionToItselfIsNone) {
  const pid_t child = fork();
  if (child == 0) _exit(ConnectToItself());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace certlatch
