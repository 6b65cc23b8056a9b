#!/bin/bash
# All tests: builds what they need, runs them, checks format and lint. Needs nothing but Debian 12 and root (or the
# packages below); works in a fresh clone, without a terminal.
#
#   ./test/run.sh [--all]       --all: lint every file, not only those that changed
#
#   CERTLATCH_SKIP_CLUSTER=1    without the real API server: its tests are skipped, loudly
#   CERTLATCH_SKIP_NODE=1       without the real node: likewise
#   CERTLATCH_CACHE=DIR         where built API servers are kept (default ~/.cache/certlatch)
#   CERTLATCH_BASE=COMMIT       lint what changed since then (default: the main branch, or the last commit)
#
# Ends with the line "N passed, N failed".
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

readonly BUILD=build/dev
readonly PACKAGES=(g++ cmake ninja-build ccache pkg-config git curl jq openssl util-linux procps
  ca-certificates libcurl4-openssl-dev libssl-dev libsimdjson-dev libgtest-dev libgmock-dev prometheus clang-format
  clang-tidy nginx haproxy postgresql stunnel4 nodejs python3-yaml
  containerd runc containernetworking-plugins busybox-static iproute2 python3 binutils)

lint_all=0
case ${1:-} in
  '') ;;
  --all) lint_all=1 ;;
  *)
    echo "run.sh: unknown argument $1; usage: ./test/run.sh [--all]" >&2
    exit 1
    ;;
esac

passed=0 failed=0 skipped=0
# Whatever happens, the last line says how it went.
finish() {
  local status=$?
  trap - EXIT
  if ((status != 0 && failed == 0)); then failed=1; fi
  echo
  if ((skipped)); then echo "$skipped tests were SKIPPED: see above for the reasons"; fi
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0)) && exit 0
  exit 1
}
trap finish EXIT

say() { printf '\n== %s\n' "$*"; }

# A check of its own counts as one test.
check() { # NAME COMMAND...
  local name=$1
  shift
  say "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
  fi
}

# --- steps ------------------------------------------------------------------------------------------------------

build() {
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  cmake --preset dev >"$BUILD.configure.log" 2>&1 || {
    cat "$BUILD.configure.log"
    return 1
  }
  cmake --build --preset dev
}

attribute() { # NAME FILE: of the first line that has it
  sed -nE "s/.*[<[:space:]]$1=\"([0-9]+)\".*/\1/p" "$2" | sed -n 1p
}

# ctest's tests count one by one.
run_ctest() { # BUILD_DIR [CTEST ARGUMENT...]
  local report=$PWD/$1/junit.xml status=0
  rm -f "$report"
  ctest --test-dir "$1" --no-tests=error --output-on-failure --output-junit "$report" "${@:2}" || status=$?
  local tests='' failures='' missed
  if [[ -s $report ]]; then
    tests=$(attribute tests "$report")
    failures=$(attribute failures "$report")
  fi
  if [[ ! $tests =~ ^[0-9]+$ || ! $failures =~ ^[0-9]+$ ]]; then
    failed=$((failed + 1))
    echo "FAILED: ctest made no report of $1"
    return
  fi
  missed=$(($(attribute skipped "$report") + $(attribute disabled "$report")))
  passed=$((passed + tests - failures - missed))
  failed=$((failed + failures))
  skipped=$((skipped + missed))
  if ((missed)); then tell_skipped "$report"; fi
  # ctest's own failures (a program that is missing, a fixture that broke) are counted nowhere else
  if ((status != 0 && failures == 0)); then failed=$((failed + 1)); fi
}

# The names of the tests that were skipped, and their own words on it.
tell_skipped() { # REPORT
  awk '/<testcase / {name = $0; sub(/.*name="/, "", name); sub(/".*/, "", name); skipped = 0}
       /<skipped/ {skipped = 1; print "SKIPPED: " name}
       skipped && /(Skipped|SKIPPED|NOT )/ && !/<|\[/ {print "    " $0}' "$1"
}

units() { sources | grep '\.cc$'; }
sources() { git ls-files -- 'src/*.h' 'src/*.cc' 'test/*.h' 'test/*.cc'; }

formatted() { sources | xargs -r clang-format --dry-run --Werror; }

changed_sources() {
  local base=${CERTLATCH_BASE:-}
  if [[ -z $base ]]; then
    base=$(git merge-base HEAD origin/main 2>/dev/null) || base=
    [[ -n $base && $base != "$(git rev-parse HEAD)" ]] || base=$(git rev-parse -q --verify HEAD~1) || {
      units
      return
    }
  fi
  # A header is linted with the unit of its name.
  git diff --name-only --diff-filter=d "$base" -- 'src/*.cc' 'test/*.cc' 'src/*.h' 'test/*.h' |
    sed 's/\.h$/.cc/' | sort -u | grep -xFf <(units) || true
}

linted() {
  local files
  if ((lint_all)); then files=$(units) || return 1; else files=$(changed_sources) || return 1; fi
  [[ -n $files ]] || return 0
  # On standard error it only counts the warnings that it does not show.
  printf '%s\n' "$files" | xargs -P "$(nproc)" -n 4 clang-tidy -p "$BUILD" --quiet 2>"$BUILD/tidy.log" || {
    tail -n 5 "$BUILD/tidy.log"
    return 1
  }
}

static_preset() { # PRESET
  { cmake --preset "$1" && cmake --build --preset "$1"; } >"build/$1.log" 2>&1 || {
    tail -n 30 "build/$1.log"
    return 1
  }
}

quickstart() { CERTLATCH_QUICKSTART_SERVER=embedded ./deploy/quickstart.sh; }

# --- all of it --------------------------------------------------------------------------------------------------

unset CERTLATCH_BINARY # which binary a test runs is said below
./cmake/install-packages.sh "${PACKAGES[@]}"
mkdir -p build

if [[ ${CERTLATCH_SKIP_CLUSTER:-} == 1 ]]; then
  say 'WITHOUT THE REAL API SERVER (CERTLATCH_SKIP_CLUSTER=1): its tests will be skipped'
else
  # beside the compilation; the tests that start a cluster or a node wait for it
  servers=(kube-apiserver)
  if [[ ${CERTLATCH_SKIP_NODE:-} == 1 ]]; then
    say 'WITHOUT THE REAL NODE (CERTLATCH_SKIP_NODE=1): its tests will be skipped'
  elif [[ -z ${KUBEBUILDER_ASSETS:-} ]]; then
    servers+=(kubelet kube-controller-manager kube-scheduler)
  fi
  ./test/cluster/build.sh "${servers[@]}" >build/cluster.log 2>&1 &
fi
./test/deploy/tools.sh >build/tools.log 2>&1 & # likewise

say 'build'
dev_built=0 static_built=0
if build; then dev_built=1; else
  failed=$((failed + 1))
  echo 'FAILED: build'
fi
say 'static build'
if static_preset static; then static_built=1; else
  failed=$((failed + 1))
  echo 'FAILED: static build'
fi
if ((dev_built)); then
  say 'tests, sanitized'
  run_ctest build/dev -j "$(nproc)" -LE '^(conformance|node)$'
fi
if ((static_built)); then
  say 'promises of the static binary: size, hardening, contents, reproducibility'
  run_ctest build/static -LE '^image$'
fi
if ((dev_built && static_built)); then
  say 'the static binary in the tests that run the real program'
  CERTLATCH_BINARY=$PWD/build/static/certlatch run_ctest build/dev -j "$(nproc)" -L '^program$'
fi
if ((dev_built && static_built)); then
  # They mostly wait, for the kubelet above all.
  say 'the static binary in real pods'
  CERTLATCH_BINARY=$PWD/build/static/certlatch run_ctest build/dev -j 8 -L '^node$'
fi
check 'build of the untrimmed twin' static_preset untrimmed
if ((dev_built && static_built)); then
  # These tests mostly wait for programs: more at once than there are processors.
  say 'TLS conformance: the static binary decides as its untrimmed twin does'
  run_ctest build/dev -j "$((3 * $(nproc)))" -L '^conformance$'
fi
check 'build of the trimmed libraries with sanitizers' static_preset hostile
say 'hostile bytes on the trimmed libraries, with sanitizers'
run_ctest build/hostile -j "$(nproc)"
check 'format' formatted
check 'lint' linted
check 'quickstart' quickstart
check 'build for 64-bit ARM' static_preset static-arm64
say 'the binary for 64-bit ARM, emulated'
run_ctest build/static-arm64
if ((static_built)); then
  say 'the image, on both of its bases'
  run_ctest build/static -L '^image$' --verbose
fi
wait
