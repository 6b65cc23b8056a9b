#!/bin/bash
# Makes the images that Dockerfile.distroless starts from, out of the Debian archive that this machine uses, and prints the
# directory of a container storage that holds them:
#
#   localhost/debian:12-slim           Debian 12 with the packages that the build wants (they are installed only once)
#   gcr.io/distroless/static:nonroot   a stand-in for it: users, CA certificates, time zones, and /bin as a link to usr/bin
#
#   CERTLATCH_CACHE=DIR        where they are kept: DIR/image/KEY (default ~/.cache/certlatch); the key is the SHA-256 of
#                              this recipe and of the versions of the compilers, for the libraries' key has those too
#
# Needs root, buildah and debootstrap. What is broken in the cache is made anew.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
. "$HERE/storage.sh"

# What the stage "build" of the Dockerfile installs, and the static build's tools (cmake/static/build.sh).
PACKAGES=(cmake ninja-build clang-19 lld-19 llvm-19 gcc-12 libc6-dev linux-libc-dev make perl python3 dpkg-dev xz-utils bzip2
  util-linux ca-certificates tzdata ccache)

say() { printf 'base images: %s\n' "$*" >&2; }

recipe() {
  cat "$HERE/base.sh" "$HERE/storage.sh"
  dpkg-query -W -f '${Package} ${Version}\n' clang-19 lld-19 gcc-12
  echo "$DRIVER"
}

mirror() { # LABEL: the address that this machine's apt has for it
  # shellcheck disable=SC2016 # apt's own notation
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1" 'Component: main' | sed -n 1p
}

whole() { # STORAGE
  [[ -e $1/complete ]] && use_storage "$1" "$1/run" &&
    buildah inspect --type image "$BUILDER" >/dev/null 2>&1 && buildah inspect --type image "$STAND_IN" >/dev/null 2>&1
}

debian() { # builds BUILDER
  local container root archive security
  archive=$(mirror Debian)
  security=$(mirror Debian-Security)
  [[ -n $archive ]] || {
    say 'apt knows no mirror of Debian: add one and run apt-get update'
    return 1
  }
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  debootstrap --variant=minbase bookworm "$root" "$archive"
  {
    echo "deb $archive bookworm main"
    [[ -z $security ]] || echo "deb $security bookworm-security main"
  } >"$root/etc/apt/sources.list"
  cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
  printf '#!/bin/sh\nexit 101\n' | install -m 755 /dev/stdin "$root/usr/sbin/policy-rc.d"
  chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -c 'apt-get update -qq && apt-get upgrade -qq -y &&
    apt-get install -qq -y --no-install-recommends "$@" && apt-get clean && rm -rf /var/lib/apt/lists' sh "${PACKAGES[@]}"
  rm -rf "$root"/usr/share/{doc,man,locale} "$root/usr/sbin/policy-rc.d"
  buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  stand_in "$root"
  buildah umount "$container" >/dev/null
  buildah commit -q --rm "$container" "$BUILDER" >/dev/null
}

stand_in() { # DEBIAN'S ROOT: builds STAND_IN of it
  local container root from=$1
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  mkdir -p "$root"/{etc/ssl/certs,usr/{bin,sbin,lib,share},home/nonroot,var/lib}
  install -d -m 1777 "$root/tmp"
  ln -s usr/bin "$root/bin"
  ln -s usr/sbin "$root/sbin"
  cp "$from/etc/ssl/certs/ca-certificates.crt" "$root/etc/ssl/certs/"
  cp -r "$from/usr/share/zoneinfo" "$root/usr/share/"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
  buildah umount "$container" >/dev/null
  buildah config --user 65532 --workingdir /home/nonroot \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$container"
  buildah commit -q --rm "$container" "$STAND_IN" >/dev/null
}

main() {
  local cache storage key start=$SECONDS
  cache=${CERTLATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certlatch}/image
  mkdir -p "$cache"
  cache=$(cd "$cache" && pwd)
  DRIVER=$(storage_driver "$cache")
  key=$(recipe | sha256sum | cut -c1-16)
  storage=$cache/$key
  exec 9>"$cache/lock"
  flock 9
  if ! whole "$storage"; then
    say "not in $storage yet: making them (minutes, once)"
    remove_storage "$storage"
    # What nobody has used for a week: each has a gigabyte.
    find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +7 | while read -r old; do remove_storage "$old"; done
    use_storage "$storage" "$storage/run"
    debian >&2
    unmount_below "$storage"
    sync -f "$storage"
    touch "$storage/complete"
    say "ready after $((SECONDS - start)) s"
  fi
  touch "$storage"
  printf '%s\n' "$storage"
}

main
