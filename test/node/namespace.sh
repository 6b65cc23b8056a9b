#!/bin/bash
# The node's first process, in namespaces of its own: sees to the mounts, then collects the dead until it is ended.
# Its end is the end of all processes of the node, and of all mounts.
#
#   namespace.sh enter|init --node=RUN_DIR      started by start.sh, as "enter"
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${2#--node=}"

enter() {
  join_groups
  exec unshare --net --mount --pid --cgroup --ipc --fork --kill-child --mount-proc --propagation private \
    "$HERE/namespace.sh" init "--node=$RUN"
}

# The control groups as seen from our own: what the kubelet takes for the root is our directory.
mount_groups() {
  local at options kind all
  all=$(hierarchies) # before any is gone
  while read -r at options; do
    kind=$(tr ',' '\n' <<<"$options" | grep -vxE 'rw|ro|nosuid|nodev|noexec|relatime|noatime|release_agent=.*|xattr' | paste -sd,)
    umount "$at"
    mount -t cgroup -o "$kind" cgroup "$at"
  done <<<"$all"
}

# What the kubelet, containerd and the network plugins write stays here.
mount_own_directories() {
  local state=$RUN/state
  mkdir -p "$state"/{kubelet,var-lib,var-lib.work,containerd,sys}
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t overlay -o "lowerdir=/var/lib,upperdir=$state/var-lib,workdir=$state/var-lib.work" overlay /var/lib
  mkdir -p /var/lib/kubelet
  mount --bind "$state/kubelet" /var/lib/kubelet
  mount --make-rshared /
  mount -t tmpfs tmpfs /var/log
}

# The kubelet sets these for the whole machine: it gets files instead.
hide_sysctls() {
  local setting file
  for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
    file=$RUN/state/sys/${setting%%=*}
    mkdir -p "${file%/*}"
    echo "${setting##*=}" >"$file"
    mount --bind "$file" "/proc/sys/${setting%%=*}"
  done
}

# The API server is at its Service's address by itself: no kube-proxy is needed.
make_network() {
  ip link set lo up
  ip address add "$SERVICE_IP/32" dev lo
  ip link add node0 type bridge
  ip address add "$NODE_IP/24" dev node0
  ip link set node0 up
  ip route add default via "$NODE_IP" # the kubelet looks for one
}

init() {
  mount_groups
  mount_own_directories
  hide_sysctls
  make_network
  touch "$RUN/namespace.ready"
  while :; do # bash collects whoever ends meanwhile
    sleep 1000 &
    wait $! || true
  done
}

"$1"
