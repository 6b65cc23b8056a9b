#include "domain/grep_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace certlatch {
namespace {

// grep's options as letters.
GrepFlags Flags(std::string_view letters) {
  const auto has = [&](char letter) { return letters.find(letter) != std::string_view::npos; };
  return {has('E'), has('F'), has('i'), has('w'), has('x'), has('v')};
}

bool Selects(std::string_view letters, std::string_view pattern, std::string_view line) {
  GrepPattern parsed;
  std::string_view refused;
  const bool fine = parsed.Read(pattern, Flags(letters), refused);
  EXPECT_TRUE(fine) << pattern << ": " << refused;
  return fine && parsed.Selects(line);
}

// What is not understood of the pattern.
std::string Refusal(std::string_view letters, std::string_view pattern) {
  GrepPattern parsed;
  std::string_view refused;
  const bool fine = parsed.Read(pattern, Flags(letters), refused);
  return fine ? "none" : std::string(refused);
}

struct Line {
  const char* flags;
  const char* pattern;
  const char* line;
  bool selected;
};

// What GNU grep 3.8 says of the same lines.
constexpr Line kLines[] = {
    {"", "True", "True", true},
    {"", "True", "xTruey", true},
    {"", "True", "true", false},
    {"", "", "", true},
    {"", "", "x", true},
    {"", "^True$", "True", true},
    {"", "^True$", "True ", false},
    {"", "a.c", "abc", true},
    {"", "a.c", "ac", false},
    {"", "ab*c", "ac", true},
    {"", "ab*c", "abbbc", true},
    {"", "*a", "*a", true},
    {"", "*a", "a", false},
    {"", "^*a", "*a", true},
    {"", "^^a", "a", false},
    {"", "^^a", "^a", true},
    {"", "a+", "a", false},
    {"", "a+", "a+", true},
    {"", "a\\+b", "aab", true},
    {"", "a\\?b", "b", true},
    {"", "a\\|b", "xb", true},
    {"", "a|b", "a", false},
    {"", "\\(ab\\)*c", "ababc", true},
    {"", "^\\(ab\\)*c", "abac", false},
    {"", "(a)", "a", false},
    {"", "a^b$c", "a^b$c", true},
    {"", "\\(^a\\)", "ba", false},
    {"", "\\.", "a", false},
    {"", "\\.", ".", true},
    {"", "\\[x\\]", "[x]", true},
    {"E", "a+b", "aab", true},
    {"E", "a+b", "b", false},
    {"E", "^(True|False)$", "False", true},
    {"E", "^(True|False)$", "Falsey", false},
    {"E", "a?b", "b", true},
    {"E", "(a|b)*c", "abbac", true},
    {"E", "(a*)*", "b", true},
    {"E", "^(a*)*$", "aab", false},
    {"E", "(a*)+b", "b", true},
    {"E", "a|b|c", "c", true},
    {"E", "^(|x)$", "", true},
    {"E", "a(b|c)d|e", "acd", true},
    {"E", "a(b|c)d|e", "ad", false},
    {"E", "a\\+", "aa", false},
    {"E", "\\(a\\)", "(a)", true},
    {"E", "\\|", "|", true},
    {"E", "x^", "x^", false},
    {"E", "[0-9]+/[0-9]+", "1/10", true},
    {"E", "(a|b)?c|d", "xd", true},
    {"E", "^(a(b|c)+)+$", "abcac", true},
    {"E", "^(a(b|c)+)+$", "abcaca", false},
    {"", "a**", "b", true},
    {"", "[abc]", "xxb", true},
    {"", "[^abc]", "abc", false},
    {"", "[]x]", "]", true},
    {"", "[^]x]", "]", false},
    {"", "[a-]", "-", true},
    {"", "[.*]", "a", false},
    {"i", "tRuE", "TrUe", true},
    {"i", "[a-c]", "B", true},
    {"i", "[^a]", "A", false},
    {"w", "Ready", "NotReady", false},
    {"w", "Ready", "Not Ready", true},
    {"w", "Ready", "Ready2", false},
    {"w", "Ready", "Ready,x", true},
    {"w", "a*", "aab", false},
    {"x", "True", "True True", false},
    {"x", "True", "True", true},
    {"xE", "a|ab", "ab", true},
    {"F", "a.c", "abc", false},
    {"F", "a.c", "xa.cx", true},
    {"Fx", "a.c", "xa.c", false},
    {"Fi", "A.C", "a.c", true},
    {"v", "True", "True", false},
    {"v", "True", "False", true},
};

TEST(GrepPattern, SelectsWhatGrepSelects) {
  for (const Line& line : kLines) {
    EXPECT_EQ(Selects(line.flags, line.pattern, line.line), line.selected)
        << "-" << line.flags << " '" << line.pattern << "' on '" << line.line << "'";
  }
}

TEST(GrepPattern, TakesAnyBytes) {
  EXPECT_TRUE(Selects("", "\xff[\x80-\x90]", "a\xff\x85"));
  EXPECT_FALSE(Selects("i", "[^\xe4]", "\xe4"));
  EXPECT_TRUE(Selects("", "über", "hinüber"));
}

TEST(GrepPattern, NamesWhatItDoesNotUnderstand) {
  EXPECT_EQ(Refusal("", "a\\{2\\}"), "\\{");
  EXPECT_EQ(Refusal("E", "a{2}"), "{");
  EXPECT_EQ(Refusal("", "\\bx"), "\\b");
  EXPECT_EQ(Refusal("E", "\\<x"), "\\<");
  EXPECT_EQ(Refusal("", "\\(a\\)\\1"), "\\1");
  EXPECT_EQ(Refusal("E", "(a"), "");
  EXPECT_EQ(Refusal("E", "a)"), ")");
  EXPECT_EQ(Refusal("E", "+a"), "+");
  EXPECT_EQ(Refusal("", "[a"), "[");
  EXPECT_EQ(Refusal("", "[[:alpha:]]"), "[");
  EXPECT_EQ(Refusal("", "a\\"), "\\");
}

TEST(GrepPattern, IsBounded) {
  EXPECT_NE(Refusal("", std::string(kMaxGrepPattern + 1, 'a')), "none");
  EXPECT_NE(Refusal("", "a\nb"), "none");
  EXPECT_NE(Refusal("E", std::string(100, '(') + std::string(100, ')')), "none");
  EXPECT_NE(Refusal("E", std::string(200, '|')), "none");
  EXPECT_TRUE(Selects("", std::string(kMaxGrepPattern, 'a'), std::string(kMaxGrepPattern, 'a')));
}

TEST(GrepPattern, TakesLittleTimeForEveryPattern) {
  EXPECT_FALSE(Selects("E", "^(a*)*(a|a)*(a+)+b$", std::string(20000, 'a')));
}

}  // namespace
}  // namespace certlatch
