#!/bin/bash
# Runs a command inside the node: its network, mounts, processes and control groups.
#
#   in-node.sh RUN_DIR COMMAND...
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
shift
pid=$(init_pid) || die "no node in $RUN: start one with start.sh"
# In a subshell: what it starts shall be of the node's groups, the caller of theirs.
(
  join_groups
  exec nsenter --target="$pid" --net --mount --pid --cgroup --ipc --wd="$PWD" "$@"
)
