#!/bin/bash
# Starts an etcd and a kube-apiserver of their own on free loopback ports, everything in RUN_DIR.
#
#   start.sh RUN_DIR [KUBE_APISERVER_FLAG...]
#
# When it returns, the API server is ready and RUN_DIR/env says how to reach it. Whatever ran in RUN_DIR before is
# ended and its state dropped; files that are not the cluster's stay.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=test/cluster/lib.sh
. "$HERE/lib.sh"

use_run_dir "${1:-}"
shift
need_tools curl=curl openssl=openssl setsid=util-linux

# --- keys and certificates --------------------------------------------------------------------------------------

make_pki() (
  mkdir "$RUN/pki"
  cd "$RUN/pki"
  ec_key ca.key
  openssl req -x509 -new -key ca.key -subj /CN=certlatch-test-ca -days 30 -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign
  issue apiserver /CN=kube-apiserver serverAuth 'DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1'
  issue admin /O=system:masters/CN=admin clientAuth
  # what signs ServiceAccount tokens: RSA, as nearly every cluster has it
  openssl genrsa -out sa.key 2048
  openssl rsa -in sa.key -pubout -out sa.pub
)

# --- the servers ------------------------------------------------------------------------------------------------

# A port nobody listens on, below the range that outgoing connections take theirs from. Somebody may still be
# faster: the caller then tries another.
free_port() { # [PORT]
  local port
  if [[ -n ${1:-} ]]; then # the one that was asked for
    printf '%s\n' "$1"
    return
  fi
  for _ in {1..200}; do
    port=$((SRANDOM % 12000 + 20000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
      printf '%s\n' "$port"
      return
    }
  done
  die 'found no free loopback port between 20000 and 32000: see what listens there with ss -ltn'
}

lost_the_port() { grep -qi 'address already in use' "$RUN/$1.log"; } # NAME

# in the words of etcd 3.4, and of 3.5 and later
etcd_serves() { grep -qE 'serving (insecure client requests|client traffic insecurely)' "$RUN/etcd.log" 2>/dev/null; }

start_etcd() {
  local client peer rc
  for _ in {1..5}; do
    client=$(free_port) peer=$(free_port)
    ETCD_URL=http://127.0.0.1:$client
    rm -rf "$RUN/etcd" "$RUN/etcd.log"
    mkdir "$RUN/etcd"
    # no fsync (a flag that 3.4 does not list): the data need not outlive the machine
    spawn etcd "$BIN/etcd" --data-dir="$RUN/etcd" --name=e1 --unsafe-no-fsync \
      --listen-client-urls="$ETCD_URL" --advertise-client-urls="$ETCD_URL" \
      --listen-peer-urls="http://127.0.0.1:$peer" --initial-advertise-peer-urls="http://127.0.0.1:$peer" \
      --initial-cluster="e1=http://127.0.0.1:$peer"
    # Only when our own etcd says that it has the port may an API server be pointed at it: behind a port lost in a
    # race there is another test's etcd, which must not be written to.
    wait_until etcd_serves && return
    rc=$?
    { ((rc == 1)) && lost_the_port etcd; } || break
  done
  log_tail etcd
  ((rc == 1)) && die "etcd ended: the cause is above and in $RUN/etcd.log"
  die "etcd did not serve within $PATIENCE s: see $RUN/etcd.log"
}

write_apiserver_args() { # PORT [FLAG...]
  local port=$1 arguments
  shift
  arguments=("$BIN/kube-apiserver"
    --etcd-servers="$ETCD_URL"
    --bind-address=127.0.0.1 --secure-port="$port"
    # loopback cannot be advertised; nobody looks for this address (TEST-NET-1) and no endpoints are kept for it
    --advertise-address=192.0.2.1 --endpoint-reconciler-type=none
    --cert-dir="$RUN/certs" --tls-cert-file="$RUN/pki/apiserver.crt" --tls-private-key-file="$RUN/pki/apiserver.key"
    --client-ca-file="$RUN/pki/ca.crt" --token-auth-file="$RUN/tokens.csv"
    --service-account-issuer=https://kubernetes.default.svc --api-audiences=https://kubernetes.default.svc
    --service-account-signing-key-file="$RUN/pki/sa.key" --service-account-key-file="$RUN/pki/sa.pub"
    --authorization-mode='Node,RBAC' --allow-privileged=true --service-cluster-ip-range=10.96.0.0/16
    --v=1 "$@")
  printf '%s\0' "${arguments[@]}" >"$RUN/apiserver.args"
}

start_first_apiserver() { # [FLAG...]
  local port rc
  for _ in {1..5}; do
    port=$(free_port "${CERTLATCH_CLUSTER_PORT:-}")
    API_URL=https://127.0.0.1:$port
    rm -f "$RUN/apiserver.log"
    write_apiserver_args "$port" "$@"
    # shellcheck disable=SC2119 # the flags are in the kept arguments
    start_apiserver && return
    rc=$?
    { ((rc == 1)) && lost_the_port apiserver; } || break
  done
  log_tail apiserver
  ((rc == 1)) && die "kube-apiserver ended: the cause is above and in $RUN/apiserver.log"
  die "kube-apiserver was not ready within $PATIENCE s: see $RUN/apiserver.log"
}

# --- what a client needs ----------------------------------------------------------------------------------------

write_credentials() {
  ADMIN_TOKEN=$(openssl rand -hex 24)
  printf '%s,admin,admin,system:masters\n' "$ADMIN_TOKEN" >"$RUN/tokens.csv"
  printf 'Authorization: Bearer %s\n' "$ADMIN_TOKEN" >"$RUN/admin.header" # for curl: not on a command line
}

write_kubeconfig() {
  cat >"$RUN/kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: $API_URL
    certificate-authority: "$RUN/pki/ca.crt"
users:
- name: admin
  user:
    token: $ADMIN_TOKEN
contexts:
- name: test
  context: {cluster: test, user: admin}
current-context: test
YAML
}

write_env() {
  {
    printf 'API_URL=%s\n' "$API_URL"
    printf 'CA_FILE=%q\n' "$RUN/pki/ca.crt"
    printf 'ADMIN_TOKEN=%s\n' "$ADMIN_TOKEN"
    printf 'ADMIN_CERT_FILE=%q\n' "$RUN/pki/admin.crt"
    printf 'ADMIN_KEY_FILE=%q\n' "$RUN/pki/admin.key"
    printf 'KUBECONFIG=%q\n' "$RUN/kubeconfig"
  } >"$RUN/env.new"
  mv "$RUN/env.new" "$RUN/env" # it is there whole, or not at all
}

# Pods need the ServiceAccount `default` of their namespace, which the controller-manager makes where there is one.
# The namespace itself comes a moment after readiness.
ensure_default_service_account() {
  printf '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"default"}}' >"$RUN/default-sa.json"
  default_service_account_there() {
    api POST /api/v1/namespaces/default/serviceaccounts "$RUN/default-sa.json"
    [[ $STATUS == 201 || $STATUS == 409 ]]
  }
  wait_until default_service_account_there || die "could not create the ServiceAccount default/default: $STATUS $BODY"
  rm "$RUN/default-sa.json"
}

# --- in order ---------------------------------------------------------------------------------------------------

BIN=$("$HERE/build.sh" | tail -n 1)
umask 077
mkdir -p "$RUN"
end_server apiserver KILL 5
end_server etcd KILL 5
for name in pki certs etcd etcd.log apiserver.log apiserver.args env kubeconfig tokens.csv admin.header; do
  rm -rf "${RUN:?}/$name"
done

# A start that fails or is interrupted leaves no server behind.
trap 'rc=$?; if ((rc)); then end_server apiserver KILL 5; end_server etcd KILL 5; fi' EXIT
trap 'exit 130' INT TERM HUP

make_pki >"$RUN/pki.log" 2>&1 || die "openssl could not make the keys: see $RUN/pki.log"
write_credentials
start_etcd
start_first_apiserver "$@"
ensure_default_service_account
write_kubeconfig
write_env
