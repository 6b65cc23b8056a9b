#include "domain/endpoint.h"

#include <gmock/gmock.h>

#include <string>

namespace certlatch {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const std::string& text) {
  const auto target = ParseProbe(text);
  if (target) return "";
  EXPECT_EQ(target.error().code, Code::kConfig);
  EXPECT_EQ(target.error().text.find('\n'), std::string::npos);
  return target.error().text;
}

bool IsEndpoint(std::string_view text) {
  Endpoint endpoint;
  return ReadEndpoint(text, endpoint) == nullptr;
}

TEST(Endpoint, TakesNamesAndAddresses) {
  const struct {
    const char* text;
    const char* host;
    uint16_t port;
  } cases[] = {
      {"127.0.0.1:8443", "127.0.0.1", 8443},
      {"localhost:1", "localhost", 1},
      {"[::1]:65535", "::1", 65535},
      {"web-0.web.default.svc:443", "web-0.web.default.svc", 443},
      {"[fd00::a:1]:443", "fd00::a:1", 443},
  };
  for (const auto& [text, host, port] : cases) {
    Endpoint endpoint;
    ASSERT_EQ(ReadEndpoint(text, endpoint), nullptr) << text;
    EXPECT_EQ(endpoint.host, host);
    EXPECT_EQ(endpoint.port, port);
    EXPECT_EQ(endpoint.text, text);
  }
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"",
                           ":",
                           "localhost",
                           "localhost:",
                           ":443",
                           "localhost:0",
                           "localhost:65536",
                           "a:http",
                           "localhost:-1",
                           "a b:1",
                           "a/b:1",
                           "https://a:1",
                           "[]:1",
                           "[localhost]:1",
                           "[127.0.0.1]:1",
                           "[::1:1",
                           "::1]:1",
                           "[::1]",
                           "[::1%lo]:1",
                           "a..b:1",
                           ".a:1",
                           "a.:1",
                           "a:1:2",
                           "a\n:1"}) {
    EXPECT_FALSE(IsEndpoint(text)) << text;
  }
  EXPECT_FALSE(IsEndpoint(std::string(254, 'a') + ":1"));
  EXPECT_FALSE(IsEndpoint(std::string("127.0.0.1\0:1", 12)));
}

TEST(Endpoint, SaysThatAnIpv6AddressNeedsBrackets) {
  EXPECT_EQ(Refusal("::1:443"), "\"::1:443\": an IPv6 address must stand in brackets");
  EXPECT_EQ(Refusal("fd00::1:80"), "\"fd00::1:80\": an IPv6 address must stand in brackets");
}

TEST(ProbeTarget, HasOptionsInAnyOrder) {
  const auto plain = ParseProbe("127.0.0.1:8443");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->endpoint.port, 8443);
  EXPECT_EQ(plain->sni, "");
  EXPECT_FALSE(plain->postgres);
  for (const char* text : {"[::1]:5432,sni=db.example,starttls=postgres",
                           "[::1]:5432,starttls=postgres,sni=db.example"}) {
    const auto target = ParseProbe(text);
    ASSERT_TRUE(target) << target.error().text;
    EXPECT_EQ(target->endpoint.host, "::1");
    EXPECT_EQ(target->endpoint.text, "[::1]:5432");
    EXPECT_EQ(target->sni, "db.example");
    EXPECT_TRUE(target->postgres);
  }
}

TEST(ProbeTarget, NamesTheOptionThatItRefuses) {
  for (const char* option :
       {"", "sni", "starttls=smtp", "starttls", "SNI=a", "insecure", " sni=a"}) {
    EXPECT_THAT(Refusal(std::string("a:1,") + option),
                HasSubstr("\"" + std::string(option) + "\": unknown or given twice"));
  }
  EXPECT_THAT(Refusal("a:1,sni=a,sni=b"), HasSubstr("\"sni=b\": unknown or given twice"));
  EXPECT_THAT(Refusal("a:1,starttls=postgres,starttls=postgres"), HasSubstr("given twice"));
  for (const char* sni : {"sni=", "sni=10.0.0.1", "sni=::1", "sni=*.a", "sni=a b", "sni=a."}) {
    EXPECT_THAT(Refusal(std::string("a:1,") + sni), HasSubstr("must be a DNS name")) << sni;
  }
}

TEST(ProbeTarget, RefusalsArePrintable) {
  EXPECT_THAT(Refusal("a:1,x\x1b[31m"), HasSubstr("x\\x1b[31m"));
  EXPECT_LT(Refusal("a:1," + std::string(100000, 'x')).size(), 500U);
}

}  // namespace
}  // namespace certlatch
