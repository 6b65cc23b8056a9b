#include "domain/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certlatch {
namespace {

using ::testing::HasSubstr;

std::vector<TargetName> Read(std::string_view text) {
  std::vector<TargetName> targets;
  const Status status = ReadManifest(text, "f.json", targets);
  EXPECT_TRUE(status) << (status ? "" : status.error().text);
  return targets;
}

std::string Refusal(std::string_view text) {
  std::vector<TargetName> targets;
  const Status status = ReadManifest(text, "f.json", targets);
  EXPECT_FALSE(status);
  return status ? "" : status.error().text;
}

TEST(Manifest, NamesTypeNameAndNamespaceOfAnObject) {
  const auto targets = Read(R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate",
      "metadata":{"name":"web","namespace":"prod"}})");
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].type, "Certificate.v1.cert-manager.io");
  EXPECT_EQ(targets[0].text, "certificate/web");
  EXPECT_EQ(targets[0].ns, "prod");
  const auto found = FindWellKnown(ReadTypeName(targets[0].type)[0]);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->plural, "certificates");
}

TEST(Manifest, ATypeOfTheCoreGroupIsOfNoOther) {
  const auto targets =
      Read(R"({"apiVersion":"v1","kind":"Certificate","metadata":{"name":"web"}})");
  ASSERT_EQ(targets.size(), 1U);
  for (const TypeName& name : ReadTypeName(targets[0].type)) {
    EXPECT_FALSE(FindWellKnown(name));
    const auto groups = ParseJson(R"({"groups":[{"name":"a.io","versions":
        [{"groupVersion":"a.io/v1","version":"v1"}]}]})");
    for (const std::string& asked : GroupVersionsToAsk(*groups, name)) EXPECT_EQ(asked, "v1");
  }
}

TEST(Manifest, ReadsDocumentsOneAfterTheOtherAndLists) {
  constexpr char kText[] = R"(
      {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"data":"} \" {"}
      {"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}},
        {"apiVersion":"v1","kind":"PodList","items":[
          {"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}]}]}{"apiVersion":"apps/v1",
      "kind":"Deployment","metadata":{"name":"d"}})";
  std::string names;
  for (const TargetName& target : Read(kText)) names += target.name;
  EXPECT_EQ(names, "abcd");
  EXPECT_TRUE(Read(" \n").empty());
  EXPECT_TRUE(Read(R"({"apiVersion":"v1","kind":"List","items":null})").empty());
}

TEST(Manifest, RefusesWhatIsNoObjectWithAName) {
  EXPECT_EQ(Refusal(R"({"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"a-"}})"),
            "resource name must be provided");
  EXPECT_THAT(Refusal(R"({"kind":"Pod","metadata":{"name":"a"}})"), HasSubstr("apiVersion"));
  EXPECT_THAT(Refusal(R"({"apiVersion":"v1/../x","kind":"Pod","metadata":{"name":"a"}})"),
              HasSubstr("apiVersion"));
  EXPECT_THAT(Refusal(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"../a"}})"),
              HasSubstr("a proper name"));
  EXPECT_THAT(Refusal(R"({"apiVersion":"v1","kind":"Pod")"), HasSubstr("f.json: "));
}

TEST(Manifest, ShowsNothingOfWhatAnObjectHolds) {
  EXPECT_EQ(Refusal(R"({"data":{"password":"hush"}})").find("hush"), std::string::npos);
  EXPECT_EQ(Refusal(R"({"data":{"password":"hush"})").find("hush"), std::string::npos);
  EXPECT_EQ(Refusal("data:\n  password: hush\n").find("hush"), std::string::npos);
}

TEST(Manifest, YamlGetsTheCommandThatConvertsIt) {
  EXPECT_EQ(Refusal("apiVersion: v1\nkind: Pod\n"),
            "f.json: YAML is not read here; convert it once: "
            "kubectl create --dry-run=client -o json -f f.json > FILE.json");
}

}  // namespace
}  // namespace certlatch
