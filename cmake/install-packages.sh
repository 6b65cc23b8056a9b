#!/bin/bash
# Installs those of the named Debian packages that are not installed yet.
#
#   install-packages.sh PACKAGE...
#
# Touches nothing when all are there. Needs root otherwise; without it, says what to run. Starts no service of theirs,
# and makes no database: the tests run servers of their own.
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

made=()
trap '((${#made[@]} == 0)) || rm -f "${made[@]}"' EXIT
make_for_now() { # FILE MODE TEXT: unless it is there
  [[ ! -e $1 ]] || return 0
  made+=("$1")
  install -D -m "$2" /dev/stdin "$1" <<<"$3"
}
make_for_now /usr/sbin/policy-rc.d 755 $'#!/bin/sh\nexit 101'
if [[ " ${missing[*]} " == *' postgresql '* ]]; then
  make_for_now /etc/postgresql-common/createcluster.d/certlatch-tests.conf 644 'create_main_cluster = false'
fi

get() { apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "${missing[@]}" >&2; }
# The package lists may be absent or old: fetch them once, and only when needed.
get 2>/dev/null || {
  apt-get -o DPkg::Lock::Timeout=300 update -qq >&2 || true
  get
}
