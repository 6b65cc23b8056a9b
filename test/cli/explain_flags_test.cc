#include <gtest/gtest.h>

#include "test/cli/lines.h"

namespace certlatch {
namespace {

TEST(ExplainFlags, NameTargetsAndLeaveTheContainersLastWordsAlone) {
  const Command command = ParsedLine("explain certificate/web@infra service/db:5432 -n prod");
  EXPECT_EQ(command.kind, Command::Kind::kExplain);
  ASSERT_EQ(command.explain.targets.size(), 2U);
  EXPECT_EQ(command.explain.targets[0].ns, "infra");
  EXPECT_EQ(command.explain.targets[1].port, "5432");
  EXPECT_EQ(command.explain.ns, "prod");
  EXPECT_EQ(command.explain.timeout, 30s);
  EXPECT_FALSE(command.explain.json);
  EXPECT_EQ(command.output.termination_log, "");
}

TEST(ExplainFlags, TakeATimeoutAndJson) {
  const Command command = ParsedLine("explain -o json --timeout=5s certificate web");
  EXPECT_TRUE(command.explain.json);
  EXPECT_EQ(command.explain.timeout, 5s);
}

TEST(ExplainFlags, AreRefusedInOneLineThatNamesThem) {
  static constexpr struct {
    const char* flags;
    const char* error;
  } kLines[] = {
      {"", "no target: name one, as certificate/web"},
      {"certificate/web -o yaml", "--output knows only \"json\", not \"yaml\""},
      {"job/seed=Failed",
       "target \"job/seed=Failed\": whether it is ready is looked at, no other condition"},
      {"certificate", "resource(s) were provided, but no name was specified"},
  };
  for (const auto& line : kLines) {
    EXPECT_EQ(RefusedLine(std::string("explain ") + line.flags),
              std::string("error: ") + line.error);
  }
}

}  // namespace
}  // namespace certlatch
