#include "domain/base64.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(EncodeBase64(bytes), text);
    ASSERT_TRUE(DecodeBase64(text).has_value()) << text;
    EXPECT_EQ(*DecodeBase64(text), bytes);
    EXPECT_EQ(DecodeBase64Secret(text)->Reveal(), bytes);
  }
}

TEST(Base64, ReadsWhatItWroteForEveryByteAtEveryPlace) {
  for (int value = 0; value < 256; ++value) {
    for (size_t size = 1; size <= 4; ++size) {
      for (size_t place = 0; place < size; ++place) {
        std::string bytes(size, '\xa5');
        bytes[place] = static_cast<char>(value);
        ASSERT_EQ(*DecodeBase64(EncodeBase64(bytes)), bytes);
      }
    }
  }
}

TEST(Base64, HasOneTextForEachValue) {
  // Every text of four characters that decodes is the one that encodes the result.
  const std::string_view characters = "AQg/+=Z-_ \n";
  for (const char a : characters) {
    for (const char b : characters) {
      for (const char c : characters) {
        for (const char d : characters) {
          const std::string text = {a, b, c, d};
          const Result<std::string> bytes = DecodeBase64(text);
          if (bytes.has_value()) {
            EXPECT_EQ(EncodeBase64(*bytes), text);
          }
        }
      }
    }
  }
}

TEST(Base64, RefusesWhatLaxDecodersTake) {
  for (const char* text :
       {"Zg",       "Zg=",  "Zm9",  "Zm9v\n",  "Zm9v\r\n",  "\nZm9v",      "Zm 9v",
        "Zm9vZ",    "Zh==", "Zm9=", "=",       "==",        "====",        "Z===",
        "Zg==Zg==", "Z=g=", "Zm-_", "Zm9\x80", "Zm9v Zm9v", "Zg==\n\n\n\n"}) {
    EXPECT_FALSE(DecodeBase64(text).has_value()) << text;
    EXPECT_FALSE(DecodeBase64Secret(text).has_value()) << text;
  }
  EXPECT_FALSE(DecodeBase64(std::string_view("Zm9\0", 4)).has_value());
}

TEST(Base64, TellsWhereTheTextIsWrongButNothingOfIt) {
  EXPECT_EQ(DecodeBase64("Zm9vU$==").error().text, "not valid base64 at character 6");
  EXPECT_EQ(DecodeBase64("Zm9vU").error().text, "not valid base64: cut short");
  EXPECT_EQ(DecodeBase64("Zm9vU").error().code, Code::kRetry);
}

TEST(Base64, DecodesAFullSecret) {
  const std::string bytes(1 << 20, '\x7f');
  EXPECT_TRUE(*DecodeBase64(EncodeBase64(bytes)) == bytes);
}

}  // namespace
}  // namespace certlatch
