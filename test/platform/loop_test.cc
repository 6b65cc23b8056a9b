#include "platform/loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "test/platform/loop_fixture.h"
#include "test/support/child.h"

namespace certlatch {
namespace {

using ::testing::ElementsAre;

// A descriptor that is readable from the start and stays so.
UniqueFd ReadableFd() { return UniqueFd(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)); }

TEST_F(EventLoopTest, RunsTimersInOrderAndNeverEarly) {
  std::vector<int> order;
  std::vector<Handle> handles;
  const Instant start = Loop::Now();
  const auto add = [&](int number, Duration length) {
    handles.push_back(loop_->After(length, [&order, number, start, length, this] {
      EXPECT_GE(Loop::Now(), start + length);
      order.push_back(number);
      if (order.size() == 5) loop_->Stop();
    }));
  };
  add(4, 30ms);
  add(2, Duration(1'500'000));
  add(0, -1s);
  add(1, Duration::zero());
  add(3, Duration(1'500'001));
  ASSERT_TRUE(Run());
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(EventLoopTest, TimersOfTheSameInstantRunInTheOrderTheyWereSet) {
  std::vector<int> order;
  std::vector<Handle> handles;
  handles.reserve(100);
  for (int i = 0; i < 100; ++i) {
    handles.push_back(loop_->After(Duration::zero(), [&order, i] { order.push_back(i); }));
  }
  RunDue();
  EXPECT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(EventLoopTest, ATimerThatAlwaysSetsTheNextDoesNotStarveDescriptors) {
  int turns = 0;
  Handle timer;
  std::function<void()> again = [&] {
    ++turns;
    timer = loop_->After(Duration::zero(), [&] { again(); });
  };
  again();
  const UniqueFd fd = ReadableFd();
  const Handle watch = loop_->WatchFd(fd.get(), EPOLLIN, [&](uint32_t) { loop_->Stop(); });
  ASSERT_TRUE(Run());
  EXPECT_LT(turns, 100);
}

TEST_F(EventLoopTest, ADescriptorThatIsAlwaysReadyDoesNotStarveTimers) {
  const UniqueFd fd = ReadableFd();
  const Handle watch = loop_->WatchFd(fd.get(), EPOLLIN, [](uint32_t) {});
  const Handle timer = loop_->After(5ms, [&] { loop_->Stop(); });
  EXPECT_TRUE(Run());
}

TEST_F(EventLoopTest, ACancelledTimerDoesNotRun) {
  Handle cancelled = loop_->After(Duration::zero(), [] { FAIL(); });
  cancelled.reset();
  Handle later = loop_->After(2ms, [] { FAIL(); });
  const Handle canceller = loop_->After(1ms, [&] { later.reset(); });
  RunDue();
}

TEST_F(EventLoopTest, ATimerCancelledByOneDueInTheSameRoundDoesNotRun) {
  Handle second;
  const Handle first = loop_->After(Duration::zero(), [&] { second.reset(); });
  second = loop_->After(Duration::zero(), [] { FAIL(); });
  RunDue();
  EXPECT_EQ(second, nullptr);
}

TEST_F(EventLoopTest, ATimerMayDestroyAndReplaceItsOwnHandle) {
  const std::string captured(100, 'x');
  std::string seen;
  Handle timer;
  timer = loop_->After(Duration::zero(), [&, captured] {
    timer = loop_->After(Duration::zero(), [&] { loop_->Stop(); });
    seen = captured;  // what is captured outlives the handle
  });
  ASSERT_TRUE(Run());
  EXPECT_EQ(seen, captured);
}

TEST_F(EventLoopTest, AnEndlessTimerIsNeverDue) {
  const Handle never = loop_->After(Duration::max(), [] { FAIL(); });
  const Handle almost_never = loop_->After(24h * 365, [] { FAIL(); });
  RunDue();
}

TEST_F(EventLoopTest, RunsManyTimersInOrderThoughSomeAreCancelled) {
  constexpr int kTimers = 20'000;
  std::mt19937 random(7);
  std::vector<Handle> handles(kTimers);
  struct Due {
    Instant earliest;
    Instant latest;
  };
  std::vector<Due> all(kTimers);
  std::vector<Due> due;
  for (int i = 0; i < kTimers; ++i) {
    const Duration length = std::chrono::microseconds(random() % 50'000);
    Due& one = all[static_cast<size_t>(i)];
    one.earliest = Loop::Now() + length;
    handles[static_cast<size_t>(i)] = loop_->After(length, [&due, &one] { due.push_back(one); });
    one.latest = Loop::Now() + length;
  }
  for (size_t i = 0; i < kTimers; i += 2) handles[i].reset();
  const Handle end = loop_->After(60ms, [&] { loop_->Stop(); });
  ASSERT_TRUE(Run());
  EXPECT_EQ(due.size(), kTimers / 2U);
  for (size_t i = 1; i < due.size(); ++i) ASSERT_GE(due[i].latest, due[i - 1].earliest) << i;
}

TEST_F(EventLoopTest, AWatchMayDestroyItsOwnHandle) {
  const UniqueFd fd = ReadableFd();
  const std::string captured(100, 'x');
  std::string seen;
  int calls = 0;
  Handle watch;
  watch = loop_->WatchFd(fd.get(), EPOLLIN, [&, captured](uint32_t events) {
    EXPECT_EQ(events, static_cast<uint32_t>(EPOLLIN));
    ++calls;
    watch.reset();
    seen = captured;
  });
  RunDue();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, captured);
}

TEST_F(EventLoopTest, AWatchDestroyedByAnotherOfTheSameBatchIsNotCalled) {
  const UniqueFd first = ReadableFd();
  const UniqueFd second = ReadableFd();
  int calls = 0;
  Handle watches[2];
  const auto on_ready = [&](uint32_t) {
    ++calls;
    watches[0].reset();
    watches[1].reset();
  };
  watches[0] = loop_->WatchFd(first.get(), EPOLLIN, on_ready);
  watches[1] = loop_->WatchFd(second.get(), EPOLLIN, on_ready);
  RunDue();
  EXPECT_EQ(calls, 1);
}

// The kernel gives the lowest free number to the next descriptor: events of the old one must not
// reach the new one's watch.
TEST_F(EventLoopTest, AnEventOfAClosedDescriptorDoesNotReachItsSuccessor) {
  UniqueFd fds[2] = {ReadableFd(), ReadableFd()};
  UniqueFd successor;
  Handle watches[2];
  Handle successor_watch;
  const auto replace_other = [&](size_t other) {
    watches[other].reset();
    const int number = fds[other].get();
    fds[other].Reset();
    successor = UniqueFd(eventfd(0, EFD_CLOEXEC));
    EXPECT_EQ(successor.get(), number);
    successor_watch = loop_->WatchFd(successor.get(), EPOLLIN, [](uint32_t) { FAIL(); });
  };
  for (size_t i = 0; i < 2; ++i) {
    watches[i] = loop_->WatchFd(fds[i].get(), EPOLLIN, [&, i](uint32_t) {
      watches[i].reset();
      replace_other(1 - i);
    });
  }
  RunDue();
  EXPECT_NE(successor_watch, nullptr);
}

TEST_F(EventLoopTest, ADescriptorMayBeWatchedAgainForOtherEvents) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd in(ends[0]);
  const UniqueFd out(ends[1]);
  int calls = 0;
  Handle watch;
  watch = loop_->WatchFd(out.get(), 0, [](uint32_t) { FAIL() << "asked for no event"; });
  RunDue();
  watch.reset();
  watch = loop_->WatchFd(out.get(), EPOLLOUT, [&](uint32_t) {
    ++calls;
    loop_->Stop();
  });
  ASSERT_TRUE(Run());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, ServesMoreDescriptorsThanOneBatchHolds) {
  constexpr size_t kDescriptors = 200;
  std::vector<UniqueFd> fds;
  std::vector<Handle> watches(kDescriptors);
  size_t served = 0;
  for (size_t i = 0; i < kDescriptors; ++i) {
    fds.push_back(ReadableFd());
    watches[i] = loop_->WatchFd(fds[i].get(), EPOLLIN, [&, i](uint32_t) {
      watches[i].reset();
      if (++served == kDescriptors) loop_->Stop();
    });
  }
  EXPECT_TRUE(Run());
}

// As an older kernel does (ENOSYS), or an older runtime's seccomp profile (EPERM).
bool RefusePreciseWaiting(int problem) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(problem)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{sizeof program / sizeof program[0], program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(LoopOnOldKernels, RunsTimersNeverEarly) {
  for (const int problem : {ENOSYS, EPERM}) {
    EXPECT_IN_CHILD([problem]() -> std::string {
      if (!RefusePreciseWaiting(problem)) return "skip: no seccomp";
      const auto loop = Loop::Create();
      const Instant due = Loop::Now() + std::chrono::microseconds(2500);
      bool early = true;
      const Handle timer = (*loop)->After(std::chrono::microseconds(2500), [&] {
        early = Loop::Now() < due;
        (*loop)->Stop();
      });
      (*loop)->Run();
      return early ? "early" : "";
    });
  }
}

TEST_F(EventLoopTest, NothingIsCalledAfterStop) {
  const UniqueFd first = ReadableFd();
  const UniqueFd second = ReadableFd();
  int calls = 0;
  const auto stop = [&](uint32_t) {
    ++calls;
    loop_->Stop();
  };
  const Handle one = loop_->WatchFd(first.get(), EPOLLIN, stop);
  const Handle other = loop_->WatchFd(second.get(), EPOLLIN, stop);
  ASSERT_TRUE(Run());
  EXPECT_EQ(calls, 1);
  const Handle timer = loop_->After(Duration::zero(), [&] { loop_->Stop(); });
  const Handle next = loop_->After(Duration::zero(), [] { FAIL(); });
  const Handle kept = loop_->After(1h, [] {});
  loop_->Run();
}

TEST_F(EventLoopTest, AStopBeforeRunCounts) {
  loop_->Stop();
  EXPECT_TRUE(Run());
}

TEST_F(EventLoopTest, TellsOfSigtermAndSigint) {
  std::vector<int> signals;
  loop_->OnTermination([&](int signal) {
    signals.push_back(signal);
    if (signals.size() == 2) loop_->Stop();
  });
  kill(getpid(), SIGTERM);
  const Handle later = loop_->After(1ms, [] { kill(getpid(), SIGINT); });
  ASSERT_TRUE(Run());
  EXPECT_THAT(signals, ElementsAre(SIGTERM, SIGINT));
}

TEST_F(EventLoopTest, TakesASigtermThatNobodyHandles) {
  kill(getpid(), SIGTERM);
  RunDue();
}

TEST_F(EventLoopTest, TellsHowAChildEnded) {
  int status = 0;
  const pid_t child = StartChild(7);
  const Handle watch = loop_->OnChildExit(child, [&](int its_status) {
    status = its_status;
    loop_->Stop();
  });
  ASSERT_TRUE(Run());
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(HasChildren());
}

TEST_F(EventLoopTest, TellsThatAChildWasKilled) {
  int status = 0;
  const pid_t child = StartChild(-1);
  const Handle watch = loop_->OnChildExit(child, [&](int its_status) {
    status = its_status;
    loop_->Stop();
  });
  kill(child, SIGKILL);
  ASSERT_TRUE(Run());
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

// One SIGCHLD stands for many: they are not queued.
TEST_F(EventLoopTest, ReapsAllChildrenAlsoThoseThatNobodyWatches) {
  constexpr size_t kChildren = 20;
  std::vector<Handle> watches;
  std::vector<int> codes;
  for (size_t i = 0; i < kChildren; ++i) {
    const pid_t child = StartChild(static_cast<int>(i));
    if (i % 2 == 1) continue;
    watches.push_back(loop_->OnChildExit(child, [&](int status) {
      codes.push_back(WEXITSTATUS(status));
      if (codes.size() == kChildren / 2) loop_->Stop();
    }));
  }
  ASSERT_TRUE(Run());
  Handle look;
  std::function<void()> until_reaped = [&] {
    if (!HasChildren()) return loop_->Stop();
    look = loop_->After(1ms, [&] { until_reaped(); });
  };
  until_reaped();
  EXPECT_TRUE(Run());
}

TEST_F(EventLoopTest, AChildWatchDestroyedByAnotherIsNotCalled) {
  const pid_t children[2] = {StartChild(0), StartChild(0)};
  for (const pid_t child : children) {  // both have ended before the loop looks
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  }
  int calls = 0;
  Handle watches[2];
  for (size_t i = 0; i < 2; ++i) {
    watches[i] = loop_->OnChildExit(children[i], [&](int) {
      ++calls;
      watches[0].reset();
      watches[1].reset();
    });
  }
  RunDue();
  EXPECT_EQ(calls, 1);
}

// The kernel may give a reaped child's pid to the next one.
TEST_F(EventLoopTest, AnOldChildWatchDoesNotTakeANewOneOfTheSamePidAway) {
  const pid_t child = StartChild(0);
  Handle old_watch = loop_->OnChildExit(child, [](int) { FAIL(); });
  const Handle new_watch = loop_->OnChildExit(child, [&](int) { loop_->Stop(); });
  old_watch.reset();
  EXPECT_TRUE(Run());
}

TEST_F(EventLoopTest, TellsOfChildrenThoughOurParentHadThemIgnored) {
  loop_.reset();
  std::signal(SIGCHLD, SIG_IGN);
  auto loop = Loop::Create();
  ASSERT_TRUE(loop);
  loop_ = *std::move(loop);
  const Handle watch = loop_->OnChildExit(StartChild(3), [&](int status) {
    EXPECT_EQ(WEXITSTATUS(status), 3);
    loop_->Stop();
  });
  EXPECT_TRUE(Run());
}

}  // namespace
}  // namespace certlatch
