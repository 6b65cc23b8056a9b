#!/bin/bash
# The static binary is hardened: read off the ELF file, and off /proc while it runs.
#
#   hardening.sh BUILD_DIR
# shellcheck disable=SC2317 # `expect` calls them
set -euo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
BINARY=${1:?BUILD_DIR}/certlatch
. "$ROOT/test/static/expect.sh"

lacks() { ! grep -qE -- "$1" <<<"$2"; } # PATTERN TEXT
not() { ! "$@" 2>/dev/null; }
has() { grep -qE -- "$1" <<<"$2"; }

header=$(readelf -hW "$BINARY")
segments=$(readelf -lW "$BINARY")
dynamic=$(readelf -dW "$BINARY")
sections=$(readelf -SW "$BINARY")
notes=$(readelf -nW "$BINARY")

expect 'position-independent (PIE)' has 'Type: +DYN ' "$header"
expect 'marked as PIE' has 'FLAGS_1.* PIE' "$dynamic"
expect 'no interpreter' lacks INTERP "$segments"
expect 'no library at run time' lacks NEEDED "$dynamic"
expect 'no search path' lacks 'R(UN)?PATH' "$dynamic"
expect 'relocations sealed before main (full RELRO)' has 'GNU_RELRO' "$segments"
expect 'all of them at once (BIND_NOW)' has 'BIND_NOW|FLAGS_1.* NOW' "$dynamic"
expect 'no relocation in code' lacks TEXTREL "$dynamic"
expect 'packed relocations (RELR)' has 'RELR' "$dynamic"
expect 'no executable stack' has 'GNU_STACK +0x0+ 0x0+ 0x0+ 0x0+ 0x0+ RW +' "$segments"
expect 'nothing both writable and executable' lacks '(LOAD|RELRO).* (RWE|WE) ' "$segments"
expect 'no build id' lacks 'Build ID' "$notes"
expect 'stripped' lacks '\.(symtab|debug_)' "$sections"
expect 'no packer: its sections are its bytes' has '\.text' "$sections"

# The stack protector: our functions compare with the canary at %fs:0x28, and call out when it changed.
canaries=$(objdump -d --no-show-raw-insn "$BINARY" | grep -c '%fs:0x28' || true)
expect "stack protector in our code ($canaries look at the canary)" test "$canaries" -ge 50

# And all of ours are compiled with it, not only some: read off the compiler's own notes in our libraries' objects.
unprotected() { # ARCHIVE...: prints the objects that define a function without it
  local archive object
  for archive; do
    for object in $(llvm-ar-19 t "$archive"); do
      llvm-ar-19 p "$archive" "$object" | llvm-dis-19 -o - | awk '
        /^define / && match($0, / #[0-9]+ /) {used[substr($0, RSTART + 1, RLENGTH - 2)] = 1; defined = 1}
        /^attributes #/ && !/ssp(strong|req)/ {bare[$2] = 1}
        END {for (group in used) if (group in bare) exit 1; exit !defined}' || echo "$object"
    done
  done
}
bare=$(unprotected "$(dirname "$BINARY")"/src/libcertlatch_*.a)
expect "stack protector in every function of ours (without it: ${bare:-none})" test -z "$bare"

text=$(strings -n 4 "$BINARY")
for path in "$ROOT" "$HOME/" /tmp/ /build/ /usr/include /usr/lib/ /root/ /home/; do
  # paths that the program itself uses, and no others
  expect "no path below $path" lacks "(^|[^a-z])$path" "$text"
done

# While it runs, for a user without rights: a server that does not exist keeps it trying.
run=(env -i "$BINARY" wait secret/nothing --server=https://127.0.0.1:1 --token=t --timeout=30s)
if ((EUID == 0)); then
  copy=$(mktemp -d /tmp/certlatch.XXXXXX) # the build directory may be closed to others
  trap 'rm -rf "$copy"' EXIT
  chmod 755 "$copy"
  cp "$BINARY" "$copy/certlatch"
  run[2]=$copy/certlatch
  run=(setpriv --reuid=65534 --regid=65534 --clear-groups "${run[@]}")
fi
(ulimit -c unlimited 2>/dev/null || true; exec "${run[@]}") >/dev/null 2>&1 &
pid=$!
owner='' limits=''
for _ in {1..200}; do # in this order: before its exec the process is another program, and root's
  if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == certlatch ]]; then
    limits=$(cat "/proc/$pid/limits" 2>/dev/null) || true
    owner=$(stat -c %U "/proc/$pid/mem" 2>/dev/null) || owner=gone
    if [[ $owner == root ]] && has '^Max core file size +0 +0 ' "$limits"; then break; fi
  fi
  sleep 0.02
done
if ((EUID == 0)); then
  expect 'its /proc files belong to root, though it runs as nobody (PR_SET_DUMPABLE=0)' test "$owner" = root
  for file in mem environ; do
    # shellcheck disable=SC2016 # for the inner shell
    expect "nobody's other processes cannot open its /proc/PID/$file" not setpriv --reuid=65534 --regid=65534 --clear-groups \
      sh -c ': <"/proc/$0/$1"' "$pid" "$file"
  done
  expect 'and it does run as nobody' has '^Uid:[[:space:]]+65534' "$(cat "/proc/$pid/status")"
fi
expect 'no core dump (RLIMIT_CORE=0)' has '^Max core file size +0 +0 ' "$limits"
kill "$pid"
wait "$pid" 2>/dev/null || true

exit $broken
