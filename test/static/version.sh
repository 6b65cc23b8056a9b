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
# as JSON, too
python3 - "$build/certlatch" <<'PYTHON'
import json, subprocess, sys
told = json.loads(subprocess.check_output([sys.argv[1], 'version', '-o', 'json']))
text = subprocess.check_output([sys.argv[1], 'version'], text=True)
want = [told['version'], told['commit'], *told['libraries'].values()]
assert len(want) == 5 and all(word and word in text for word in want), (told, text)
PYTHON
