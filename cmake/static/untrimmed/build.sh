#!/bin/bash
# OpenSSL and curl as their authors made them: no edits, no seams, no traps, the options of upstream as far as a static
# program on musl can have them. The conformance tests ask this twin what the small binary should have decided; its
# `openssl` command is a server of theirs. Built for speed of building.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"
FLAGS="-O1 -fPIE -fno-semantic-interposition -ffile-prefix-map=$WORK/= -Wno-everything -Wno-unused-command-line-argument"
LIBGCC=$PREFIX/lib/libgcc.a
CC="$CLANG $TARGET_FLAGS"

# --- OpenSSL ------------------------------------------------------------------------------------------------------

# no-shared, no-dso, no-module: one static program. no-async: musl has no ucontext. The certificates of the system are
# where the small binary has them. What a static program on musl is linked from comes last.
mkdir -p "$WORK/build/openssl"
cd "$WORK/build/openssl"
CC=$CC AR=$AR RANLIB=$RANLIB logged openssl ../../src/openssl/Configure $OPENSSL_TARGET --prefix=/nowhere \
  --openssldir=/etc/ssl --libdir=lib no-shared no-dso no-module no-async no-afalgeng no-tests no-docs $FLAGS \
  --ld-path="$(command -v $LD)" -nostdlib -static -no-pie -L"$PREFIX/lib"
logged openssl make -j"$JOBS" build_generated
logged openssl make -j"$JOBS" libcrypto.a libssl.a apps/openssl \
  EX_LIBS="$PREFIX/lib/crt1.o $PREFIX/lib/crti.o -lc $LIBGCC $PREFIX/lib/crtn.o"
mkdir -p "$PREFIX/include/openssl" "$PREFIX/bin"
cp "$WORK"/src/openssl/include/openssl/*.h include/openssl/*.h "$PREFIX/include/openssl/"
cp libcrypto.a libssl.a "$PREFIX/lib/"
cp apps/openssl "$PREFIX/bin/"

# --- curl ---------------------------------------------------------------------------------------------------------

# Without the libraries that are not here; the rest is the default.
mkdir -p "$WORK/build/curl"
cd "$WORK/build/curl"
CC=$CC AR=$AR RANLIB=$RANLIB PKG_CONFIG=/bin/false CFLAGS=-O1 \
  LDFLAGS="--ld-path=$(command -v $LD) -nostdlib -static -no-pie $PREFIX/lib/crt1.o $PREFIX/lib/crti.o" \
  LIBS="-L$PREFIX/lib -lc -lgcc $PREFIX/lib/crtn.o" \
  logged curl "$WORK/src/curl/configure" --host=$TARGET --disable-shared --enable-static --with-openssl="$PREFIX" \
  --without-zlib --without-brotli --without-zstd --without-libpsl --without-libidn2 --without-nghttp2 --without-libssh2 \
  --without-librtmp --disable-ldap --disable-docs --disable-manual --disable-werror \
  --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt --without-ca-path
logged curl make -j"$JOBS" -C lib libcurl.la CFLAGS="$FLAGS"
mkdir -p "$PREFIX/include/curl"
cp "$WORK"/src/curl/include/curl/*.h "$PREFIX/include/curl/"
cp lib/.libs/libcurl.a "$PREFIX/lib/"
