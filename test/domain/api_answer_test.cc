#include "domain/api_answer.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

std::string Described(int status, const std::string& body, const std::string& problem = "") {
  ApiAnswer answer;
  answer.status = status;
  answer.body = body;
  answer.problem = problem;
  return DescribeAnswer(answer);
}

TEST(ApiAnswer, IsDescribedByTheServersOwnMessage) {
  EXPECT_EQ(Described(403, R"({"kind":"Status","message":"secrets \"x\" is forbidden"})"),
            "HTTP 403: secrets \"x\" is forbidden");
  EXPECT_EQ(Described(404, "404 page not found\n"), "HTTP 404: 404 page not found");
}

TEST(ApiAnswer, ShowsNoPageOfAProxyAndNoControlCharacters) {
  EXPECT_EQ(Described(502, "<html><body>Bad gateway</body></html>"), "HTTP 502");
  EXPECT_EQ(Described(500, "a\x1b[31mb"), "HTTP 500: a\\x1b[31mb");
  EXPECT_EQ(Described(500, R"({"kind":"Status","message":"a\u0007b"})"), "HTTP 500: a\\x07b");
}

TEST(ApiAnswer, IsItsProblemWhereItNeverCameOrBrokeOff) {
  EXPECT_EQ(Described(0, "", "cannot connect"), "cannot connect");
  EXPECT_EQ(Described(200, "{", "the connection broke"), "the connection broke");
}

TEST(ApiAnswer, HasAStatusOnlyIfItIsOne) {
  ApiAnswer answer;
  answer.body = R"({"kind":"Secret","message":"no status"})";
  EXPECT_TRUE(StatusOf(answer).is_null());
  answer.body = R"({"kind":"Status","code":410})";
  EXPECT_EQ(StatusOf(answer)["code"].AsInt(), 410);
}

}  // namespace
}  // namespace certlatch
