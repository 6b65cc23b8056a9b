#include "domain/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certlatch {
namespace {

// "type|name|ns|port; …", or the error.
std::string Parsed(const std::vector<std::string_view>& arguments) {
  const auto targets = ParseTargets(arguments);
  if (!targets) return targets.error().text;
  std::string text;
  for (const TargetName& target : *targets) {
    text += target.type + "|" + target.name + "|" + target.ns + "|" + target.port + "; ";
  }
  return text;
}

TEST(Target, HasTypeNameNamespaceAndPort) {
  EXPECT_EQ(Parsed({"secret/web-tls"}), "secret|web-tls||; ");
  EXPECT_EQ(Parsed({"secret/web-tls@prod", "cert/web"}), "secret|web-tls|prod|; cert|web||; ");
  EXPECT_EQ(Parsed({"service/web:https@prod"}), "service|web|prod|https; ");
  EXPECT_EQ(Parsed({"svc/web:8443"}), "svc|web||8443; ");
  EXPECT_EQ(Parsed({"widgets.v1.example.com/x"}), "widgets.v1.example.com|x||; ");
}

TEST(Target, TakesPortsOfServicesOnly) {
  EXPECT_EQ(Parsed({"clusterrole/system:node"}), "clusterrole|system:node||; ");
}

TEST(Target, MayHaveAConditionOfItsOwn) {
  const auto targets = ParseTargets({"job/seed@prod=Complete", "cert/web=Ready=False"});
  ASSERT_TRUE(targets) << targets.error().text;
  EXPECT_EQ((*targets)[0].name, "seed");
  EXPECT_EQ((*targets)[0].ns, "prod");
  EXPECT_EQ((*targets)[0].goal, "Complete");
  EXPECT_EQ((*targets)[1].goal, "Ready=False");
  EXPECT_THAT(Parsed({"job/seed="}), ::testing::HasSubstr("no condition after"));
}

TEST(Target, MayBeOutsideTheApiAndKeepsItsPlace) {
  const auto targets = ParseTargets({"job/seed", "tcp://db:5432", "cert/web"}, true);
  ASSERT_TRUE(targets) << targets.error().text;
  ASSERT_EQ(targets->size(), 3U);
  EXPECT_EQ((*targets)[1].text, "tcp://db:5432");
  EXPECT_EQ((*targets)[1].type, "");
  EXPECT_EQ((*targets)[2].name, "web");
  const auto mixed = ParseTargets({"pod", "a", "file:/x"}, true);
  ASSERT_TRUE(mixed) << mixed.error().text;
  EXPECT_EQ(mixed->size(), 2U);
  EXPECT_FALSE(ParseTargets({"tcp://db"}, true));
  EXPECT_FALSE(ParseTargets({"tcp://db:5432"}));
}

TEST(Target, TakesKubectlsOtherForms) {
  EXPECT_EQ(Parsed({"pod", "a", "b"}), "pod|a||; pod|b||; ");
  EXPECT_EQ(Parsed({"pod,svc", "a"}), "pod|a||; svc|a||; ");
}

TEST(Target, IsRefusedInKubectlsWords) {
  EXPECT_EQ(Parsed({"pod"}), "resource(s) were provided, but no name was specified");
  EXPECT_EQ(Parsed({"pod/a/b"}),
            "arguments in resource/name form may not have more than one slash");
  for (const char* text : {"pod/", "/a"}) {
    EXPECT_EQ(Parsed({text}),
              "arguments in resource/name form must have a single resource and name");
  }
  EXPECT_EQ(Parsed({"pod/a", "b"}).substr(0, 62),
            "there is no need to specify a resource type as a separate argu");
}

TEST(Target, IsRefusedWhenItCouldLeaveItsPlaceInTheUrl) {
  for (const char* text : {"secret/..", "secret/.", "secret/a%2fb", "secret/a?b", "secret/a#b",
                           "secret/a b", "secret/\xc3\xa4", "se%cret/a", "secret/a@..", "secret/@b",
                           "svc/a:", "svc/:1", "./a", "certificates./a", "a..b/c"}) {
    EXPECT_EQ(Parsed({text}).substr(0, 8), "target \"") << text;
  }
  EXPECT_EQ(Parsed({"secret/" + std::string(254, 'a')}).substr(0, 8), "target \"");
  EXPECT_NE(Parsed({}), "");
}

}  // namespace
}  // namespace certlatch
