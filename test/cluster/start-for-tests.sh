#!/bin/bash
# Starts a cluster in RUN_DIR with what the tests need in it: the setup of ctest's fixture.
#
#   start-for-tests.sh RUN_DIR
#
# CERTLATCH_SKIP_CLUSTER=1: does nothing; the tests then say that they are skipped.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")

if [[ ${CERTLATCH_SKIP_CLUSTER:-} == 1 ]]; then
  printf '\n*** CERTLATCH_SKIP_CLUSTER=1: no API server is started ***\n\n' >&2
  exit 0
fi
"$HERE/start.sh" "$1"
"$HERE/apply.sh" "$1" "$HERE/crds.json"
