#include "domain/reachable.h"

#include <gmock/gmock.h>

#include <string>

namespace certlatch {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Reachable Parsed(std::string_view text) {
  Reachable reachable;
  const Status status = ParseReachable(text, reachable);
  EXPECT_TRUE(status) << status.error().text;
  return reachable;
}

std::string Refused(std::string_view text) {
  Reachable reachable;
  const Status status = ParseReachable(text, reachable);
  if (status) return "";
  EXPECT_EQ(status.error().code, Code::kConfig);
  EXPECT_EQ(status.error().text.find('\n'), std::string::npos);
  return status.error().text;
}

TEST(Reachable, IsKnownByItsScheme) {
  for (const char* text : {"tcp://a:1", "http://a", "https://a/b", "postgres://a", "postgresql://a",
                           "file:/a", "file:a", "redis://a:1", "://"}) {
    EXPECT_TRUE(IsReachable(text)) << text;
  }
  for (const char* text : {"", "secret/a", "service/a:80", "tcp", "file", "files/a", "a:b"}) {
    EXPECT_FALSE(IsReachable(text)) << text;
  }
}

TEST(Reachable, TcpIsAHostAndAPort) {
  const struct {
    const char* text;
    const char* host;
    uint16_t port;
  } cases[] = {
      {"tcp://db:5432", "db", 5432},
      {"tcp://10.0.0.1:1", "10.0.0.1", 1},
      {"tcp://[fd00::1]:65535", "fd00::1", 65535},
  };
  for (const auto& [text, host, port] : cases) {
    const Reachable reachable = Parsed(text);
    EXPECT_EQ(reachable.kind, Reachable::Kind::kTcp);
    EXPECT_EQ(reachable.endpoint.host, host);
    EXPECT_EQ(reachable.endpoint.port, port);
    EXPECT_EQ(reachable.text, text);
  }
}

TEST(Reachable, TcpNamesThePartAtFault) {
  EXPECT_EQ(Refused("tcp://db"), "\"tcp://db\": must be HOST:PORT, with a port from 1 to 65535");
  EXPECT_THAT(Refused("tcp://fd00::1:80"), EndsWith(": an IPv6 address must stand in brackets"));
  for (const char* text : {"tcp://", "tcp://:80", "tcp://a:0", "tcp://a:65536", "tcp://a:80/",
                           "tcp://a b:80", "tcp://[a]:80", "tcp://a:80?x"}) {
    EXPECT_NE(Refused(text), "") << text;
  }
}

TEST(Reachable, HttpIsAUrl) {
  const Reachable reachable = Parsed("https://vault:8200/v1/sys/health?standbyok=true");
  EXPECT_EQ(reachable.kind, Reachable::Kind::kHttp);
  EXPECT_EQ(reachable.url, "https://vault:8200/v1/sys/health?standbyok=true");
  EXPECT_EQ(reachable.text, "https://vault:8200/v1/sys/health") << "a query may be secret";
  EXPECT_EQ(reachable.statuses, "2xx");
  EXPECT_EQ(Parsed("http://[::1]:8080").url, "http://[::1]:8080");
  EXPECT_EQ(Parsed("http://a/@b").text, "http://a/@b");
  for (const char* text : {"http://", "http:///a", "http://a:0/", "http://a/#b", "http://a/ b",
                           "http://unix:/run/app.sock", "https://a:b@c/", "HTTP://a"}) {
    EXPECT_NE(Refused(text), "") << text;
  }
}

TEST(Reachable, PostgresHasItsPortByDefault) {
  const struct {
    const char* text;
    const char* host;
    uint16_t port;
    const char* shown;
  } cases[] = {
      {"postgres://db", "db", 5432, "postgres://db:5432"},
      {"postgres://db:5433", "db", 5433, "postgres://db:5433"},
      {"postgres://db:5433/app?sslmode=require", "db", 5433, "postgres://db:5433"},
      {"postgresql://app@db/app", "db", 5432, "postgres://db:5432"},
      {"postgres://[::1]", "::1", 5432, "postgres://[::1]:5432"},
      {"postgres://app@[::1]:1?x", "::1", 1, "postgres://[::1]:1"},
  };
  for (const auto& [text, host, port, shown] : cases) {
    const Reachable reachable = Parsed(text);
    EXPECT_EQ(reachable.kind, Reachable::Kind::kPostgres);
    EXPECT_EQ(reachable.endpoint.host, host);
    EXPECT_EQ(reachable.endpoint.port, port);
    EXPECT_EQ(reachable.text, shown);
  }
  for (const char* text : {"postgres://", "postgres:///app", "postgres://db:", "postgres://db:x",
                           "postgres://a,b", "postgres://::1", "postgres://a:1,b:2/c"}) {
    EXPECT_NE(Refused(text), "") << text;
  }
}

TEST(Reachable, RefusesAPasswordAndNeverShowsIt) {
  for (const char* text :
       {"postgres://app:hunter2@db/app", "postgres://:hunter2@db", "postgres://app:hun/ter2@db",
        "postgres://db/app?password=hunter2", "postgres://app:12/hunter2@db",
        "postgres://app@x:hunter2@db", "postgresql://app:hunter2@db:0"}) {
    EXPECT_THAT(Refused(text),
                AllOf(StartsWith("\"postgres"), HasSubstr("no password is needed"),
                      Not(HasSubstr("hunter2")), Not(HasSubstr("ter2")), Not(HasSubstr("12"))))
        << text;
  }
  for (const char* text : {"http://admin:hunter2@a/", "tcp://a:hunter2@b:1", "file:hunter2@",
                           "redis://:hunter2@a:1", "http://a b/?token=hunter2"}) {
    EXPECT_THAT(Refused(text), AllOf(Not(HasSubstr("hunter2")), Not(IsEmpty()))) << text;
  }
}

TEST(Reachable, AFileHasAnAbsolutePath) {
  EXPECT_EQ(Parsed("file:/run/app/ready").path, "/run/app/ready");
  EXPECT_EQ(Parsed("file:///run/app/ready").path, "/run/app/ready");
  EXPECT_EQ(Parsed("file:/run/a b").kind, Reachable::Kind::kFile);
  EXPECT_EQ(Refused("file:ready"),
            "\"file:ready\": want an absolute path, such as file:/run/app/ready");
  EXPECT_NE(Refused("file:"), "");
  EXPECT_NE(Refused("file://host/a"), "");
}

TEST(Reachable, OtherSchemesAreToldWhatThereIs) {
  EXPECT_EQ(Refused("redis://a:6379"),
            "\"redis://a:6379\": there are tcp://HOST:PORT, http(s)://..., "
            "postgres://HOST[:PORT] and file:PATH");
}

TEST(Reachable, TextsArePrintable) {
  EXPECT_EQ(Parsed("file:/a\x1b").text, "file:/a\\x1b");
  EXPECT_THAT(Refused("tcp://\x1b"), StartsWith("\"tcp://\\x1b\""));
  EXPECT_LT(Refused("tcp://" + std::string(100000, 'x')).size(), 500U);
}

}  // namespace
}  // namespace certlatch
