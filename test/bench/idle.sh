#!/bin/bash
# What an idle sidecar does: publisher, Lease and follower at a real API server, then the follower's system calls over a
# minute, its resident memory, and the lines that it wrote meanwhile. What wakes it up is a bookmark, the resync, or
# nothing.
#
#   idle.sh [SECONDS]             (60)
#   CERTLATCH=FILE                measures this binary instead of building one
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
seconds=${1:-60}

for tool in strace openssl; do
  command -v "$tool" >/dev/null || {
    echo "idle.sh: $tool is not installed" >&2
    exit 1
  }
done
cmake --preset release >/dev/null
[[ -n ${CERTLATCH:-} ]] || cmake --build build/release --target certlatch
certlatch=${CERTLATCH:-build/release/src/certlatch}

run=$(mktemp -d) volume=$(mktemp -d)
pids=()
finish() {
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
  test/cluster/stop.sh "$run"
  rm -rf "$run" "$volume"
}
trap finish EXIT
test/cluster/start.sh "$run"
# shellcheck source=/dev/null
. "$run/env"

mkdir "$volume/..1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=idle \
  -addext subjectAltName=DNS:idle -keyout "$volume/..1/tls.key" -out "$volume/..1/tls.crt" 2>/dev/null
ln -s ..1 "$volume/..data"
ln -s ..data/tls.crt "$volume/tls.crt"
ln -s ..data/tls.key "$volume/tls.key"

flags=(--server "$API_URL" --certificate-authority "$CA_FILE" --client-certificate "$ADMIN_CERT_FILE"
  --client-key "$ADMIN_KEY_FILE" --namespace default)
"$certlatch" publish --lease idle --volume "$volume" --create "${flags[@]}" 2>"$run/publish.log" &
pids+=($!)
"$certlatch" sidecar --volume "$volume" --expect lease/idle --listen 127.0.0.1:0 --log-format logfmt "${flags[@]}" \
  2>"$run/sidecar.log" &
sidecar=$!
pids+=("$sidecar")
for _ in {1..300}; do
  grep -q event=converged "$run/sidecar.log" && break
  sleep 0.1
done
grep -q event=converged "$run/sidecar.log" || {
  cat "$run/publish.log" "$run/sidecar.log" >&2
  exit 1
}

lines=$(wc -l <"$run/sidecar.log")
echo "idle for $seconds s:"
timeout --preserve-status -s INT "$seconds" strace -f -c -S calls -p "$sidecar" -o "$run/calls" || true
cat "$run/calls"
grep -E '^Vm(RSS|HWM)' "/proc/$sidecar/status"
echo "log lines meanwhile: $(($(wc -l <"$run/sidecar.log") - lines))"
