#include "domain/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace certlatch {
namespace {

TEST(Backoff, DoublesFromTheFirstDelayToTheLongestAndStaysThere) {
  Backoff backoff(100ms, 5s, 1);
  Duration step = 100ms;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const Duration delay = backoff.Next();
    EXPECT_GE(delay, step / 2) << attempt;
    EXPECT_LE(delay, step) << attempt;
    step = std::min<Duration>(step * 2, 5s);
  }
}

TEST(Backoff, BeginsAgainAfterAReset) {
  Backoff backoff(100ms, 5s, 1);
  for (int i = 0; i < 10; ++i) (void)backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next(), 100ms);
}

TEST(Backoff, SpreadsClientsThatBeganTogether) {
  std::set<Duration> delays;
  for (uint64_t seed = 0; seed < 100; ++seed) delays.insert(Backoff(100ms, 5s, seed).Next());
  EXPECT_GT(delays.size(), 90U);
}

TEST(Backoff, RepeatsItselfForTheSameSeed) {
  Backoff a(100ms, 5s, 42);
  Backoff b(100ms, 5s, 42);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(a.Next(), b.Next());
}

TEST(Backoff, NeverSpreadsBelowWhatTheServerAskedFor) {
  Backoff backoff(100ms, 5s, 7);
  for (int i = 0; i < 100; ++i) {
    const Duration delay = backoff.Spread(10s);
    EXPECT_GE(delay, 10s);
    EXPECT_LE(delay, 11s);
  }
}

}  // namespace
}  // namespace certlatch
