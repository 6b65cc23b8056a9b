#!/bin/bash
# musl as it is: small, static, usable in a position-independent program.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"

# The kernel's own headers (linux/*.h) come from the machine; they are an interface that only grows.
mkdir -p "$PREFIX/include/kernel"
ln -sfn /usr/include/linux "$PREFIX/include/kernel/linux"
ln -sfn /usr/include/asm-generic "$PREFIX/include/kernel/asm-generic"
ln -sfn "/usr/include/$(uname -m)-linux-gnu/asm" "$PREFIX/include/kernel/asm"

mkdir -p "$WORK/build/musl"
cd "$WORK/build/musl"
CC="$CLANG --target=$TARGET" AR=$AR RANLIB=$RANLIB CFLAGS="${SIZE_FLAGS/-fvisibility=hidden/}" \
  logged musl "$WORK/src/musl/configure" --prefix="$PREFIX" --disable-shared --enable-optimize=no --target=$TARGET
logged musl make -j"$JOBS"
logged musl make install
