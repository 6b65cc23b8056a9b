# Sourced by each step of the recipe. From build.sh:
#   WORK      the work directory: WORK/src/NAME sources, WORK/build/NAME builds, WORK/log
#   PREFIX    where the step installs: PREFIX/{include,lib}
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
: "${WORK:?}" "${PREFIX:?}"
JOBS=${JOBS:-$(nproc)}

# Of the program. A sanitized library runs on the machine that builds it.
ARCH=${CERTLATCH_ARCH:-amd64}
[[ -z ${CERTLATCH_SANITIZED:-} ]] || ARCH=$(dpkg --print-architecture)
case $ARCH in
  amd64) CPU=x86_64 OPENSSL_TARGET=linux-x86_64-clang ;;
  arm64) CPU=aarch64 OPENSSL_TARGET=linux-aarch64 ;;
  *)
    echo "static build: CERTLATCH_ARCH=$ARCH: not amd64 or arm64" >&2
    exit 1
    ;;
esac

LLVM=19
TARGET=$CPU-linux-musl
AR=llvm-ar-$LLVM
RANLIB=llvm-ranlib-$LLVM
NM=llvm-nm-$LLVM
LD=ld.lld-$LLVM
CLANG=clang-$LLVM
CLANGXX=clang++-$LLVM
if command -v ccache >/dev/null && [[ ${CCACHE-ccache} ]]; then
  CLANG="ccache $CLANG" CLANGXX="ccache $CLANGXX"
fi

# Our C library's headers and nothing of the machine's; the kernel's headers are the exception.
TARGET_FLAGS="--target=$TARGET -nostdlibinc -isystem $PREFIX/include -isystem $PREFIX/include/kernel"
# Atomics as instructions, not as calls that look which instructions there are.
[[ $ARCH != arm64 ]] || TARGET_FLAGS="$TARGET_FLAGS -mno-outline-atomics"
# How a configure script links its probes: ordinary static programs.
PROBE_START="--ld-path=$(command -v $LD) -nostdlib -static -no-pie $PREFIX/lib/crt1.o $PREFIX/lib/crti.o"
PROBE_END="-L$PREFIX/lib -lc -lgcc $PREFIX/lib/crtn.o"
# For another processor it has to be told that nothing can be run; for this one it finds out what runs.
FOREIGN=()
[[ $CPU == "$(uname -m)" ]] || FOREIGN=(--build="$(uname -m)-linux-gnu")
# In front of the C headers, which they include.
CXX_INCLUDES="-nostdinc++ -isystem $PREFIX/include/c++ -isystem $PREFIX/include/c++/$TARGET"

# Small, position-independent, no unwind tables; every function in a section of its own, for the linker to drop.
# No stack protector in the libraries: it would cost 40 KB, and it is on in the code that is ours.
SIZE_FLAGS="-Oz -fPIE -ffunction-sections -fdata-sections -fvisibility=hidden -fomit-frame-pointer -fno-ident
  -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-stack-protector -fno-semantic-interposition"
# No directory of this machine in the result.
SIZE_FLAGS="$SIZE_FLAGS -ffile-prefix-map=$WORK/= -Wno-everything -Wno-unused-command-line-argument"
SIZE_FLAGS=$(echo $SIZE_FLAGS)
# Link-time optimisation: whatever is linked is one program to the optimiser. Not for musl: its memcpy and friends are
# what the optimiser makes calls to, after it has looked at what there is.
LTO=-flto

# The same trimmed libraries with sanitizers, for test/fuzz/libraries.sh: on this machine's C library, which the sanitizers
# need. Without "function": OpenSSL calls functions through pointers of related types, by design.
if [[ ${CERTLATCH_SANITIZED:-} ]]; then
  TARGET=$CPU-linux-gnu TARGET_FLAGS='' LTO=''
  SIZE_FLAGS="-O1 -gline-tables-only -fPIE -fvisibility=hidden -fno-omit-frame-pointer
    -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=function -fno-sanitize-recover=all
    -ffile-prefix-map=$WORK/= -Wno-everything -Wno-unused-command-line-argument"
  SIZE_FLAGS=$(echo $SIZE_FLAGS)
fi

options() { grep -v '^ *\(#\|$\)' "$1" | tr '\n' ' '; } # FILE: one option a line, with comments

# Runs a command with its output in a log, shown when it fails.
logged() { # NAME COMMAND...
  local name=$1 log=$WORK/log/$1
  shift
  "$@" >>"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    echo "static build: $name failed: $1 (log: $log)" >&2
    return 1
  }
}
