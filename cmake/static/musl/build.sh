#!/bin/bash
# musl as it is: small, static, usable in a position-independent program.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"

# The kernel's own headers (linux/*.h) come from the machine; they are an interface that only grows.
kernel=/usr/include asm=/usr/include/$CPU-linux-gnu/asm
if [[ $CPU != "$(uname -m)" ]]; then kernel=/usr/$CPU-linux-gnu/include asm=/usr/$CPU-linux-gnu/include/asm; fi
mkdir -p "$PREFIX/include/kernel"
ln -sfn "$kernel/linux" "$PREFIX/include/kernel/linux"
ln -sfn "$kernel/asm-generic" "$PREFIX/include/kernel/asm-generic"
ln -sfn "$asm" "$PREFIX/include/kernel/asm"

mkdir -p "$WORK/build/musl"
cd "$WORK/build/musl"
CC="$CLANG --target=$TARGET" AR=$AR RANLIB=$RANLIB CFLAGS="${SIZE_FLAGS/-fvisibility=hidden/}" \
  logged musl "$WORK/src/musl/configure" --prefix="$PREFIX" --disable-shared --enable-optimize=no --target=$TARGET
logged musl make -j"$JOBS"
logged musl make install
