#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace certlatch {
namespace {

using ::testing::ElementsAre;

TEST(Text, SplitsAtEverySeparator) {
  EXPECT_THAT(Split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split("a,", ','), ElementsAre("a", ""));
}

TEST(Text, TrimsWhiteSpaceAtBothEnds) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(Text, ComparesIgnoringCaseOfAsciiOnly) {
  EXPECT_TRUE(EqualIgnoringCase("ReaDY", "ready"));
  EXPECT_FALSE(EqualIgnoringCase("ready", "read"));
  EXPECT_FALSE(EqualIgnoringCase("\xc3\x84", "\xc3\xa4"));
}

TEST(Text, ReadsNumbersUpToALimit) {
  EXPECT_EQ(ParseUint("0"), 0U);
  EXPECT_EQ(ParseUint("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ParseUint("18446744073709551616"), std::nullopt);
  EXPECT_EQ(ParseUint("65535", 65535), 65535U);
  EXPECT_EQ(ParseUint("65536", 65535), std::nullopt);
  EXPECT_EQ(ParseUint("8", 7), std::nullopt);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0"}) {
    EXPECT_EQ(ParseUint(text), std::nullopt) << text;
  }
}

TEST(Text, ShowsControlCharactersAndBrokenUtf8AsHex) {
  EXPECT_EQ(Printable("a\n\x1b[31m\x7f"), "a\\x0a\\x1b[31m\\x7f");
  EXPECT_EQ(Printable("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xc0\x80"), "\\xc0\\x80");                    // overlong NUL
  EXPECT_EQ(Printable("\xe0\x80\x80"), "\\xe0\\x80\\x80");           // overlong
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // past U+10FFFF
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");                    // C1: CSI
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Text, ReadsIpv4AddressesInTheirUsualForm) {
  EXPECT_EQ(ParseIpv4("10.1.2.255"), 0x0a0102ffU);
  for (const char* bad : {"", "10.1.2", "10.1.2.3.4", "10.1.2.256", "10.1.2.", "10.1.2.x", "::1"}) {
    EXPECT_EQ(ParseIpv4(bad), std::nullopt) << bad;
  }
}

TEST(Text, KnowsTheLoopback) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.0.9", "::1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"", "127.evil.example", "127.0.0.1.evil.example", "127.0.0", "128.0.0.1",
                           "localhost.example", "::2", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

TEST(Text, CutsLongTextsOffVisibly) {
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
  EXPECT_EQ(Printable("abc", 3), "abc");
}

TEST(Text, FormatsLikePrintfAtAnyLength) {
  const std::string_view part = std::string_view("port 443 of").substr(5, 3);
  EXPECT_EQ(Format("%s:%.*s, %d", "host", Length(part), part.data(), 7), "host:443, 7");
  const std::string longer(10000, 'x');
  EXPECT_EQ(Format("<%s>", longer.c_str()), "<" + longer + ">");
  EXPECT_EQ(Format("%s", ""), "");
}

TEST(Text, AFailureSaysItsContextOnce) {
  const Error error = Failure(Code::kConfig, "%s is not %d", "seven", 8).With("--port");
  EXPECT_EQ(error.text, "--port: seven is not 8");
  EXPECT_EQ(error.code, Code::kConfig);
}

TEST(Text, ConsistsOfLettersDigitsAndOthers) {
  EXPECT_TRUE(ConsistsOf("aZ09", ""));
  EXPECT_TRUE(ConsistsOf("a-b", "-"));
  for (const std::string_view text : {"", "a-b", "a b", "\xc3\xa4", "@", "[", "`", "{", "/", ":"}) {
    EXPECT_FALSE(ConsistsOf(text, "")) << text;
  }
  EXPECT_FALSE(ConsistsOf(std::string_view("a\0", 2), "-"));
}

}  // namespace
}  // namespace certlatch
