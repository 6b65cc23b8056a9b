#include "domain/conversation.h"

#include <gmock/gmock.h>

#include <string>

namespace certlatch {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(std::string_view answer) {
  const char* problem = ProblemOfSslAnswer(answer);
  return problem == nullptr ? "" : problem;
}

TEST(PostgresSslRequest, IsTheEightBytesOfTheProtocol) {
  EXPECT_EQ(kPostgresSslRequest, std::string("\x00\x00\x00\x08\x04\xd2\x16\x2f", 8));
}

TEST(PostgresSslRequest, SIsAllThatMayCome) {
  EXPECT_EQ(Refusal("S"), "");
  for (const std::string more : {"S\x16", "SS", "SR", "S\x16\x03\x03"}) {
    EXPECT_THAT(Refusal(more), HasSubstr("behind its S")) << more;
  }
  EXPECT_THAT(Refusal(std::string("S\0", 2)), HasSubstr("behind its S"));
}

TEST(PostgresSslRequest, ARefusalIsTold) {
  EXPECT_THAT(Refusal("N"), StartsWith("answers N: ssl is off"));
  EXPECT_THAT(Refusal("NS"), StartsWith("answers N: ssl is off"));
  for (const char* error : {"E", "EFATAL: no", "E\x01"}) {
    EXPECT_THAT(Refusal(error), StartsWith("answers with an error"));
  }
}

TEST(PostgresSslRequest, NothingElseIsTakenForConsent) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string answer(1, static_cast<char>(byte));
    EXPECT_EQ(Refusal(answer).empty(), byte == 'S') << byte;
  }
  EXPECT_THAT(Refusal("HTTP/1.1 400 Bad Request"), HasSubstr("does not answer as PostgreSQL"));
  EXPECT_NE(Refusal(""), "");
}

// --- the start of a session ---

std::string ErrorResponse(std::string fields) {
  fields += '\0';
  const auto length = static_cast<char>(fields.size() + 4);
  return std::string("E\0\0\0", 4) + length + fields;
}

std::string Field(const char* text) { return std::string(text) + '\0'; }

// What every part of `answer` from its beginning says, and then the whole: "more", "yes" or a text.
std::string Verdict(std::string_view answer) {
  const Result<bool> takes = TakesConnections(answer);
  return !takes ? takes.error().text : *takes ? "yes" : "more";
}

TEST(PostgresStartup, SaysItsOwnLength) {
  ASSERT_EQ(kPostgresStartup.size(), 24U);
  EXPECT_EQ(kPostgresStartup[3], 24);
  EXPECT_EQ(kPostgresStartup.substr(8, 5), std::string("user\0", 5));
  EXPECT_EQ(kPostgresStartup.substr(22), std::string("\0\0", 2));
}

TEST(PostgresStartup, IsAnsweredTheSameForEverySplitPoint) {
  const struct {
    std::string answer;
    const char* verdict;
  } cases[] = {
      {ErrorResponse(Field("SFATAL") + Field("VFATAL") + Field("C57P03") + Field("Mstarting up")),
       "is starting up or shutting down"},
      {ErrorResponse(Field("SFATAL") + Field("C28000") + Field("Mno pg_hba.conf entry")), "yes"},
      {ErrorResponse(Field("SFATAL") + Field("C3D000") + Field("M57P03")), "yes"},
      {ErrorResponse(""), "cannot serve a connection"},
      {ErrorResponse(Field("SFATAL") + Field("C2800") + Field("C")), "cannot serve a connection"},
      {ErrorResponse(Field("C57P03")), "is starting up or shutting down"},
      {ErrorResponse("C57P03").substr(0, 11) + '\0', "is starting up or shutting down"},
  };
  for (const auto& [answer, verdict] : cases) {
    for (size_t size = 0; size < answer.size(); ++size) {
      EXPECT_EQ(Verdict(std::string_view(answer).substr(0, size)), "more") << answer << size;
    }
    EXPECT_EQ(Verdict(answer), verdict) << answer;
    EXPECT_EQ(Verdict(answer + "Z"), verdict) << "what follows does not count";
  }
}

TEST(PostgresStartup, ADemandForAPasswordMeansItTakesConnections) {
  EXPECT_EQ(Verdict("R"), "yes");
  EXPECT_EQ(Verdict(std::string("R\0\0\0\x08\0\0\0\x05", 9)), "yes");
}

TEST(PostgresStartup, OthersAreNotTakenForPostgres) {
  for (int byte = 0; byte < 256; ++byte) {
    if (byte == 'R' || byte == 'E') continue;
    EXPECT_EQ(Verdict(std::string(1, static_cast<char>(byte))), "does not answer as PostgreSQL");
  }
  for (const std::string& bad :
       {std::string("E\0\0\0\4", 5), std::string("E\0\0\0\0", 5), std::string("E\xff\xff\xff\xff"),
        std::string("E\0\0\x80\0", 5), std::string("ERROR: no")}) {
    EXPECT_EQ(Verdict(bad), "does not answer as PostgreSQL") << bad;
  }
  EXPECT_EQ(Verdict(std::string("E\0\0\x7f\xff", 5)), "more") << "just below the bound";
}

}  // namespace
}  // namespace certlatch
