#include "app/secret_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "app/sidecar.h"
#include "app/wait.h"
#include "base/text.h"
#include "domain/base64.h"
#include "test/support/api_json.h"
#include "test/support/fake_host.h"
#include "test/support/fake_pod.h"
#include "test/support/generations.h"

namespace certlatch {
namespace {

using test::Event;
using test::FakeHost;
using test::FakePod;
using test::Generation;
using test::List;
using test::PemPair;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kList = "secrets?fieldSelector";
constexpr const char* kWatch = "watch=";

std::string SecretOf(const std::string& data, int version,
                     const std::string& type = "kubernetes.io/tls") {
  return R"({"metadata":{"namespace":"default","name":"web-tls","uid":"u","resourceVersion":")" +
         std::to_string(version) + R"("},"type":")" + type + R"(","data":{)" + data + "}}";
}

std::string TlsData(const std::string& cert, const std::string& key) {
  return R"("tls.crt":")" + EncodeBase64(cert) + R"(","tls.key":")" + EncodeBase64(key) + '"';
}

std::string TlsSecret(int number, int version) {
  return SecretOf(TlsData(Generation(number).cert, Generation(number).key), version);
}

// As an issuer may leave it for a moment.
std::string BrokenSecret(int version) {
  return SecretOf(TlsData(Generation(1).cert, Generation(0).key), version);
}

TargetName Into(const char* directory) {
  TargetName write;
  write.text = directory;
  write.type = "secret";
  write.name = "web-tls";
  write.ns = "default";
  write.goal = "ready";
  return write;
}

// --- certlatch wait --write ---

struct Waiting {
  explicit Waiting(WaitOptions its_options = {}) : options(std::move(its_options)) {
    if (options.writes.empty()) options.writes.push_back(Into("/tls"));
    wait = std::make_unique<Wait>(host, options,
                                  [this](WaitResult outcome) { result = std::move(outcome); });
    wait->Start();
  }
  ~Waiting() { wait.reset(); }
  void AnswerList(const std::string& items) { host.Answer(host.Find(kList), 200, List(items)); }
  bool running() const { return !result.has_value(); }
  std::string Error() const { return result && !result->errors.empty() ? result->errors[0] : ""; }

  WaitOptions options;
  FakeHost host;
  std::unique_ptr<Wait> wait;
  std::optional<WaitResult> result;
};

TEST(WaitWrite, IsMetOnceTheVerifiedPairIsWritten) {
  Waiting run;
  run.AnswerList(TlsSecret(0, 3));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.result->outcome, WaitOutcome::kMet);
  EXPECT_EQ(run.host.files["/tls/tls.crt"], Generation(0).cert);
  EXPECT_EQ(run.host.files["/tls/tls.key"], Generation(0).key);
  EXPECT_EQ(run.host.write_mode, 0440U);
  EXPECT_THAT(run.host.printed, ElementsAre("/tls=secret/web-tls condition met"));
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web-tls: 2 files written to /tls/..g1"));
}

TEST(WaitWrite, WritesAtOnceWhenTheSecretComes) {
  Waiting run;
  run.AnswerList("");
  EXPECT_THAT(run.host.Log(), HasSubstr("/tls=secret/web-tls: not found yet; still waiting"));
  run.host.Send(run.host.Find(kWatch), Event("ADDED", TlsSecret(0, 11)));
  EXPECT_FALSE(run.running());
  EXPECT_EQ(run.host.writes, 1);
}

TEST(WaitWrite, WritesNoPairThatDoesNotVerify) {
  Waiting run;
  run.AnswerList(BrokenSecret(3));
  EXPECT_TRUE(run.running());
  EXPECT_THAT(run.host.files, IsEmpty());
  EXPECT_THAT(run.host.Log(), HasSubstr("tls.key"));
  run.host.Send(run.host.Find(kWatch), Event("MODIFIED", TlsSecret(1, 11)));
  EXPECT_FALSE(run.running());
  EXPECT_EQ(run.host.files["/tls/tls.crt"], Generation(1).cert);
}

TEST(WaitWrite, WritesSecretsOfOtherTypesAsTheyAre) {
  WaitOptions options;
  options.readiness.keys = {"password"};
  options.write_mode = 0400;
  Waiting run(std::move(options));
  run.AnswerList(SecretOf(R"("user":"dQ==")", 3, "Opaque"));
  EXPECT_TRUE(run.running()) << "--keys asks for another one";
  run.host.Send(run.host.Find(kWatch),
                Event("MODIFIED", SecretOf(R"("user":"dQ==","password":"cA==")", 11, "Opaque")));
  EXPECT_FALSE(run.running());
  EXPECT_EQ(run.host.files["/tls/password"], "p");
  EXPECT_EQ(run.host.write_mode, 0400U);
}

TEST(WaitWrite, AsksForReadinessWhateverForSays) {
  WaitOptions options;
  options.goals.push_back(*ParseGoal("create", false));
  Waiting run(std::move(options));
  run.AnswerList(BrokenSecret(3));
  EXPECT_TRUE(run.running());
  EXPECT_THAT(run.host.files, IsEmpty());
}

TEST(WaitWrite, RefusesNamesThatLeadOutOfTheDirectory) {
  Waiting run;
  run.AnswerList(SecretOf(R"("../x":"dQ==")", 3, "Opaque"));
  EXPECT_TRUE(run.running());
  EXPECT_EQ(run.host.writes, 0);
  EXPECT_THAT(run.host.Log(), HasSubstr("its key \"../x\" cannot be the name of a file"));
}

TEST(WaitWrite, TriesAgainWhereThereMayBeRoomLater) {
  Waiting run;
  run.host.write_problem = Error{Code::kRetry, "/tls: No space left on device; make room"};
  run.AnswerList(TlsSecret(0, 3));
  EXPECT_TRUE(run.running());
  EXPECT_THAT(run.host.Log(), HasSubstr("/tls=secret/web-tls: /tls: No space left on device"));
  run.host.write_problem.reset();
  run.host.Advance(2s);
  run.AnswerList(TlsSecret(0, 3));
  EXPECT_FALSE(run.running());
  EXPECT_EQ(run.host.writes, 1);
}

TEST(WaitWrite, OnceTheSecretIsReadyNobodyHasToFillIt) {
  Waiting run;
  run.AnswerList("");
  run.host.Advance(1s);
  ASSERT_NE(run.host.Find("certificates"), 0) << "who is to fill it?";
  run.host.write_problem = Error{Code::kRetry, "/tls: No space left on device"};
  run.host.Send(run.host.Find(kWatch), Event("ADDED", TlsSecret(0, 3)));
  EXPECT_THAT(run.host.logged.back(), HasSubstr("No space left on device"));
  EXPECT_EQ(run.host.Find("certificates"), 0) << "the answer would take the place of the reason";
}

TEST(WaitWrite, EndsWhereWaitingCannotHelp) {
  FakeHost* host = nullptr;
  Waiting run;
  host = &run.host;
  host->write_problem = Error{Code::kConfig, "/tls: Read-only file system; mount an emptyDir"};
  run.AnswerList(TlsSecret(0, 3));
  ASSERT_FALSE(run.running());
  EXPECT_EQ(run.Error(),
            "error: /tls=secret/web-tls: /tls: Read-only file system; mount an emptyDir");
}

TEST(WaitWrite, SaysAtTheEndWhatIsNotThere) {
  Waiting run;
  run.AnswerList("");
  run.host.Advance(181s);
  EXPECT_THAT(run.Error(),
              StartsWith("error: timed out after 3m: /tls=secret/web-tls: not found yet"));
}

TEST(WaitWrite, WritesSeveralSecretsAndWaitsForOtherTargetsToo) {
  WaitOptions options;
  options.writes = {Into("/a"), Into("/b")};
  options.writes[1].name = "other";
  Waiting run(std::move(options));
  run.host.Answer(run.host.Find("metadata.name%3Dweb-tls"), 200, List(TlsSecret(0, 3)));
  EXPECT_TRUE(run.running());
  std::string other = TlsSecret(1, 4);
  other.replace(other.find("web-tls"), 7, "other");
  run.host.Answer(run.host.Find("metadata.name%3Dother"), 200, List(other));
  EXPECT_FALSE(run.running());
  EXPECT_EQ(run.host.files["/a/tls.crt"], Generation(0).cert);
  EXPECT_EQ(run.host.files["/b/tls.crt"], Generation(1).cert);
}

// --- certlatch sidecar --write ---

SidecarOptions Writing() {
  SidecarOptions options;
  options.pod.volume.directory = "/tls";
  options.pod.tell.signal.number = 1;
  options.pod.tell.signal.process = "nginx";
  options.expect.source = ReloadOptions::Source::kSecret;
  options.expect.name = "web-tls";
  options.writes = {Into("/tls")};
  return options;
}

// What is written is what is mounted.
struct Running {
  explicit Running(SidecarOptions its_options = Writing()) : options(std::move(its_options)) {
    sidecar =
        std::make_unique<Sidecar>(host, pod, options, BuildInfo{"1.2.3", "abc"},
                                  [this](WaitResult outcome) { result = std::move(outcome); });
    host.on_write = [this] {
      pod.files.clear();
      for (const auto& [path, bytes] : host.files) pod.files[path.substr(5)] = bytes;
      hinted = true;
    };
    sidecar->Start();
  }
  ~Running() { sidecar.reset(); }
  // The hint that the directory gives of each change comes a little later.
  void Settle() {
    if (std::exchange(hinted, false)) pod.Hint();
    host.Advance(200ms);
  }
  void AnswerList(const std::string& items) {
    host.Answer(host.Find(kList), 200, List(items));
    Settle();
  }
  void Send(const char* type, const std::string& object) {
    host.Send(host.Find(kWatch), Event(type, object));
    Settle();
  }
  std::string Error() const { return result && !result->errors.empty() ? result->errors[0] : ""; }

  SidecarOptions options;
  FakeHost host;
  FakePod pod{{options.pod.volume.cert_file, options.pod.volume.key_file, "ca.crt"}};
  bool hinted = false;
  std::unique_ptr<Sidecar> sidecar;
  std::optional<WaitResult> result;
};

TEST(SidecarWrite, WritesEachNewPairAndTellsTheApp) {
  Running run;
  run.AnswerList(TlsSecret(0, 3));
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  ASSERT_EQ(run.pod.Tells().size(), 1U);
  run.pod.Answer(ReloadMethod::kSignal);
  run.Send("MODIFIED", TlsSecret(1, 11));
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(1).cert);
  ASSERT_EQ(run.pod.told.size(), 2U);
  run.pod.Answer(ReloadMethod::kSignal);
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("waiting for kubelet sync")));
  run.host.Advance(10min);
  EXPECT_EQ(run.pod.told.size(), 2U);
  EXPECT_EQ(run.host.writes, 2);
}

TEST(SidecarWrite, TellsTheAppInTheSameMoment) {
  Running run;
  run.host.Answer(run.host.Find(kList), 200, List(TlsSecret(0, 3)));
  EXPECT_EQ(run.pod.Tells().size(), 1U) << "no debounce: the write is whole";
}

TEST(SidecarWrite, WatchesTheSecretOnce) {
  Running run;
  run.AnswerList(TlsSecret(0, 3));
  EXPECT_EQ(run.host.Open().size(), 1U);
}

TEST(SidecarWrite, LeavesAGoodPairWhereANewOneDoesNotVerify) {
  Running run;
  run.AnswerList(TlsSecret(0, 3));
  run.pod.Answer(ReloadMethod::kSignal);
  run.Send("MODIFIED", BrokenSecret(11));
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  EXPECT_EQ(run.pod.told.size(), 1U);
  EXPECT_THAT(run.host.Log(), HasSubstr("what is in /tls stays"));
  run.Send("MODIFIED", TlsSecret(1, 12));
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(1).cert);
  EXPECT_EQ(run.pod.told.size(), 2U);
  EXPECT_THAT(run.host.Log(), HasSubstr("secret/web-tls: is in /tls again"));
}

TEST(SidecarWrite, KeepsTheFilesOfASecretThatIsDeleted) {
  Running run;
  run.AnswerList(TlsSecret(0, 3));
  run.pod.Answer(ReloadMethod::kSignal);
  run.Send("DELETED", TlsSecret(0, 11));
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  EXPECT_THAT(run.host.Log(),
              HasSubstr("what is in /tls stays, since the new is not written: not found yet"));
  EXPECT_EQ(run.sidecar->Page("/readyz").status, 200);
}

TEST(SidecarWrite, BringsBackWhatSomebodyElseHasTakenAway) {
  Running run;
  run.AnswerList(TlsSecret(0, 3));
  run.pod.Answer(ReloadMethod::kSignal);
  run.host.files.clear();
  run.pod.files.clear();
  run.pod.Hint();
  run.host.Advance(3s);
  run.Settle();
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  EXPECT_EQ(run.host.writes, 2);
  run.host.Advance(10min);
  EXPECT_EQ(run.host.writes, 2);
  EXPECT_EQ(run.pod.told.size(), 1U) << "the app has this pair";
}

TEST(SidecarWrite, BlamesNoKubeletForWhatSomebodyElseHasPutThere) {
  Running run;
  run.AnswerList(TlsSecret(1, 3));
  run.pod.Answer(ReloadMethod::kSignal);
  run.pod.files["tls.crt"] = run.host.files["/tls/tls.crt"] = Generation(0).cert;
  run.pod.files["tls.key"] = run.host.files["/tls/tls.key"] = Generation(0).key;
  run.pod.Hint();
  run.host.Advance(3s);
  run.Settle();
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(1).cert);
  EXPECT_THAT(run.host.Log(), HasSubstr("waiting for it to be written"));
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("kubelet")));
  EXPECT_THAT(run.sidecar->Page("/metrics").body, HasSubstr("kubelet_lag_seconds_count 0"));
}

TEST(SidecarWrite, TriesAgainWhereItCouldNotWrite) {
  Running run;
  run.host.write_problem = Error{Code::kConfig, "/tls: Read-only file system; mount an emptyDir"};
  run.AnswerList(TlsSecret(0, 3));
  EXPECT_THAT(run.host.Log(), HasSubstr("Read-only file system"));
  EXPECT_FALSE(run.result.has_value());
  run.host.write_problem.reset();
  run.host.Advance(3s);
  run.Settle();
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  EXPECT_EQ(run.pod.Tells().size(), 1U);
}

TEST(SidecarWrite, WritesSecretsOfOtherTypesAsTheyAre) {
  Running run;
  run.AnswerList(SecretOf(R"("user":"dQ==")", 3, "Opaque"));
  EXPECT_EQ(run.pod.files["user"], "u");
  EXPECT_THAT(run.pod.told, IsEmpty()) << "there is no pair";
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("is not written")));
}

TEST(SidecarWrite, ExpectsTheFilesThatItIsToldOf) {
  SidecarOptions options = Writing();
  options.pod.volume.cert_file = "server.crt";
  options.pod.volume.key_file = "server.key";
  Running run(std::move(options));
  const auto secret = [](int number, int version) {
    return SecretOf(Format(R"("server.crt":"%s","server.key":"%s","tls.crt":"%s")",
                           EncodeBase64(Generation(number).cert).c_str(),
                           EncodeBase64(Generation(number).key).c_str(),
                           EncodeBase64(Generation(1 - number).cert).c_str()),
                    version, "Opaque");
  };
  run.AnswerList(secret(0, 3));
  ASSERT_EQ(run.pod.told.size(), 1U) << run.host.Log();
  run.pod.Answer(ReloadMethod::kSignal);
  run.Send("MODIFIED", secret(1, 11));
  EXPECT_EQ(run.pod.told.size(), 2U);
  EXPECT_THAT(run.host.Log(), Not(HasSubstr("mismatch")));
}

TEST(SidecarWrite, SaysWhichKeyTheSecretLacks) {
  SidecarOptions options = Writing();
  options.pod.volume.cert_file = "server.crt";
  Running run(std::move(options));
  run.AnswerList(TlsSecret(0, 3));
  EXPECT_THAT(run.sidecar->Page("/startupz").body, HasSubstr("server.crt"));
  run.host.Advance(4min);
  EXPECT_THAT(run.host.Log() + run.Error(), Not(HasSubstr("has no tls.crt")));
}

TEST(SidecarWrite, SaysWhyNothingIsWrittenWhereItEndsForThat) {
  Running run;
  run.AnswerList("");
  run.host.Advance(4min);
  ASSERT_TRUE(run.result.has_value());
  EXPECT_THAT(run.Error(), HasSubstr("no verified certificate after 3m"));
  EXPECT_THAT(run.Error(), HasSubstr("(not found yet)"));
}

TEST(SidecarWrite, WritesAPairWhenItBecomesValid) {
  test::CertSpec spec = test::GenerationSpec(2);
  spec.not_before_at = WallTime(std::chrono::seconds(1'800'003'600));  // in an hour
  const PemPair coming = test::Authority().Issue(spec);
  Running run;
  run.AnswerList(TlsSecret(0, 3));
  run.pod.Answer(ReloadMethod::kSignal);
  run.Send("MODIFIED", SecretOf(TlsData(coming.cert, coming.key), 11));
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  run.host.Advance(59min);
  EXPECT_EQ(run.pod.files["tls.crt"], Generation(0).cert);
  // Its watch has ended meanwhile: what the Secret is is not forgotten.
  run.host.Advance(2min);
  run.Settle();
  EXPECT_EQ(run.pod.files["tls.crt"], coming.cert);
}

}  // namespace
}  // namespace certlatch
