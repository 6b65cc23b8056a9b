#!/bin/bash
# Builds the static binary and lays out what Dockerfile.distroless puts into the image.
#
#   image-root.sh DIR          DIR/root, DIR/bin, DIR/usr: for /, /bin and /usr
#
#   TARGETARCH                 amd64 or arm64 (default: of the machine)
#   VERSION REVISION           what the labels say: checked against the sources; in `certlatch version`
#   SOURCE_DATE_EPOCH CREATED  the same instant, twice: checked
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
out=${1:?DIR}
export CERTLATCH_ARCH=${TARGETARCH:-$(dpkg --print-architecture)}
preset=static
[[ $CERTLATCH_ARCH == amd64 ]] || preset=static-$CERTLATCH_ARCH
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} CERTLATCH_CACHE=${CERTLATCH_CACHE:-/cache}

same() { # NAME GIVEN RIGHT
  [[ $2 == "$3" ]] || {
    echo "image: $1=$2, which should be $3 (--build-arg $1=$3)" >&2
    exit 1
  }
}
same VERSION "${VERSION:?}" "$(sed -nE 's/^project\(certlatch VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt)"
same CREATED "${CREATED:?}" "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)"

# The tests' builder has a compiler cache.
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_DIR=$CERTLATCH_CACHE/ccache; fi
cmake --preset "$preset" -DCERTLATCH_TESTS=OFF -DCERTLATCH_COMMIT="${REVISION:0:12}"
cmake --build --preset "$preset"

doc=$out/usr/share/doc/certlatch
install -D "build/$preset/certlatch" "$out/root/certlatch"
install -D -m 644 "build/$preset/certlatch.spdx.json" "$doc/sbom.spdx.json"
install -D -m 644 LICENSE "$doc/LICENSE"
cp -r "$(cmake/static/build.sh)/licences" "$doc/"
# Where pod specs look for the programs that it stands in for, and itself.
mkdir -p "$out"/{bin,usr/bin,usr/local/bin}
for name in bin/sh bin/kubectl usr/bin/kubectl usr/local/bin/kubectl usr/local/bin/certlatch; do
  ln -s /certlatch "$out/$name"
done
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
