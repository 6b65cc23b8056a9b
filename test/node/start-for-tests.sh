#!/bin/bash
# Starts a node in RUN_DIR: the setup of ctest's fixture. Where it may not or cannot, says so and leaves the reason in
# RUN_DIR/skipped, which every test then reports: it is skipped, not passed.
#
#   start-for-tests.sh RUN_DIR STATIC_CERTLATCH
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
"$HERE/stop.sh" "$RUN"
mkdir -p "$RUN"

skip() {
  printf '\n*** NO NODE IS STARTED, NOTHING IS TESTED ON REAL PODS: %s ***\n\n' "$*" >&2
  printf '%s\n' "$*" >"$RUN/skipped"
  exit 77 # ctest: skipped, and the tests are too
}

for name in CERTLATCH_SKIP_NODE CERTLATCH_SKIP_CLUSTER; do
  [[ ${!name:-} != 1 ]] || skip "$name=1"
done
reason=$("$HERE/can-run.sh" "$RUN") || skip "this machine cannot: $reason"
"$HERE/start.sh" "$RUN" "${CERTLATCH_BINARY:-$2}"
