#!/bin/bash
# Builds the trimmed OpenSSL and curl once more, with AddressSanitizer, UndefinedBehaviorSanitizer and libFuzzer's
# coverage, and prints the directory that holds them (include/, lib/): the same sources, options, edits, seams and traps as
# in the static binary, on this machine's C library (the sanitizers do not know musl).
#
#   CERTLATCH_CACHE=DIR        where they are kept: DIR/sanitized/KEY (default ~/.cache/certlatch); the key is the SHA-256
#                              of the recipe
#   CERTLATCH_SOURCES=DIR      see cmake/static/sources.sh
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
RECIPE=$HERE/../../cmake/static
STEPS=(openssl curl)

say() { printf 'sanitized libraries: %s\n' "$*" >&2; }

recipe() {
  (
    cd "$RECIPE"
    find sources.sh flags.sh pins checked_edit.py traps.py "${STEPS[@]}" -type f | LC_ALL=C sort | xargs sha256sum
  )
  sha256sum <"$HERE/libraries.sh"
  clang-19 --version | sed 1q
  uname -m
}

whole() { [[ -s $1/lib/libcrypto.a && -s $1/lib/libssl.a && -s $1/lib/libcurl.a && -s $1/complete ]]; } # PREFIX

fill() { # PREFIX
  local prefix=$1 step start=$SECONDS began
  exec 9>"${prefix%/*}/lock"
  flock 9
  if whole "$prefix"; then return; fi
  say "not in $prefix yet: building (minutes, once)"
  # Whoever holds the lock is alone here; a killed build has left its work.
  export WORK=${prefix%/*}/work CERTLATCH_SANITIZED=1
  export PREFIX=$WORK/prefix
  rm -rf "$WORK"
  mkdir -p "$WORK"/{log,build} "$PREFIX"/{include,lib}
  "$RECIPE/sources.sh" "$WORK/src" "${STEPS[@]}"
  # Leaks of configure's own probes are nobody's business.
  export SOURCE_DATE_EPOCH=0 LC_ALL=C ASAN_OPTIONS=detect_leaks=0
  for step in "${STEPS[@]}"; do
    began=$SECONDS
    "$RECIPE/$step/build.sh"
    say "$step: $((SECONDS - began)) s"
  done
  date -u +%FT%TZ >"$PREFIX/complete"
  sync -f "$PREFIX/complete"
  rm -rf "$prefix"
  mv "$PREFIX" "$prefix"
  rm -rf "$WORK"
  say "ready after $((SECONDS - start)) s"
}

main() {
  local prefix cache
  "$RECIPE/../install-packages.sh" clang-19 libclang-rt-19-dev llvm-19 gcc-12 make perl python3 dpkg-dev xz-utils util-linux
  cache=${CERTLATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certlatch}/sanitized
  mkdir -p "$cache"
  prefix=$(cd "$cache" && pwd)/$(recipe | sha256sum | cut -c1-16)
  whole "$prefix" || fill "$prefix" >&2
  printf '%s\n' "$prefix"
}

main
