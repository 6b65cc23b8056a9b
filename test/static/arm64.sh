#!/bin/bash
# The binary for 64-bit ARM runs, computes and speaks TLS as the other does: under qemu-user-static, against the small API
# server of the tests. Prints its size, and holds it to the same megabyte.
#
#   arm64.sh BUILD_DIR [MINI_APISERVER]     of the preset static-arm64; default: build/dev's, which must be built
# shellcheck disable=SC2317 # `expect` calls them
set -euo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=$(cd "${1:?BUILD_DIR}" && pwd)
server=${2:-$ROOT/build/dev/test/support/mini_apiserver}
readonly BOUND=1048576
. "$ROOT/test/static/expect.sh"

is() { # STATUS PATTERN ARGUMENT...: exit status and output of certlatch
  local status=0 said
  said=$(timeout 120 qemu-aarch64-static "$build/certlatch" "${@:3}" 2>&1 </dev/null) || status=$?
  if [[ $status == "$1" ]] && grep -qE -- "$2" <<<"$said"; then return; fi
  printf '    exit %s, wanted %s with "%s": %s\n' "$status" "$1" "$2" "$said"
  return 1
}

"$ROOT/cmake/install-packages.sh" qemu-user-static openssl curl || {
  echo 'Skipped: the binary for 64-bit ARM was NOT run: no qemu-user-static'
  exit 77
}
[[ -x $server ]] || { echo "no $server: build the preset dev, target mini_apiserver" && exit 1; }

bytes=$(stat -c %s "$build/certlatch")
echo "size: $bytes bytes"
expect "at most $BOUND bytes" test "$bytes" -le $BOUND
expect 'for 64-bit ARM' grep -q AArch64 <(readelf -h "$build/certlatch")
expect 'position-independent (PIE)' grep -q 'FLAGS_1.* PIE' <(readelf -dW "$build/certlatch")
expect 'no interpreter, and no library at run time' test -z "$(readelf -ldW "$build/certlatch" | grep -E 'INTERP|NEEDED')"
expect 'its version' is 0 '^certlatch [0-9.]+ ' version

work=$(mktemp -d)
trap '{ kill $pid && wait $pid; } 2>/dev/null; rm -rf "$work"' EXIT
pid=

# --- a pair on a volume -------------------------------------------------------------------------------------------

pair() { # DIR KEY_OPTION...
  mkdir "$work/$1"
  openssl req -x509 -nodes -days 2 -subj /CN=web -addext subjectAltName=DNS:web.example.com "${@:2}" \
    -keyout "$work/$1/tls.key" -out "$work/$1/tls.crt" 2>/dev/null
}
pair ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
pair rsa -newkey rsa:2048
pair ed25519 -newkey ed25519
for kind in ec rsa ed25519; do
  expect "a sound pair ($kind)" is 0 '' check --volume "$work/$kind" --require-name web.example.com
done
cp "$work/rsa/tls.key" "$work/ec/tls.key"
expect "another certificate's key" is 1 'key' check --volume "$work/ec"

# --- a wait over TLS ----------------------------------------------------------------------------------------------

"$server" --dir "$work" 2>"$work/log" &
pid=$!
for _ in {1..1200}; do
  [[ ! -s $work/url ]] || break
  kill -0 $pid 2>/dev/null || { cat "$work/log" && exit 1; }
  sleep 0.05
done
url=$(<"$work/url")
access=(--server "$url" --token-file "$work/token" --timeout 60s)
# It comes while the wait is under way.
{
  until grep -q 'configmap/c' "$work/wait" 2>/dev/null; do sleep 0.05; done
  curl -q -sS -f --noproxy '*' --cacert "$work/ca.crt" -H "Authorization: Bearer $(<"$work/token")" \
    -H 'Content-Type: application/json' --data '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}' \
    "$url/api/v1/namespaces/default/configmaps" -o /dev/null
} &
creator=$!
status=0
timeout 120 qemu-aarch64-static "$build/certlatch" wait configmap/c --for=create "${access[@]}" --certificate-authority "$work/ca.crt" \
  2>"$work/wait" </dev/null >&2 || status=$?
kill $creator 2>/dev/null || true
wait $creator || true
expect 'it waits over TLS for an object that is created meanwhile' test "$status" = 0
((status == 0)) || cat "$work/wait"
expect 'it does not trust another authority' is 1 'certificate' wait configmap/c --for=create "${access[@]:0:4}" --timeout 5s \
  --certificate-authority "$work/rsa/tls.crt"

exit $broken
