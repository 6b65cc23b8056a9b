#include "domain/http_method.h"

#include <gmock/gmock.h>

namespace certlatch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// "method url host socket", or the error.
std::string Parsed(std::string_view text) {
  const auto method = ParseHttpMethod(text);
  if (!method) return method.error().text;
  return method->method + " " + method->url + " " + method->host + " " + method->unix_socket;
}

TEST(HttpMethod, IsAVerbAndAUrl) {
  EXPECT_EQ(Parsed("POST http://localhost:9090/-/reload"),
            "POST http://localhost:9090/-/reload localhost ");
  EXPECT_EQ(Parsed("GET https://127.0.0.1"), "GET https://127.0.0.1 127.0.0.1 ");
  EXPECT_EQ(Parsed("PUT http://[::1]:8001/reload?a=b&c=%20d"),
            "PUT http://[::1]:8001/reload?a=b&c=%20d ::1 ");
  EXPECT_EQ(Parsed("PATCH http://a_b.example:65535?now"),
            "PATCH http://a_b.example:65535?now a_b.example ");
  EXPECT_EQ(Parsed("POST http://a/x@y"), "POST http://a/x@y a ");
}

TEST(HttpMethod, MayGoToAUnixSocketAsNginxWritesIt) {
  EXPECT_EQ(Parsed("POST http://unix:/run/app.sock:/reload?a=b:c"),
            "POST http://localhost/reload?a=b:c  /run/app.sock");
  EXPECT_EQ(Parsed("POST http://unix:/run/app.sock"), "POST http://localhost/  /run/app.sock");
  EXPECT_EQ(Parsed("POST http://unix:80/x"), "POST http://unix:80/x unix ")
      << "a host of that name";
}

struct Refusal {
  const char* text;
  const char* why;
};

TEST(HttpMethod, IsRefusedInOneLine) {
  constexpr Refusal kRefusals[] = {
      {"", "want GET, POST, PUT or PATCH and a URL"},
      {"http://a/", "want GET, POST, PUT or PATCH and a URL"},
      {"post http://a/", "want GET, POST, PUT or PATCH and a URL"},
      {"DELETE http://a/", "want GET, POST, PUT or PATCH and a URL"},
      {"POST", "want an http:// or https:// URL"},
      {"POST ", "want an http:// or https:// URL"},
      {"POST ftp://a/", "want an http:// or https:// URL"},
      {"POST a:80/", "want an http:// or https:// URL"},
      {"POST  http://a/", "characters that cannot stand in a URL, or more than 2000 of them"},
      {"POST http://a/ b", "characters that cannot stand in a URL, or more than 2000 of them"},
      {"POST http://a/#b", "characters that cannot stand in a URL, or more than 2000 of them"},

      {"POST http://a/{x}", "characters that cannot stand in a URL, or more than 2000 of them"},
      {"POST http:///x", "no host in the URL"},
      {"POST http://:80/", "no host in the URL"},
      {"POST http://a%00b/", "no host in the URL"},
      {"POST http://a:/", "no port from 1 to 65535 in the URL"},
      {"POST http://a:0/", "no port from 1 to 65535 in the URL"},
      {"POST http://a:65536/", "no port from 1 to 65535 in the URL"},
      {"POST http://a:+1/", "no port from 1 to 65535 in the URL"},
      {"POST http://::1/", "no host in the URL"},
      {"POST http://unix:./a.sock:/", "the path of the Unix socket must be absolute"},
      {"POST http://unix:/a.sock:reload", "what follows the Unix socket must begin with /"},
      {"POST https://unix:/a.sock:/", "a Unix socket speaks http://"},
  };
  for (const Refusal& refusal : kRefusals) {
    const std::string problem = Parsed(refusal.text);
    EXPECT_EQ(problem, "--http \"" + std::string(refusal.text) + "\": " + refusal.why);
  }
  EXPECT_THAT(Parsed("POST http://[::1/"), HasSubstr("no host in the URL"));
  EXPECT_THAT(Parsed("POST http://[::1]80/"), HasSubstr("no port"));
  EXPECT_THAT(Parsed("POST http://[]/"), HasSubstr("no host"));
  EXPECT_THAT(Parsed("POST http://a/" + std::string(2000, 'x')), HasSubstr("more than 2000"));
  EXPECT_THAT(Parsed("POST http://a/\r\nHost:b"), HasSubstr("cannot stand in a URL"));
  EXPECT_THAT(Parsed(std::string("POST http://a/\0", 15)), HasSubstr("cannot stand in a URL"));
  EXPECT_THAT(Parsed("POST http://unix:/" + std::string(107, 'a')), HasSubstr("107 bytes"));
  EXPECT_THAT(Parsed("POST http://unix:/" + std::string(106, 'a')), Not(HasSubstr("bytes")));
}

TEST(HttpMethod, DoesNotRepeatCredentials) {
  EXPECT_EQ(Parsed("POST http://admin:hunter2@a/"),
            "--http \"...\": credentials belong into --http-auth-file");
  EXPECT_THAT(Parsed("POST http://admin:hunter2#@a/"), Not(HasSubstr("hunter2")));
}

std::string Said(const Status& status) { return status ? "" : status.error().text; }

TEST(HttpHeader, IsANameAndAValue) {
  EXPECT_EQ(Said(CheckHttpHeader("X-Token: a b=\"c\"")), "");
  EXPECT_EQ(Said(CheckHttpHeader("Accept:*/*")), "");
  EXPECT_EQ(Said(CheckHttpHeader("Host: app")), "");
  for (const char* text : {"", "name", ": value", "na me: value", "a: b\r\nc: d", "a: \x01",
                           "a: \xc3\xa4", "name : value"}) {
    EXPECT_EQ(Said(CheckHttpHeader(text)), "--http-header: want \"Name: value\", printable ASCII")
        << text;
  }
  EXPECT_NE(Said(CheckHttpHeader("a: " + std::string(4000, 'x'))), "");
}

TEST(HttpHeader, DoesNotFrameTheRequest) {
  EXPECT_EQ(Said(CheckHttpHeader("content-LENGTH: 3")),
            "--http-header: content-LENGTH is set by certlatch itself");
  EXPECT_NE(Said(CheckHttpHeader("Transfer-Encoding: chunked")), "");
}

TEST(HttpStatuses, AreNumbersAndClasses) {
  for (const char* text : {"200", "2xx", "200,204", "2xx,304,599", "100"}) {
    EXPECT_EQ(Said(CheckHttpStatuses(text)), "") << text;
  }
  EXPECT_EQ(Said(CheckHttpStatuses("2XX")),
            "--http-status \"2XX\": want statuses such as 200,204 or 2xx, from 100 to 599");
  for (const char* text : {"", ",", "200,", "20", "2000", "600", "099", "xxx", "0xx", "2x0", "2x",
                           "-20", "200 ,204", "+20"}) {
    EXPECT_NE(Said(CheckHttpStatuses(text)), "") << text;
  }
}

TEST(HttpStatuses, HoldWhatTheySay) {
  for (const int status : {200, 204, 299}) EXPECT_TRUE(HasHttpStatus("2xx", status)) << status;
  for (const int status : {0, 199, 300, 500}) EXPECT_FALSE(HasHttpStatus("2xx", status)) << status;
  EXPECT_TRUE(HasHttpStatus("200,304", 304));
  EXPECT_FALSE(HasHttpStatus("200,304", 204));
  EXPECT_TRUE(HasHttpStatus("404,5xx", 503));
}

}  // namespace
}  // namespace certlatch
