#!/bin/bash
# The whole story, on a fresh Debian 12: builds the static binary, as it ships; a Certificate that Vault refuses, explained,
# mended and issued while a pod waits for it; then a real nginx with the old certificate, a renewal, its reload and the
# proof; and how long all that took, beside the usual loop. The first time the binary's libraries are built, too, which
# takes some minutes (cmake/README.md); from then on the story takes half a minute.
#
#   ./deploy/quickstart.sh
#
# The API server: KUBEBUILDER_ASSETS or the real one that ./test/run.sh has built, if there; else the small one of the
# test suite, so that a first look takes no three minutes. CERTLATCH_QUICKSTART_SERVER=embedded asks for that one.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$(readlink -f "$0")")/.."

readonly CERTLATCH=build/static/certlatch
readonly RUNS=5
WORK=$(mktemp -d)
# shellcheck source=deploy/quickstart/servers.sh
. deploy/quickstart/servers.sh
# shellcheck source=deploy/quickstart/objects.sh
. deploy/quickstart/objects.sh

SIDECAR_PID=
LOOP_PIDS=()
clean_up() {
  local pid
  for pid in "$SIDECAR_PID" "${LOOP_PIDS[@]}"; do
    if [[ -n $pid ]]; then kill "$pid" 2>/dev/null || true; fi
  done
  stop_servers
  rm -rf "$WORK"
}
trap clean_up EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [[ ! -t 1 ]]; then say() { printf '\n%s\n' "$*"; }; fi
pause() { sleep 1; } # so that a reader can follow

said() { # FILE TEXT: waits until it stands there
  for _ in {1..400}; do
    grep -qF "$2" "$1" && return
    sleep 0.02
  done
  echo "quickstart.sh: certlatch did not say \"$2\"" >&2
  cat "$1" >&2
  exit 1
}
show() { tail -n +1 -f --pid="$2" "$1" | sed -u 's/^/    | /'; } # FILE PID: each line when it comes

microseconds() { printf '%s' "${1/./}"; }
since_sent() { echo $(($(microseconds "$EPOCHREALTIME") - $(microseconds "$(<"$WORK/sent")"))); }

certlatch() { # with the API server that is used here
  "$CERTLATCH" "$@" --server "$URL" --certificate-authority "$CA" --token-file "$TOKEN_FILE"
}
become_certlatch() { # in the background, so that its pid is this one's
  exec "$CERTLATCH" "$@" --server "$URL" --certificate-authority "$CA" --token-file "$TOKEN_FILE"
}

# --- waiting ------------------------------------------------------------------------------------------------------

wait_for() { # NAME: what a pod's init container would run
  local status=0
  certlatch wait "certificate/$1" "secret/$1-tls" --timeout=60s || status=$?
  printf '%s %s\n' "$status" "$EPOCHREALTIME" >"$WORK/$1.end"
}

# The microseconds from the request that made NAME ready to the end of the wait for it.
waited() { # NAME
  local status ended
  read -r status ended <"$WORK/$1.end"
  if ((status != 0)); then
    cat "$WORK/$1.log" >&2
    exit 1
  fi
  echo $(($(microseconds "$ended") - $(microseconds "$(<"$WORK/sent")")))
}

tell_of_a_refusal() {
  say '3. A pod needs the Certificate "web" and its Secret. Vault refuses one of the names:'
  echo '    $ certlatch wait certificate/web secret/web-tls --timeout=60s'
  create_issuer
  create_certificate web '"web.example.com","web","web.default.svc"'
  wait_for web >"$WORK/web.log" 2>&1 &
  local waiting=$! showing
  said "$WORK/web.log" 'secret/web-tls: not found yet'
  show "$WORK/web.log" "$waiting" &
  showing=$!
  pause
  refuse web
  said "$WORK/web.log" 'Vault role web refused'
  pause

  say '4. Why? (in another terminal)'
  echo '    $ certlatch explain certificate/web'
  certlatch explain certificate/web 2>&1 | sed 's/^/    | /' || true
  pause

  say '5. The name is taken out, the certificate issued. What the pod sees:'
  set_dns_names web '"web.example.com","web.default.svc"'
  new_pair old
  create_secret web-tls old
  said "$WORK/web.log" 'secret/web-tls condition met'
  set_ready web
  wait "$waiting"
  wait "$showing" || true
  FIRST=$(waited web)
}

# --- beside the loop ------------------------------------------------------------------------------------------------

# The loop of a thousand init containers, with curl for kubectl, and as much later as the one before.
loop_for() { # NAME LATER
  sleep "$2"
  until curl -q -sS --noproxy '*' --cacert "$CA" -H "Authorization: Bearer $(<"$TOKEN_FILE")" \
    "$URL$CERT_MANAGER/certificates/$1" 2>/dev/null |
    jq -e '.status.conditions[]? | select(.type == "Ready").status == "True"' >/dev/null 2>&1; do
    sleep 5
  done
  since_sent >"$WORK/$1.loop.$2"
}

compare_with_a_loop() {
  say '6. How soon after the last change is a pod let go? (certlatch again, and a loop that sleeps 5 s)'
  local all=("$FIRST") run waiting later
  for ((run = 1; run < RUNS; run++)); do
    create_certificate "run-$run" '"web.example.com"'
    create_secret "run-$run-tls" old
    wait_for "run-$run" >"$WORK/run-$run.log" 2>&1 &
    waiting=$!
    said "$WORK/run-$run.log" 'secret/run-'"$run"'-tls condition met'
    set_ready "run-$run"
    wait "$waiting"
    all+=("$(waited "run-$run")")
  done
  create_certificate loop '"web.example.com"'
  for later in 0.1 1.3 2.5 3.7 4.9; do
    loop_for loop "$later" &
    LOOP_PIDS+=($!)
  done
  sleep 5.2
  set_ready loop
  for run in "${LOOP_PIDS[@]}"; do wait "$run"; done
  LOOP_PIDS=()
  printf '%s\n' "${all[@]}" | row 'pod let go: certlatch'
  cat "$WORK"/loop.loop.* | row 'pod let go: a loop that sleeps 5 s'
}

# --- the table ------------------------------------------------------------------------------------------------------

line() { printf '    %-44s %7s %7s %7s %5s\n' "$@" >>"$WORK/table"; }
row() { # TEXT: of the microseconds on standard input
  local figures
  figures=$(sort -n | awk '{ms[NR] = $1 / 1000}
    END {printf "%.0f %.0f %.0f %d", ms[int((NR + 1) / 2)], ms[1], ms[NR], NR}')
  # shellcheck disable=SC2086 # four words
  line "$1" $figures
  tail -n 1 "$WORK/table"
}

show_table() {
  say '9. Milliseconds from the change at the API server'
  printf '    %-44s %7s %7s %7s %5s\n' '' median least most runs
  cat "$WORK/table"
  echo '    Those of the kubelet are of a real node (test/node/README.md); the others have been measured just now.'
}

# --- a renewal --------------------------------------------------------------------------------------------------------

# Once around: the Secret changes, nginx serves it. Prints how long that took, seen from outside.
renew() { # PAIR
  local before
  new_pair "$1"
  before=$(served_leaf)
  renew_secret web-tls "$1"
  for _ in {1..500}; do
    [[ $(served_leaf) == "$before" ]] || { since_sent; return; }
    sleep 0.02
  done
  echo 'quickstart.sh: nginx serves the old certificate still' >&2
  cat "$WORK/sidecar.log" >&2
  exit 1
}

prove_a_renewal() {
  local volume=$WORK/tls all=() run showing
  mkdir "$volume"
  say '7. nginx is to serve it. The init container puts the files there, and the sidecar keeps them right:'
  echo '    $ certlatch wait --write /tls=secret/web-tls'
  certlatch wait --write "$volume=secret/web-tls" 2>&1 | sed 's/^/    | /'
  start_nginx "$volume"
  echo "    \$ certlatch sidecar --write /tls=secret/web-tls --signal HUP --process nginx --prove 127.0.0.1:$PORT"
  become_certlatch sidecar --write "$volume=secret/web-tls" --signal HUP --pid-file "$WORK/nginx/nginx.pid" \
    --prove "127.0.0.1:$PORT" --listen off 2>"$WORK/sidecar.log" &
  SIDECAR_PID=$!
  show "$WORK/sidecar.log" "$SIDECAR_PID" &
  showing=$!
  said "$WORK/sidecar.log" 'App has the mounted certificate: proven'
  pause
  say '8. The Secret is renewed, five times:'
  for ((run = 1; run <= RUNS; run++)); do
    all+=("$(renew "new-$run")")
    pause
  done
  kill "$SIDECAR_PID"
  wait "$SIDECAR_PID" "$showing" || true
  SIDECAR_PID=

  printf '%s\n' "${all[@]}" | row 'renewal served: certlatch sidecar --write'
  line 'renewal mounted: the kubelet, before any tool' 58000 47000 72000 8
  echo '    An nginx that nobody tells serves the old one until it restarts.'
}

# --- the story ------------------------------------------------------------------------------------------------------

main() {
  say '1. Building certlatch: one static binary'
  build
  "$CERTLATCH" version | sed 's/^/    /'
  stat -c '    %s bytes' "$CERTLATCH"

  if wants_real_server; then
    say '2. Starting a real etcd and kube-apiserver on loopback'
    start_real
  else
    say '2. Starting the small API server of the test suite on loopback'
    start_embedded
  fi
  echo "    $URL"

  tell_of_a_refusal
  compare_with_a_loop
  prove_a_renewal
  show_table

  say 'On your own cluster'
  cat <<EOF
    kubectl proxy &
    $CERTLATCH wait certificate/NAME -n NAMESPACE --server http://127.0.0.1:8001
    $CERTLATCH explain certificate/NAME -n NAMESPACE --server http://127.0.0.1:8001
    $CERTLATCH rbac wait certificate/NAME secret/NAME-tls -n NAMESPACE | kubectl apply -f -
    deploy/README.md: manifests, a Kustomize component and a Helm library chart
EOF
}

main
