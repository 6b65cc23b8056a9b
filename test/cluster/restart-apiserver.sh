#!/bin/bash
# Stops, starts or restarts the kube-apiserver of RUN_DIR on the same etcd and the same port. Every connection breaks,
# and the new watch cache knows no older resourceVersion.
#
#   restart-apiserver.sh RUN_DIR [restart|stop|start] [KUBE_APISERVER_FLAG...]
#
# Flags hold for this one start, e.g. --watch-cache-sizes=secrets#0. SIG=KILL ends the server without a word to its
# clients. The default, TERM, closes the port and lets it end in order; what still has a connection open, a watch for
# one, is cut off after GRACE seconds (2). Returns when the server is gone, or ready again.
set -euo pipefail
# shellcheck source=test/cluster/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
action=${2:-restart}
shift $(($# < 2 ? $# : 2))
case $action in
  restart | stop | start) ;;
  *) die "unknown action $action: restart, stop or start" ;;
esac
[[ -s $RUN/env && -s $RUN/apiserver.args ]] || die "no cluster in $RUN: start one with start.sh"
pid_of etcd >/dev/null || die "the etcd of $RUN is gone: start anew with start.sh, see $RUN/etcd.log"
# shellcheck source=/dev/null
. "$RUN/env"

if [[ $action != start ]]; then
  end_server apiserver "${SIG:-TERM}" "${GRACE:-2}"
elif pid=$(pid_of apiserver); then
  die "the API server of $RUN runs already (pid $pid): stop it first"
fi
if [[ $action != stop ]]; then
  rc=0
  start_apiserver "$@" || rc=$?
  if ((rc)); then
    log_tail apiserver
    end_server apiserver KILL 5
    ((rc == 1)) && die "kube-apiserver ended: the cause is above and in $RUN/apiserver.log"
    die "kube-apiserver was not ready within $PATIENCE s: see $RUN/apiserver.log"
  fi
fi
