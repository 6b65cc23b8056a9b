# shellcheck shell=bash
# What the scripts of this directory share. Sourced, never run. RUN is the run directory, absolute.

# A last-resort bound on the life of a server whose test was killed: nobody may be there to stop it.
LIFE=${CERTLATCH_CLUSTER_LIFE:-2h}
# How long anything that should take seconds may take on a busy machine.
PATIENCE=${CERTLATCH_CLUSTER_PATIENCE:-120}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need_tools() { # TOOL=PACKAGE...
  local want
  for want; do
    command -v "${want%%=*}" >/dev/null || die "${want%%=*} is not installed: apt-get install ${want#*=}"
  done
}

# Sets RUN from a script's first argument.
use_run_dir() { # DIR
  [[ -n ${1:-} ]] || die "name the run directory: ${0##*/} RUN_DIR"
  RUN=$(realpath -m -- "$1")
  [[ $RUN != / ]] || die "the run directory cannot be /"
}

# --- processes --------------------------------------------------------------------------------------------------

# The argument by which a server of this very run directory is told from any other process.
own_argument() { # etcd|apiserver
  case $1 in
    etcd) printf -- '--data-dir=%s/etcd' "$RUN" ;;
    apiserver) printf -- '--tls-cert-file=%s/pki/apiserver.crt' "$RUN" ;;
  esac
}

# Prints the pid of this run directory's server; fails when there is none. The pid in the file may be stale and by
# now somebody else's, so the process must carry the argument that only ours has.
pid_of() { # etcd|apiserver
  local pid
  pid=$(cat "$RUN/$1.pid" 2>/dev/null) && [[ $pid =~ ^[1-9][0-9]*$ ]] || return 1
  grep -qzxF -e "$(own_argument "$1")" "/proc/$pid/cmdline" 2>/dev/null || return 1
  printf '%s\n' "$pid"
}

# Ends a server: with SIGNAL, and with KILL when GRACE seconds were not enough. Fine when there is none.
end_server() { # etcd|apiserver SIGNAL GRACE
  local name=$1 signal=$2 grace=$3 start=$SECONDS pid ended='' sent=''
  while pid=$(pid_of "$name"); do
    ended=$pid
    ((SECONDS <= start + grace)) || signal=KILL
    ((SECONDS <= start + grace + 20)) || die "$name (pid $pid) does not end even by KILL: see /proc/$pid/status"
    if [[ $sent != "$signal" ]]; then # each once: a second TERM is an order to drop everything
      kill -s "$signal" "$pid" 2>/dev/null || true
      sent=$signal
    fi
    sleep 0.02
  done
  # A process loses its arguments a moment before its files and ports: wait until its parent has collected it.
  for _ in {1..50}; do
    [[ -n $ended && -e /proc/$ended ]] || break
    sleep 0.02
  done
  rm -f "$RUN/$name.pid"
}

# Starts a server in a session of its own, under the bound on its life, with no descriptor of the caller (a test
# runner waits for the end of every copy of its pipes). The pid in the file is the server's own, not its bound's.
spawn() { # etcd|apiserver COMMAND...
  local name=$1
  shift
  rm -f "$RUN/$name.pid"
  (
    cd "$RUN" || exit 1
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      # 255 is bash's own, and closes by itself
      ((fd <= 2 || fd == 255)) || eval "exec $fd>&-"
    done
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec setsid timeout --kill-after=10 "$LIFE" \
      bash -c 'echo $$ >"$0.new" && mv "$0.new" "$0" && exec "$@"' "$RUN/$name.pid" "$@" >>"$RUN/$name.log" 2>&1 </dev/null
  ) &
  SPAWNED=$! # the bound, which ends with the server
  disown "$SPAWNED" # no word from bash when it is killed
}

spawned_ended() { ! kill -0 "$SPAWNED" 2>/dev/null; }

# Waits until COMMAND succeeds. 1: the server ended instead. 2: the time is over.
wait_until() { # COMMAND...
  local deadline=$((SECONDS + PATIENCE))
  until "$@"; do
    ! spawned_ended || return 1
    ((SECONDS < deadline)) || return 2
    sleep 0.05
  done
}

# Its last words, for the reader of a failed test: those that say why if there are any, rather than a stack trace.
log_tail() { # NAME
  { grep -E '^(F[0-9]{4} |panic:|Error:|fatal error:)' "$RUN/$1.log" || cat "$RUN/$1.log"; } 2>/dev/null | tail -n 8 >&2 || true
}

# --- keys and certificates, in the directory with ca.crt and ca.key ---------------------------------------------

ec_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

issue() { # NAME SUBJECT USAGE [SAN]
  ec_key "$1.key"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$3" "${4:+subjectAltName=$4}" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>&1
  rm "$1.csr" "$1.ext"
}

# --- the API ----------------------------------------------------------------------------------------------------

# One request as the administrator. Sets STATUS (000: no answer) and BODY.
api() { # METHOD PATH [BODY_FILE]
  local out
  # -q and --noproxy: neither the user's curl settings nor a proxy belong between us and loopback
  out=$(curl -q -s --noproxy '*' --max-time 20 --cacert "$RUN/pki/ca.crt" -H "@$RUN/admin.header" -X "$1" \
    ${3:+-H 'Content-Type: application/json' --data-binary "@$3"} -w '\n%{http_code}' "$API_URL$2") || true
  STATUS=${out##*$'\n'}
  # shellcheck disable=SC2034 # for the callers
  BODY=${out%$'\n'*}
  [[ $STATUS =~ ^[0-9]{3}$ ]] || STATUS=000
}

api_ready() {
  api GET /readyz
  [[ $STATUS == 200 ]]
}

# Starts kube-apiserver with the arguments kept in the run directory, and more. 1: it ended. 2: not ready in time.
start_apiserver() { # [FLAG...]
  local arguments=()
  mapfile -d '' -t arguments <"$RUN/apiserver.args"
  spawn apiserver "${arguments[@]}" "$@"
  wait_until api_ready
}
