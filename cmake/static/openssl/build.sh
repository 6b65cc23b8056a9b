#!/bin/bash
# OpenSSL: official options, checked edits (edits.py), modules of our own in place of upstream's (seams/), traps.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../flags.sh"
SOURCE=$WORK/src/openssl
BUILD=$WORK/build/openssl

logged openssl env PYTHONPATH="$HERE" python3 -B "$HERE/openssl/edits.py" "$SOURCE"

# -DOPENSSL_FUNC=0: no function names in error records (they go nowhere).
# The compiler comes as a name of its own: Configure writes CC and CFLAGS into a string of the library.
DEFINES="-DOPENSSL_SMALL_FOOTPRINT -DOPENSSL_FUNC=0 -DOPENSSL_AES_CONST_TIME"
options=$(options "$HERE/openssl/options")
if [[ ${CERTLATCH_MLKEM:-} == 1 ]]; then
  options=${options/ no-ml-kem / }
  DEFINES="$DEFINES -DCERTLATCH_MLKEM"
fi
mkdir -p "$BUILD"
cd "$BUILD"
# shellcheck disable=SC2086 # one word per option
CC="$CLANG $TARGET_FLAGS" AR=$AR RANLIB=$RANLIB logged openssl ../../src/openssl/Configure $OPENSSL_TARGET \
  --prefix=/nowhere --openssldir=/etc/ssl --libdir=lib $options $SIZE_FLAGS $LTO $DEFINES
logged openssl make -j"$JOBS" build_generated
logged openssl make -j"$JOBS" libcrypto.a libssl.a

# --- seams: our module takes the place of upstream's archive members ---------------------------------------------

include=()
for dir in include providers/common/include providers/implementations/include providers/fips/include . crypto \
  crypto/objects; do
  include+=(-I"$BUILD/$dir" -I"$SOURCE/$dir")
done
replace_members() { # OBJECT MEMBER...
  local object=$1 name member members=()
  shift
  for name; do
    member=$($AR t libcrypto.a | grep -xE "lib[a-z]+-lib-$name\.o") || {
      echo "static build: a trim no longer applies: libcrypto.a has no $name" >&2
      exit 1
    }
    members+=("$member")
  done
  $AR dD libcrypto.a "${members[@]}"
  $AR rD libcrypto.a "$object"
}
seam() { # NAME MEMBER...: seams/NAME.c
  local name=$1
  shift
  $CLANG $TARGET_FLAGS $SIZE_FLAGS $LTO $DEFINES -DL_ENDIAN -DOPENSSL_BUILDING_OPENSSL -DNDEBUG "${include[@]}" \
    -c "$HERE/openssl/seams/$name.c" -o "seam-$name.o"
  replace_members "seam-$name.o" "$@"
}
# seams/parameter_index.c knows the names that its one user asks for
users=$(cd "$SOURCE" && grep -rl --include='*.c' --include='*.c.in' --include='*.inc' ossl_param_find_pidx crypto ssl providers | sort | paste -sd,)
[[ $users == providers/implementations/ciphers/ciphercommon_gcm.c ]] || {
  echo "static build: a trim no longer applies: seams/parameter_index.c: used by $users" >&2
  exit 1
}

seam provider provider_predefined defltprov capabilities
seam names c_allc c_alld
seam parameter_index params_idx
seam rsa_controls ctrl_params_translate
seam random rand_lib
seam decoder decoder_lib decoder_meth decoder_pkey decode_der2key decode_pem2der decode_spki2typespki decode_epki2pki

NM=$NM CPU=$CPU python3 -B "$HERE/traps.py" "$HERE/openssl/traps" libcrypto.a trapped >traps.s
$CLANG --target=$TARGET -c traps.s -o traps.o
xargs $AR dD libcrypto.a <trapped
$AR rD libcrypto.a traps.o
$RANLIB -D libcrypto.a

mkdir -p "$PREFIX/include/openssl"
cp "$SOURCE"/include/openssl/*.h "$BUILD"/include/openssl/*.h "$PREFIX/include/openssl/"
cp libcrypto.a libssl.a "$PREFIX/lib/"
