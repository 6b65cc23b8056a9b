#!/bin/bash
# Inside the node (in-node.sh): starts the kubelet and waits until the node is Ready, or ends it. The pods run on.
#
#   kubelet.sh RUN_DIR restart|start|stop
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"

# Also its word that it lives must be of this start: the node stays Ready for a while without a kubelet.
node_is_ready() {
  api GET /api/v1/nodes/node1
  [[ $STATUS == 200 ]] && jq -e --arg since "$SINCE" 'any(.status.conditions[]; .type == "Ready" and .status == "True"
    and .lastHeartbeatTime >= $since)' <<<"$BODY" >/dev/null
}

start() {
  # shellcheck source=/dev/null
  . "$RUN/env"
  SINCE=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  spawn kubelet "$(<"$RUN/bin")/kubelet" "--kubeconfig=$RUN/kubelet.kubeconfig" --config="$RUN/kubelet.yaml" \
    --container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock \
    --hostname-override=node1 --node-ip="$NODE_IP" --volume-plugin-dir="$RUN/state/plugins" --v=2
  wait_until node_is_ready && return
  tail -n 20 "$RUN/kubelet.log" >&2
  die "the node is not Ready: see $RUN/kubelet.log"
}

stop() { end_server kubelet TERM 10; }

case ${2:-} in
  start | stop) "$2" ;;
  restart)
    stop
    start
    ;;
  *) die "kubelet.sh RUN_DIR restart|start|stop" ;;
esac
