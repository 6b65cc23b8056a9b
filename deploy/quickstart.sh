#!/bin/bash
# A first look, on a fresh Debian 12: builds the static binary, as it ships, and shows its main job on a real exchange. A
# Certificate that is not ready and a Secret that does not exist; `certlatch wait` on both; an issuer that fills them in;
# and how long after the last change the wait was over. The first time the binary's libraries are built, too, which takes
# some minutes (cmake/README.md); from then on it takes seconds.
#
#   ./deploy/quickstart.sh
#
# The API server: KUBEBUILDER_ASSETS or the real one that ./test/run.sh has built, if there; else the small one of the
# test suite, so that a first look takes no three minutes. CERTLATCH_QUICKSTART_SERVER=embedded asks for that one.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$(readlink -f "$0")")/.."

readonly RUNS=5
WORK=$(mktemp -d)
SERVER_PID=
CLUSTER=

clean_up() {
  if [[ -n $SERVER_PID ]]; then kill "$SERVER_PID" 2>/dev/null || true; fi
  if [[ -n $CLUSTER ]]; then ./test/cluster/stop.sh "$CLUSTER" || true; fi
  rm -rf "$WORK"
}
trap clean_up EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [[ ! -t 1 ]]; then say() { printf '\n%s\n' "$*"; }; fi

# --- build ------------------------------------------------------------------------------------------------------

readonly CERTLATCH=build/static/certlatch

# What it says on the way comes out at once: the libraries take a while.
build_quietly() { # PRESET TARGET
  if ! { cmake --preset "$1" && cmake --build --preset "$1" --target "$2"; } \
    > >(tee "$WORK/build.log" | sed -un 's/^ *static build: /    /p') 2>&1; then
    wait $! || true # for tee's last words
    tail -n 30 "$WORK/build.log" >&2
    echo "quickstart.sh: no $2, see above: the preset $1 must build (README.md, Building)" >&2
    exit 1
  fi
}

build() {
  ./cmake/install-packages.sh g++ cmake ninja-build pkg-config git curl jq openssl \
    libcurl4-openssl-dev libssl-dev libsimdjson-dev
  build_quietly static certlatch
}

# --- an API server: sets URL, CA and TOKEN_FILE -----------------------------------------------------------------

start_real() {
  CLUSTER=$WORK/cluster
  ./test/cluster/start.sh "$CLUSTER" >/dev/null
  ./test/cluster/apply.sh "$CLUSTER" test/cluster/crds.json >/dev/null
  # shellcheck disable=SC1091
  . "$CLUSTER/env"
  URL=$API_URL CA=$CA_FILE TOKEN_FILE=$WORK/token
  (umask 077 && printf '%s' "$ADMIN_TOKEN" >"$TOKEN_FILE")
}

start_embedded() {
  local dir=$WORK/server
  mkdir "$dir"
  build_quietly release mini_apiserver # a tool of the tests, on this machine's libraries
  build/release/test/support/mini_apiserver --dir "$dir" 2>"$dir/log" &
  SERVER_PID=$!
  for _ in {1..200}; do
    [[ ! -s $dir/url ]] || break
    kill -0 "$SERVER_PID" || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
  done
  URL=$(<"$dir/url") CA=$dir/ca.crt TOKEN_FILE=$dir/token
}

wants_real_server() {
  [[ ${CERTLATCH_QUICKSTART_SERVER:-} != embedded ]] || return 1
  if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then # named by the user: must be usable
    ./test/cluster/build.sh >/dev/null || exit 1
    return
  fi
  ./test/cluster/build.sh --if-cached >/dev/null 2>&1
}

# --- the scene --------------------------------------------------------------------------------------------------

# One request. Leaves in $WORK/sent when curl was started, and in $WORK/answered when its answer was complete: curl
# writes a line then, and ends later.
api() { # METHOD PATH CONTENT_TYPE BODY
  printf '%s' "$EPOCHREALTIME" >"$WORK/sent"
  curl -q -sS --fail-with-body --noproxy '*' --max-time 10 --cacert "$CA" -H "Authorization: Bearer $(<"$TOKEN_FILE")" \
    -X "$1" -H "Content-Type: $3" --data-binary "$4" -o "$WORK/answer" -w '\n' "$URL$2" |
    { read -r && printf '%s' "$EPOCHREALTIME" >"$WORK/answered"; } || { cat "$WORK/answer" >&2; return 1; }
}
readonly CERTIFICATES=/apis/cert-manager.io/v1/namespaces/default/certificates
readonly SECRETS=/api/v1/namespaces/default/secrets
readonly ISSUERS=/apis/cert-manager.io/v1/namespaces/default/issuers

create_issuer() {
  api POST "$ISSUERS" application/json '{"apiVersion":"cert-manager.io/v1","kind":"Issuer",
    "metadata":{"name":"ca"},"spec":{"selfSigned":{}}}'
  api PATCH "$ISSUERS/ca/status" application/merge-patch+json '{"status":{"conditions":[{"type":"Ready",
    "status":"True","reason":"IsReady","message":""}]}}'
}

create_certificate() { # NAME
  api POST "$CERTIFICATES" application/json '{"apiVersion":"cert-manager.io/v1","kind":"Certificate",
    "metadata":{"name":"'"$1"'"},"spec":{"secretName":"'"$1"'-tls","issuerRef":{"name":"ca"},"dnsNames":["'"$1"'.example.com"]}}'
}
create_secret() { # NAME
  api POST "$SECRETS" application/json '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls",
    "metadata":{"name":"'"$1"'"},"data":{"tls.crt":"'"$(base64 -w0 "$WORK/tls.crt")"'","tls.key":"'"$(base64 -w0 "$WORK/tls.key")"'"}}'
}
set_ready() { # NAME STATUS REASON MESSAGE
  api PATCH "$CERTIFICATES/$1/status" application/merge-patch+json '{"status":{"conditions":[{"type":"Ready",
    "status":"'"$2"'","reason":"'"$3"'","message":"'"$4"'"}]}}'
}

wait_for() { # NAME: what a pod's init container would run
  local status=0
  "$CERTLATCH" wait "certificate/$1" "secret/$1-tls" --timeout=60s \
    --server "$URL" --certificate-authority "$CA" --token-file "$TOKEN_FILE" || status=$?
  printf '%s %s\n' "$status" "$EPOCHREALTIME" >"$WORK/$1.end"
}

said() { # FILE TEXT: waits until it stands there
  for _ in {1..400}; do
    grep -qF "$2" "$1" && return
    sleep 0.02
  done
  echo "quickstart.sh: certlatch did not say \"$2\"" >&2
  cat "$1" >&2
  exit 1
}

show() { # shows each line of FILE when it comes, until the wait is over
  tail -n +1 -f --pid="$2" "$1" | sed -u 's/^/    | /'
}

microseconds() { printf '%s' "${1/./}"; }

# One issuance from beginning to end; prints the microseconds from the start of the request that made the last change
# to the end of the wait, and from its answer to there.
issue() { # NAME
  create_certificate "$1"
  wait_for "$1" >"$WORK/$1.log" 2>&1 &
  local waiting=$!
  said "$WORK/$1.log" "secret/$1-tls: not found yet"
  [[ -z ${STORY:-} ]] || { show "$WORK/$1.log" "$waiting" >&3 & SHOW=$!; sleep 1; }
  set_ready "$1" False Pending 'Waiting on certificate issuance from order web-1: pending'
  said "$WORK/$1.log" 'Ready is False'
  [[ -z ${STORY:-} ]] || sleep 1
  create_secret "$1-tls"
  said "$WORK/$1.log" "secret/$1-tls condition met"
  [[ -z ${STORY:-} ]] || sleep 1
  set_ready "$1" True Ready 'Certificate is up to date and has not expired'
  local status ended
  wait "$waiting"
  [[ -z ${STORY:-} ]] || wait "$SHOW" || true
  read -r status ended <"$WORK/$1.end"
  if ((status != 0)); then
    cat "$WORK/$1.log" >&2
    exit 1
  fi
  ended=$(microseconds "$ended")
  echo $((ended - $(microseconds "$(<"$WORK/sent")"))) $((ended - $(microseconds "$(<"$WORK/answered")")))
}

figures() { # TEXT: of the microseconds on standard input
  sort -n | awk -v text="$1" '
    {us[NR] = $1}
    END {printf "    %-42s median %.1f ms, least %.1f, most %.1f (%d runs)\n", text, us[int((NR + 1) / 2)] / 1000, us[1] / 1000, us[NR] / 1000, NR}'
}

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

  say '3. A pod needs the Certificate "web" and its Secret. Neither is ready:'
  echo '    $ certlatch wait certificate/web secret/web-tls --timeout=60s'
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/tls.key" -out "$WORK/tls.crt" \
    -days 30 -subj /CN=web.example.com -addext subjectAltName=DNS:web.example.com 2>/dev/null
  create_issuer
  exec 3>&1
  local first
  first=$(STORY=1 issue web)

  say '4. When was the wait over?'
  local all=("$first") run
  for ((run = 1; run < RUNS; run++)); do all+=("$(issue "run-$run")"); done
  printf '%s\n' "${all[@]}" | cut -d' ' -f1 | figures 'after curl began to send the last change:'
  printf '%s\n' "${all[@]}" | cut -d' ' -f2 | figures 'after curl had its answer:'
  echo '    (below zero: the watch told certlatch before the answer had reached curl)'
  echo '    A loop that asks every 5 seconds is 2.5 seconds late on average.'

  say 'On your own cluster'
  cat <<EOF
    kubectl proxy &
    $CERTLATCH wait certificate/NAME -n NAMESPACE --server http://127.0.0.1:8001
EOF
}

main
