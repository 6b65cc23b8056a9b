#!/bin/bash
# Starts a Kubernetes cluster of one node, in namespaces of its own: etcd, kube-apiserver, kube-controller-manager,
# kube-scheduler, containerd and kubelet; everything in RUN_DIR.
#
#   start.sh RUN_DIR CERTLATCH       CERTLATCH: the static binary of the image test.local/certlatch:1
#
# When it returns, the node is Ready and has the images, and RUN_DIR/env says how to reach the API server from inside
# (in-node.sh). Whatever ran in RUN_DIR before is ended.
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
binary=$(realpath -e -- "${2:-}") || die "name the static certlatch: start.sh RUN_DIR CERTLATCH"
! readelf -lW "$binary" | grep -q INTERP || die "$binary is not static, and its image holds nothing else: cmake --preset static && cmake --build --preset static"
need_tools containerd=containerd runc=runc /usr/lib/cni/ptp=containernetworking-plugins /bin/busybox=busybox-static \
  nginx=nginx ip=iproute2 python3=python3 gcc=gcc jq=jq pgrep=procps readelf=binutils
reason=$("$HERE/can-run.sh" "$RUN") || die "this machine cannot run a node: $reason"

"$HERE/stop.sh" "$RUN"
rm -f "$RUN"/*.log
unset KUBEBUILDER_ASSETS # it holds no kubelet
"$CLUSTER/build.sh" kube-apiserver kubelet kube-controller-manager kube-scheduler | tail -n 1 >"$RUN/bin"

gcc -static -Os -s -o "$RUN/pause" "$HERE/pause.c"
"$HERE/images.py" "$RUN/images" "$binary" "$RUN/pause"

# A start that fails or is interrupted leaves nothing behind.
trap 'rc=$?; if ((rc)); then "$HERE/stop.sh" "$RUN"; fi' EXIT
trap 'exit 130' INT TERM HUP
spawn node "$HERE/namespace.sh" enter "--node=$RUN"
wait_until test -e "$RUN/namespace.ready" || die "no namespace: $(cat "$RUN/node.log")"
init_pid >"$RUN/init.pid" # for who enters the network only
"$HERE/in-node.sh" "$RUN" "$HERE/servers.sh" "$RUN"
