#include "domain/http_method.h"

#include <gmock/gmock.h>

#include <vector>

namespace certlatch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// "method url host socket", or the error.
std::string Parsed(std::string_view text) {
  const auto method = ParseHttpMethod(text);
  if (!method) return method.error().text;
  return std::string(method->method) + " " + CurlUrl(*method) + " " + std::string(method->host) +
         " " + std::string(method->unix_socket);
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
  EXPECT_EQ(Parsed("POST http://unix:/run/app.sock"), "POST http://localhost  /run/app.sock");
  EXPECT_EQ(Parsed("POST http://unix:80/x"), "POST http://unix:80/x unix ")
      << "a host of that name";
}

TEST(HttpMethod, IsRefusedInOneLineThatSaysWhatItWants) {
  EXPECT_EQ(Parsed("http://a/"),
            "--http \"http://a/\": want a method (GET, POST, PUT, PATCH) and a URL without odd "
            "characters, such as \"POST http://localhost:9090/reload\" or "
            "\"POST http://unix:/run/app.sock:/reload\"");
  for (const std::string& text :
       std::vector<std::string>{"",
                                "post http://a/",
                                "DELETE http://a/",
                                "POST",
                                "POST ",
                                "POST ftp://a/",
                                "POST a:80/",
                                "POST  http://a/",
                                "POST http://a/ b",
                                "POST http://a/#b",
                                "POST http://a/\xc3\xa4",
                                "POST http://a/{x}",
                                "POST http://a/\r\nHost:b",
                                std::string("POST http://a/\0", 15),
                                "POST http:///x",
                                "POST http://:80/",
                                "POST http://a%00b/",
                                "POST http://a:/",
                                "POST http://a:0/",
                                "POST http://a:65536/",
                                "POST http://a:+1/",
                                "POST http://::1/",
                                "POST http://[::1/",
                                "POST http://[::1",
                                "POST http://[::1]80/",
                                "POST http://[]/",
                                "POST http://[a/]/",
                                "POST http://unix:./a.sock:/",
                                "POST http://unix:/a.sock:reload",
                                "POST https://unix:/a.sock:/",
                                "POST http://unix:/" + std::string(107, 'a'),
                                "POST http://a/" + std::string(2000, 'x')}) {
    EXPECT_THAT(Parsed(text), HasSubstr("\": want a method")) << text;
  }
  EXPECT_THAT(Parsed("POST http://unix:/" + std::string(106, 'a')), Not(HasSubstr("want")));
}

TEST(HttpMethod, DoesNotRepeatCredentials) {
  EXPECT_THAT(Parsed("POST http://admin:hunter2@a/"),
              AllOf(Not(HasSubstr("hunter2")), HasSubstr("see --http-auth-file")));
}

TEST(HttpUrl, IsOfATcpServer) {
  HttpMethod method;
  ASSERT_TRUE(ReadHttpUrl("https://[::1]/a?b", method));
  EXPECT_EQ(method.url, "https://[::1]/a?b");
  EXPECT_EQ(method.host, "::1");
  EXPECT_EQ(method.port, 443);
  for (const char* url :
       {"", "http://unix:/run/a.sock:/", "GET http://a", "ftp://a", "http://a@b"}) {
    EXPECT_FALSE(ReadHttpUrl(url, method)) << url;
  }
}

TEST(HttpUrl, ARedirectIsRelativeToIt) {
  const struct {
    const char* url;
    const char* location;
    const char* leads_to;
  } cases[] = {
      {"http://a/b/c?d", "https://e:1/f#g", "https://e:1/f"},
      {"https://a/b/c?d", "//e/f", "https://e/f"},
      {"http://a:1/b/c?d/e", "/f?g=//h", "http://a:1/f?g=//h"},
      {"http://a/b/c?d/e", "f", "http://a/b/f"},
      {"http://a/b/c?d/e", "?f", "http://a/b/c?f"},
      {"http://a", "f", "http://a/f"},
      {"http://a?b", "f", "http://a/f"},
      {"http://a?b", "/f", "http://a/f"},
      {"http://a", "?f", "http://a/?f"},
      {"http://a/b", "f?g:h", "http://a/f?g:h"},
      {"http://a/b", "javascript:f", "javascript:f"},
      {"http://a/b", "", "http://a/"},
  };
  for (const auto& [url, location, leads_to] : cases) {
    EXPECT_EQ(RedirectUrl(url, location), leads_to) << url << " " << location;
  }
}

std::string Said(const Status& status) { return status ? "" : status.error().text; }

TEST(HttpHeader, IsANameAndAValue) {
  EXPECT_EQ(Said(CheckHttpHeader("X-Token: a b=\"c\"")), "");
  EXPECT_EQ(Said(CheckHttpHeader("Accept:*/*")), "");
  EXPECT_EQ(Said(CheckHttpHeader("Host: app")), "");
  for (const char* text : {"", "name", ": value", "na me: value", "a: b\r\nc: d", "a: \x01",
                           "a: \xc3\xa4", "name : value"}) {
    EXPECT_EQ(Said(CheckHttpHeader(text)),
              "--http-header: want \"Name: value\" of printable ASCII, and none that frames the "
              "request")
        << text;
  }
  EXPECT_NE(Said(CheckHttpHeader("a: " + std::string(4000, 'x'))), "");
}

TEST(HttpHeader, DoesNotFrameTheRequest) {
  EXPECT_NE(Said(CheckHttpHeader("content-LENGTH: 3")), "");
  EXPECT_NE(Said(CheckHttpHeader("Transfer-Encoding: chunked")), "");
  EXPECT_EQ(Said(CheckHttpHeader("Content-Type: text/plain")), "");
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
