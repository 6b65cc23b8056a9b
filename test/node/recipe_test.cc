// Our recipe: the pod is there before its Certificate, the init container waits for the files, the
// app starts and finds those of the Secret. By the kubelet's own time, and by the two ways around
// it.

#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "domain/digest.h"
#include "test/node/node.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

constexpr char kPod[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: $name}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, runAsNonRoot: true, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
  $waits
  - name: app
    image: test.local/busybox:1
    command: [sh, -c, "sha256sum /etc/tls/tls.crt /etc/tls/tls.key; sleep infinity"]
    volumeMounts: [{name: tls, mountPath: /etc/tls, readOnly: true}]
  volumes:
  - name: tls
    $volume
)";

constexpr char kInitContainer[] = R"(initContainers:
  - name: wait
    image: test.local/certlatch:1
    args: [wait, $targets]
    env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    volumeMounts: [{name: tls, mountPath: /etc/tls}]
  containers:)";

// The sidecar first, with a hook: the kubelet starts the containers one after the other, each once
// the hook of the one before has ended, and so sees that end at once. A hook that fails holds back
// nothing, hence the long timeout.
constexpr char kSidecarWithHook[] = R"(containers:
  - name: wait
    image: test.local/certlatch:1
    args: [sidecar, --write=/etc/tls=secret/$name, --timeout=24h]
    lifecycle: {postStart: {exec: {command: [certlatch, wait, --mounted=/etc/tls=pair, --timeout=24h]}}}
    volumeMounts: [{name: tls, mountPath: /etc/tls}])";

constexpr char kSecret[] = "secret: {secretName: $name, optional: true}";
constexpr char kMemory[] = "emptyDir: {medium: Memory}";

class Recipe : public NodeTest {
 protected:
  // One pod with a Certificate and a Secret of its name; waits in its init container.
  void StartPod(const std::string& name, const std::string& how, const std::string& volume) {
    const std::vector<std::string> arguments = {"certificate/" + name, "secret/" + name,
                                                Fill(how, {{"$name", name}})};
    std::vector<std::string> rbac = {"wait"};
    std::string targets;
    for (const std::string& argument : arguments) {
      // each flag is a word of its own
      for (const std::string_view word : Split(argument, ' ')) {
        rbac.emplace_back(word);
        targets += (targets.empty() ? "\"" : ", \"") + std::string(word) + "\"";
      }
    }
    Grant(rbac, name);
    CreatePod(
        kPod,
        {{"$waits", kInitContainer}, {"$targets", targets}, {"$volume", volume}, {"$name", name}});
  }
  void StartHookPod(const std::string& name) {
    Grant({"sidecar", "--volume=/etc/tls", "--write=/etc/tls=secret/" + name}, name);
    CreatePod(kPod, {{"$waits", kSidecarWithHook}, {"$volume", kMemory}, {"$name", name}});
  }
  void StartPods(int count, const std::string& how, const std::string& volume) {
    for (int i = 0; i < count; ++i) StartPod(Name(i), how, volume);
    for (int i = 0; i < count; ++i) ASSERT_TRUE(Says(Name(i), "wait", "not found yet"));
  }
  static std::string Name(int i) { return "web-" + std::to_string(i); }

  // As cert-manager: the Secret, then the Certificate's status. At another moment of the kubelet's
  // second each time: the app before started just after one of its looks.
  void Issue(const std::string& name) {
    std::this_thread::sleep_for(97ms * static_cast<int>(pairs_.size() % 10));
    pairs_.push_back(NewPair());
    PutTlsSecret(pairs_.back(), name);
    created_.push_back(Now());
    CreateCertificate(name);
    SetCertificateReady(name, "True");
  }

  void ExpectTheRightFiles(int i) {
    const PemPair& pair = pairs_[static_cast<size_t>(i)];
    ASSERT_TRUE(Says(Name(i), "app", "/etc/tls/tls.key", kKubeletPatience));
    const std::string log = Log(Name(i), "app");
    EXPECT_THAT(log, HasSubstr(HexLower(Sha256(pair.cert)) + "  /etc/tls/tls.crt"));
    EXPECT_THAT(log, HasSubstr(HexLower(Sha256(pair.key)) + "  /etc/tls/tls.key"));
    EXPECT_EQ(State(Name(i), "app").restarts_of_all, 0);
  }
  // Figures for the reader; nothing is expected of them. From the end of an init container to the
  // app's start the kubelet takes up to a second by itself: it looks for ended containers once a
  // second.
  void Report(const std::string& how, std::string_view seen_by = "/etc/tls condition met") {
    std::vector<Duration> seen;
    std::vector<Duration> started;
    for (size_t i = 0; i < pairs_.size(); ++i) {
      const std::string name = Name(static_cast<int>(i));
      const auto init = SaidAt(name, "wait", seen_by);
      if (init) seen.push_back(*init - created_[i]);
      const auto app = SaidAt(name, "app", "/etc/tls");
      if (app) started.push_back(*app - created_[i]);
    }
    PrintSeconds("Secret created, then files there, " + how, seen);
    PrintSeconds("Secret created, then app started, " + how, started);
  }

 private:
  std::vector<PemPair> pairs_;
  std::vector<PreciseTime> created_;
};

// At the kubelet's leisure, all at once.
TEST_F(Recipe, StartsTwentyOfTwentyWithTheRightFiles) {
  constexpr int kPods = 20;
  StartPods(kPods, "--mounted=/etc/tls=secret/$name", kSecret);
  for (int i = 0; i < kPods; ++i) Issue(Name(i));
  for (int i = 0; i < kPods; ++i) ExpectTheRightFiles(i);
  Report("by the kubelet's own time");
}

TEST_F(Recipe, WithANudgeStartsAtOnce) {
  constexpr int kPods = 10;
  StartPods(kPods, "--mounted=/etc/tls=secret/$name --nudge", kSecret);
  for (int i = 0; i < kPods; ++i) {
    Issue(Name(i));
    ExpectTheRightFiles(i);
  }
  Report("with --nudge");
}

TEST_F(Recipe, ThatWritesTheFilesItselfNeedsNoKubelet) {
  constexpr int kPods = 10;
  StartPods(kPods, "--write=/etc/tls=secret/$name", kMemory);
  for (int i = 0; i < kPods; ++i) {
    Issue(Name(i));
    ExpectTheRightFiles(i);
  }
  Report("with --write", "files written to");
}

TEST_F(Recipe, ThatWritesBehindAHookStartsTheAppWithoutTheKubeletsNextLook) {
  constexpr int kPods = 10;
  for (int i = 0; i < kPods; ++i) StartHookPod(Name(i));
  // The API server shows no log of a container whose hook runs.
  ASSERT_TRUE(Eventually([&] { return CountOfEvents("Started") >= kPods; }));
  for (int i = 0; i < kPods; ++i) {
    EXPECT_TRUE(Eventually([&] { return State(Name(i), "app").reason == "ContainerCreating"; }));
  }
  for (int i = 0; i < kPods; ++i) {
    Issue(Name(i));
    ExpectTheRightFiles(i);
  }
  Report("with --write behind a hook", "Certificate loaded and verified");
}

}  // namespace
}  // namespace certlatch::test
