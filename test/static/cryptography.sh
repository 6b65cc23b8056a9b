#!/bin/bash
# The trimmed libcrypto computes what the distribution's does: cryptography.c on both must print the same, with the
# processor's instructions and without. And our own GHASH is the standard's.
#
#   cryptography.sh BUILD_DIR [--speed]     --speed: prints instead how fast both are
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$here/../..
PREFIX=${CERTLATCH_STATIC_PREFIX_FOUND:-$("$root/cmake/static/build.sh" --if-cached)}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# shellcheck disable=SC1091 # linted by itself
. "$root/cmake/static/flags.sh"

cc -O1 -Wall -Wextra -Werror -fsanitize=undefined -fno-sanitize-recover -I"$root" "$here/ghash_test.c" -o "$WORK/ghash_test"
"$WORK/ghash_test"

cc -O1 -Wall -Wextra -Werror "$here/cryptography.c" -lcrypto -o "$WORK/distribution"
# compiled and linked as the product is (cmake/static/static.cmake)
# shellcheck disable=SC2086 # words
$CLANG $TARGET_FLAGS $SIZE_FLAGS $LTO -DTRIMMED -c "$here/cryptography.c" -o "$WORK/cryptography.o"
# shellcheck disable=SC2086 # flags.sh sets them
clang-$LLVM --target=$TARGET -nostdlib -static-pie $LTO --ld-path="$(command -v $LD)" \
  "$PREFIX/lib/rcrt1.o" "$PREFIX/lib/crti.o" "$WORK/cryptography.o" \
  "$PREFIX"/lib/lib{crypto,c,gcc}.a "$PREFIX/lib/crtn.o" -o "$WORK/trimmed" \
  -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--icf=safe,--no-eh-frame-hdr,-O2,--lto-O2 \
  -Wl,-mllvm,-enable-machine-outliner=always,-mllvm,-enable-merge-functions,-mllvm,-inline-threshold=0

if [[ ${2:-} == --speed ]]; then
  printf '%-28s %s\n' '' "this, this without the processor's instructions, the distribution's"
  paste <("$WORK/trimmed" --speed) <("$WORK/trimmed" --speed-in-c | cut -c29-) <("$WORK/distribution" --speed | cut -c29-)
  exit
fi
"$WORK/distribution" | tee "$WORK/distribution.txt"
for how in '' --in-c; do
  # shellcheck disable=SC2086 # one word or none
  "$WORK/trimmed" $how >"$WORK/trimmed.txt" || true
  diff -u "$WORK/distribution.txt" "$WORK/trimmed.txt" || {
    echo "FAILED: the trimmed libcrypto ($how) computes something else than the distribution's"
    exit 1
  }
done
