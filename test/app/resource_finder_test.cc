#include "app/resource_finder.h"

#include <gtest/gtest.h>

#include <optional>

#include "test/support/fake_host.h"

namespace certlatch {
namespace {

using test::FakeHost;

constexpr const char* kGroups =
    R"({"groups":[{"name":"example.com","versions":[{"groupVersion":"example.com/v1"}],
        "preferredVersion":{"groupVersion":"example.com/v1"}}]})";
constexpr const char* kNothing = R"({"groupVersion":"v1","resources":[]})";
constexpr const char* kWidgets =
    R"({"groupVersion":"example.com/v1","resources":[{"name":"widgets","kind":"Widget","namespaced":true}]})";

struct Search {
  explicit Search(const std::string& type)
      : finder(host, type, /*retry_unauthorized=*/true,
               [this](Result<Resource> found) { result = std::move(found); }) {
    finder.Start();
  }
  // "widgets.example.com", or the error.
  std::string Outcome() const {
    if (!result) return "still searching";
    return result->has_value() ? (*result)->GroupResource() : result->error().text;
  }
  FakeHost host;
  std::optional<Result<Resource>> result;
  ResourceFinder finder;
};

TEST(ResourceFinder, AsksNobodyAboutWhatTheTableKnows) {
  Search search("Certs");
  EXPECT_EQ(search.Outcome(), "certificates.cert-manager.io");
  EXPECT_TRUE(search.host.history.empty());
}

TEST(ResourceFinder, AsksTheCoreGroupThenTheOthersAndTakesTheFirstMatch) {
  Search search("widget");
  search.host.Answer(search.host.Find("/apis"), 200, kGroups);
  search.host.Answer(search.host.Find("/api/v1"), 200, kNothing);
  EXPECT_EQ(search.Outcome(), "still searching");
  search.host.Answer(search.host.Find("/apis/example.com/v1"), 200, kWidgets);
  EXPECT_EQ(search.Outcome(), "widgets.example.com");
  EXPECT_TRUE(search.host.Open().empty());
}

TEST(ResourceFinder, SaysWhenNoApiHasTheType) {
  Search search("gadget");
  search.host.Answer(search.host.Find("/apis"), 200, kGroups);
  search.host.Answer(search.host.Find("/api/v1"), 200, kNothing);
  search.host.Answer(search.host.Find("/apis/example.com/v1"), 200, kWidgets);
  EXPECT_EQ(search.Outcome(), "the server doesn't have a resource type \"gadget\"");
  EXPECT_EQ(search.result->error().code, Code::kNotFound);
}

TEST(ResourceFinder, IsNotSureOfAbsenceWhileOneApiIsBroken) {
  Search search("gadget");
  search.host.Answer(search.host.Find("/apis"), 200, kGroups);
  search.host.Answer(search.host.Find("/api/v1"), 503, "");
  search.host.Answer(search.host.Find("/apis/example.com/v1"), 200, kWidgets);
  EXPECT_EQ(search.result->error().code, Code::kRetry);
}

TEST(ResourceFinder, AsksOnlyTheGroupThatTheTypeNames) {
  Search search("widgets.example.com");
  search.host.Answer(search.host.Find("/apis"), 200, kGroups);
  search.host.Answer(search.host.Find("/apis/example.com/v1"), 200, kWidgets);
  EXPECT_EQ(search.Outcome(), "widgets.example.com");
  EXPECT_EQ(search.host.history.size(), 2U);
}

TEST(ResourceFinder, TellsDenialFromTrouble) {
  Search denied("widget");
  denied.host.Answer(denied.host.Find("/apis"), 403, "");
  EXPECT_EQ(denied.result->error().code, Code::kDenied);
  Search unauthorized("widget");  // the token may rotate
  unauthorized.host.Answer(unauthorized.host.Find("/apis"), 401, "");
  EXPECT_EQ(unauthorized.result->error().code, Code::kRetry);
  Search broken("widget");
  broken.host.Answer(broken.host.Find("/apis"), 200, "{");
  EXPECT_EQ(broken.result->error().code, Code::kRetry);
}

}  // namespace
}  // namespace certlatch
