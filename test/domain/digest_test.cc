#include "domain/digest.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

TEST(Digest, KnowsTheVectorsOfFips180) {
  EXPECT_EQ(HexLower(Sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexLower(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, ReadsBytesNotText) { EXPECT_NE(Sha256(std::string_view("a\0b", 3)), Sha256("a")); }

TEST(Digest, OfPartsIsTheDigestOfTheWhole) {
  const std::string_view parts[] = {"a", "", "bc"};
  EXPECT_EQ(Sha256(parts), Sha256("abc"));
  EXPECT_EQ(Sha256(std::span<const std::string_view>()), Sha256(""));
}

TEST(Digest, IsShownInTwoLowercaseDigitsAByte) {
  const uint8_t bytes[] = {0x00, 0x09, 0xab, 0xff};
  EXPECT_EQ(HexLower(bytes), "0009abff");
  EXPECT_EQ(HexLower({}), "");
}

}  // namespace
}  // namespace certlatch
