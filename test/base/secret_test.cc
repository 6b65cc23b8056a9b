#include "base/secret.h"

#include <gtest/gtest.h>

#include <cstring>

namespace certlatch {
namespace {

TEST(Secret, LeavesNothingBehindWhenWiped) {
  std::string text = "s3cret token of some length";
  const char* bytes = text.data();
  const size_t size = text.size();
  Wipe(text);
  EXPECT_TRUE(text.empty());
  // The capacity is still the string's own: reading it is allowed, and it must be zeros.
  EXPECT_EQ(bytes, text.data());
  text.resize(size);
  EXPECT_EQ(text, std::string(size, '\0'));
}

TEST(Secret, MovesWithoutLeavingACopy) {
  Secret first(std::string("short"));  // short strings are copied by a move
  Secret second(std::move(first));
  EXPECT_EQ(second.Reveal(), "short");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the point
  Secret third;
  third = std::move(second);
  EXPECT_EQ(third.Reveal(), "short");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace certlatch
