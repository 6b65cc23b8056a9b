#include "test/support/http_message.h"

#include <gtest/gtest.h>

namespace certlatch::test {
namespace {

TEST(HttpMessage, ReadsARequestsHead) {
  const std::optional<HttpRequest> request = ParseRequestHead(
      "GET /api/v1/a%2Fb?fieldSelector=metadata.name%3Dweb&watch=1&empty HTTP/1.1\r\n"
      "Host: x\r\nX-Two:  words here \r\n\r\n");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/api/v1/a/b");
  EXPECT_EQ(request->Query("fieldSelector"), "metadata.name=web");
  EXPECT_EQ(request->Query("watch"), "1");
  EXPECT_EQ(request->query.count("empty"), 1U);
  EXPECT_EQ(request->Header("x-two"), "words here");
  EXPECT_EQ(request->Header("absent"), "");
}

TEST(HttpMessage, RefusesWhatIsNotHttp) {
  for (const char* head : {"", "GET /", "GET / HTTP/2\r\n", "GET / x y\r\n",
                           "GET / HTTP/1.1\r\nno colon\r\n", "\x16\x03\x01"}) {
    EXPECT_FALSE(ParseRequestHead(head).has_value()) << head;
  }
}

TEST(HttpMessage, LeavesBrokenEscapesAsTheyAre) {
  EXPECT_EQ(PercentDecode("%41%zz%4", false), "A%zz%4");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  EXPECT_EQ(PercentDecode("a+b", false), "a+b");
}

}  // namespace
}  // namespace certlatch::test
