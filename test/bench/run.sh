#!/bin/bash
# Builds certlatch as it is released, starts a cluster, measures certlatch beside kubectl, stops the cluster.
#
#   run.sh [N]                    N: how often each is run (20)
#   CERTLATCH=FILE                measures this binary instead of building one
#   CERTLATCH_KUBECTL=FILE        kubectl; default: the first of PATH. Name the program itself, not a wrapper of it.
set -euo pipefail
ROOT=$(dirname "$(readlink -f "$0")")/../..
cd "$ROOT"

kubectl=${CERTLATCH_KUBECTL:-$(command -v kubectl)} || {
  printf 'run.sh: kubectl is not installed: put it on PATH or name it in CERTLATCH_KUBECTL\n' >&2
  exit 1
}
# The bench is a tool of the tests, which the release preset does not build: a tree of its own.
cmake --preset release >/dev/null
cmake --preset release -B build/bench -DCERTLATCH_TESTS=ON >/dev/null
[[ -n ${CERTLATCH:-} ]] || cmake --build build/release --target certlatch
cmake --build build/bench --target wait_bench

run=$(mktemp -d)
home=$(mktemp -d) # kubectl's discovery cache
trap 'test/cluster/stop.sh "$run"; rm -rf "$run" "$home"' EXIT
test/cluster/start.sh "$run"
test/cluster/apply.sh "$run" test/cluster/crds.json
HOME=$home build/bench/test/bench/wait_bench "$run" "${CERTLATCH:-build/release/src/certlatch}" "$kubectl" "${1:-20}"
