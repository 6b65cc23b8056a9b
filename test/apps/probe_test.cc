// What a probe finds out about a real PostgreSQL, beside what its own pg_isready says.
#include "platform/probe.h"

#include <unistd.h>

#include <optional>
#include <string>

#include "test/apps/apps_fixture.h"
#include "test/apps/postgres.h"

namespace certlatch::test {
namespace {

std::string ReasonOf(const Postgres& postgres) {
  Reachable what;
  auto loop = Loop::Create();
  auto http = HttpClient::Create(**loop);
  const std::string url = "postgres://127.0.0.1:" + std::to_string(postgres.port()) + "/app";
  EXPECT_TRUE(ParseReachable(url, what));
  std::optional<ProbeOutcome> found;
  const Handle handle =
      StartProbe(**loop, **http, what, kPatience, [&](const ProbeOutcome& outcome) {
        found = outcome;
        (*loop)->Stop();
      });
  (*loop)->Run();
  EXPECT_EQ(found->ready, found->reason.empty());
  return found->reason;
}

using ProbeOfPostgres = AppsTest;

TEST_F(ProbeOfPostgres, IsReadyWhenItTakesConnections) {
  SKIP_UNLESS_ROOT();
  const auto volume = Mount(NewPair(), Postgres::Rules());
  const Postgres postgres(*volume);
  ASSERT_TRUE(Eventually([&] { return postgres.PgIsReady() == 0; }));
  EXPECT_EQ(ReasonOf(postgres), "");
}

TEST_F(ProbeOfPostgres, IsNotReadyWhileItRecovers) {
  SKIP_UNLESS_ROOT();
  const auto volume = Mount(NewPair(), Postgres::Rules());
  const Postgres postgres(*volume, Postgres::Role::kStandby);
  EXPECT_EQ(postgres.PgIsReady(), 1) << "PQPING_REJECT";
  EXPECT_EQ(ReasonOf(postgres), "the server is starting up or shutting down");
}

}  // namespace
}  // namespace certlatch::test
