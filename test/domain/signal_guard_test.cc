#include "domain/signal_guard.h"

#include <gmock/gmock.h>

#include <csignal>
#include <string>

namespace certlatch {
namespace {

using Kind = SignalVerdict::Kind;
using ::testing::HasSubstr;

constexpr uint64_t kHup = uint64_t{1} << (SIGHUP - 1);
constexpr uint64_t kAll = ~uint64_t{0};

// An old process with a handler.
SignalFacts Facts(SignalMasks masks = {kHup, 0, 0, 0, false}) {
  SignalFacts facts;
  facts.signal = SIGHUP;
  facts.masks = masks;
  facts.age = 1h;
  facts.first_signal_after = 10s;
  return facts;
}

TEST(MaySignal, OfEveryWayAProcessCanStandToASignal) {
  struct Row {
    const char* what;
    SignalMasks masks;
    Kind kind;
    const char* reason;
  };
  const Row rows[] = {
      {"a handler", {kHup, 0, 0, 0, false}, Kind::kSend, ""},
      {"handlers for all", {kAll, 0, 0, 0, false}, Kind::kSend, ""},
      {"a handler, blocked now", {kHup, kHup, 0, 0, false}, Kind::kSend, ""},
      {"PID 1 with a handler", {kHup, 0, 0, 0, true}, Kind::kSend, ""},
      {"blocked alone", {0, kHup, 0, 0, false}, Kind::kLookAgain, ""},
      {"all blocked", {0, kAll, 0, 0, false}, Kind::kLookAgain, ""},
      {"nothing",
       {0, 0, 0, 0, false},
       Kind::kDefer,
       "has no handler for SIGHUP yet: it could end by it"},
      {"all but it",
       {kAll ^ kHup, kAll ^ kHup, 0, 0, false},
       Kind::kDefer,
       "has no handler for SIGHUP yet: it could end by it"},
      {"ignored", {0, 0, kHup, 0, false}, Kind::kRefuse, "ignores SIGHUP"},
      {"PID 1, ignored", {0, 0, kHup, 0, true}, Kind::kRefuse, "ignores SIGHUP"},
      {"PID 1 without a handler",
       {0, 0, 0, 0, true},
       Kind::kRefuse,
       "is PID 1 of its namespace and has no handler for SIGHUP: the kernel drops it"},
  };
  for (const Row& row : rows) {
    const SignalVerdict verdict = MaySignal(Facts(row.masks));
    EXPECT_EQ(verdict.kind, row.kind) << row.what;
    EXPECT_EQ(verdict.reason, row.reason) << row.what;
  }
}

TEST(MaySignal, TheFirstSignalWaitsForAnAnswerOrForTime) {
  struct Row {
    Duration age;
    bool answered;
    bool signalled;
    Kind kind;
  };
  const Row rows[] = {
      {9999ms, false, false, Kind::kDefer}, {10s, false, false, Kind::kSend},
      {0s, true, false, Kind::kSend},       {0s, false, true, Kind::kSend},
      {-10ms, false, false, Kind::kDefer},
  };
  for (const Row& row : rows) {
    SignalFacts facts = Facts({kAll, 0, 0, 0, false});
    facts.age = row.age;
    facts.answered = row.answered;
    facts.signalled = row.signalled;
    const SignalVerdict verdict = MaySignal(facts);
    EXPECT_EQ(verdict.kind, row.kind) << row.age.count();
    if (row.kind != Kind::kDefer) continue;
    EXPECT_EQ(verdict.retry_in, 10s - row.age);
    EXPECT_THAT(verdict.reason, HasSubstr("younger than 10s and has not answered a probe"));
  }
}

TEST(MaySignal, WithoutAnyGraceTheHandlerAloneDecides) {
  SignalFacts facts = Facts();
  facts.age = 0s;
  facts.first_signal_after = 0s;
  EXPECT_EQ(MaySignal(facts).kind, Kind::kSend);
  facts.masks.caught = 0;
  EXPECT_EQ(MaySignal(facts).kind, Kind::kDefer);
}

TEST(MaySignal, NeitherAnAnswerNorAnEarlierSignalReplacesTheHandler) {
  SignalFacts facts = Facts({0, 0, 0, 0, false});
  facts.answered = true;
  facts.signalled = true;
  facts.was_held = true;
  EXPECT_EQ(MaySignal(facts).kind, Kind::kDefer);
}

TEST(MaySignal, AYoungAppIsAskedAgainSoonForItsHandler) {
  SignalFacts facts = Facts({0, 0, 0, 0, false});
  EXPECT_EQ(MaySignal(facts).retry_in, 0s) << "not known: it may never get one";
  facts.age = 1s;
  EXPECT_EQ(MaySignal(facts).retry_in, 1s);
}

TEST(MaySignal, WhatIsBlockedTwiceIsReadFromASignalfd) {
  SignalFacts facts = Facts({0, kHup, 0, 0, false});
  facts.was_held = true;
  EXPECT_EQ(MaySignal(facts).kind, Kind::kSend);
}

TEST(MaySignal, KillCannotBeHandled) {
  SignalFacts facts = Facts({kAll ^ uint64_t{1} << (SIGKILL - 1), 0, 0, 0, false});
  facts.signal = SIGKILL;
  EXPECT_EQ(MaySignal(facts).kind, Kind::kDefer);
}

}  // namespace
}  // namespace certlatch
