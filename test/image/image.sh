#!/bin/bash
# Builds the image of Dockerfile.distroless on both of its bases, without a container engine and without a registry, and
# holds it to what it promises: what is in it, how it is started, its size, and that pasted `sh` and `kubectl` commands run
# in it as its user.
#
#   image.sh BUILD_DIR         of the static preset, built: its binary must be in the image, byte for byte
#
# buildah with chroot isolation, on base images of our own (base.sh); the libraries come from the cache that the static
# build has filled. Exits with 77, and says why, where the machine cannot (no root).
# shellcheck disable=SC2317 # `expect` calls them
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
build=$(cd "${1:?BUILD_DIR}" && pwd)
. "$HERE/storage.sh"
. "$ROOT/test/static/expect.sh"

skip() {
  echo "Skipped: the image was NOT built and NOT tested: $*"
  exit 77
}
equal() { # GIVEN EXPECTED
  [[ $1 == "$2" ]] || {
    diff <(echo "$2") <(echo "$1") | sed 's/^/    /'
    return 1
  }
}

# --- what there must be -------------------------------------------------------------------------------------------

((EUID == 0)) || skip 'needs root'
"$ROOT/cmake/install-packages.sh" buildah debootstrap python3 >&2 || skip 'no buildah or debootstrap'
[[ $(dpkg --print-architecture) == amd64 ]] || skip 'only on amd64 is it built and run'
[[ -x $build/certlatch ]] || { echo "no $build/certlatch: build the preset first" && exit 1; }
commit=$("$build/certlatch" version | sed -nE '1s/.*\(commit (.*)\)/\1/p')
version=$("$build/certlatch" version | sed -nE '1s/^certlatch ([0-9.]+).*/\1/p')
cache=${CERTLATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certlatch}
began=$SECONDS
"$ROOT/cmake/static/build.sh" >/dev/null # so that the image's build finds them
bases=$("$HERE/base.sh")
# shellcheck disable=SC2034 # for use_storage
DRIVER=$(storage_driver "$bases")
work=$(mktemp -d "$cache/image/test.XXXXXX") # beside the bases: a file system that takes them
clean() {
  kill "${listener:-}" 2>/dev/null || true
  buildah rm -a >/dev/null 2>&1 || true
  remove_storage "$work"
}
trap clean EXIT
use_storage "$work/storage" "$work/run" "$bases"
echo "the bases: $((SECONDS - began)) s"

# --- the build ----------------------------------------------------------------------------------------------------

readonly EPOCH=1700000000 CREATED=2023-11-14T22:13:20Z
image() { # NAME [OPTION...]
  local start=$SECONDS
  buildah bud --platform linux/amd64 --layers --pull-never -f "$ROOT/Dockerfile.distroless" -t "$1" --volume "$cache:/cache" \
    --build-arg REVISION="$commit" --build-arg SOURCE=urn:certlatch --build-arg SOURCE_DATE_EPOCH=$EPOCH \
    --build-arg CREATED=$CREATED --build-arg CERTLATCH_RELEASE="${CERTLATCH_RELEASE:-}" "${@:2}" "$ROOT" >"$work/log" 2>&1 || {
    tail -n 40 "$work/log"
    return 1
  }
  echo "built $1: $((SECONDS - start)) s"
}

# --- the promises -------------------------------------------------------------------------------------------------

config() { # IMAGE
  local said
  said=$(buildah inspect --type image "$1" | python3 -c '
import json, sys
image = json.load(sys.stdin)["OCIv1"]
config = image["config"]
for key in ("User", "Entrypoint", "Cmd", "WorkingDir"):
    print(key, json.dumps(config.get(key)))
print("platform", image["os"], image["architecture"])
for line in sorted(config["Env"]):
    if line.startswith("PATH="):
        print(line)
for name, value in sorted(config["Labels"].items()):
    if name.startswith("org.opencontainers.image.") and not name.endswith("description"):
        print(name[25:], value)')
  expect "$1: user, entry point, path and labels" equal "$said" "User \"65532:65532\"
Entrypoint [\"/certlatch\"]
Cmd null
WorkingDir \"/\"
platform linux amd64
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
created $CREATED
licenses Apache-2.0
revision $commit
source urn:certlatch
title certlatch
version $version"
}

files() { (cd "$1" && find . ! -type d | LC_ALL=C sort); } # DIR

readonly OURS='./bin/kubectl ./bin/sh ./certlatch ./usr/bin/kubectl ./usr/local/bin/certlatch ./usr/local/bin/kubectl
  ./usr/share/doc/certlatch/LICENSE ./usr/share/doc/certlatch/licences/curl ./usr/share/doc/certlatch/licences/musl
  ./usr/share/doc/certlatch/licences/openssl ./usr/share/doc/certlatch/licences/simdjson
  ./usr/share/doc/certlatch/sbom.spdx.json'
words() { tr -s ' \n' '\n' <<<"$1"; }

contents() { # IMAGE DIR [BASE'S DIR]
  local expected
  if [[ -n ${3:-} ]]; then # there /bin is a link
    expected=$( (files "$3" && words "$OURS" | sed 's,^./bin/,./usr/bin/,') | LC_ALL=C sort -u)
  else
    expected=$(words "$OURS")
  fi
  expect "$1: the files, and no others" equal "$(files "$2")" "$expected"
  expect "$1: the binary of the static build, byte for byte" cmp "$build/certlatch" "$2/certlatch"
  expect "$1: the SBOM is that binary's" grep -qF "$(sha256sum <"$build/certlatch" | cut -d' ' -f1)" \
    "$2/usr/share/doc/certlatch/sbom.spdx.json"
  expect "$1: nothing in it is writable for its user, or set-uid" equal "$(find "$2" -xdev ! -type l \( -perm /6000 -o -perm -o+w \
    ! -perm -1000 -o -uid 65532 -a ! -path '*/home/*' \))" ''
}

# With the image's own user, PATH and root; command as in a pod spec.
in_pod() { buildah run "$container" -- "$@"; }
says() { # PATTERN COMMAND...
  local said
  said=$("${@:2}" 2>&1) || { echo "    exit $?: $said" && return 1; }
  grep -qE -- "$1" <<<"$said" || { echo "    $said" && return 1; }
}

use() { # IMAGE
  local port
  expect "$1: certlatch by name" says "^certlatch $version " in_pod certlatch version
  expect "$1: kubectl by name" says 'Wait until all targets' in_pod kubectl wait --help
  for path in /bin/kubectl /usr/bin/kubectl /usr/local/bin/kubectl; do
    expect "$1: $path" says 'Wait until all targets' in_pod "$path" wait --help
  done
  port=$(cat "$work/port")
  for shell in sh /bin/sh; do
    expect "$1: $shell does a pasted loop" says '' in_pod "$shell" -c "until nc -z 127.0.0.1 $port; do sleep 1; done"
  done
  expect "$1: sh refuses what it does not know" refuses in_pod sh -c 'ls /'
}
refuses() { # COMMAND...
  local said
  ! said=$("$@" 2>&1) && grep -qF 'cannot do' <<<"$said"
}

mounted() { # IMAGE: sets container and root
  container=$(buildah from --pull-never "$1")
  root=$(buildah mount "$container")
}

size() { # IMAGE
  local bytes
  buildah push -q "$1" "docker-archive:$work/image.tar" >/dev/null
  bytes=$(stat -c %s "$work/image.tar")
  rm "$work/image.tar"
  buildah push -q "$1" "oci:$work/oci" >/dev/null
  echo "$1: $bytes bytes, $(du -sb "$work/oci/blobs" | cut -f1) as it is pulled"
  rm -rf "$work/oci"
  # With the CA certificates of the system it would be more: README, "Image".
  expect "$1: at most 1,200,000 bytes" test "$bytes" -le 1200000
}

python3 -c '
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as file: file.write(str(server.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True: server.accept()[0].close()' "$work/port" &
listener=$!

image certlatch:scratch --build-arg BASE=scratch || exit 1
image certlatch:latest || exit 1

mounted $STAND_IN
base=$root
mounted certlatch:latest
config certlatch:latest
contents certlatch:latest "$root" "$base"
use certlatch:latest

mounted certlatch:scratch
config certlatch:scratch
contents certlatch:scratch "$root"
use certlatch:scratch
size certlatch:scratch

echo "in all: $((SECONDS - began)) s"
exit $broken
