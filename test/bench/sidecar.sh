#!/bin/bash
# Measures `certlatch sidecar` beside a loop of inotifywait and kill (package inotify-tools).
#
#   sidecar.sh [N [SECONDS]]      N: how often the volume is swapped for each (20); SECONDS: of idling (60)
#   CERTLATCH=FILE                measures this binary instead of building one
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

# As in run.sh: the bench is built in a tree of its own.
cmake --preset release >/dev/null
cmake --preset release -B build/bench -DCERTLATCH_TESTS=ON >/dev/null
[[ -n ${CERTLATCH:-} ]] || cmake --build build/release --target certlatch
cmake --build build/bench --target sidecar_bench

# In PID and mount namespaces of their own, as the containers of a pod are: the machine's other processes are not its app's.
namespaces=(unshare --pid --fork --mount-proc --kill-child)
"${namespaces[@]}" true 2>/dev/null || {
  echo 'sidecar.sh: no PID namespaces here: the search for the app covers all processes of the machine' >&2
  namespaces=()
}
"${namespaces[@]}" build/bench/test/bench/sidecar_bench "${CERTLATCH:-build/release/src/certlatch}" "$@"
