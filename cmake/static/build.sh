#!/bin/bash
# Builds the libraries that the static binary is linked from, once, and prints the directory that holds them
# (include/, lib/, taken).
#
#   build.sh [--if-cached]     --if-cached: exits 1 without a word when they have to be built
#   build.sh --untrimmed       the twin: OpenSSL and curl of the same sources as their authors made them, for the tests
#                              (untrimmed/); everything else is the small binary's own
#
#   CERTLATCH_ARCH=amd64|arm64 of the program (default amd64), not of the machine that builds it
#   CERTLATCH_CACHE=DIR        where they are kept: DIR/static/KEY (default ~/.cache/certlatch), the twin's in
#                              DIR/untrimmed/KEY; the key is the SHA-256 of the recipe, which is everything in this
#                              directory but what only concerns our own code
#   CERTLATCH_SOURCES=DIR      the pinned sources, for a machine that has no Debian mirror: see sources.sh
#   CERTLATCH_RELEASE=1        refuse sources that are not the pinned ones
#   CERTLATCH_MLKEM=1          with the post-quantum key exchange X25519MLKEM768: libraries of their own, with a key of
#                              their own
#
# Each step (musl/, libstdcxx/, ...) is a script of its own and runs on what the steps before it have installed.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
export CERTLATCH_ARCH=${CERTLATCH_ARCH:-amd64}

STEPS=(musl libstdcxx openssl curl simdjson)
TWIN=untrimmed
TOOLS=(clang-19 lld-19 llvm-19 gcc-12 libc6-dev linux-libc-dev make perl python3 dpkg-dev xz-utils bzip2 util-linux)

say() { printf 'static build: %s\n' "$*" >&2; }
loud() { printf '\n*** static build: %s ***\n\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# The compiler's own arithmetic: the machine's, or that of Debian's packages for compiling for another.
libgcc() {
  local cpu
  case $CERTLATCH_ARCH in
    amd64) cpu=x86_64 ;;
    arm64) cpu=aarch64 ;;
    *) die "CERTLATCH_ARCH=$CERTLATCH_ARCH: not amd64 or arm64" ;;
  esac
  if [[ $cpu == "$(uname -m)" ]]; then gcc-12 -print-libgcc-file-name; else echo "/usr/lib/gcc-cross/$cpu-linux-gnu/12/libgcc.a"; fi
}

need_tools() {
  local tool
  [[ $CERTLATCH_ARCH == "$(dpkg --print-architecture)" ]] || TOOLS+=({libgcc-12-dev,linux-libc-dev}-"$CERTLATCH_ARCH"-cross)
  for tool in clang-19 clang++-19 ld.lld-19 llvm-ar-19 llvm-nm-19 gcc-12 make perl python3 dpkg-source xz flock; do
    command -v "$tool" >/dev/null && [[ -e $(libgcc) ]] && continue
    if command -v apt-get >/dev/null; then
      "$HERE/../install-packages.sh" "${TOOLS[@]}"
      return
    fi
    die "$tool is not installed, or not $(libgcc)"
  done
}

recipe() { # FILE|DIRECTORY...: all that the result depends on, with what every step uses
  (
    cd "$HERE"
    find build.sh sources.sh flags.sh pins checked_edit.py "$@" -type f | LC_ALL=C sort | xargs sha256sum
  )
  clang-19 --version | sed 1q
  ld.lld-19 --version
  sha256sum <"$(libgcc)"
  echo "$CERTLATCH_ARCH on $(uname -m)"
  [[ ${CERTLATCH_MLKEM:-} != 1 ]] || echo 'with X25519MLKEM768'
}

whole() { [[ -s $1/taken && -s $1/lib/libc.a && -s $1/lib/libstdcxx.a && -s $1/lib/libcrypto.a && -s $1/lib/libssl.a &&
  -s $1/lib/libcurl.a && -s $1/lib/libsimdjson.a && -s $1/lib/libgcc.a && -s $1/complete ]]; } # PREFIX

substitutes() { awk '$6 == "substitute" {print $1, $2}' "$1/taken" | sort -u; } # PREFIX

# The twin does without the step that is being worked on most: its C library, C++ runtime and simdjson are the small
# binary's, and its key does not know how OpenSSL and curl are trimmed.
borrow() { # FROM: fills PREFIX
  cp -a "$1"/include "$1"/lib "$PREFIX/"
  rm -rf "$PREFIX"/include/{openssl,curl} "$PREFIX"/lib/lib{crypto,ssl,curl}.a
}

# They want to be passed on with the binary. The C++ runtime's exempts it (SPDX: GCC-exception-3.1).
licences() {
  local file
  mkdir -p "$PREFIX/licences"
  for file in musl/COPYRIGHT openssl/LICENSE.txt curl/COPYING simdjson/LICENSE; do
    [[ ! -d $WORK/src/${file%/*} ]] || cp "$WORK/src/$file" "$PREFIX/licences/${file%/*}"
  done
}

fill() { # PREFIX STEP...
  local prefix=$1 small='' step start=$SECONDS began
  shift
  [[ $1 != "$TWIN" ]] || small=$("${BASH_SOURCE[0]}")
  mkdir -p "${prefix%/*}"
  exec 9>"${prefix%/*}/lock"
  flock -n 9 || {
    say "another build is under way: waiting for it"
    flock 9
  }
  if whole "$prefix"; then return; fi
  say "the libraries are not in $prefix yet: building (minutes, once)"
  # Beside the cache, hence on the same file system: the last step is a rename. Always the same name: the compiler cache
  # then knows the commands again. Whoever holds the lock is alone here; a killed build has left its work.
  export WORK=${prefix%/*}/work
  export PREFIX=$WORK/prefix
  rm -rf "$WORK"
  mkdir -p "$WORK"/{log,build} "$PREFIX"/{include,lib}
  cp "$(libgcc)" "$PREFIX/lib/libgcc.a"
  if [[ -n $small ]]; then
    borrow "$small"
    "$HERE/sources.sh" "$WORK/src" openssl curl
  else
    "$HERE/sources.sh" "$WORK/src"
  fi
  # the same bytes whenever it is built; OpenSSL would write the time into its version
  export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} LC_ALL=C
  for step; do
    began=$SECONDS
    "$HERE/$step/build.sh"
    say "$step: $((SECONDS - began)) s"
  done
  licences
  cp "$WORK/src/taken" "$PREFIX/taken"
  # all is written before its name says so
  date -u +%FT%TZ >"$PREFIX/complete"
  sync -f "$PREFIX/complete"
  rm -rf "$prefix"
  mv "$PREFIX" "$prefix"
  rm -rf "$WORK"
  say "ready after $((SECONDS - start)) s"
}

main() {
  local prefix cache kind=static steps=("${STEPS[@]}") parts=(traps.py "${STEPS[@]}")
  need_tools
  if [[ ${1:-} == --untrimmed ]]; then kind=$TWIN steps=("$TWIN") parts=(musl libstdcxx simdjson "$TWIN"); fi
  cache=${CERTLATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certlatch}/$kind
  prefix=$cache/$(recipe "${parts[@]}" | sha256sum | cut -c1-16)
  if ! whole "$prefix"; then
    [[ ${1:-} != --if-cached ]] || exit 1
    mkdir -p "$cache"
    prefix=$(cd "$cache" && pwd)/${prefix##*/}
    fill "$prefix" "${steps[@]}" >&2
  fi
  if [[ -n $(substitutes "$prefix") ]]; then
    [[ ${CERTLATCH_RELEASE:-} != 1 ]] || die "a release takes only pinned sources, and these are not: $(substitutes "$prefix")"
    loud "not the pinned sources: $(substitutes "$prefix" | paste -sd,)"
  fi
  (cd "$prefix" && pwd)
}

main "$@"
