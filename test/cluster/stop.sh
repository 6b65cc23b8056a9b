#!/bin/bash
# Ends what start.sh started in RUN_DIR, by pid; never a process that is not of this directory. Fine when nothing
# runs. The logs stay; the data (a large file of etcd's) and the description of how to connect go.
#
#   stop.sh RUN_DIR
set -euo pipefail
# shellcheck source=test/cluster/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
[[ -d $RUN ]] || exit 0
# KILL at once: nothing is worth saving, and an orderly end of the API server waits for its clients
end_server apiserver KILL 5
end_server etcd KILL 5
rm -rf "$RUN/env" "$RUN/kubeconfig" "$RUN/etcd"
