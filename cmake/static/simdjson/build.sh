#!/bin/bash
# simdjson, its portable implementation only: the documents of an API server are small.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"

mkdir -p "$WORK/build/simdjson"
cp "$WORK/src/simdjson/singleheader/simdjson".{h,cpp} "$WORK/build/simdjson/"
cd "$WORK/build/simdjson"
PYTHONPATH=$HERE python3 -B "$HERE/simdjson/edits.py" .
# shellcheck disable=SC2046 # one word per option
$CLANGXX $CXX_INCLUDES $TARGET_FLAGS $SIZE_FLAGS $LTO -std=c++20 -fno-exceptions -fno-rtti $(options "$HERE/simdjson/options") \
  -c simdjson.cpp -o simdjson.o
rm -f "$PREFIX/lib/libsimdjson.a"
$AR rcsD "$PREFIX/lib/libsimdjson.a" simdjson.o
cp simdjson.h "$PREFIX/include/"
