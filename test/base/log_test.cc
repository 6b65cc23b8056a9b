#include "base/log.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

LogLine Line() {
  return {LogLevel::kWarning,
          "trouble",
          "secret/x: \"no\"\nanswer",
          {{"target", "secret/x"}, {"reason", "a=b \"c\" \x1b[0m"}, {"empty", ""}}};
}

TEST(Log, TextIsTheTextAloneOnOneLine) {
  EXPECT_EQ(Render(Line(), LogFormat::kText, kNow), "secret/x: \"no\"\\x0aanswer");
}

TEST(Log, LogfmtQuotesWhatNeedsIt) {
  EXPECT_EQ(
      Render(Line(), LogFormat::kLogfmt, kNow),
      "ts=2027-01-15T08:00:00Z level=warning event=trouble target=secret/x "
      "reason=\"a=b \\\"c\\\" \\\\x1b[0m\" empty=\"\" msg=\"secret/x: \\\"no\\\"\\\\x0aanswer\"");
}

TEST(Log, JsonIsOneObjectALine) {
  EXPECT_EQ(Render(Line(), LogFormat::kJson, kNow),
            R"({"ts":"2027-01-15T08:00:00Z","level":"warning","event":"trouble",)"
            R"("target":"secret/x","reason":"a=b \"c\" \\x1b[0m","empty":"",)"
            R"("msg":"secret/x: \"no\"\\x0aanswer"})");
}

}  // namespace
}  // namespace certlatch
