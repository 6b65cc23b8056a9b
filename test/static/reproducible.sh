#!/bin/bash
# Two builds in two directories give the same bytes.
#
#   reproducible.sh BUILD_DIR [--all]      --all: the libraries are built a second time too (minutes)
set -euo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=$(cd "${1:?BUILD_DIR}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Another source directory, another build directory: their names must not be in the result.
mkdir "$work/elsewhere"
(cd "$ROOT" && tar c CMakeLists.txt cmake src test/static) | tar x -C "$work/elsewhere"
commit=$("$build/certlatch" version | sed -nE '1s/.*\(commit (.*)\)/\1/p')
if [[ ${2:-} == --all ]]; then export CERTLATCH_CACHE=$work/another-cache CCACHE_DISABLE=1; fi
cmake -S "$work/elsewhere" -B "$work/out" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$work/elsewhere/cmake/static/toolchain.cmake" \
  -DCMAKE_BUILD_TYPE=None -DCERTLATCH_COMMIT="$commit" >"$work/log" 2>&1 &&
  cmake --build "$work/out" >>"$work/log" 2>&1 || {
  tail -n 30 "$work/log"
  exit 1
}
sha256sum "$build/certlatch" "$work/out/certlatch"
cmp "$build/certlatch" "$work/out/certlatch"
