#include "domain/watch_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certlatch {
namespace {

using Do = WatchStep::Do;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Selection Certificate(const std::string& name) {
  return {*FindWellKnown({"certificate", "", "", false}), "prod", name, ""};
}

ApiAnswer Answer(int status, std::string body = "") {
  ApiAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

ApiAnswer NoAnswer(std::string problem) {
  ApiAnswer answer;
  answer.problem = std::move(problem);
  return answer;
}

std::string Object(const std::string& name, int version) {
  return R"({"metadata":{"namespace":"prod","name":")" + name + R"(","resourceVersion":")" +
         std::to_string(version) + R"("}})";
}

std::string List(int version, const std::string& items, const std::string& next = "") {
  return R"({"kind":"CertificateList","metadata":{"resourceVersion":")" + std::to_string(version) +
         R"(","continue":")" + next + R"("},"items":[)" + items + "]}";
}

WatchEvent Event(WatchEvent::Type type, const std::string& object) {
  return {type, *ParseJson(object)};
}

std::string StatusText(int code, const std::string& message, const std::string& name = "") {
  return R"({"kind":"Status","code":)" + std::to_string(code) + R"(,"message":")" + message +
         R"(","details":{"name":")" + name + R"("}})";
}

// A session for certificate/web with its list read at version 5.
struct Watching {
  explicit Watching(WatchSettings settings = {}) : session(Certificate("web"), settings) {
    session.Start();
    step = session.OnFetched(Answer(200, List(5, Object("web", 3))));
  }
  WatchSession session;
  WatchStep step;
};

const Instant kStart{};
const Instant kLater = kStart + 30s;

TEST(WatchSession, ListsTheOneNameThenWatchesFromTheListsVersion) {
  WatchSession session(Certificate("web"), {});
  WatchStep step = session.Start();
  EXPECT_EQ(step.what, Do::kFetch);
  EXPECT_EQ(
      step.target,
      "/apis/cert-manager.io/v1/namespaces/prod/certificates?fieldSelector=metadata.name%3Dweb");
  step = session.OnFetched(Answer(200, List(5, Object("web", 3))));
  EXPECT_EQ(step.what, Do::kWatch);
  EXPECT_THAT(step.target, HasSubstr("/certificates?watch=true&allowWatchBookmarks=true"));
  EXPECT_THAT(step.target, HasSubstr("&fieldSelector=metadata.name%3Dweb"));
  EXPECT_THAT(step.target, HasSubstr("&resourceVersion=5"));
  EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kKnown);
  EXPECT_NE(session.collection().Only(), nullptr);
}

TEST(WatchSession, AsksTheServerToEndTheWatchBeforeItTakesItForDead) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    WatchSettings settings;
    settings.seed = seed;
    const Watching watching(settings);
    const size_t at = watching.step.target.find("timeoutSeconds=") + 15;
    const int seconds = std::stoi(watching.step.target.substr(at));
    EXPECT_GE(std::chrono::seconds(seconds), settings.watch_for - 1s);
    EXPECT_GT(watching.step.length, std::chrono::seconds(seconds) + settings.watch_grace - 1s);
  }
}

TEST(WatchSession, ReadsAListInPagesAndShowsItOnlyWhenComplete) {
  WatchSession session({*FindWellKnown({"pods", "", "", false}), "prod", "", "app=web"}, {});
  WatchStep step = session.Start();
  EXPECT_THAT(step.target, HasSubstr("labelSelector=app%3Dweb&limit=100"));
  step = session.OnFetched(Answer(200, List(5, Object("a", 1), "next/+token")));
  EXPECT_EQ(step.what, Do::kFetch);
  EXPECT_THAT(step.target, HasSubstr("&continue=next%2F%2Btoken"));
  EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kUnknown);
  step = session.OnFetched(Answer(200, List(5, Object("b", 2))));
  EXPECT_EQ(step.what, Do::kWatch);
  EXPECT_EQ(session.collection().objects.size(), 2U);
}

TEST(WatchSession, BeginsTheListAnewWhenItsContinuationExpired) {
  WatchSession session({*FindWellKnown({"pods", "", "", false}), "prod", "", ""}, {});
  session.Start();
  session.OnFetched(Answer(200, List(5, Object("a", 1), "next")));
  WatchStep step = session.OnFetched(Answer(410, StatusText(410, "expired")));
  EXPECT_EQ(step.what, Do::kFetch);
  EXPECT_THAT(step.target, Not(HasSubstr("continue")));
  session.OnFetched(Answer(200, List(6, Object("b", 2))));
  EXPECT_EQ(session.collection().objects.size(), 1U);
}

TEST(WatchSession, FollowsTheEvents) {
  Watching watching;
  WatchSession& session = watching.session;
  EXPECT_EQ(session.OnEvent(Event(WatchEvent::Type::kDeleted, Object("web", 6))).what,
            Do::kNothing);
  EXPECT_EQ(session.collection().Only(), nullptr);
  session.OnEvent(Event(WatchEvent::Type::kAdded, Object("web", 7)));
  session.OnEvent(Event(WatchEvent::Type::kModified, Object("web", 8)));
  EXPECT_EQ((*session.collection().Only())["metadata"]["resourceVersion"].AsString(), "8");
}

TEST(WatchSession, TakesUpTheWatchWhereTheLastEventOrBookmarkLeftIt) {
  Watching watching;
  watching.session.OnEvent(Event(WatchEvent::Type::kModified, Object("web", 8)));
  WatchStep step = watching.session.OnWatchEnded(Answer(200), kStart, kLater);
  EXPECT_EQ(step.what, Do::kWatch);
  EXPECT_THAT(step.target, HasSubstr("resourceVersion=8"));
  watching.session.OnEvent(
      Event(WatchEvent::Type::kBookmark, R"({"metadata":{"resourceVersion":"90"}})"));
  step = watching.session.OnWatchEnded(Answer(200), kStart, kLater);
  EXPECT_THAT(step.target, HasSubstr("resourceVersion=90"));
}

TEST(WatchSession, ABookmarkIsNoChange) {
  Watching watching;
  const uint64_t before = watching.session.collection().revision;
  watching.session.OnEvent(
      Event(WatchEvent::Type::kBookmark, R"({"metadata":{"resourceVersion":"90"}})"));
  EXPECT_EQ(watching.session.collection().revision, before);
}

TEST(WatchSession, ListsAgainWhenItsVersionIsGoneInEitherForm) {
  for (const bool as_event : {true, false}) {
    Watching watching;
    const WatchStep step =
        as_event
            ? watching.session.OnEvent(Event(WatchEvent::Type::kError, StatusText(410, "too old")))
            : watching.session.OnWatchEnded(Answer(410, StatusText(410, "too old")), kStart,
                                            kLater);
    EXPECT_EQ(step.what, Do::kFetch);
    EXPECT_THAT(step.target, Not(HasSubstr("resourceVersion")));
    // What was known stays known meanwhile.
    EXPECT_NE(watching.session.collection().Only(), nullptr);
  }
}

TEST(WatchSession, SlowsDownWhenEveryWatchEndsAtOnce) {
  Watching watching;
  WatchStep step = watching.session.OnWatchEnded(Answer(200), kStart, kStart);
  EXPECT_EQ(step.what, Do::kWatch);
  Duration total{};
  for (int i = 0; i < 10; ++i) {
    step = watching.session.OnWatchEnded(Answer(200), kStart, kStart);
    ASSERT_EQ(step.what, Do::kPause);
    total += step.length;
    EXPECT_EQ(watching.session.OnPauseOver().what, Do::kWatch);
  }
  EXPECT_GT(total, 10s);
}

TEST(WatchSession, SlowsDownWhenEveryWatchEndsAfterItsFirstEvent) {
  Watching watching;
  Duration total{};
  for (int i = 0; i < 10; ++i) {
    watching.session.OnEvent(Event(WatchEvent::Type::kModified, Object("web", 8)));
    const WatchStep step = watching.session.OnWatchEnded(Answer(200), kStart, kStart);
    total += step.length;
    EXPECT_EQ(step.what, i == 0 ? Do::kWatch : Do::kPause) << i;
    if (step.what == Do::kPause) watching.session.OnPauseOver();
  }
  EXPECT_GT(total, 10s);
}

TEST(WatchSession, ASilentWatchIsReplacedAtOnceThoughThereWasTroubleBefore) {
  Watching watching;
  for (int i = 0; i < 5; ++i) watching.session.OnWatchEnded(NoAnswer("broke"), kStart, kStart);
  EXPECT_EQ(watching.session.OnWatchDead().what, Do::kFetch);
}

TEST(WatchSession, SlowsDownWhenEveryVersionIsGone) {
  Watching watching;
  watching.session.OnEvent(Event(WatchEvent::Type::kError, StatusText(410, "")));
  for (int i = 0; i < 5; ++i) {
    watching.session.OnFetched(Answer(200, List(5, Object("web", 3))));
    const WatchStep step =
        watching.session.OnEvent(Event(WatchEvent::Type::kError, StatusText(410, "")));
    EXPECT_EQ(step.what, Do::kPause) << i;
    EXPECT_EQ(watching.session.OnPauseOver().what, Do::kFetch);
  }
}

TEST(WatchSession, ReadsAnewWhenAWatchFellSilent) {
  Watching watching;
  EXPECT_EQ(watching.session.OnWatchDead().what, Do::kFetch);
  EXPECT_TRUE(watching.session.trouble().has_value());
  watching.session.OnFetched(Answer(200, List(6, Object("web", 3))));
  EXPECT_FALSE(watching.session.trouble().has_value());
}

TEST(WatchSession, KeepsTryingWhileTheServerIsAwayAndForgetsTheTroubleWhenItIsBack) {
  WatchSession session(Certificate("web"), {});
  session.Start();
  for (int i = 0; i < 20; ++i) {
    const WatchStep step = session.OnFetched(NoAnswer("cannot connect"));
    EXPECT_EQ(step.what, Do::kPause);
    EXPECT_LE(step.length, 5s);
    EXPECT_EQ(session.trouble()->code, Code::kRetry);
    EXPECT_EQ(session.OnPauseOver().what, Do::kFetch);
  }
  session.OnFetched(Answer(200, List(5, "")));
  EXPECT_FALSE(session.trouble().has_value());
  EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kKnown);
}

TEST(WatchSession, WaitsAsLongAsTheServerAsksFor) {
  for (const int status : {429, 503}) {
    WatchSession session(Certificate("web"), {});
    session.Start();
    ApiAnswer answer = Answer(status, "slow down");
    answer.retry_after = 7s;
    const WatchStep step = session.OnFetched(answer);
    EXPECT_EQ(step.what, Do::kPause);
    EXPECT_GE(step.length, 7s);
    EXPECT_LE(step.length, 8s);
  }
}

TEST(WatchSession, ReadsAnewAfterABrokenWatchAndSoKnowsThatAllIsWellAgain) {
  Watching watching;
  EXPECT_EQ(watching.session.OnWatchEnded(NoAnswer("connection reset"), kStart, kLater).what,
            Do::kPause);
  EXPECT_EQ(watching.session.OnPauseOver().what, Do::kFetch);
  EXPECT_TRUE(watching.session.trouble().has_value());
  EXPECT_EQ(watching.session.OnFetched(Answer(200, List(6, Object("web", 3)))).what, Do::kWatch);
  EXPECT_FALSE(watching.session.trouble().has_value());
}

// A server restored from a backup, or a replica that lags behind, does not know our version yet.
TEST(WatchSession, DoesNotInsistOnAVersionThatTheServerRefuses) {
  Watching watching;
  watching.session.OnWatchEnded(Answer(504, StatusText(504, "Too large resource version")), kStart,
                                kStart);
  EXPECT_EQ(watching.session.OnPauseOver().what, Do::kFetch);
  EXPECT_THAT(watching.session.OnFetched(Answer(200, List(2, ""))).target,
              HasSubstr("resourceVersion=2"));
}

// An authorizer that has just been started may not know its rules yet.
TEST(WatchSession, BelievesTheLossOfARightOnlyWhenItLasts) {
  Watching watching;
  WatchSession& session = watching.session;
  session.OnWatchEnded(NoAnswer("connection reset"), kStart, kLater);
  session.OnPauseOver();
  EXPECT_EQ(session.OnFetched(Answer(403)).what, Do::kPause);
  session.OnPauseOver();
  EXPECT_EQ(session.OnFetched(Answer(200, List(6, Object("web", 3)))).what, Do::kWatch);
  WatchStep step;
  for (int i = 0; i < 20 && step.what != Do::kStop; ++i) {
    step = session.OnFetched(Answer(403, StatusText(403, "no")));
    if (step.what == Do::kPause) session.OnPauseOver();
  }
  EXPECT_EQ(step.what, Do::kStop);
}

TEST(WatchSession, GoesOnWatchingAfterAPassingDenial) {
  Watching watching;
  WatchSession& session = watching.session;
  EXPECT_EQ(session.OnWatchEnded(Answer(200), kStart, kLater).what, Do::kWatch);
  EXPECT_EQ(session.OnWatchEnded(Answer(403), kLater, kLater).what, Do::kPause);
  session.OnPauseOver();
  EXPECT_EQ(session.OnFetched(Answer(200, List(6, Object("web", 3)))).what, Do::kWatch);
  EXPECT_TRUE(session.TakeWarnings().empty());
}

TEST(WatchSession, DoesNotFollowAListWithoutEnd) {
  WatchSession session({*FindWellKnown({"pods", "", "", false}), "prod", "", ""}, {});
  session.Start();
  WatchStep step{Do::kFetch, "", {}};
  for (size_t i = 0; i < 2 * kMaxObjects && step.what == Do::kFetch; ++i) {
    step = session.OnFetched(Answer(200, List(5, "", "again")));
  }
  EXPECT_EQ(step.what, Do::kPause);
}

TEST(WatchSession, ReadsEverythingAnewAfterBytesThatWereNoEvents) {
  Watching watching;
  WatchStep step = watching.session.OnMalformed(Error{Code::kRetry, "not valid JSON"});
  EXPECT_EQ(step.what, Do::kPause);
  EXPECT_EQ(watching.session.OnPauseOver().what, Do::kFetch);
}

TEST(WatchSession, RefusesEventsWithoutVersionOrName) {
  for (const char* object :
       {R"({"metadata":{"name":"web"}})", R"({"metadata":{"resourceVersion":"9"}})", "{}"}) {
    Watching watching;
    const WatchStep step = watching.session.OnEvent(Event(WatchEvent::Type::kModified, object));
    EXPECT_EQ(step.what, Do::kPause) << object;
    EXPECT_TRUE(watching.session.trouble().has_value());
  }
}

TEST(WatchSession, BelievesNoObjectOfAnotherName) {
  Watching watching;
  watching.session.OnEvent(Event(WatchEvent::Type::kDeleted, Object("web", 6)));
  watching.session.OnEvent(Event(WatchEvent::Type::kAdded, Object("other", 7)));
  EXPECT_EQ(watching.session.collection().Only(), nullptr);
}

TEST(WatchSession, GetsTheObjectWhereListingIsForbidden) {
  WatchSession session(Certificate("web"), {});
  session.Start();
  WatchStep step = session.OnFetched(Answer(403, StatusText(403, "cannot list")));
  EXPECT_EQ(step.what, Do::kFetch);
  EXPECT_EQ(step.target, "/apis/cert-manager.io/v1/namespaces/prod/certificates/web");
  step = session.OnFetched(Answer(200, Object("web", 3)));
  EXPECT_EQ(step.what, Do::kWatch);
  // The object's own version may be long gone: the watch begins by telling the present state.
  EXPECT_THAT(step.target, Not(HasSubstr("resourceVersion")));
  EXPECT_NE(session.collection().Only(), nullptr);
  // Such a watch does not tell of a deletion before it: get does.
  EXPECT_EQ(session.OnWatchEnded(Answer(200), kStart, kLater).what, Do::kFetch);
  session.OnFetched(Answer(404, StatusText(404, "not found", "web")));
  EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kKnown);
  EXPECT_EQ(session.collection().Only(), nullptr);
}

TEST(WatchSession, StopsWhereReadingIsForbiddenAltogetherInTheServersWords) {
  WatchSession session(Certificate("web"), {});
  session.Start();
  session.OnFetched(Answer(403, StatusText(403, "cannot list")));
  const WatchStep step = session.OnFetched(Answer(403, StatusText(403, "User x cannot get y")));
  EXPECT_EQ(step.what, Do::kStop);
  EXPECT_EQ(session.trouble()->code, Code::kDenied);
  EXPECT_EQ(session.trouble()->text, "User x cannot get y");
}

TEST(WatchSession, WaitsForMissingRightsIfAskedTo) {
  WatchSettings settings;
  settings.retry_forbidden = true;
  WatchSession session(Certificate("web"), settings);
  session.Start();
  session.OnFetched(Answer(403));
  EXPECT_EQ(session.OnFetched(Answer(403)).what, Do::kPause);
  const WatchStep step = session.OnPauseOver();
  EXPECT_THAT(step.target, HasSubstr("fieldSelector"));  // from the beginning: list may be granted
}

TEST(WatchSession, PollsWhereWatchingIsForbiddenAndSaysSoOnce) {
  Watching watching;
  WatchSession& session = watching.session;
  WatchStep step =
      session.OnWatchEnded(Answer(403, StatusText(403, "cannot watch")), kStart, kStart);
  EXPECT_EQ(step.what, Do::kPause);
  EXPECT_EQ(step.length, 2s);
  const auto warnings = session.TakeWarnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0],
              StartsWith("cannot watch certificates.cert-manager.io, polling every 2s"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(session.OnPauseOver().what, Do::kFetch);
    step = session.OnFetched(Answer(200, List(6 + i, Object("web", 6))));
    EXPECT_EQ(step.what, Do::kPause);
    EXPECT_EQ(step.length, 2s);
  }
  EXPECT_TRUE(session.TakeWarnings().empty());
}

TEST(WatchSession, ReadsTheTokenAgainAfter401UnlessItIsFixed) {
  WatchSession session(Certificate("web"), {});
  session.Start();
  EXPECT_EQ(session.OnFetched(Answer(401)).what, Do::kPause);
  WatchSettings fixed;
  fixed.retry_unauthorized = false;
  WatchSession other(Certificate("web"), fixed);
  other.Start();
  EXPECT_EQ(other.OnFetched(Answer(401)).what, Do::kStop);
  EXPECT_EQ(other.trouble()->code, Code::kDenied);
}

TEST(WatchSession, WaitsForATypeThatIsNotServedYet) {
  WatchSession session(Certificate("web"), {});
  session.Start();
  const WatchStep step = session.OnFetched(Answer(404, "404 page not found\n"));
  EXPECT_EQ(step.what, Do::kPause);
  EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kNotServed);
  EXPECT_EQ(session.trouble()->code, Code::kNotFound);
  session.OnPauseOver();
  EXPECT_EQ(session.OnFetched(Answer(200, List(5, ""))).what, Do::kWatch);
  EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kKnown);
}

TEST(WatchSession, FallsBackToTheOlderVersionOfAType) {
  WatchSession session({*FindWellKnown({"endpointslices", "", "", false}), "prod", "", ""}, {});
  EXPECT_THAT(session.Start().target, StartsWith("/apis/discovery.k8s.io/v1/"));
  const WatchStep step = session.OnFetched(Answer(404, "404 page not found\n"));
  EXPECT_EQ(step.what, Do::kFetch);
  EXPECT_THAT(step.target, StartsWith("/apis/discovery.k8s.io/v1beta1/"));
}

TEST(WatchSession, StopsAtAnAnswerThatTryingAgainWillNotChange) {
  for (const int status : {301, 400, 406, 422}) {
    WatchSession session(Certificate("web"), {});
    session.Start();
    EXPECT_EQ(session.OnFetched(Answer(status, "no")).what, Do::kStop) << status;
    EXPECT_EQ(session.trouble()->code, Code::kConfig);
  }
}

TEST(WatchSession, RetriesAnswersThatAreNoLists) {
  for (const char* body :
       {"", "{", "[]", R"({"items":{}})", R"({"metadata":{"resourceVersion":"5"}})",
        R"({"items":[]})", R"({"metadata":{"resourceVersion":"1"},"items":[{}]})"}) {
    WatchSession session(Certificate("web"), {});
    session.Start();
    EXPECT_EQ(session.OnFetched(Answer(200, body)).what, Do::kPause) << body;
    EXPECT_EQ(session.collection().knowledge, Collection::Knowledge::kUnknown) << body;
  }
}

TEST(WatchSession, StopsAtMoreObjectsThanItMayHold) {
  WatchSession session({*FindWellKnown({"pods", "", "", false}), "prod", "", ""}, {});
  session.Start();
  WatchStep step;
  for (size_t i = 0; i <= kMaxObjects && step.what != Do::kStop; ++i) {
    step = session.OnFetched(Answer(200, List(5, Object("p" + std::to_string(i), 1), "next")));
  }
  EXPECT_EQ(step.what, Do::kStop);
  EXPECT_THAT(session.trouble()->text, HasSubstr("narrow the selector"));
}

TEST(UrlEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(UrlEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(UrlEncode("a=b&c d/%\xc3\xa4"), "a%3Db%26c%20d%2F%25%C3%A4");
}

}  // namespace
}  // namespace certlatch
