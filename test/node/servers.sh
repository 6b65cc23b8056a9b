#!/bin/bash
# Inside the node: starts its servers, one after the other. Used by start.sh.
#
#   servers.sh RUN_DIR
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
BIN=$(<"$RUN/bin")

gave_up() { # PROCESS WHAT: what it should have done
  tail -n 20 "$RUN/$1.log" >&2
  die "$1 $2: see $RUN/$1.log"
}

start_containerd() {
  mkdir -p "$RUN/state/cni"
  # pods reach the node and nothing else
  cat >"$RUN/state/cni/10-node.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "node", "plugins": [{"type": "ptp", "ipMasq": false,
  "ipam": {"type": "host-local", "subnet": "10.88.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
  cat >"$RUN/containerd.toml" <<TOML
version = 2
root = "$RUN/state/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "test.local/pause:1"
  restrict_oom_score_adj = true  # where we may not be scored below what we started with
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$RUN/state/cni"
TOML
  spawn containerd containerd "--config=$RUN/containerd.toml"
  wait_until sh -c 'ctr version >/dev/null 2>&1' || gave_up containerd "does not answer"
  for image in "$RUN"/images/*.tar; do ctr -n k8s.io images import "$image" >>"$RUN/images.log" 2>&1; done
}

start_control_plane() {
  # On all addresses of this network: pods reach it at its Service's.
  CERTLATCH_CLUSTER_PORT=443 "$CLUSTER/start.sh" "$RUN" --bind-address=0.0.0.0 \
    --enable-admission-plugins=NodeRestriction --feature-gates=BoundServiceAccountTokenVolume=true,RootCAConfigMap=true \
    --kubelet-client-certificate="$RUN/pki/admin.crt" --kubelet-client-key="$RUN/pki/admin.key" \
    --kubelet-preferred-address-types=InternalIP
  local common=(--kubeconfig="$RUN/kubeconfig" --authentication-kubeconfig="$RUN/kubeconfig"
    --authorization-kubeconfig="$RUN/kubeconfig" --leader-elect=false --bind-address=127.0.0.1 --port=0)
  spawn controllers "$BIN/kube-controller-manager" "${common[@]}" --service-account-private-key-file="$RUN/pki/sa.key" \
    --root-ca-file="$RUN/pki/ca.crt" --feature-gates=BoundServiceAccountTokenVolume=true,RootCAConfigMap=true \
    --cert-dir="$RUN/state/controllers"
  spawn scheduler "$BIN/kube-scheduler" "${common[@]}" --cert-dir="$RUN/state/scheduler"
}

make_kubelet_files() {
  (
    cd "$RUN/pki"
    issue node /O=system:nodes/CN=system:node:node1 clientAuth
  ) >>"$RUN/pki.log" 2>&1
  cat >"$RUN/kubelet.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:443", certificate-authority: "$RUN/pki/ca.crt"}}]
users: [{name: node1, user: {client-certificate: "$RUN/pki/node.crt", client-key: "$RUN/pki/node.key"}}]
contexts: [{name: test, context: {cluster: test, user: node1}}]
current-context: test
YAML
  # The defaults, but for what this machine lacks and for how often the node says that it lives. In particular the
  # default syncFrequency (1m): the delay that users have.
  cat >"$RUN/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failSwapOn: false
makeIPTablesUtilChains: false
nodeStatusUpdateFrequency: 1s
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$RUN/pki/ca.crt"}}
authorization: {mode: Webhook}
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
resolvConf: ""
clusterDNS: [10.96.0.10] # nobody answers; without one each pod gets a warning
YAML
}

"$HERE/kubelet.sh" "$RUN" stop
start_containerd
start_control_plane
make_kubelet_files
"$HERE/kubelet.sh" "$RUN" start
"$CLUSTER/apply.sh" "$RUN" "$CLUSTER/crds.json"
