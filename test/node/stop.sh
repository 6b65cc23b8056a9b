#!/bin/bash
# Ends the node of RUN_DIR with everything in it; never a process that is not of this directory. Fine when nothing
# runs. The logs stay.
#
#   stop.sh RUN_DIR
set -euo pipefail
# shellcheck source=test/node/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
[[ -d $RUN ]] || exit 0
end_server node KILL 20 # the kernel ends the whole PID namespace with its first process, and drops the mounts
remove_groups
rm -rf "$RUN"/{env,kubeconfig,etcd,state,images,namespace.ready,skipped} "$RUN"/*.pid
