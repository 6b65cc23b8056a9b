// Under the name kubectl, certlatch is `kubectl wait`: both are asked the same of the same objects,
// and must print the same, say the same last and exit alike. Where certlatch differs on purpose a
// test of its own shows both.
// kubectl is $CERTLATCH_KUBECTL, else the first of $PATH; without one, or with an old one, these
// tests are skipped, and say so.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <thread>

#include "base/text.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/files.h"

namespace certlatch::test {
namespace {

constexpr int kOldestKubectl = 32;  // 1.x: what the cases were written with
constexpr size_t kPairsAtOnce = 4;

std::string FindKubectl() {
  const char* named = std::getenv("CERTLATCH_KUBECTL");
  if (named != nullptr) return named;
  const char* path = std::getenv("PATH");
  for (const std::string_view dir : Split(path == nullptr ? "" : path, ':')) {
    std::string file = std::string(dir) + "/kubectl";
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

// The words of a command line; what stands between quotes is one, or a part of one.
std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool within = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      if (!within) words.emplace_back();
      within = true;
    } else if (c == ' ' && !quoted) {
      within = false;
    } else {
      if (!within) words.emplace_back();
      within = true;
      words.back() += c;
    }
  }
  return words;
}

// kubectl -v=6 tells of its requests in lines such as "I0102 03:04:05.678901  123 x.go:1] …", and
// of old servers as "W0102 …".
bool IsLogLine(std::string_view line) {
  return line.size() > 5 && std::string_view("IWE").find(line[0]) != std::string_view::npos &&
         ParseUint(line.substr(1, 4)) && line[5] == ' ';
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  const std::string_view trimmed = Trim(text);
  if (trimmed.empty()) return lines;
  for (const std::string_view line : Split(trimmed, '\n')) {
    if (!IsLogLine(line)) lines.emplace_back(line);
  }
  return lines;
}

struct Pair {
  std::string line;
  Outcome theirs;
  Outcome ours;
};

// certlatch says on standard error what it waits for, too: its last lines are all that kubectl
// says.
void ExpectAlike(const Pair& pair) {
  SCOPED_TRACE("kubectl wait " + pair.line);
  EXPECT_FALSE(pair.ours.timed_out);
  EXPECT_FALSE(pair.theirs.timed_out);
  EXPECT_EQ(pair.ours.out, pair.theirs.out);
  EXPECT_EQ(pair.ours.exit_code, pair.theirs.exit_code);
  const std::vector<std::string> theirs = Lines(pair.theirs.err);
  std::vector<std::string> ours = Lines(pair.ours.err);
  if (ours.size() > theirs.size()) {
    ours.erase(ours.begin(), ours.end() - static_cast<ptrdiff_t>(theirs.size()));
  }
  EXPECT_EQ(ours, theirs) << "all of ours:\n" << pair.ours.err;
}

class ClusterKubectl : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    kubectl_ = FindKubectl();
    const int minor = kubectl_.empty() ? 0 : MinorVersion();
    if (minor < kOldestKubectl) {
      std::fprintf(stderr, "\n*** no kubectl 1.%d or newer on PATH: NOT compared ***\n\n",
                   kOldestKubectl);
      GTEST_SKIP() << "no kubectl";
    }
  }

  // Certificates, each in a state of its own, and ConfigMaps of which two have a label.
  void CreateObjects() {
    CreateCertificate("ready");
    SetCertificateReady("ready", "True");
    CreateCertificate("unready");
    SetCertificateReady("unready", "False");
    CreateCertificate("stale");
    SetCertificateReady("stale", "True", 0);
    CreateCertificate("two");
    Patch(CertificatePath("two"),
          R"({"metadata":{"labels":{"app":"x","n":"two","run":")" + ns() + R"("}}})");
    Patch(CertificatePath("two") + "/status", R"({"status":{"revision":3,"conditions":[
        {"type":"Ready","status":"True"},{"type":"Issuing","status":"False"}]}})");
    CreateConfigMap("a", R"("app":"x","tier":"front")");
    CreateConfigMap("b", R"("app":"x","tier":"back")");
    CreateConfigMap("c", "");
  }

  void CreateConfigMap(const std::string& name, const char* labels) {
    Create(Path("v1", "configmaps"), Format(R"({"metadata":{"name":"%s","labels":{%s}},)"
                                            R"("data":{"key":"value","empty":""}})",
                                            name.c_str(), labels));
  }

  void WriteInput(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFile(dir_.File(name), text));
  }

  Command CommandOf(const std::string& program, const std::string& line) const {
    Command command;
    command.path = program;
    command.argv = {"kubectl", "wait", "--server=" + access().url,
                    "--certificate-authority=" + access().ca_file,
                    "--token=" + access().admin_token};
    if (line.find("-A") == std::string::npos) command.argv.push_back("--namespace=" + ns());
    for (std::string& word : Words(line)) {
      const size_t place = word.find("NS");
      if (place != std::string::npos) word.replace(place, 2, ns());
      command.argv.push_back(std::move(word));
    }
    command.env = Environment();
    command.directory = dir_.path();
    return command;
  }

  Outcome Run(const std::string& program, const std::string& line) const {
    Result<Outcome> outcome = RunProgram(CommandOf(program, line), kPatience);
    EXPECT_TRUE(outcome) << outcome.error().text;
    return outcome ? *std::move(outcome) : Outcome{};
  }
  Pair RunBoth(const std::string& line) const {
    return {line, Run(kubectl_, line), Run(CertlatchBinary(), line)};
  }

  // Several pairs at a time: most of them wait for a second, or for the API server.
  void Compare(std::span<const char* const> table) {
    std::vector<Pair> pairs(table.size());
    std::atomic<size_t> next = 0;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kPairsAtOnce; ++i) {
      threads.emplace_back([&] {
        for (size_t mine = next++; mine < table.size(); mine = next++) {
          pairs[mine] = RunBoth(table[mine]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Pair& pair : pairs) ExpectAlike(pair);
  }

  std::vector<std::string> Environment() const {
    const char* path = std::getenv("PATH");
    return {"HOME=" + home_.path(), std::string("PATH=") + (path == nullptr ? "" : path)};
  }
  const std::string& kubectl() const { return kubectl_; }
  const TempDir& dir() const { return dir_; }

 private:
  // "clientVersion": {"minor": "32", ...}; 0: it does not say.
  int MinorVersion() const {
    const Result<Outcome> outcome =
        RunProgram({.path = kubectl_,
                    .argv = {"kubectl", "version", "--client", "-o", "json"},
                    .env = Environment()},
                   kPatience);
    const Result<Json> json = ParseJson(outcome ? outcome->out : "");
    const std::string_view minor = json ? (*json)["clientVersion"]["minor"].AsString() : "";
    return static_cast<int>(ParseUint(minor.substr(0, 2)).value_or(0));
  }

  TempDir home_;  // kubectl keeps there what it discovers
  TempDir dir_;
  std::string kubectl_;
};

const char* const kGoals[] = {
    "certificate/ready --for=condition=Ready",
    "certificate/ready --for condition=Ready",
    "cert/ready --for=condition=ready=TRUE",
    "cert/ready --for=condition=READY=true --timeout=1s",
    "certificates/unready --for=condition=Ready=false",
    "certificates/unready --for=condition=Ready=False",
    "certificate/ready --for=condition=Ready=Unknown --timeout=1s",
    "certificate/ready --for=condition=Ready= --timeout=1s",
    "certificate/ready --for=condition= --timeout=1s",
    "certificate/ready --for=condition==True --timeout=1s",
    "certificate/two --for=condition=Issuing=False",
    "certificate/unready --for=condition=Ready --timeout=1s",
    "certificate/ready --for=condition=Nope --timeout=1s",
    "certificate/stale --for=condition=Ready --timeout=1s",
    "cm/a --for=condition=Ready --timeout=1s",
    "certificate/nope --for=condition=Ready",
    "certificate/ready --for=condition=Ready --timeout=0",
    "certificate/unready --for=condition=Ready --timeout=0s",
    "certificate/ready --for=condition=Ready --timeout=-1s",
    "certificate/nope --for=create --timeout=1s",
    "certificate/nope --for=create --timeout=0",
    "certificate/ready --for=create --timeout=1s",
    "certificate/ready --for=Create",
    "certificate/nope --for=delete",
    "certificate/nope --for=DELETE",
    "certificate/ready --for=delete --timeout=1s",
    "certificate/ready --for=delete --timeout=0",
    "certificate/ready --for=Condition=Ready",
    "certificate/ready --for=JSONPATH=.a",
    "certificate/ready --for=foo",
    "certificate/ready --for=",
    "certificate/ready --for=ready",
    "certificate/ready --for=create=x",
    "certificate/ready",
    // --- jsonpath ---
    "certificate/two --for=jsonpath={.status.revision}=3",
    "certificate/two --for=jsonpath={status.revision}=3",
    "certificate/two --for=jsonpath=.status.revision=3",
    "certificate/two --for=jsonpath=status.revision=3",
    "certificate/two --for=jsonpath={.status.revision}",
    "certificate/two --for=jsonpath={.status.revision}=\"3\"",
    "certificate/two --for=jsonpath={.status.revision}=4 --timeout=1s",
    "certificate/two --for=jsonpath={.status.nope}=4 --timeout=1s",
    "certificate/two --for=jsonpath={.status.nope} --timeout=1s",
    "certificate/two --for=jsonpath={.status.nope} --timeout=0",
    "certificate/two --for=jsonpath={.status.conditions[*].type}=Ready --timeout=1s",
    "certificate/two --for=jsonpath={.status.conditions[0]}=Ready --timeout=1s",
    "certificate/two --for=jsonpath={.status.conditions}=Ready --timeout=1s",
    "certificate/two --for=jsonpath={.status.conditions}",
    "certificate/two --for=jsonpath={.status.conditions[0].type}=Ready",
    "certificate/two --for=jsonpath={.status.conditions[-1].type}=Issuing",
    "certificate/two --for=jsonpath={.status.conditions[0:1].type}=Ready",
    "certificate/two --for=jsonpath={.status.conditions[1:].type}=Issuing",
    "certificate/two --for=jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True",
    "certificate/two --for=jsonpath={.status.conditions[?(@.type=='Ready')].status}=True",
    // NOLINTNEXTLINE(bugprone-suspicious-missing-comma)
    "certificate/two '--for=jsonpath={.status.conditions[?(@.type == \"Nope\")].status}=True' "
    "--timeout=1s",
    "certificate/two --for=jsonpath={..revision}=3",
    "certificate/two --for=jsonpath={.metadata.labels['n']}=two",
    "certificate/two --for=jsonpath={.metadata.labels.n}=Two --timeout=1s",
    "certificate/two --for=jsonpath={.status.revision}=",
    "certificate/two --for=jsonpath=",
    "certificate/two --for=jsonpath={}",
    "certificate/two --for=jsonpath={.a}{.b}",
    "certificate/two --for=jsonpath={.a",
    "certificate/two --for=jsonpath={.a[}",
    "certificate/two --for=jsonpath={.a}=b=c",
    "cm/a --for=jsonpath={.data.key}=value",
    "cm/a --for=jsonpath={.data.empty}",
    "cm/a --for=jsonpath={.data.empty}=x --timeout=1s",
};

const char* const kTargets[] = {
    "certificate/ready certificate/two --for=condition=Ready",
    "certificate/two certificate/ready --for=condition=Ready",
    "certificate/ready certificate/nope --for=condition=Ready",
    "certificate/nope certificate/ready --for=condition=Ready",
    "certificate/nope certificate/nada --for=condition=Ready",
    "certificate/ready certificate/unready --for=condition=Ready --timeout=1s",
    "certificate/two certificate/ready --for=condition=Nope --timeout=0",
    "certificate/two sa/x ns/default cm/x --for=jsonpath={.metadata.uid} --timeout=0",
    "certificate ready two --for=condition=Ready",
    "certificate,cm two --for=jsonpath=.metadata.uid",
    "cm,certificate a --for=jsonpath=.metadata.uid",
    "cm a b c --for=jsonpath=.metadata.uid",
    "cm a a --for=jsonpath=.metadata.uid",
    "cm/a cm/a --for=jsonpath=.metadata.uid",
    "cm a,b --for=create --timeout=1s",
    "ns default --for=jsonpath={.status.phase}=Active",
    "namespace/kube-system --for=jsonpath={.status.phase}=Active -o name",
    "ns/nope --for=jsonpath=.metadata.uid",
    // --- names of types ---
    "Certificate/ready --for=condition=Ready",
    "CERTIFICATES/ready --for=condition=Ready",
    "certs/ready --for=condition=Ready",
    "certificates.cert-manager.io/ready --for=condition=Ready",
    "certificate.cert-manager.io/ready --for=condition=Ready",
    "certificates.v1.cert-manager.io/ready --for=condition=Ready",
    "Certificate.v1.cert-manager.io/ready --for=condition=Ready",
    "certificates.v9.cert-manager.io/x --for=condition=Ready",
    "certificate.example.com/x --for=condition=Ready",
    "ConfigMap/a --for=jsonpath=.metadata.uid",
    "configmaps/a --for=jsonpath=.metadata.uid",
    "widget/x --for=condition=Ready",
    "Widget/x --for=condition=Ready",
    "widget x --for=condition=Ready",
    "widgets.example.com/x --for=condition=Ready",
    "Widgets.v1.example.com/x --for=condition=Ready",
    "priorityclass/system-node-critical --for=jsonpath={.value}=2000001000",
    "pc/system-node-critical --for=jsonpath={.value}",
    "priorityclasses.scheduling.k8s.io/system-node-critical --for=jsonpath={.value} -o name",
    "priorityclasses.v1.scheduling.k8s.io/nope --for=jsonpath={.value}",
    "gizmo/one --for=condition=Ready",
    "gizmos/one --for=condition=Ready",
    "gz/one --for=condition=Ready",
    "gizmoz/one --for=condition=Ready",
    "gz --all --for=condition=Ready",
    // --- words that are no targets ---
    "--for=create",
    "certificate --for=condition=Ready",
    "certificate/ready two --for=condition=Ready",
    "two certificate/ready --for=condition=Ready",
    "cm/a/b --for=create",
    "cm/ --for=create",
    "/a --for=create",
    "cm,certificate/a --for=create",
    "cm/a b/ --for=create",
};

const char* const kSelections[] = {
    "cm -l app=x --for=jsonpath=.metadata.uid",
    "cm -lapp=x --for=jsonpath=.metadata.uid",
    "cm --selector app=x --for=jsonpath=.metadata.uid",
    "cm --selector=app=x,tier=front --for=jsonpath=.metadata.uid",
    "cm --selector=app=x,tier!=front --for=jsonpath=.metadata.uid",
    "cm '--selector=tier in (front,back)' --for=jsonpath=.metadata.uid",
    "cm '--selector=!app' --for=jsonpath=.metadata.uid",
    "cm --all --for=jsonpath=.metadata.uid",
    "cm --all=true --for=jsonpath=.metadata.uid -o name",
    "cm --all=false --for=create",
    "cm --all --field-selector metadata.name=a --for=jsonpath=.metadata.uid",
    "cm -l app=x --field-selector metadata.name!=a --for=jsonpath=.metadata.uid",
    "cm --field-selector metadata.name=c --for=jsonpath=.metadata.uid",
    "cm -l app=x --all --for=jsonpath=.metadata.uid",
    "cm,certificate -l app=x --for=jsonpath=.metadata.uid",
    "certificate,cm -l app=x --for=jsonpath=.metadata.uid",
    "cm,cm -l app=x --for=jsonpath=.metadata.uid",
    "cm,cm --field-selector metadata.name=c --for=jsonpath=.metadata.uid",
    "cm,sa -l app=x --for=jsonpath=.metadata.uid",
    "cm -l app=none --for=jsonpath=.metadata.uid",
    "cm,sa -l app=none --for=jsonpath=.metadata.uid",
    "cm -l app=none --for=delete",
    "cm -l app=none --for=create --timeout=1s",
    "cm -l app=x --for=create --timeout=1s",
    "cm -l app=x,tier=front --for=delete --timeout=1s",
    "cm -l tier=front --for=condition=Ready --timeout=1s",
    "cm -l app=x --for=condition=Ready --timeout=0",
    "certificate --all --for=condition=Ready --timeout=0",
    "certificate --all --for=condition=Ready --timeout=0 -o name",
    "cm -n kube-nope --all --for=jsonpath=.metadata.uid",
    "cm -l 'app in (x' --for=jsonpath=.metadata.uid",
    "certificate --field-selector foo --for=jsonpath=.metadata.uid",
    "cm --field-selector foo=bar --for=jsonpath=.metadata.uid",
    "certificate -A -l run=NS --for=condition=Ready",
    "certificate -A -l run=NS --for=condition=Ready -o name",
    "certificate --all-namespaces -l run=none --for=condition=Ready",
    "certificate -A -l run=NS --for=condition=Nope --timeout=0",
    "ns -A --field-selector metadata.name=default --for=jsonpath=.metadata.uid",
    "ns --field-selector metadata.name=default --for=jsonpath=.metadata.uid",
    // --- what does not go together ---
    "cm a -l app=x --for=jsonpath=.metadata.uid",
    "cm/a -l app=x --for=jsonpath=.metadata.uid",
    "cm a --all --for=jsonpath=.metadata.uid",
    "cm/a --all --for=jsonpath=.metadata.uid",
    "cm a --field-selector metadata.name=a --for=jsonpath=.metadata.uid",
    "cm/a --field-selector metadata.name=a --for=jsonpath=.metadata.uid",
    "cm cm -l app=x --for=jsonpath=.metadata.uid",
    "cm, -l app=x --for=jsonpath=.metadata.uid",
    "cm a -l '' --for=jsonpath=.metadata.uid",
    "cm -l '' --for=jsonpath=.metadata.uid",
    "-l app=x --for=jsonpath=.metadata.uid",
    "--all --for=jsonpath=.metadata.uid",
    "--field-selector=a=b --for=jsonpath=.metadata.uid",
    "-A --for=jsonpath=.metadata.uid",
    "cm -A --for=jsonpath=.metadata.uid",
    "cm a -A --for=jsonpath=.metadata.uid",
    "cm/a -A --for=jsonpath=.metadata.uid",
    "cm a -A --all --for=jsonpath=.metadata.uid",
    "cm/a -A --all --for=jsonpath=.metadata.uid",
    "widget --all --for=jsonpath=.metadata.uid",
    "--all --for=foo",
};

const char* const kFlags[] = {
    "certificate/ready -o name --for=condition=Ready",
    "certificate/ready --output=name --for=condition=Ready",
    "certificate/ready -o '' --for=condition=Ready",
    "cm/a certificate/two -oname --for=jsonpath=.metadata.uid",
    "certificate/unready -o name --for=condition=Ready --timeout=1s",
    "certificate/ready --for=condition=Ready --timeout=5",
    "certificate/ready --for=condition=Ready --timeout=x",
    "certificate/ready --for=condition=Ready --timeout=",
    "certificate/ready --for=condition=Ready --timeout=1h1m1.5s",
    "certificate/ready --nope",
    "certificate/ready --nope=1",
    "certificate/ready -x",
    "certificate/ready --for",
    "certificate/ready --timeout",
    "certificate/ready -n",
    "cm --all=maybe --for=create",
    "certificate/ready --for=condition=Ready --v=0 --request-timeout=10s",
    "certificate/ready --for=condition=Ready --request-timeout=0",
    "-- certificate/ready",
    "--for=condition=Ready -- certificate/ready",
    "certificate/nope -n kube-nope --for=condition=Ready",
    "certificate/nope -n kube-nope --for=delete",
    "certificate/nope -n kube-nope --for=create --timeout=1s",
    "certificate/nope -n default --for=condition=Ready",
    "certificate/nope --namespace kube-system --for=condition=Ready",
    "certificate/ready --for=condition=Ready --as=system:admin --as-group=system:masters",
    // NOLINTNEXTLINE(bugprone-suspicious-missing-comma)
    "certificate/ready --for=condition=Ready --as=nobody --as-group=system:masters "
    "--as-group=system:authenticated --as-uid=17",
    "certificate/ready --for=condition=Ready --as-group=system:masters",
    "certificate/ready --for=condition=Ready --as-uid=17",
    "certificate/ready --for=condition=Ready --kubeconfig=/nope/config",
};

const char* const kFiles[] = {
    "-f one.json --for=jsonpath=.metadata.uid",
    "-f list.json --for=jsonpath=.metadata.uid",
    "-f several.json --for=jsonpath=.metadata.uid",
    "--filename=several.json --for=jsonpath=.metadata.uid -o name",
    "-f one.json,list.json --for=jsonpath=.metadata.uid",
    "-f one.json -f list.json --for=jsonpath=.metadata.uid",
    "-f several.json -f several.json --for=jsonpath=.metadata.uid",
    "-f dir --for=jsonpath=.metadata.uid",
    "-f dir -R --for=jsonpath=.metadata.uid",
    "-f dir -R=false --for=jsonpath=.metadata.uid",
    "-f dir/ --recursive=false --for=jsonpath=.metadata.uid",
    "-f several.json --for=condition=Ready --timeout=0",
    "-f one.json --all --for=jsonpath=.metadata.uid",
    "-f one.json --for=delete --timeout=1s",
    "-f missing.json --for=jsonpath=.metadata.uid",
    "-f missing.json --for=delete",
    "-f other-namespace.json --for=jsonpath=.metadata.uid",
    "-f system.json --for=jsonpath=.metadata.uid",
    "-f system.json --for=delete --timeout=1s",
    "-f system.json -A --for=jsonpath=.metadata.uid",
    "-f namespace.json --for=jsonpath=.metadata.uid",
    "-f crd.json --for=condition=Ready",
    "-f other-version.json --for=condition=Ready",
    "-f unknown-kind.json --for=condition=Ready",
    "-f unknown-group.json --for=condition=Ready",
    "-f no-name.json --for=jsonpath=.metadata.uid",
    "-f generate-name.json --for=jsonpath=.metadata.uid",
    "-f empty.json --for=jsonpath=.metadata.uid",
    "-f empty-list.json --for=jsonpath=.metadata.uid",
    "-f empty.json --for=delete",
    "-f nope.json --for=jsonpath=.metadata.uid",
    "-f '' --for=jsonpath=.metadata.uid",
    "-f - --for=jsonpath=.metadata.uid",
    "-f one.json cm/a --for=jsonpath=.metadata.uid",
    "-f one.json cm a --for=jsonpath=.metadata.uid",
    "-f one.json cm --for=jsonpath=.metadata.uid",
    "-f one.json --for=foo",
};

TEST_F(ClusterKubectl, SaysWhatKubectlSaysOfGoals) {
  CreateObjects();
  Compare(kGoals);
}

TEST_F(ClusterKubectl, SaysWhatKubectlSaysOfTargets) {
  CreateObjects();
  Apply(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"gizmos.differential.example.com"},"spec":{
      "group":"differential.example.com","scope":"Namespaced",
      "names":{"kind":"Gizmo","plural":"gizmos","singular":"gizmo","shortNames":["gz"],
      "categories":["gizmoz"]},
      "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":
      {"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})");
  Create(Path("differential.example.com/v1", "gizmos"),
         R"({"apiVersion":"differential.example.com/v1","kind":"Gizmo","metadata":{"name":"one"},
      "status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  Compare(kTargets);
}

TEST_F(ClusterKubectl, SaysWhatKubectlSaysOfSelections) {
  CreateObjects();
  Compare(kSelections);
}

TEST_F(ClusterKubectl, SaysWhatKubectlSaysOfFlags) {
  CreateObjects();
  Compare(kFlags);
}

TEST_F(ClusterKubectl, SaysWhatKubectlSaysOfFiles) {
  CreateObjects();
  const auto config_map = [](const char* name, const char* more) {
    return Format(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"%s}})", name,
                  more);
  };
  WriteInput("one.json", config_map("a", ""));
  WriteInput("list.json", R"({"apiVersion":"v1","kind":"List","items":[)" + config_map("b", "") +
                              "," + config_map("c", "") + "]}");
  WriteInput("several.json", config_map("c", "") + "\n" + config_map("a", ""));
  WriteInput("missing.json", config_map("nope", ""));
  WriteInput("other-namespace.json", config_map("nope", R"(,"namespace":"default")"));
  WriteInput("system.json",
             config_map("extension-apiserver-authentication", R"(,"namespace":"kube-system")"));
  WriteInput("namespace.json", R"({"apiVersion":"v1","kind":"Namespace",
      "metadata":{"name":"default","namespace":"kube-system"}})");
  WriteInput("crd.json", R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate",
      "metadata":{"name":"ready"}})");
  WriteInput("other-version.json", R"({"apiVersion":"cert-manager.io/v9","kind":"Certificate",
      "metadata":{"name":"ready"}})");
  WriteInput("unknown-kind.json", R"({"apiVersion":"v1","kind":"Widget","metadata":{"name":"x"}})");
  WriteInput("unknown-group.json",
             R"({"apiVersion":"example.com/v1","kind":"Certificate","metadata":{"name":"x"}})");
  WriteInput("no-name.json", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{}})");
  WriteInput("generate-name.json",
             R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"a-"}})");
  WriteInput("no-kind.json", R"({"apiVersion":"v1","metadata":{"name":"a"}})");
  WriteInput("empty.json", "\n");
  WriteInput("empty-list.json", R"({"apiVersion":"v1","kind":"List","items":[]})");
  ASSERT_EQ(mkdir(dir().File("dir").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(dir().File("dir/b").c_str(), 0700), 0);
  WriteInput("dir/a.json", config_map("a", ""));
  WriteInput("dir/c.json", config_map("c", ""));
  WriteInput("dir/b/x.json", config_map("b", ""));
  WriteInput("dir/README", "no manifest");
  Compare(kFiles);
}

// --- what changes while both watch ---

struct Change {
  const char* line;
  const char* method;  // of the request that ends the wait
  const char* plural;
  const char* name;  // and subresource
  const char* body;
};

constexpr char kReadyNow[] = R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})";
constexpr char kConfigMap[] = R"({"metadata":{"name":"new","labels":{"app":"new"}}})";
constexpr char kData[] = R"({"data":{"phase":"done"}})";

const Change kChanges[] = {
    {"certificate/one --for=condition=Ready", "PATCH", "certificates", "one/status", kReadyNow},
    {"certificate/ready certificate/two --for=condition=Ready -o name", "PATCH", "certificates",
     "two/status", kReadyNow},
    {"certificate -l n=three --for=condition=Ready", "PATCH", "certificates", "three/status",
     kReadyNow},
    {"certificate/stale --for=condition=Ready", "PATCH", "certificates", "stale/status",
     R"({"status":{"conditions":[{"type":"Ready","status":"True","observedGeneration":1}]}})"},
    {"cm/new --for=create", "POST", "configmaps", "", kConfigMap},
    {"cm/old --for=delete", "DELETE", "configmaps", "old", ""},
    {"cm -l app=gone --for=delete", "DELETE", "configmaps", "gone", ""},
    {"cm/absent cm/leaving --for=delete", "DELETE", "configmaps", "leaving", ""},
    {"cm/value --for=jsonpath={.data.phase}=done", "PATCH", "configmaps", "value", kData},
    {"cm/exists --for=jsonpath={.data.phase}", "PATCH", "configmaps", "exists", kData},
    {"-f file.json --for=jsonpath={.data.phase}=done", "PATCH", "configmaps", "file", kData},
    {"cm/nested --for=jsonpath={.data}=done", "PATCH", "configmaps", "nested", kData},
};

struct Watching {
  Process theirs;
  Process ours;
};

TEST_F(ClusterKubectl, SaysWhatKubectlSaysOfWhatChangesMeanwhile) {
  for (const char* name : {"one", "two", "three", "ready"}) CreateCertificate(name);
  Patch(CertificatePath("three"), R"({"metadata":{"labels":{"n":"three"}}})");
  SetCertificateReady("ready", "True");
  CreateCertificate("stale");
  SetCertificateReady("stale", "True", 0);
  for (const char* name : {"old", "leaving", "value", "exists", "file"}) CreateConfigMap(name, "");
  CreateConfigMap("gone", R"("app":"gone")");
  Create(Path("v1", "configmaps"), R"({"metadata":{"name":"nested"}})");
  WriteInput("file.json", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"file"}})");
  std::vector<Watching> watching;
  for (const Change& change : kChanges) {
    const std::string line = std::string("--timeout=60s ") + change.line;
    auto theirs = Subprocess::Start(CommandOf(kubectl(), "-v=6 " + line));
    auto ours = Subprocess::Start(CommandOf(CertlatchBinary(), line));
    ASSERT_TRUE(theirs && ours);
    watching.push_back({*std::move(theirs), *std::move(ours)});
  }
  for (size_t i = 0; i < watching.size(); ++i) {
    // kubectl does not watch for what is to be created, it asks again and again.
    const bool polls = std::string_view(kChanges[i].method) == "POST";
    ExpectSays(watching[i].theirs, polls ? "404 Not Found" : "watch=true");
    ExpectSays(watching[i].ours, "still waiting");
  }
  for (const Change& change : kChanges) {
    const bool core = std::string_view(change.plural) == "configmaps";
    const std::string path = Path(core ? "v1" : "cert-manager.io/v1", change.plural, change.name);
    const std::string_view method = change.method;
    if (method == "PATCH") Patch(path, change.body);
    if (method == "POST") Create(path, change.body);
    if (method == "DELETE") Delete(path);
  }
  for (size_t i = 0; i < watching.size(); ++i) {
    ExpectAlike(
        {kChanges[i].line, watching[i].theirs->Wait(kPatience), watching[i].ours->Wait(kPatience)});
  }
}

// --- where we differ on purpose ---

TEST_F(ClusterKubectl, ReportsWhatIsReadyThoughAnEarlierOneIsNot) {
  CreateObjects();
  const Pair pair =
      RunBoth("certificate/unready certificate/ready --for=condition=Ready --timeout=1s");
  EXPECT_EQ(pair.theirs.out, "");  // it never gets to the second
  EXPECT_EQ(pair.ours.out, "certificate.cert-manager.io/ready condition met\n");
  EXPECT_EQ(pair.ours.exit_code, 1);
  EXPECT_EQ(Lines(pair.ours.err).back(),
            "error: timed out waiting for the condition on certificates/unready");
}

TEST_F(ClusterKubectl, ReportsWhatIsReadyThoughATypeIsUnknown) {
  CreateObjects();
  const Pair pair = RunBoth("cm/a widget/x --for=jsonpath=.metadata.uid");
  EXPECT_EQ(pair.theirs.out, "");
  EXPECT_EQ(pair.ours.out, "configmap/a condition met\n");
  EXPECT_EQ(pair.ours.exit_code, pair.theirs.exit_code);
  EXPECT_EQ(Lines(pair.ours.err), Lines(pair.theirs.err));
}

TEST_F(ClusterKubectl, AllOfSeveralForsMustHoldAsInKubectl136) {
  CreateObjects();
  const std::string line =
      "certificate/two --for=condition=Ready --for=jsonpath={.status.revision}=";
  const Outcome met = Run(CertlatchBinary(), line + "3 --timeout=1s");
  EXPECT_EQ(met.exit_code, 0) << met.err;
  EXPECT_EQ(met.out,
            "certificate.cert-manager.io/two condition met\n"
            "certificate.cert-manager.io/two condition met\n");
  EXPECT_EQ(Run(CertlatchBinary(), line + "4 --timeout=1s").exit_code, 1);
  // The last alone counts for kubectl 1.32.
  EXPECT_EQ(Run(CertlatchBinary(), "certificate/two --for=condition=Nope --for=create --timeout=1s")
                .exit_code,
            1);
}

TEST_F(ClusterKubectl, AnIndexPastTheEndOfAListKeepsWaiting) {
  CreateObjects();
  const Pair pair = RunBoth(
      "certificate/two --for=jsonpath={.status.conditions[9].type}=A "
      "--timeout=1s");
  EXPECT_NE(pair.theirs.err.find("array index out of bounds"), std::string::npos)
      << pair.theirs.err;
  EXPECT_EQ(Lines(pair.ours.err).back(),
            "error: timed out waiting for the condition on certificates/two");
}

TEST_F(ClusterKubectl, ShortNamesMayBeInUpperCase) {
  CreateObjects();
  const Pair pair = RunBoth("CM/a --for=jsonpath=.metadata.uid");
  EXPECT_EQ(pair.theirs.exit_code, 1);
  EXPECT_EQ(pair.ours.out, "configmap/a condition met\n");
}

TEST_F(ClusterKubectl, WhatFollowsAnUnknownLetterIsNotShown) {
  const Pair pair = RunBoth("cm/a -xtoken=secret");
  EXPECT_NE(pair.theirs.err.find("secret"), std::string::npos);
  EXPECT_EQ(pair.ours.err.find("secret"), std::string::npos);
  EXPECT_EQ(pair.ours.exit_code, 1);
}

TEST_F(ClusterKubectl, AllNamespacesCountsMoreThanANamespace) {
  CreateObjects();
  const Outcome ours = Run(CertlatchBinary(),
                           "cm -A --namespace=default -l app=x --field-selector "
                           "metadata.namespace=NS --for=jsonpath=.metadata.uid");
  EXPECT_EQ(ours.out, "configmap/a condition met\nconfigmap/b condition met\n") << ours.err;
}

TEST_F(ClusterKubectl, AManifestWhoseObjectDoesNotExistYetIsWaitedForWithCreate) {
  WriteInput("new.json", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"}})");
  const std::string line = "-f new.json --for=create";
  EXPECT_EQ(Run(kubectl(), line).exit_code, 1);
  auto ours = Subprocess::Start(CommandOf(CertlatchBinary(), line));
  ASSERT_TRUE(ours);
  ExpectSays(*ours, "configmap/new: not found yet");
  CreateConfigMap("new", "");
  ExpectMet(*ours, "configmap/new condition met\n");
}

TEST_F(ClusterKubectl, AManifestsOwnNamespaceCountsAndItsContentsAreNotShown) {
  CreateObjects();
  WriteInput("system.json", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":
      {"name":"extension-apiserver-authentication","namespace":"kube-system"}})");
  WriteInput("no-kind.json", R"({"apiVersion":"v1","metadata":{"name":"a"},"data":{"k":"hush"}})");
  EXPECT_EQ(Run(CertlatchBinary(), "-f system.json -A --for=jsonpath=.metadata.uid").out,
            "configmap/extension-apiserver-authentication condition met\n");
  const Pair pair = RunBoth("-f no-kind.json --for=create");
  EXPECT_NE(pair.theirs.err.find("hush"), std::string::npos);
  EXPECT_EQ(Lines(pair.ours.err).back(),
            "error: no-kind.json: an object without a proper apiVersion and kind");
}

TEST_F(ClusterKubectl, YamlIsToBeConvertedByOneCommand) {
  CreateObjects();
  WriteInput("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
  const Outcome refused = Run(CertlatchBinary(), "-f a.yaml --for=jsonpath=.metadata.uid");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.err,
            "error: a.yaml: YAML is not read here; convert it once: "
            "kubectl create --dry-run=client -o json -f a.yaml > FILE.json\n");
  Command convert = CommandOf(kubectl(), "--dry-run=client -o json -f a.yaml");
  convert.argv[1] = "create";
  const auto converted = RunProgram(std::move(convert), kPatience);
  ASSERT_TRUE(converted && converted->exit_code == 0);
  WriteInput("a.json", converted->out);
  EXPECT_EQ(Run(CertlatchBinary(), "-f a.json --for=jsonpath=.metadata.uid").out,
            "configmap/a condition met\n");
}

// A kubeconfig as kubectl itself writes it in JSON, for both.
TEST_F(ClusterKubectl, AKubeconfigInJsonIsReadAsByKubectl) {
  CreateObjects();
  WriteInput("config.yaml", Format("clusters: [{name: c, cluster: {server: \"%s\", "
                                   "certificate-authority: \"%s\"}}]\n"
                                   "users: [{name: u, user: {client-certificate: \"%s\", "
                                   "client-key: \"%s\"}}]\n"
                                   "contexts: [{name: x, context: {cluster: c, user: u, "
                                   "namespace: \"%s\"}}]\ncurrent-context: x\n",
                                   access().url.c_str(), access().ca_file.c_str(),
                                   access().admin_cert_file.c_str(),
                                   access().admin_key_file.c_str(), ns().c_str()));
  Command command = CommandOf(kubectl(), "");
  const auto run = [&](const std::string& program, std::vector<std::string> argv) {
    command.path = program;
    command.argv = std::move(argv);
    const auto outcome = RunProgram(command, kPatience);
    EXPECT_TRUE(outcome);
    return *outcome;
  };
  for (const char* form : {"--flatten", "--minify"}) {
    const Outcome json = run(kubectl(), {"kubectl", "config", "view", "--raw", form,
                                         "--kubeconfig=config.yaml", "-o", "json"});
    WriteInput("config.json", json.out);
    const std::vector<std::string> wait = {"kubectl", "wait", "cm/a", "--kubeconfig=config.json",
                                           "--for=jsonpath=.metadata.uid"};
    ExpectAlike({form, run(kubectl(), wait), run(CertlatchBinary(), wait)});
    EXPECT_EQ(run(CertlatchBinary(), wait).out, "configmap/a condition met\n");
  }
  const Outcome refused = run(
      CertlatchBinary(), {"kubectl", "wait", "cm/a", "--for=create", "--kubeconfig=config.yaml"});
  EXPECT_EQ(refused.err,
            "error: config.yaml: YAML is not read here; convert it once: kubectl config view --raw "
            "--minify --kubeconfig=config.yaml -o json > config.yaml.json\n");
}

}  // namespace
}  // namespace certlatch::test
