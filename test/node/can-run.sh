#!/bin/bash
# Whether this machine can run a node: exit 0; or exit 1, and one line that says what is missing.
#
#   can-run.sh RUN_DIR      something below it is tried, and removed
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
mkdir -p "$RUN"

no() {
  printf '%s\n' "$*"
  exit 1
}

((EUID == 0)) || no "not root"

have=",$(hierarchies | awk '{print $2}' | paste -sd,),"
for kind in cpu cpuset memory devices freezer pids; do
  [[ $have == *,$kind,* ]] || no "no control group hierarchy (version 1) with $kind: this kubelet is tried with version 1 only"
done

try=$(mktemp -d "$RUN/try.XXXXXX")
trap 'rm -rf "$try"' EXIT
mkdir "$try"/{lower,upper,work,at}
error=$(unshare --net --mount --pid --cgroup --ipc --fork --kill-child --mount-proc \
  mount -t overlay -o "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" overlay "$try/at" 2>&1) ||
  no "no namespaces of its own, or no overlayfs in $RUN: ${error:-unshare failed}"

error=$( (
  join_groups
) 2>&1) || no "control groups cannot be made: $error"
remove_groups
