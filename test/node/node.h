// NodeTest is the fixture of scenes on real pods: the node which test/node/start.sh started, whose
// network the test enters, a namespace of its own for each scene, pods as users write them (YAML).
// Where there is no node a test fails; where start-for-tests.sh said why there is none, it is
// skipped, and says so.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/support/pki.h"
#include "test/support/words.h"

namespace certlatch::test {

// The kubelet refreshes a volume when it syncs the pod, at the latest after a minute and a half,
// and sees a change by its watch of Secrets before; a busy machine is slower.
constexpr Duration kKubeletPatience = 4min;

// Where a container is. `state` is "waiting", "running" or "terminated".
struct ContainerState {
  std::string state;
  std::string reason;
  std::string message;
  int64_t exit_code = -1;
  int64_t restarts = -1;
  int64_t restarts_of_all = 0;  // of the pod's containers together
};

// "name: 5 times, 0.10 to 0.19 s, median 0.12 s", on standard output.
void PrintSeconds(const std::string& name, std::vector<Duration> after);

class NodeTest : public ClusterTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // --- what people apply ---

  void CreatePod(const std::string& yaml, const Words& words = {});
  void CreateYaml(const std::string& collection_path, const std::string& yaml);
  // Gives the namespace's default ServiceAccount what `certlatch rbac ARGUMENTS` prints.
  void Grant(const std::vector<std::string>& arguments, const std::string& role = "certlatch");
  PemPair NewPair();
  void PutTlsSecret(const PemPair& pair, const std::string& name = "web-tls");

  // --- what the cluster says ---

  static bool EventuallyWithin(Duration patience, const std::function<bool()>& is_so);
  Json Get(const std::string& path);
  ContainerState State(const std::string& pod, const std::string& container);
  bool Runs(const std::string& pod, const std::string& container, Duration patience = kPatience);
  // Ended with this code.
  bool Ends(const std::string& pod, const std::string& container, int64_t exit_code,
            Duration patience = kPatience);
  std::string Log(const std::string& pod, const std::string& container);
  // It says `text`, in what follows the first `from` bytes of its log.
  bool Says(const std::string& pod, const std::string& container, std::string_view text,
            Duration patience = kPatience, size_t from = 0);
  // When the container runtime took the first line with `text`; nullopt: there is none.
  std::optional<PreciseTime> SaidAt(const std::string& pod, const std::string& container,
                                    std::string_view text);
  std::string ServedLeaf(const std::string& pod, uint16_t port = 8443);  // "": nobody answers
  bool Serves(const std::string& pod, const PemPair& pair, Duration patience = kPatience);
  // The same with the pod touched every now and then: a kubelet that was cut off from the API
  // server may hear of the touch before it hears of the Secret.
  bool ServesAfterTouches(const std::string& pod, const PemPair& pair);
  // It has the line in its metrics; needs no kubelet, as the logs do.
  bool Measures(const std::string& pod, std::string_view line, Duration patience = kPatience);
  // How often the namespace's events tell of this reason with this text in their message.
  int64_t CountOfEvents(const std::string& reason, std::string_view text = {});

  // --- what the test does to it ---

  // Changes an annotation of the pod, upon which the kubelet syncs it.
  void Touch(const std::string& pod);
  // Signals the processes of this name in the pod; the number of them.
  int Kill(const std::string& pod, const std::string& name, const std::string& signal);
  Outcome InNode(const std::vector<std::string>& command) const;
  static PreciseTime Now();
  uint16_t ApiPort() const;

 private:
  std::string IpOf(const std::string& pod);

  CertAuthority authority_;
  std::map<std::string, std::string> ips_;  // of pods, as the API server said last
};

}  // namespace certlatch::test
