#include "base/log.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

std::string Rendered(LogFormat format) {
  return Render({LogLevel::kWarning,
                 "trouble",
                 "secret/x: \"no\"\nanswer",
                 {{"target", "secret/x"}, {"reason", "a=b \"c\" \x1b[0m"}, {"empty", ""}}},
                format, kNow);
}

TEST(Log, TextIsTheTextAloneOnOneLine) {
  EXPECT_EQ(Rendered(LogFormat::kText), "secret/x: \"no\"\\x0aanswer");
}

TEST(Log, LogfmtQuotesWhatNeedsIt) {
  EXPECT_EQ(
      Rendered(LogFormat::kLogfmt),
      "ts=2027-01-15T08:00:00Z level=warning event=trouble target=secret/x "
      "reason=\"a=b \\\"c\\\" \\\\x1b[0m\" empty=\"\" msg=\"secret/x: \\\"no\\\"\\\\x0aanswer\"");
}

TEST(Log, JsonIsOneObjectALine) {
  EXPECT_EQ(Rendered(LogFormat::kJson),
            R"({"ts":"2027-01-15T08:00:00Z","level":"warning","event":"trouble",)"
            R"("target":"secret/x","reason":"a=b \"c\" \\x1b[0m","empty":"",)"
            R"("msg":"secret/x: \"no\"\\x0aanswer"})");
}

}  // namespace
}  // namespace certlatch
