#include "app/probe_loop.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/support/fake_host.h"

namespace certlatch {
namespace {

class ProbeLoopTest : public testing::Test {
 protected:
  void SetUp() override { what_.text = "tcp://db:1"; }
  void Answer(bool ready, const std::string& reason = "") {
    host_.AnswerProbe(host_.Find("tcp://db:1"), {ready, 0, reason});
  }
  size_t Attempts() const { return host_.history.size(); }

  test::FakeHost host_;
  Reachable what_;
  std::vector<std::string> told_;
  ProbeLoop loop_{host_, what_, [this](const ProbeOutcome& outcome) {
                    told_.push_back(outcome.ready ? "ready" : outcome.reason);
                    if (close_at_once_) loop_.Close();
                  }};
  bool close_at_once_ = false;
};

TEST_F(ProbeLoopTest, TriesAtOnceAndAgainASecondAfterEachAnswer) {
  loop_.Start(host_.Now() + 1min);
  ASSERT_EQ(Attempts(), 1U);
  host_.Advance(3s);
  EXPECT_EQ(Attempts(), 1U) << "one at a time";
  Answer(false, "refused");
  host_.Advance(kProbePause - 1ms);
  EXPECT_EQ(Attempts(), 1U);
  host_.Advance(1ms);
  EXPECT_EQ(Attempts(), 2U);
  Answer(true);
  host_.Advance(kProbePause);
  Answer(false, "refused again");
  EXPECT_EQ(told_, (std::vector<std::string>{"refused", "ready", "refused again"}));
}

TEST_F(ProbeLoopTest, NoAttemptOutlivesItsOwnLimitOrTheDeadline) {
  loop_.Start(host_.Now() + kProbeLimit + 2s);
  EXPECT_EQ(host_.probe_limit, kProbeLimit);
  host_.Advance(kProbeLimit);
  Answer(false);
  host_.Advance(kProbePause);
  EXPECT_EQ(host_.probe_limit, 2s - kProbePause);
  Answer(false);
  host_.Advance(1min);
  EXPECT_EQ(Attempts(), 2U);
}

TEST_F(ProbeLoopTest, LooksOnceWhereThereIsNoTime) {
  loop_.Start(host_.Now());
  ASSERT_EQ(Attempts(), 1U);
  EXPECT_EQ(host_.probe_limit, kProbeLimit);
  Answer(false, "refused");
  host_.Advance(1min);
  EXPECT_EQ(Attempts(), 1U);
  EXPECT_EQ(told_, std::vector<std::string>{"refused"});
}

TEST_F(ProbeLoopTest, GoesOnForeverWhereThereIsNoDeadline) {
  loop_.Start(kNever);
  for (int i = 0; i < 100; ++i) {
    host_.Advance(kProbePause);
    EXPECT_EQ(host_.probe_limit, kProbeLimit);
    Answer(false);
  }
  EXPECT_EQ(Attempts(), 100U);
}

TEST_F(ProbeLoopTest, ClosingEndsWhatIsUnderWay) {
  loop_.Start(host_.Now() + 1min);
  loop_.Close();
  EXPECT_TRUE(host_.Open().empty());
  EXPECT_FALSE(host_.HasTimers());
  EXPECT_TRUE(told_.empty());
}

TEST_F(ProbeLoopTest, ItsOwnerMayCloseItWhenToldOf) {
  close_at_once_ = true;
  loop_.Start(host_.Now() + 1min);
  Answer(true);
  EXPECT_FALSE(host_.HasTimers());
  EXPECT_EQ(told_, std::vector<std::string>{"ready"});
}

}  // namespace
}  // namespace certlatch
