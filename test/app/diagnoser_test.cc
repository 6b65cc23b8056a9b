#include "app/diagnoser.h"

#include <gtest/gtest.h>

#include "test/support/fake_host.h"

namespace certlatch {
namespace {

using test::FakeHost;

constexpr const char* kIssuing =
    R"({"metadata":{"name":"web","uid":"u"},"spec":{"issuerRef":{"name":"ca"}},"status":{
        "conditions":[{"type":"Ready","status":"False","reason":"DoesNotExist"},
                      {"type":"Issuing","status":"True"}]}})";
constexpr const char* kReady =
    R"({"metadata":{"name":"web","uid":"u"},"status":{"conditions":[
        {"type":"Ready","status":"True"}]}})";
constexpr const char* kNone = R"({"items":[]})";

struct Walks {
  Walks() : diagnoser(host, target, [this] { ++done; }) {
    target.name.name = "web";
    target.ns = "prod";
    target.resource = *FindWellKnown({"certificate", "", "", false});
  }
  void Start(const char* text) {
    const Json object = *ParseJson(text);
    diagnoser.Start(&object, {});
  }
  std::string Asked() const { return host.Open().empty() ? "" : host.Open()[0].target; }
  void Answer(int status, const char* body) {
    ASSERT_EQ(host.Open().size(), 1U) << "one request at a time";
    host.Answer(host.Find("/"), status, body);
  }

  FakeHost host;
  Target target;
  int done = 0;
  Diagnoser diagnoser;
};

TEST(Diagnoser, AsksOneQuestionAfterTheOtherThenTellsItsOwner) {
  Walks walks;
  walks.Start(kIssuing);
  EXPECT_EQ(walks.Asked(),
            "/apis/cert-manager.io/v1/namespaces/prod/certificaterequests?limit=250");
  walks.Answer(200, kNone);
  EXPECT_EQ(walks.Asked(), "/apis/cert-manager.io/v1/namespaces/prod/issuers/ca");
  EXPECT_EQ(walks.done, 0);
  walks.Answer(404, R"({"kind":"Status","details":{"name":"ca"}})");
  EXPECT_EQ(walks.done, 1);
  EXPECT_TRUE(walks.host.Open().empty());
  EXPECT_EQ(walks.diagnoser.Summary(walks.host.WallNow()),
            "issuer/ca: does not exist in namespace prod");
}

TEST(Diagnoser, TellsItsOwnerLaterThoughThereIsNothingToAsk) {
  Walks walks;
  walks.Start(kReady);
  EXPECT_EQ(walks.done, 0);
  walks.host.Advance(0s);
  EXPECT_EQ(walks.done, 1);
  EXPECT_TRUE(walks.host.history.empty());
  EXPECT_EQ(walks.diagnoser.Summary(walks.host.WallNow()), "is ready");
}

TEST(Diagnoser, DropsTheWalkUnderWayWhenItIsStartedAgain) {
  Walks walks;
  walks.Start(kIssuing);
  walks.Start(kReady);
  EXPECT_TRUE(walks.host.Open().empty());
  walks.host.Advance(0s);
  EXPECT_EQ(walks.done, 1);
  EXPECT_EQ(walks.diagnoser.Summary(walks.host.WallNow()), "is ready");
}

TEST(Diagnoser, ShowsTheFirstWalkAsItGrowsAndLaterTheLastOneThatWasCompleted) {
  Walks walks;
  EXPECT_EQ(walks.diagnoser.latest(), nullptr);
  EXPECT_EQ(walks.diagnoser.Summary(walks.host.WallNow()), "");
  walks.Start(kIssuing);
  EXPECT_EQ(walks.diagnoser.Summary(walks.host.WallNow()), "is not ready (DoesNotExist)");
  walks.Start(kReady);
  walks.host.Advance(0s);
  walks.Start(kIssuing);
  EXPECT_EQ(walks.diagnoser.Summary(walks.host.WallNow()), "is ready");
}

TEST(Diagnoser, KnowsWhetherAWalkFoundAnythingNew) {
  Walks walks;
  walks.Start(kReady);
  walks.host.Advance(0s);
  EXPECT_TRUE(walks.diagnoser.changed());
  walks.Start(kReady);
  walks.host.Advance(1h);
  EXPECT_FALSE(walks.diagnoser.changed());
  walks.Start(kIssuing);
  walks.Answer(403, "{}");
  walks.Answer(403, "{}");
  EXPECT_TRUE(walks.diagnoser.changed());
}

TEST(Diagnoser, MayBeStartedAgainByWhoIsTold) {
  FakeHost host;
  Target target;
  target.resource = *FindWellKnown({"certificate", "", "", false});
  const Json ready = *ParseJson(kReady);
  int done = 0;
  Diagnoser diagnoser(host, target, [&] {
    if (++done < 3) diagnoser.Start(&ready, {});
  });
  diagnoser.Start(&ready, {});
  host.Advance(1s);
  EXPECT_EQ(done, 3);
}

TEST(Diagnoser, LeavesNothingBehindWhenItGoesInMidWalk) {
  FakeHost host;
  Target target;
  target.ns = "prod";
  target.resource = *FindWellKnown({"certificate", "", "", false});
  const Json issuing = *ParseJson(kIssuing);
  {
    Diagnoser diagnoser(host, target, [] { FAIL() << "told after its end"; });
    diagnoser.Start(&issuing, {});
    EXPECT_EQ(host.Open().size(), 1U);
  }
  EXPECT_TRUE(host.Open().empty());
}

}  // namespace
}  // namespace certlatch
