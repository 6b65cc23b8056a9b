#include "test/node/node.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/text.h"
#include "base/wall_time.h"
#include "domain/base64.h"
#include "test/support/files.h"
#include "test/support/tls_context.h"

namespace certlatch::test {
namespace {

// From now on this thread, and those that it starts, are where the API server and the pods are.
Status EnterNetwork(const std::string& run_dir) {
  const Result<std::string> pid = ReadFile(run_dir + "/init.pid");
  if (!pid) return pid.error();
  const std::string path = "/proc/" + std::string(Split(*pid, '\n')[0]) + "/ns/net";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
  if (fd >= 0) close(fd);
  if (!entered) return Error{Code::kConfig, "cannot enter " + path + ": not root, or no node"};
  return {};
}

// A whole PEM file in base64, for a manifest.
std::string TlsData(const PemPair& pair, const std::string& ca) {
  return R"("tls.crt":")" + EncodeBase64(pair.cert) + R"(","tls.key":")" + EncodeBase64(pair.key) +
         R"(","ca.crt":")" + EncodeBase64(ca) + "\"";
}

int ConnectTo(const std::string& ip, uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

ContainerState StateOf(const Json& status) {
  ContainerState state;
  state.restarts = status["restartCount"].AsInt().value_or(0);
  for (const Json::Member& member : status["state"].members()) {
    state.state = member.key;
    state.reason = member.value["reason"].AsString();
    state.message = member.value["message"].AsString();
    state.exit_code = member.value["exitCode"].AsInt().value_or(-1);
  }
  return state;
}

// "2026-01-02T03:04:05.123456789Z TEXT", as the API server writes log lines with timestamps.
std::optional<PreciseTime> TimeOf(std::string_view line) {
  const std::string_view stamp = line.substr(0, line.find(' '));
  const Result<WallTime> second = ParseWallTime(stamp);
  if (!second) return std::nullopt;
  Duration fraction{};
  Duration digit = 100ms;
  const size_t dot = stamp.find('.');
  for (size_t i = dot; i != std::string_view::npos && ++i < stamp.size() && digit.count() > 0;) {
    if (stamp[i] < '0' || stamp[i] > '9') break;
    fraction += digit * (stamp[i] - '0');
    digit /= 10;
  }
  return PreciseTime(*second) + fraction;
}

}  // namespace

void PrintSeconds(const std::string& name, std::vector<Duration> after) {
  std::sort(after.begin(), after.end());
  if (after.empty()) return;
  const auto seconds = [](Duration length) {
    return std::chrono::duration<double>(length).count();
  };
  std::printf("%s: %zu times, %.2f to %.2f s, median %.2f s\n", name.c_str(), after.size(),
              seconds(after.front()), seconds(after.back()), seconds(after[after.size() / 2]));
}

void NodeTest::SetUp() {
  if (const Result<std::string> reason = ReadFile(ClusterRunDir() + "/skipped"); reason) {
    std::fprintf(stderr, "\n*** NOT tested on a real node: %s ***\n\n", reason->c_str());
    GTEST_SKIP() << *reason;
  }
  const Status entered = EnterNetwork(ClusterRunDir());
  ASSERT_TRUE(entered) << entered.error().text
                       << ": run this through ctest, or start a node with test/node/start.sh and "
                          "name its directory in CERTLATCH_CLUSTER_DIR";
  ClusterTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  // The controller-manager makes it, with what a pod's token volume needs.
  ASSERT_TRUE(Eventually([&] {
    return api().Get(Path("v1", "serviceaccounts", "default")).status == 200 &&
           api().Get(Path("v1", "configmaps", "kube-root-ca.crt")).status == 200;
  }));
}

void NodeTest::TearDown() {
  if (IsSkipped() || ns().empty()) return;
  if (HasFailure()) {  // what people would look at
    const Json pods = Get(Path("v1", "pods"));
    for (const Json& pod : pods["items"].items()) {
      const std::string name(pod["metadata"]["name"].AsString());
      std::fprintf(stderr, "--- pod %s: %s\n", name.c_str(), pod["status"].Dump().c_str());
      for (const char* kind : {"initContainers", "containers"}) {
        for (const Json& container : pod["spec"][kind].items()) {
          const std::string which(container["name"].AsString());
          std::fprintf(stderr, "--- log of %s\n%s\n", which.c_str(), Log(name, which).c_str());
        }
      }
    }
    const Json events = Get(Path("v1", "events"));
    for (const Json& event : events["items"].items()) {
      std::fprintf(stderr, "--- event %s\n", std::string(event["message"].AsString()).c_str());
    }
  }
  api().Delete("/api/v1/namespaces/" + ns());  // the controller-manager ends its pods
}

// --- what people apply ---

void NodeTest::CreateYaml(const std::string& collection_path, const std::string& yaml) {
  const Response response = api().PostYaml(collection_path, yaml);
  ASSERT_EQ(response.status, 201) << yaml << response.body;
}

void NodeTest::CreatePod(const std::string& yaml, const Words& words) {
  CreateYaml(Path("v1", "pods"), Fill(yaml, words));
}

void NodeTest::Grant(const std::vector<std::string>& arguments, const std::string& role) {
  Command command;
  command.path = CertlatchBinary();
  command.argv = {"certlatch", "rbac"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.env = {"POD_NAMESPACE=" + ns()};
  const Result<Outcome> outcome = RunProgram(std::move(command), kPatience);
  ASSERT_TRUE(outcome) << outcome.error().text;
  ASSERT_EQ(outcome->exit_code, 0) << outcome->err;
  for (size_t at = 0; at < outcome->out.size();) {
    const size_t end = std::min(outcome->out.find("---\n", at), outcome->out.size());
    const std::string object = outcome->out.substr(at, end - at);
    const bool is_role = object.find("kind: RoleBinding\n") == std::string::npos;
    CreateYaml(Path("rbac.authorization.k8s.io/v1", is_role ? "roles" : "rolebindings"),
               Fill(object, {{"name: certlatch\n", "name: " + role + "\n"}}));
    at = end + 4;
  }
}

PemPair NodeTest::NewPair() {
  CertSpec spec;
  spec.dns_names = {"web.example"};
  return authority_.Issue(spec);
}

void NodeTest::PutTlsSecret(const PemPair& pair, const std::string& name) {
  const std::string data = R"("data":{)" + TlsData(pair, authority_.cert_pem()) + "}";
  const Response old = api().MergePatch(Path("v1", "secrets", name), "{" + data + "}");
  if (old.status == 200) return;
  Create(Path("v1", "secrets"),
         R"({"metadata":{"name":")" + name + R"("},"type":"kubernetes.io/tls",)" + data + "}");
}

// --- what the cluster says ---

bool NodeTest::EventuallyWithin(Duration patience, const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(50ms);  // there is no event to wait for: asked again
  }
  return true;
}

Json NodeTest::Get(const std::string& path) {
  const Response response = api().Get(path);
  Result<Json> json = ParseJson(response.body);
  return json ? *std::move(json) : Json();
}

ContainerState NodeTest::State(const std::string& pod, const std::string& container) {
  const Json object = Get(Path("v1", "pods", pod));
  ContainerState state;
  int64_t restarts = 0;
  for (const char* kind : {"initContainerStatuses", "containerStatuses"}) {
    for (const Json& status : object["status"][kind].items()) {
      restarts += status["restartCount"].AsInt().value_or(0);
      if (status["name"].AsString() == container) state = StateOf(status);
    }
  }
  state.restarts_of_all = restarts;
  return state;
}

bool NodeTest::Runs(const std::string& pod, const std::string& container, Duration patience) {
  const bool is_so =
      EventuallyWithin(patience, [&] { return State(pod, container).state == "running"; });
  if (!is_so) ADD_FAILURE() << pod << "/" << container << " does not run";
  return is_so;
}

bool NodeTest::Ends(const std::string& pod, const std::string& container, int64_t exit_code,
                    Duration patience) {
  const bool is_so =
      EventuallyWithin(patience, [&] { return State(pod, container).exit_code == exit_code; });
  if (!is_so) ADD_FAILURE() << pod << "/" << container << " does not end with " << exit_code;
  return is_so;
}

std::string NodeTest::Log(const std::string& pod, const std::string& container) {
  const Response log = api().Get(Path("v1", "pods", pod) + "/log?container=" + container);
  return log.status == 200 ? log.body : "";
}

bool NodeTest::Says(const std::string& pod, const std::string& container, std::string_view text,
                    Duration patience, size_t from) {
  const bool said = EventuallyWithin(patience, [&] {
    const std::string log = Log(pod, container);
    return log.size() >= from && log.find(text, from) != std::string::npos;
  });
  if (!said) ADD_FAILURE() << pod << "/" << container << " never said: " << text;
  return said;
}

std::optional<PreciseTime> NodeTest::SaidAt(const std::string& pod, const std::string& container,
                                            std::string_view text) {
  const Response log =
      api().Get(Path("v1", "pods", pod) + "/log?timestamps=true&container=" + container);
  if (log.status != 200) return std::nullopt;
  for (const std::string_view line : Split(log.body, '\n')) {
    if (line.find(text) != std::string_view::npos) return TimeOf(line);
  }
  return std::nullopt;
}

std::string NodeTest::IpOf(const std::string& pod) {
  const Json object = Get(Path("v1", "pods", pod));
  if (object.is_object()) ips_[pod] = object["status"]["podIP"].AsString();
  return ips_[pod];
}

std::string NodeTest::ServedLeaf(const std::string& pod, uint16_t port) {
  const int fd = ConnectTo(IpOf(pod), port);
  if (fd < 0) return "";
  std::string leaf = LeafServedOn(fd);
  close(fd);
  return leaf;
}

bool NodeTest::Serves(const std::string& pod, const PemPair& pair, Duration patience) {
  const std::string expected = CertFingerprint(pair.cert);
  const bool is_so = EventuallyWithin(patience, [&] { return ServedLeaf(pod) == expected; });
  if (!is_so) ADD_FAILURE() << pod << " does not serve " << expected;
  return is_so;
}

bool NodeTest::ServesAfterTouches(const std::string& pod, const PemPair& pair) {
  const std::string expected = CertFingerprint(pair.cert);
  const bool is_so = EventuallyWithin(kKubeletPatience, [&] {
    Touch(pod);
    return EventuallyWithin(2s, [&] { return ServedLeaf(pod) == expected; });
  });
  if (!is_so) ADD_FAILURE() << pod << " does not serve " << expected;
  return is_so;
}

bool NodeTest::Measures(const std::string& pod, std::string_view line, Duration patience) {
  std::string page;
  const bool is_so = EventuallyWithin(patience, [&] {
    page = api().Get(Path("v1", "pods", pod) + ":9847/proxy/metrics").body;
    return page.find(line) != std::string::npos;
  });
  if (!is_so) ADD_FAILURE() << pod << " does not measure " << line << ":\n" << page;
  return is_so;
}

int64_t NodeTest::CountOfEvents(const std::string& reason, std::string_view text) {
  const Json events = Get(Path("v1", "events"));
  int64_t count = 0;
  for (const Json& event : events["items"].items()) {
    const std::string_view message = event["message"].AsString();
    if (event["reason"].AsString() != reason || message.find(text) == message.npos) continue;
    count += event["count"].AsInt().value_or(1);
  }
  return count;
}

// --- what the test does to it ---

uint16_t NodeTest::ApiPort() const {
  const std::string& url = access().url;
  return static_cast<uint16_t>(ParseUint(url.substr(url.rfind(':') + 1)).value_or(0));
}

PreciseTime NodeTest::Now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

void NodeTest::Touch(const std::string& pod) {
  Patch(Path("v1", "pods", pod), R"({"metadata":{"annotations":{"test/touched":")" +
                                     std::to_string(Now().time_since_epoch().count()) + "\"}}}");
}

int NodeTest::Kill(const std::string& pod, const std::string& name, const std::string& signal) {
  const std::string uid(Get(Path("v1", "pods", pod))["metadata"]["uid"].AsString());
  // Through the control groups: they have the pod's uid in their names.
  constexpr char kScript[] =
      "n=0; for p in /proc/[0-9]*; do "
      "grep -qs \"pod$0/\" $p/cgroup && grep -qxs \"$1\" $p/comm && kill -s \"$2\" ${p#/proc/} && "
      "n=$((n+1)); done; echo $n";
  const Outcome outcome = InNode({"bash", "-c", kScript, uid, name, signal});
  const std::optional<uint64_t> count = ParseUint(outcome.out.substr(0, outcome.out.find('\n')));
  return count ? static_cast<int>(*count) : -1;
}

Outcome NodeTest::InNode(const std::vector<std::string>& command) const {
  Command script;
  script.path = CERTLATCH_NODE_SCRIPTS "/in-node.sh";
  script.argv = {"in-node.sh", access().run_dir};
  script.argv.insert(script.argv.end(), command.begin(), command.end());
  const char* path = std::getenv("PATH");
  const char* home = std::getenv("HOME");
  script.env = {"PATH=" + std::string(path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path),
                "HOME=" + std::string(home == nullptr ? "/root" : home)};
  Result<Outcome> outcome = RunProgram(std::move(script), 3min);
  EXPECT_TRUE(outcome) << outcome.error().text;
  return outcome ? *std::move(outcome) : Outcome{};
}

}  // namespace certlatch::test
