#include "domain/nudge_pace.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

// How many go out within `length`, to whoever asks at each moment that the pace names.
int Count(NudgePace& pace, Instant& now, Duration length) {
  int count = 0;
  const Instant end = now + length;
  for (; now < end; now = std::max(pace.next(), now)) count += pace.Take(now) ? 1 : 0;
  now = end;
  return count;
}

TEST(NudgePace, TheFirstGoesAtOnceAndTheNextNotWithIt) {
  NudgePace pace(1);
  const Instant now{};
  EXPECT_TRUE(pace.Take(now));
  EXPECT_FALSE(pace.Take(now));
  EXPECT_GE(pace.next(), now + kFirstNudgePause / 2);
  EXPECT_LE(pace.next(), now + kFirstNudgePause);
}

TEST(NudgePace, GoesAtTheMomentThatItNames) {
  NudgePace pace(2);
  Instant now{};
  for (int i = 0; i < 20; ++i) {
    now = pace.next();
    EXPECT_FALSE(pace.Take(now - Duration(1))) << i;
    EXPECT_TRUE(pace.Take(now)) << i;
  }
}

TEST(NudgePace, IsEverSlowerUpToItsLongestPause) {
  NudgePace pace(3);
  Instant now{};
  const int first_minutes = Count(pace, now, 10min);
  const int later = Count(pace, now, 10min);
  EXPECT_GT(first_minutes, later);
  EXPECT_LE(later, 4);
  EXPECT_GE(Count(pace, now, kLongestNudgePause), 1) << "it never gives up";
}

TEST(NudgePace, BeginsAnewForSomethingElseButNotAtOnceEachTime) {
  NudgePace pace(4);
  Instant now{};
  (void)Count(pace, now, 1h);
  pace.OnExpected(now);
  EXPECT_LE(pace.next(), now + kNudgeAgain);
  (void)pace.Take(now = pace.next());
  EXPECT_LE(pace.next(), now + kFirstNudgePause) << "as fast as at the beginning";
  // Whatever the source says, and however often.
  int count = 0;
  for (int i = 0; i < 100; ++i, now += 100ms) {
    pace.OnExpected(now);
    count += pace.Take(now) ? 1 : 0;
  }
  EXPECT_LE(count, 11);
  EXPECT_GE(count, 5);
}

TEST(NudgePace, SomethingNewDoesNotPutOffWhatIsDueSooner) {
  NudgePace pace(5);
  pace.OnExpected(Instant{} + 1h);
  EXPECT_TRUE(pace.Take(Instant{} + 1h));
}

TEST(NudgePace, ARefusalHoldsWhateverIsExpected) {
  NudgePace pace(6);
  Instant now{};
  EXPECT_TRUE(pace.Take(now));
  pace.OnRefused(now);
  pace.OnExpected(now);
  EXPECT_EQ(pace.next(), now + kRefusedNudgePause);
  EXPECT_FALSE(pace.Take(now + kRefusedNudgePause - Duration(1)));
  EXPECT_TRUE(pace.Take(now + kRefusedNudgePause)) << "at once then: the right may have come";
}

}  // namespace
}  // namespace certlatch
