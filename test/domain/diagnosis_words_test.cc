#include "domain/diagnosis_words.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

const Json kObject =
    *ParseJson(R"({"a":{"b":"deep"},"n":-7,"empty":"","odd":{},"lines":" two\n\n\tlines\u0007 "})");

TEST(DiagnosisWords, FillFieldsIn) {
  EXPECT_EQ(Fill("{a.b}, {n} and {lines}", kObject), "deep, -7 and two lines\\x07");
  EXPECT_EQ(Fill("<{none}{empty}{odd}{a.b.c}>", kObject), "<>");
  EXPECT_EQ(Fill("{a}", Json()), "");
  EXPECT_EQ(Fill("{$}, {n}[: {$}]", kObject, " as they are "), " as they are , -7:  as they are ");
  EXPECT_EQ(Fill("none[: {$}]", kObject), "none");
}

TEST(DiagnosisWords, LeaveOutThePartInBracketsWhoseFieldIsMissing) {
  EXPECT_EQ(Fill("is[ {a.b}][ {empty}][ {n}{none}][!]", kObject), "is deep!");
}

TEST(DiagnosisWords, AreBounded) {
  EXPECT_EQ(Words(std::string(1000000, 'x'), 10), "xxxxxxxxxx...");
  EXPECT_EQ(Words("a   b", 10), "a b");
}

TEST(DiagnosisWords, TakeNothingForAnAnswerOfVaultThatIsNone) {
  for (const char* odd : {"URL: ", "URL: /sign Code: ", " Errors: * ", "Code: 400. Errors: * x",
                          "URL: http://v/v1/pki/roles/r Code: 400. Errors: * x"}) {
    EXPECT_EQ(IssuersWords(Json(), odd), odd);
  }
}

}  // namespace
}  // namespace certlatch
