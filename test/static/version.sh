#!/bin/bash
# `certlatch version` names the libraries inside, and they are the ones it was built from.
#
#   version.sh BUILD_DIR
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(cd "$1" && pwd)
said=$("$build/certlatch" version)
echo "$said"
taken=$(cmake/static/build.sh --if-cached)/taken
upstream() { awk -v name="$1" '$1 == name {sub(/-[^-]*$/, "", $2); print $2; exit}' "$taken"; }
for library in libcurl:curl OpenSSL:openssl simdjson:simdjson; do
  expected="${library%%:*} $(upstream "${library#*:}")"
  grep -qF "$expected" <<<"$said" || { echo "missing: $expected"; exit 1; }
done
