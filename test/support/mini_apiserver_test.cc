#include "test/support/mini_apiserver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/support/test_client.h"

namespace certlatch::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Duration kLong = 30s;
const std::string kSecrets = "/api/v1/namespaces/default/secrets";
const std::string kCertificates = "/apis/cert-manager.io/v1/namespaces/default/certificates";
const std::string kMergePatch = "Content-Type: application/merge-patch+json\r\n";
const std::string kMetadataOnly =
    "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1\r\n";

std::string SecretText(const std::string& name, const std::string& labels = "{}") {
  return R"({"kind":"Secret","apiVersion":"v1","metadata":{"name":")" + name + R"(","labels":)" +
         labels + R"(},"data":{"a":"Yg=="}})";
}

std::string CertificateText(const std::string& name, const std::string& secret) {
  return R"({"kind":"Certificate","apiVersion":"cert-manager.io/v1","metadata":{"name":")" + name +
         R"("},"spec":{"secretName":")" + secret + R"("},"status":{"revision":1}})";
}

Json Parsed(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  EXPECT_TRUE(json.has_value()) << text;
  return json ? *json : Json();
}

// A response as a test reads it.
struct Answer {
  int code = 0;
  Json body;
  std::string message() const { return std::string(body["message"].AsString()); }
};

std::string NameOf(const Json& object) {
  return std::string(object["metadata"]["name"].AsString());
}

std::string VersionOf(const Json& object) {
  return std::string(object["metadata"]["resourceVersion"].AsString());
}

std::vector<std::string> NamesIn(const Json& list) {
  std::vector<std::string> names;
  for (const Json& item : list["items"].items()) names.push_back(NameOf(item));
  return names;
}

// One watch on a connection of its own.
class Watcher {
 public:
  Watcher(uint16_t port, const std::string& target, const std::string& headers = "")
      : client_(TestClient::Connect(port)) {
    EXPECT_TRUE(client_->SendRequest("GET", target, "", headers));
    const std::optional<Response> head = client_->ReadHead();
    EXPECT_TRUE(head && head->status == 200) << target;
  }

  // "TYPE name", or "TYPE" where the object has no name; "end": the body ended; "cut": it did not.
  std::string Next() {
    const std::optional<std::string> chunk = client_->ReadChunk();
    if (!chunk) return "cut";
    if (chunk->empty()) return "end";
    event_ = Parsed(*chunk);
    const std::string name = NameOf(event_["object"]);
    return std::string(event_["type"].AsString()) + (name.empty() ? "" : " " + name);
  }
  const Json& object() const { return event_["object"]; }  // of the last event

 private:
  std::unique_ptr<TestClient> client_;
  Json event_;
};

class MiniApiserverTest : public testing::Test {
 protected:
  explicit MiniApiserverTest(MiniApiserverOptions options = {})
      : server_(std::move(options)), client_(TestClient::Connect(port())) {}

  uint16_t port() { return server_.server().port(); }

  Answer Ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = "") {
    const std::optional<Response> response = client_->Request(method, target, body, headers);
    EXPECT_TRUE(response.has_value()) << target;
    return response ? Answer{response->status, Parsed(response->body)} : Answer();
  }

  Watcher Watch(const std::string& target, const std::string& headers = "") {
    return Watcher(port(), target, headers);
  }

  MiniApiserver server_;
  std::unique_ptr<TestClient> client_;
};

TEST_F(MiniApiserverTest, CreatesReadsAndDeletes) {
  const Answer created = Ask("POST", kSecrets, SecretText("web"));
  EXPECT_EQ(created.code, 201);
  EXPECT_NE(created.body["metadata"]["uid"].AsString(), "");
  const Answer read = Ask("GET", kSecrets + "/web");
  EXPECT_EQ(read.code, 200);
  EXPECT_EQ(read.body.Dump(), created.body.Dump());
  EXPECT_EQ(Ask("DELETE", kSecrets + "/web").code, 200);
  EXPECT_EQ(Ask("GET", kSecrets + "/web").code, 404);
}

TEST_F(MiniApiserverTest, WordsItsErrorsAsKubernetesDoes) {
  EXPECT_EQ(Ask("GET", kSecrets + "/x").message(), "secrets \"x\" not found");
  EXPECT_EQ(Ask("GET", kCertificates + "/x").message(),
            "certificates.cert-manager.io \"x\" not found");
  EXPECT_EQ(Ask("POST", "/api/v1/namespaces/none/secrets", SecretText("x")).message(),
            "namespaces \"none\" not found");
  server_.Put(SecretText("x"));
  const Answer again = Ask("POST", kSecrets, SecretText("x"));
  EXPECT_EQ(again.code, 409);
  EXPECT_EQ(again.message(), "secrets \"x\" already exists");
  const Answer stale =
      Ask("PUT", kSecrets + "/x", R"({"metadata":{"name":"x","resourceVersion":"1"}})");
  EXPECT_EQ(stale.code, 409);
  EXPECT_THAT(stale.message(), HasSubstr("the object has been modified; please apply"));
  EXPECT_EQ(client_->Request("GET", "/apis/none/v1/things")->body, "404 page not found\n");
}

TEST_F(MiniApiserverTest, KeepsStatusAndSpecApart) {
  server_.Put(CertificateText("web", "one"));
  Answer answer = Ask("PATCH", kCertificates + "/web",
                      R"({"spec":{"secretName":"two"},"status":{"revision":9}})", kMergePatch);
  EXPECT_EQ(answer.body["metadata"]["generation"].AsInt(), 2);
  EXPECT_EQ(answer.body["status"]["revision"].AsInt(), 1);
  answer = Ask("PATCH", kCertificates + "/web/status",
               R"({"spec":{"secretName":"three"},"status":{"revision":2}})", kMergePatch);
  EXPECT_EQ(answer.body["metadata"]["generation"].AsInt(), 2);
  EXPECT_EQ(answer.body["spec"]["secretName"].AsString(), "two");
  EXPECT_EQ(answer.body["status"]["revision"].AsInt(), 2);
}

TEST_F(MiniApiserverTest, MakesNoNewVersionOfAnUnchangedObject) {
  server_.Put(SecretText("web"));
  const int64_t before = server_.version();
  EXPECT_EQ(Ask("PATCH", kSecrets + "/web", R"({"data":{"a":"Yg=="}})", kMergePatch).code, 200);
  EXPECT_EQ(server_.version(), before);
}

TEST_F(MiniApiserverTest, StoresNothingInADryRun) {
  EXPECT_EQ(Ask("POST", kSecrets + "?dryRun=All", SecretText("web")).code, 201);
  EXPECT_EQ(Ask("GET", kSecrets + "/web").code, 404);
}

TEST_F(MiniApiserverTest, ListsInPagesOfOneState) {
  for (const char* name : {"a", "b", "c"}) server_.Put(SecretText(name));
  const Answer first = Ask("GET", kSecrets + "?limit=2");
  EXPECT_THAT(NamesIn(first.body), ElementsAre("a", "b"));
  EXPECT_EQ(first.body["metadata"]["remainingItemCount"].AsInt(), 1);
  server_.Put(SecretText("d"));
  const std::string next(first.body["metadata"]["continue"].AsString());
  const Answer second = Ask("GET", kSecrets + "?limit=2&continue=" + next);
  EXPECT_THAT(NamesIn(second.body), ElementsAre("c"));
  EXPECT_EQ(VersionOf(second.body), VersionOf(first.body));
  EXPECT_EQ(second.body["metadata"].Find("continue"), nullptr);
  server_.CompactHistory();
  const Answer late = Ask("GET", kSecrets + "?limit=2&continue=" + next);
  EXPECT_EQ(late.code, 410);
  EXPECT_EQ(late.body["reason"].AsString(), "Expired");
}

TEST_F(MiniApiserverTest, ListsWhatTheSelectorsSelect) {
  server_.Put(SecretText("a", R"({"app":"x"})"));
  server_.Put(SecretText("b", R"({"app":"y"})"));
  EXPECT_THAT(NamesIn(Ask("GET", kSecrets + "?labelSelector=app%3Dy").body), ElementsAre("b"));
  EXPECT_THAT(NamesIn(Ask("GET", kSecrets + "?fieldSelector=metadata.name%3Da").body),
              ElementsAre("a"));
  const Answer none = Ask("GET", kSecrets + "?labelSelector=app%3Dz");
  EXPECT_TRUE(none.body["items"].is_array());
  EXPECT_EQ(VersionOf(none.body), std::to_string(server_.version()));
  EXPECT_EQ(Ask("GET", kSecrets + "?fieldSelector=spec.x%3Da").message(),
            "field label not supported: spec.x");
}

TEST_F(MiniApiserverTest, WatchesFromTheVersionOfAList) {
  server_.Put(SecretText("old"));
  const std::string version = VersionOf(Ask("GET", kSecrets).body);
  server_.Put(SecretText("new"));
  Watcher watch = Watch(kSecrets + "?watch=1&resourceVersion=" + version);
  EXPECT_EQ(watch.Next(), "ADDED new");
  Ask("PATCH", kSecrets + "/old", R"({"data":{"b":""}})", kMergePatch);
  EXPECT_EQ(watch.Next(), "MODIFIED old");
  server_.Delete({"secrets", "default", "new"});
  EXPECT_EQ(watch.Next(), "DELETED new");
  EXPECT_EQ(VersionOf(watch.object()), std::to_string(server_.version()));
}

TEST_F(MiniApiserverTest, BeginsAWatchWithoutVersionWithThePresentState) {
  server_.Put(SecretText("a"));
  server_.Put(SecretText("b"));
  for (const char* version : {"", "&resourceVersion=0"}) {
    Watcher watch = Watch(kSecrets + "?watch=true" + version);
    EXPECT_EQ(watch.Next(), "ADDED a");
    EXPECT_EQ(watch.Next(), "ADDED b");
  }
}

TEST_F(MiniApiserverTest, ShowsAWatcherOnlyWhatItSelected) {
  server_.Put(SecretText("a", R"({"app":"x"})"));
  Watcher watch = Watch(kSecrets + "?watch=1&labelSelector=app%3Dx");
  EXPECT_EQ(watch.Next(), "ADDED a");
  server_.Put(SecretText("other"));
  server_.Put(SecretText("a", R"({"app":"y"})"));
  EXPECT_EQ(watch.Next(), "DELETED a");
  server_.Put(SecretText("a", R"({"app":"x"})"));
  EXPECT_EQ(watch.Next(), "ADDED a");
}

TEST_F(MiniApiserverTest, SaysGoneToAWatchFromForgottenHistory) {
  server_.Put(SecretText("a"));
  const std::string version = std::to_string(server_.version() - 1);
  server_.CompactHistory();
  Watcher watch = Watch(kSecrets + "?watch=1&resourceVersion=" + version);
  EXPECT_EQ(watch.Next(), "ERROR");
  EXPECT_EQ(watch.object()["code"].AsInt(), 410);
  EXPECT_EQ(watch.object()["reason"].AsString(), "Expired");
  EXPECT_EQ(watch.Next(), "end");
}

TEST_F(MiniApiserverTest, GoesOnFromThePresentVersionAfterCompaction) {
  server_.Put(SecretText("a"));
  server_.CompactHistory();
  Watcher watch = Watch(kSecrets + "?watch=1&resourceVersion=" + std::to_string(server_.version()));
  server_.Put(SecretText("b"));
  EXPECT_EQ(watch.Next(), "ADDED b");
}

TEST_F(MiniApiserverTest, RefusesAVersionOfTheFuture) {
  const Answer answer = Ask("GET", kSecrets + "?watch=1&resourceVersion=999999");
  EXPECT_EQ(answer.code, 504);
  EXPECT_THAT(answer.message(), HasSubstr("Too large resource version: 999999"));
}

TEST_F(MiniApiserverTest, SendsBookmarksToThoseWhoAllowThem) {
  Watcher watch = Watch(kSecrets + "?watch=1&allowWatchBookmarks=true");
  Watcher other = Watch(kSecrets + "?watch=1");
  ASSERT_TRUE(server_.WaitForOpenWatches(2, kLong));
  server_.Put(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c"}})");
  server_.SendBookmarks();
  EXPECT_EQ(watch.Next(), "BOOKMARK");
  EXPECT_EQ(VersionOf(watch.object()), std::to_string(server_.version()));
  server_.DropWatches(MiniApiserver::Drop::kEnd);
  EXPECT_EQ(other.Next(), "end");
}

TEST_F(MiniApiserverTest, EndsAWatchCleanlyAtItsTimeout) {
  Watcher watch = Watch(kSecrets + "?watch=1&timeoutSeconds=1&allowWatchBookmarks=1");
  EXPECT_EQ(watch.Next(), "BOOKMARK");
  EXPECT_EQ(watch.Next(), "end");
  EXPECT_TRUE(server_.WaitForOpenWatches(0, kLong));
}

TEST_F(MiniApiserverTest, DropsWatches) {
  for (const MiniApiserver::Drop how : {MiniApiserver::Drop::kReset, MiniApiserver::Drop::kFin}) {
    Watcher watch = Watch(kSecrets + "?watch=1");
    ASSERT_TRUE(server_.WaitForOpenWatches(1, kLong));
    server_.DropWatches(how);
    EXPECT_EQ(watch.Next(), "cut");
    EXPECT_TRUE(server_.WaitForOpenWatches(0, kLong));
  }
}

TEST_F(MiniApiserverTest, ShowsMetadataAlone) {
  server_.Put(SecretText("a"));
  const Answer answer = Ask("GET", kSecrets + "/a", "", kMetadataOnly);
  EXPECT_EQ(answer.body["kind"].AsString(), "PartialObjectMetadata");
  EXPECT_EQ(answer.body.Find("data"), nullptr);
  Watcher watch = Watch(kSecrets + "?watch=1", kMetadataOnly);
  EXPECT_EQ(watch.Next(), "ADDED a");
  EXPECT_EQ(watch.object()["apiVersion"].AsString(), "meta.k8s.io/v1");
  EXPECT_EQ(Ask("GET", kSecrets, "", kMetadataOnly).code, 406);
}

TEST_F(MiniApiserverTest, HoldsADeletionUntilTheLastFinalizerIsGone) {
  server_.Put(R"({"kind":"Secret","apiVersion":"v1",
                  "metadata":{"name":"a","finalizers":["x/y"]}})");
  Watcher watch = Watch(kSecrets + "?watch=1");
  EXPECT_EQ(watch.Next(), "ADDED a");
  EXPECT_EQ(Ask("DELETE", kSecrets + "/a").code, 200);
  EXPECT_EQ(watch.Next(), "MODIFIED a");
  EXPECT_NE(watch.object()["metadata"].Find("deletionTimestamp"), nullptr);
  Ask("PATCH", kSecrets + "/a", R"({"metadata":{"finalizers":null}})", kMergePatch);
  EXPECT_EQ(watch.Next(), "DELETED a");
}

TEST_F(MiniApiserverTest, InjectsFaultsAsOftenAsAsked) {
  server_.InjectFault([](const HttpRequest& request) { return request.path == kSecrets; },
                      [](const HttpRequest&, Connection& connection) {
                        SendStatus(connection, MakeError(429, "TooManyRequests", "slow down"),
                                   {{"Retry-After", "1"}});
                      },
                      2);
  EXPECT_EQ(Ask("GET", kCertificates).code, 200);
  EXPECT_EQ(Ask("GET", kSecrets).code, 429);
  EXPECT_EQ(Ask("GET", kSecrets).code, 429);
  EXPECT_EQ(Ask("GET", kSecrets).code, 200);
}

TEST_F(MiniApiserverTest, DescribesItsResources) {
  EXPECT_THAT(Ask("GET", "/apis").body.Dump(), HasSubstr("cert-manager.io/v1"));
  EXPECT_THAT(Ask("GET", "/api/v1").body.Dump(), HasSubstr(R"("kind":"Secret")"));
  server_.Register({"example.org", "v2", "widgets", "Widget", {"wd"}, true, true, true});
  const Answer answer = Ask("GET", "/apis/example.org/v2");
  EXPECT_EQ(answer.body["resources"][0]["singularName"].AsString(), "widget");
  EXPECT_EQ(Ask("GET", "/apis/example.org").body["kind"].AsString(), "APIGroup");
}

class MiniApiserverWithTokens : public MiniApiserverTest {
 protected:
  MiniApiserverWithTokens() : MiniApiserverTest(Options()) {}

  static MiniApiserverOptions Options() {
    ApiUser pod;
    pod.name = "system:serviceaccount:default:pod";
    pod.rules = {{{"get", "list", "watch"}, {"secrets"}, {"web"}, {"default"}}};
    MiniApiserverOptions options;
    options.tokens = {{"pod-token", pod}};
    return options;
  }

  Answer AskAs(const std::string& token, const std::string& target) {
    return Ask("GET", target, "", "Authorization: Bearer " + token + "\r\n");
  }
};

TEST_F(MiniApiserverWithTokens, RefusesStrangers) {
  EXPECT_EQ(Ask("GET", kSecrets).code, 401);
  EXPECT_EQ(AskAs("wrong", kSecrets).message(), "Unauthorized");
}

TEST_F(MiniApiserverWithTokens, AllowsAListOfTheOneNameThatResourceNamesGrants) {
  EXPECT_EQ(AskAs("pod-token", kSecrets + "?fieldSelector=metadata.name%3Dweb").code, 200);
  EXPECT_EQ(AskAs("pod-token", kSecrets + "/web").code, 404);
  EXPECT_EQ(AskAs("pod-token", kSecrets).message(),
            "secrets is forbidden: User \"system:serviceaccount:default:pod\" cannot list resource "
            "\"secrets\" in API group \"\" in the namespace \"default\"");
  EXPECT_EQ(AskAs("pod-token", kCertificates + "/web").message(),
            "certificates.cert-manager.io \"web\" is forbidden: User "
            "\"system:serviceaccount:default:pod\" cannot get resource \"certificates\" in API "
            "group \"cert-manager.io\" in the namespace \"default\"");
}

TEST_F(MiniApiserverWithTokens, TakesRotatedTokens) {
  ApiUser all;
  all.all = true;
  server_.SetTokens({{"new-token", all}});
  EXPECT_EQ(AskAs("pod-token", kSecrets).code, 401);
  EXPECT_EQ(AskAs("new-token", kSecrets).code, 200);
}

}  // namespace
}  // namespace certlatch::test
