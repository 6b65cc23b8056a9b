#!/bin/bash
# libstdc++'s headers, configured for musl, and the three of its source files that our code needs. The rest of the C++
# runtime (operator new, the __throw_ functions, guards of local statics) is cmake/static/runtime.cc.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"
SOURCE=$WORK/src/gcc-12-source/libstdc++-v3

mkdir -p "$WORK/build/libstdcxx"
cd "$WORK/build/libstdcxx"
c="clang-$LLVM $TARGET_FLAGS" cxx="clang++-$LLVM -nostdinc++ $TARGET_FLAGS"
# Another processor's probes are linked from what is here, for the machine has nothing of the kind.
probe=()
[[ -z ${FOREIGN[*]} ]] || probe=(LDFLAGS="$PROBE_START" LIBS="$PROBE_END")
CC="$c" CXX="$cxx" CPP="$c -E" CXXCPP="$cxx -E" CFLAGS='-O1 -w' CXXFLAGS='-O1 -w' \
  logged libstdcxx "$SOURCE/configure" --build="$(uname -m)-linux-gnu" --host=$TARGET --target=$TARGET --prefix="$PREFIX" \
  --with-gxx-include-dir="$PREFIX/include/c++" --with-target-subdir=. "${probe[@]}" --disable-multilib --disable-shared \
  --enable-static --disable-libstdcxx-pch --disable-nls --disable-libstdcxx-verbose --enable-clocale=generic
logged libstdcxx make -C include install
logged libstdcxx make -C libsupc++ install-data

# The red-black tree of std::map, the primes of std::unordered_map, std::string.
objects=()
for file in c++98/tree c++11/hashtable_c++0x c++11/string-inst; do
  object=${file##*/}.o
  $CLANGXX $CXX_INCLUDES $TARGET_FLAGS $SIZE_FLAGS $LTO -std=c++20 -fno-exceptions -fno-rtti -I"$SOURCE/src" \
    -c "$SOURCE/src/$file.cc" -o "$object"
  objects+=("$object")
done
rm -f "$PREFIX/lib/libstdcxx.a"
$AR rcsD "$PREFIX/lib/libstdcxx.a" "${objects[@]}"
