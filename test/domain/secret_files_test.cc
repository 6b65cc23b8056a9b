#include "domain/secret_files.h"

#include <gmock/gmock.h>

#include "domain/base64.h"

namespace certlatch {
namespace {

using ::testing::HasSubstr;

std::string Data(const std::string& key, const std::string& bytes) {
  return JsonQuote(key) + ":\"" + EncodeBase64(bytes) + "\"";
}

std::string SecretOf(const std::string& data) { return R"({"data":{)" + data + "}}"; }

// "", or what is wrong.
std::string Read(const std::string& secret) {
  const Result<Json> json = ParseJson(secret);
  if (!json) return "no JSON: " + json.error().text;
  const Status status = CheckSecretFiles((*json)["data"]);
  return status ? "" : status.error().text;
}

TEST(SecretFiles, AreTheKeysOfTheData) {
  EXPECT_EQ(Read(SecretOf(Data("tls.crt", "C") + "," + Data(".dockerconfigjson", "{}") + "," +
                          Data("UPPER_case-1", ""))),
            "");
  EXPECT_EQ(Read("{}"), "");
  EXPECT_EQ(Read(R"({"data":null})"), "");
  EXPECT_EQ(Read(R"({"data":{"empty":null}})"), "");
}

TEST(SecretFiles, RefuseNamesThatLeadElsewhereAndNameThem) {
  for (const std::string name :
       {"a/b", "/etc/passwd", "..", ".", "", "../x", "..data", "..2026_01_01_00_00_00.1", "a b",
        "tab\there", "line\nbreak", "\x7f", "\xc3\xa4", "back\\slash"}) {
    EXPECT_THAT(Read(SecretOf(Data("tls.crt", "C") + "," + Data(name, "x"))),
                HasSubstr("cannot be the name of a file"))
        << name;
  }
  EXPECT_EQ(Read(SecretOf(Data("a/b", "x"))), "its key \"a/b\" cannot be the name of a file");
  EXPECT_EQ(Read(SecretOf(Data("a\nb", "x"))), "its key \"a\\x0ab\" cannot be the name of a file");
  EXPECT_THAT(Read(R"({"data":{"a\u0000b":"eA=="}})"), HasSubstr("a\\x00b"));
}

TEST(SecretFiles, RefuseNamesThatNoFileSystemTakes) {
  EXPECT_EQ(Read(SecretOf(Data(std::string(255, 'n'), "x"))), "");
  EXPECT_THAT(Read(SecretOf(Data(std::string(256, 'n'), "x"))), HasSubstr("cannot be the name"));
}

TEST(SecretFiles, RefuseWhatIsThereTwice) {
  EXPECT_EQ(Read(SecretOf(Data("a", "1") + "," + Data("a", "2"))), "its key \"a\" is there twice");
}

TEST(SecretFiles, RefuseWhatIsNotBase64WithoutShowingIt) {
  EXPECT_EQ(Read(R"({"data":{"tls.key":"c2Vjcm*0"}})"), "its key \"tls.key\" is not base64");
}

TEST(SecretFiles, AreAtMostAMebibyteTogether) {
  const std::string half(kMaxSecretBytes / 2, 'x');
  EXPECT_EQ(Read(SecretOf(Data("a", half) + "," + Data("b", half))), "");
  EXPECT_EQ(Read(SecretOf(Data("a", half) + "," + Data("b", half) + "," + Data("c", "x"))),
            "it holds more than 1 MiB, or more than 1000 keys");
}

TEST(SecretFiles, AreAtMostAThousand) {
  std::string data = Data("k0", "");
  for (size_t i = 1; i < kMaxSecretFiles; ++i) data += "," + Data("k" + std::to_string(i), "");
  EXPECT_EQ(Read(SecretOf(data)), "");
  EXPECT_THAT(Read(SecretOf(data + "," + Data("x", ""))), HasSubstr("more than 1000 keys"));
}

}  // namespace
}  // namespace certlatch
