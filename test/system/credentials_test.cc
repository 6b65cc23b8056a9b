// Tokens and rights: which token goes where, what happens when it rotates, what a 403 means.
#include <sys/stat.h>

#include <string>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kReady = R"({"conditions":[{"type":"Ready","status":"True"}]})";
const std::string kNotReady = R"({"conditions":[{"type":"Ready","status":"False"}]})";
const ObjectRef kWeb = {"certificates.cert-manager.io", "default", "web"};

class Credentials : public SystemTest {
 protected:
  void Allow(std::vector<ApiRule> rules) {
    ApiUser user;
    user.rules = std::move(rules);
    TokenTable table;
    table.emplace(kToken, std::move(user));
    api().SetTokens(std::move(table));
  }
  void AcceptOnly(std::string_view token) {
    ApiUser admin;
    admin.all = true;
    TokenTable table;
    table.emplace(token, std::move(admin));
    api().SetTokens(std::move(table));
  }
  static ApiRule Certificates(std::vector<std::string> verbs) {
    ApiRule rule;
    rule.verbs = std::move(verbs);
    rule.resources = {"certificates.cert-manager.io"};
    return rule;
  }
};

// --- 401 ---

TEST_F(Credentials, AreReadAgainWhenTheTokenFileRotates) {
  api().Put(CertificateJson("web", kReady));
  Write("token", "the-old-one\n");
  const auto run = Start({"certificate/web", "--token-file=" + TempFile("token")});
  ASSERT_TRUE(run->WaitForStderr("does not accept the token", kHang)) << run->Err();
  Write("token", std::string(kToken) + "\n");
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(outcome.err, Not(HasSubstr("the-old-one")));
}

TEST_F(Credentials, AreReadAgainWhenTheTokenRotatesInMidWatch) {
  api().Put(CertificateJson("web", kNotReady));
  Write("token", kToken);
  const auto run = Start({"certificate/web", "--token-file=" + TempFile("token")});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  AcceptOnly("the-new-one");
  api().server().DropConnections();
  ASSERT_TRUE(run->WaitForStderr("does not accept the token", kHang)) << run->Err();
  api().PatchStatus(kWeb, kReady);
  Write("token", "the-new-one");
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(Credentials, AreReadAgainWhenTheTokenRotatesWhileATypeIsLookedUp) {
  api().Register({"example.com", "v1", "widgets", "Widget", {}, true, true, true});
  api().Put(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}})");
  Write("token", "the-old-one");
  const auto run = Start({"widget/w", "--for=create", "--token-file=" + TempFile("token")});
  ASSERT_TRUE(run->WaitForStderr("401", kHang)) << run->Err();
  Write("token", kToken);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(Credentials, ThatAreFixedAndRefusedEndItAtOnce) {
  const Outcome outcome = Run({"certificate/web", "--token=wrong"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("does not accept these credentials"));
  EXPECT_EQ(api().requests().size(), 1U);
}

// --- 403 ---

TEST_F(Credentials, ForOneNameSuffice) {
  ApiRule rule = Certificates({"get", "list", "watch"});
  rule.names = {"web"};
  Allow({rule});
  api().Put(CertificateJson("web", kNotReady));
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  api().PatchStatus(kWeb, kReady);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(Credentials, ToGetAndWatchSufficeWithoutList) {
  Allow({Certificates({"get", "watch"})});
  const auto run = Start({"certificate/web"});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang)) << run->Err();
  api().Put(CertificateJson("web", kNotReady));
  ASSERT_TRUE(run->WaitForStderr("Ready is False", kHang));
  api().PatchStatus(kWeb, kReady);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

TEST_F(Credentials, ToGetAloneMakeItPollAndWarnOnce) {
  Allow({Certificates({"get"})});
  api().Put(CertificateJson("web", kNotReady));
  const auto run = Start({"certificate/web"});
  // list, get, watch, and two more rounds.
  ASSERT_TRUE(api().server().WaitForRequests(5, kHang)) << run->Err();
  api().PatchStatus(kWeb, kReady);
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_EQ(CountOf(outcome.err, "grant the verb \"watch\""), 1U) << outcome.err;
  EXPECT_EQ(CountWatches(api().requests()), 1U);
}

TEST_F(Credentials, WithoutAnyRightEndItAtOnceAndNameVerbAndResource) {
  Allow({});
  const Outcome outcome = Run({"certificate/web"});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot get resource"), HasSubstr("certificates")));
}

TEST_F(Credentials, MayComeLateIfAskedTo) {
  Allow({});
  api().Put(CertificateJson("web", kReady));
  const auto run = Start({"certificate/web", "--retry-forbidden"});
  ASSERT_TRUE(run->WaitForStderr("forbidden", kHang)) << run->Err();
  Allow({Certificates({"get", "list", "watch"})});
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

// --- the pod's own ---

class InCluster : public Credentials {
 protected:
  // Runs certlatch in a mount namespace of its own, with a service account at its usual place.
  // /run in there is a fresh tmpfs: nothing of this machine is touched.
  std::unique_ptr<Subprocess> StartInPod(const Args& arguments) {
    Write("token", kToken);
    Write("namespace", "blue");
    Args env = BasicEnvironment();
    env.emplace_back("KUBERNETES_SERVICE_HOST=127.0.0.1");
    env.push_back("KUBERNETES_SERVICE_PORT=" + std::to_string(api().server().port()));
    env.push_back("ACCOUNT=" + TempFile(""));
    return StartInShell(
        "exec unshare -m sh -c '" + std::string(kMount) + R"( && exec "$0" "$@"' "$0" "$@")",
        arguments, std::move(env));
  }
  static bool Possible() {
    Command command;
    command.path = "/bin/sh";
    command.argv = {"sh", "-c", "exec unshare -m mount -t tmpfs tmpfs /mnt"};
    command.env = BasicEnvironment();
    const auto outcome = RunProgram(std::move(command), kHang);
    return outcome.has_value() && outcome->exit_code == 0;
  }
  void SetUp() override {
    if (!Possible()) GTEST_SKIP() << "NOT TESTED: this machine allows no mount namespaces";
  }

 private:
  // The account's directory may itself lie below /run: it is copied before that is covered.
  static constexpr std::string_view kMount =
      "copy=$(mktemp -d) && mount -t tmpfs tmpfs \"$copy\" && "
      "cp \"$ACCOUNT\"/token \"$ACCOUNT\"/ca.crt \"$ACCOUNT\"/namespace \"$copy\" && "
      "mount -t tmpfs tmpfs /var/run/ && "
      "mkdir -p /var/run/secrets/kubernetes.io/serviceaccount && "
      "mount --bind \"$copy\" /var/run/secrets/kubernetes.io/serviceaccount && "
      "umount \"$copy\" && rmdir \"$copy\"";
};

TEST_F(InCluster, TokenCaAndNamespaceAreThePodsOwn) {
  api().Put(CertificateJson("web", kReady, "blue"));
  const Outcome outcome = StartInPod({"wait", "certificate/web"})->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  ASSERT_FALSE(api().requests().empty());
  const HttpRequest request = api().requests().front();
  EXPECT_THAT(request.path, HasSubstr("/namespaces/blue/"));
  EXPECT_EQ(request.Header("authorization"), "Bearer " + std::string(kToken));
}

TEST_F(InCluster, ThePodsTokenIsNeverSentToAnotherServer) {
  ServerOptions options;
  options.tls = ServerTls(authority());
  ScriptedServer other(std::move(options), [](const HttpRequest&, Connection& connection) {
    SendStatus(connection, Unauthorized());
  });
  const Outcome outcome = StartInPod({"wait", "certificate/web", "--server=" + other.url(),
                                      "--certificate-authority=" + CaFile()})
                              ->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  ASSERT_FALSE(other.requests().empty());
  for (const HttpRequest& request : other.requests()) {
    EXPECT_EQ(request.Header("authorization"), "");
  }
}

TEST_F(InCluster, AForeignAuthorityIsNotReplacedByThePodsOwn) {
  ServerOptions options;
  options.tls = ServerTls(authority());
  ScriptedServer other(std::move(options), [](const HttpRequest&, Connection&) {});
  // Another server is judged by the system's authorities, not by the mounted ca.crt.
  const Outcome outcome =
      StartInPod({"wait", "certificate/web", "--server=" + other.url(), "--timeout=1s"})
          ->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(other.requests().size(), 0U);
}

// --- discretion ---

TEST_F(Credentials, NeverAppearInOutputOrArguments) {
  const auto run = Start({"certificate/web", "--token", std::string(kToken), "-v=10"});
  ASSERT_TRUE(run->WaitForStderr("not found yet", kHang)) << run->Err();
  const Result<std::string> arguments =
      ReadFile("/proc/" + std::to_string(run->pid()) + "/cmdline");
  ASSERT_TRUE(arguments.has_value()) << arguments.error().text;
  EXPECT_THAT(*arguments, HasSubstr("certificate/web"));
  EXPECT_THAT(*arguments, Not(HasSubstr(kToken)));
  AcceptOnly("another");
  api().server().DropConnections();
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr("does not accept these credentials"));
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(kToken)));
}

// --- files that cannot be used ---

struct BadFile {
  std::string flag;
  std::string file;  // "": the directory itself
  std::string culprit;
};
void PrintTo(const BadFile& bad, std::ostream* out) { *out << bad.flag << "=" << bad.file; }

class BadFiles : public Credentials, public testing::WithParamInterface<BadFile> {};

TEST_P(BadFiles, AreNamedInOneLineBeforeAnythingStarts) {
  ASSERT_EQ(mkfifo(TempFile("fifo").c_str(), 0600), 0);
  Write("empty", "");
  Write("two-lines", "a\nb\n");
  Write("huge", std::string(2 << 20, 'x'));
  const std::string file = TempFile(GetParam().file);
  const Outcome outcome = Run({"certificate/web", GetParam().flag + "=" + file});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(outcome.out, "");
  ASSERT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(StartsWith("error: "), HasSubstr(file), HasSubstr(GetParam().culprit)));
  EXPECT_EQ(api().requests().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Every, BadFiles,
    testing::Values(BadFile{"--token-file", "missing", "No such file"},
                    BadFile{"--token-file", "fifo", "not a regular file"},
                    BadFile{"--token-file", "", "not a regular file"},
                    BadFile{"--token-file", "empty", "holds no token"},
                    BadFile{"--token-file", "two-lines", "holds no token"},
                    BadFile{"--token-file", "huge", "larger than"},
                    BadFile{"--certificate-authority", "missing", "No such file"},
                    BadFile{"--certificate-authority", "fifo", "not a regular file"},
                    BadFile{"--certificate-authority", "two-lines", "no PEM"}));

}  // namespace
}  // namespace certlatch::test
