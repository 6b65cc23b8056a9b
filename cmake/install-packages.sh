#!/bin/bash
# Installs those of the named Debian packages that are not installed yet.
#
#   install-packages.sh PACKAGE...
#
# Touches nothing when all are there. Needs root otherwise; without it, says what to run.
set -euo pipefail

missing=()
for package; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  echo "install-packages.sh: not installed: ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "${missing[@]}" >&2; }
# The package lists may be absent or old: fetch them once, and only when needed.
install 2>/dev/null || {
  apt-get -o DPkg::Lock::Timeout=300 update -qq >&2 || true
  install
}
