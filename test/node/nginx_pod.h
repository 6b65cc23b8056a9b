// NginxPodTest is a NodeTest with a real nginx and a sidecar beside it, in one pod, under the
// restricted Pod Security Standard: the pod's YAML, its nginx.conf, and how to rotate.
#pragma once

#include <string>

#include "test/node/node.h"

namespace certlatch::test {

// What may differ between the pods.
struct NginxPod {
  std::string reload;  // flags of the sidecar: ["--signal=HUP", "--process=nginx"]
  bool share_processes = true;
  std::string app_uid = "1000";
  std::string sidecar_uid = "1000";
  std::string command = R"([nginx, -e, stderr, -c, /etc/nginx/nginx.conf])";
};

class NginxPodTest : public NodeTest {
 protected:
  void SetUp() override;

  // The pod "web", with the first certificate; returns when the sidecar has proved it.
  void StartPod(const NginxPod& pod);
  // Another certificate in the Secret, which the kubelet then mounts without its usual delay.
  PemPair Rotate();
  // Nothing of the pod was restarted, and nothing secret is in the sidecar's log.
  void ExpectUndisturbed();
  std::string SidecarLog() { return Log("web", "certlatch"); }
};

inline const char* const kSignalNginx = R"("--signal=HUP", "--process=nginx")";

}  // namespace certlatch::test
