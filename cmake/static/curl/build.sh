#!/bin/bash
# curl: official options, checked edits (edits.py), and two seams: it looks up no names, and formats as the C library does.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"
SOURCE=$WORK/src/curl

logged curl env PYTHONPATH="$HERE" python3 -B "$HERE/curl/edits.py" "$SOURCE"

mkdir -p "$WORK/build/curl"
cd "$WORK/build/curl"
# Its configure script links programs to see what there is: ordinary static ones. libcrypto.a holds LLVM's bitcode.
link=$PROBE_START libraries=$PROBE_END probe=-Oz
if [[ ${CERTLATCH_SANITIZED:-} ]]; then link='' libraries='' probe=$SIZE_FLAGS; fi
# shellcheck disable=SC2046 # one word per option
CC="$CLANG $TARGET_FLAGS" AR=$AR RANLIB=$RANLIB PKG_CONFIG=/bin/false CFLAGS=$probe LDFLAGS=$link LIBS=$libraries \
  logged curl "$SOURCE/configure" --host=$TARGET "${FOREIGN[@]}" --disable-shared --enable-static --with-openssl="$PREFIX" \
  $(options "$HERE/curl/options")
logged curl make -j"$JOBS" -C lib libcurl.la CFLAGS="$SIZE_FLAGS $LTO"

cp lib/.libs/libcurl.a libcurl.a
seam() { # NAME MEMBER: seams/NAME.c takes the place of upstream's archive member
  $CLANG $TARGET_FLAGS $SIZE_FLAGS $LTO -DHAVE_CONFIG_H -DBUILDING_LIBCURL -Ilib -I"$SOURCE/lib" -I"$SOURCE/include" \
    -c "$HERE/curl/seams/$1.c" -o "seam-$1.o"
  $AR t libcurl.a | grep -qx "libcurl_la-$2.o" || {
    echo "static build: a trim no longer applies: libcurl.a has no $2" >&2
    exit 1
  }
  $AR dD libcurl.a "libcurl_la-$2.o"
  $AR rD libcurl.a "seam-$1.o"
}
seam resolver hostip6
seam mprintf mprintf
$RANLIB -D libcurl.a

mkdir -p "$PREFIX/include/curl"
cp "$SOURCE"/include/curl/*.h "$PREFIX/include/curl/"
cp libcurl.a "$PREFIX/lib/"
