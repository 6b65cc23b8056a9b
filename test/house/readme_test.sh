#!/bin/bash
# README.md says what the program says: each block after a line <!-- certlatch MODE --help --> is that help, to the letter,
# and each mode has one; what it links to, and each ./script of its commands, is there.
#
#   readme_test.sh CERTLATCH [--write]     --write: mends the blocks instead
set -euo pipefail
certlatch=$(readlink -f "$1")
cd "$(dirname "$(readlink -f "$0")")/../.."
readonly MODES=(wait sidecar publish check explain rbac install)
wrong=0

complain() {
  echo "README.md: $*" >&2
  wrong=1
}

# README.md with the blocks as they should be.
mended() {
  local line skipping=
  while IFS= read -r line; do
    if [[ $skipping ]]; then
      [[ $line == '```' ]] && skipping=
      continue
    fi
    printf '%s\n' "$line"
    if [[ $line =~ ^'<!-- certlatch '(.*)' -->'$ ]]; then
      printf '```text\n'
      # shellcheck disable=SC2086 # words of a command line
      "$certlatch" ${BASH_REMATCH[1]}
      printf '```\n'
      IFS= read -r line
      [[ $line == '```text' ]] || { complain "no block follows <!-- certlatch ${BASH_REMATCH[1]} -->"; exit 1; }
      skipping=1
    fi
  done <README.md
}

text=$(mended)
if [[ ${2:-} == --write ]]; then printf '%s\n' "$text" >README.md; fi
diff -u README.md <(printf '%s\n' "$text") || complain "not what the program says; readme_test.sh CERTLATCH --write mends it"
for mode in "${MODES[@]}"; do
  grep -qFx "<!-- certlatch $mode --help -->" README.md || complain "has no reference of the mode $mode"
done
while IFS= read -r path; do
  [[ -e $path ]] || complain "there is no $path"
done < <(
  grep -oE '\]\([^)#]+' README.md | cut -c3- | grep -v '://' || true
  grep -oE '(^|[ `])\./[a-z][A-Za-z0-9_./-]*' README.md | tr -d ' `' || true
)
exit "$wrong"
