#!/bin/bash
# Fetches, checks and unpacks what ./pins names.
#
#   sources.sh DIR [NAME...]   DIR/NAME: each (or only these) unpacked, with Debian's patches applied; DIR/taken: what was taken, one a
#                              line: NAME VERSION LICENCE SHA-256 FILE, and "pinned" or "substitute"
#   sources.sh --fetch DIR     only the files, into DIR: a folder that CERTLATCH_SOURCES can name on another machine
#   sources.sh --repin NAME    writes the newest version of its series into ./pins
#
#   CERTLATCH_SOURCES=DIR      take the pinned files from there; no archive is asked
#   CERTLATCH_RELEASE=1        refuse whatever is not pinned
#
# Without CERTLATCH_SOURCES this needs a Debian machine: the files come from the mirror that its apt uses, through a
# private configuration, so that the machine's own stays as it is.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
PINS=$HERE/pins

say() { printf 'static build: %s\n' "$*" >&2; }
loud() { printf '\n*** static build: %s ***\n\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# --- the pins ---------------------------------------------------------------------------------------------------

pinned_names() { awk '$1 == "source" || $1 == "binary" {print $2}' "$PINS"; }
pin() { awk -v name="$1" '($1 == "source" || $1 == "binary") && $2 == name' "$PINS"; } # NAME: its line
pinned_files() { # NAME: lines "SHA-256  FILE", as sha256sum takes them
  awk -v name="$1" '/^[^ ]/ {mine = ($2 == name && /^(source|binary) /)} mine && /^  [0-9a-f]/ {print $1 "  " $2}' "$PINS"
}

# --- the archive ------------------------------------------------------------------------------------------------

# The mirror that the machine itself uses, of Debian proper or of its security updates.
mirror() { # SUFFIX: "" or -security
  # shellcheck disable=SC2016 # apt's own notation
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: Debian${1:+-Security}" \
    'Component: main' | sed -n 1p
}

# A private view of bookworm and trixie, with sources. Sets APT.
private_apt() { # DIR
  local dir=$1 main security release keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  command -v apt-get >/dev/null || die "no apt here: set CERTLATCH_SOURCES to a folder of the files in cmake/static/pins"
  main=$(mirror '')
  if [[ -z $main ]] && ((EUID == 0)); then # a fresh image has no package lists yet
    apt-get -o DPkg::Lock::Timeout=300 update -qq >&2 || true
    main=$(mirror '')
  fi
  [[ -n $main ]] || die "apt knows no mirror of Debian: add one and run apt-get update, or set CERTLATCH_SOURCES"
  security=$(mirror -security)
  mkdir -p "$dir"/{lists,cache/archives}/partial
  [[ -e $keyring ]] && keyring="[signed-by=$keyring] " || keyring= # without it apt takes the keys it trusts
  for release in bookworm trixie; do
    printf '%s %s%s %s main\n' deb "$keyring" "$main" "$release" deb-src "$keyring" "$main" "$release"
    [[ -z $security ]] || printf 'deb-src %s%s %s-security main\n' "$keyring" "$security" "$release"
  done >"$dir/sources.list"
  APT=(-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$dir/lists"
    -o Dir::Cache="$dir/cache" -o APT::Sandbox::User="$(id -un)" -o Dir::State::status=/dev/null
    -o APT::Architecture=amd64)
  apt-get "${APT[@]}" update -qq >&2 || die "could not read Debian's index: check the network, or set CERTLATCH_SOURCES"
}

versions() { # KIND NAME SERIES: in the archive, newest first
  if [[ $1 == source ]]; then
    apt-cache "${APT[@]}" showsrc --only-source "$2" | sed -n 's/^Version: //p'
  else
    apt-cache "${APT[@]}" show "$2" | sed -n 's/^Version: //p'
  fi | grep "^${3//./\\.}[.-]" | sort -Vru
}

download() { # KIND NAME VERSION DIR: apt checks the files against the signed index
  mkdir -p "$4"
  if [[ $1 == source ]]; then
    (cd "$4" && apt-get "${APT[@]}" source -qq --download-only "$2=$3" >&2)
  else
    (cd "$4" && apt-get "${APT[@]}" download -qq "$2=$3" >&2)
  fi
}

# The pinned version, or the newest of its series that can be had. Prints the version taken.
from_archive() { # NAME DIR
  local kind name series version candidate
  read -r kind name _ series version _ < <(pin "$1")
  if versions "$kind" "$name" "$series" | grep -qxF -- "$version" && download "$kind" "$name" "$version" "$2"; then
    printf '%s\n' "$version"
    return
  fi
  [[ ${CERTLATCH_RELEASE:-} != 1 ]] || die "$name $version has left the archive, and a release takes nothing else"
  for candidate in $(versions "$kind" "$name" "$series"); do
    rm -rf "$2"
    # An index may be ahead of the files behind it: the next one may do.
    download "$kind" "$name" "$candidate" "$2" || continue
    loud "$name $version has left the archive; taking $candidate"
    printf '%s\n' "$candidate"
    return
  done
  die "no $name $series in the archive: set CERTLATCH_SOURCES to a folder that has the files in cmake/static/pins"
}

# --- one package ------------------------------------------------------------------------------------------------

# Puts the files of NAME into DIR and prints its lines of "taken".
fetch() { # NAME DIR
  local name=$1 dir=$2 version licence state=pinned
  read -r _ _ _ _ version licence < <(pin "$name")
  mkdir -p "$dir"
  if [[ -n ${CERTLATCH_SOURCES:-} ]]; then
    pinned_files "$name" | while read -r _ file; do
      cp "$CERTLATCH_SOURCES/$file" "$dir/" || die "CERTLATCH_SOURCES=$CERTLATCH_SOURCES has no $file"
    done
  else
    taken=$(from_archive "$name" "$dir")
    [[ $taken == "$version" ]] || state=substitute version=$taken
  fi
  if [[ $state == pinned ]]; then
    (cd "$dir" && pinned_files "$name" | sha256sum --check --quiet --strict >&2) ||
      die "$name $version: not the files that cmake/static/pins names"
  fi
  (cd "$dir" && sha256sum -- *) | while read -r sum file; do
    printf '%s %s %s %s %s %s\n' "$name" "$version" "$licence" "$sum" "$file" "$state"
  done
}

unpack() { # NAME FILES DIR
  local name=$1 files=$2 dir=$3 tarball
  if [[ $name == gcc-*-source ]]; then
    # Of the compiler's sources only the C++ library, and what its configure script reads.
    dpkg-deb -x "$files"/*.deb "$dir.deb"
    tarball=$(find "$dir.deb" -name 'gcc-*.tar.xz')
    mkdir -p "$dir"
    tar xf "$tarball" -C "$dir" --strip-components=1 --exclude '*/testsuite/[0-9a-z]*' --wildcards '*/libstdc++-v3' '*/libgcc' \
      '*/config' '*/config[.-]*' '*/libtool*' '*/ltmain.sh' '*/install-sh' '*/missing' '*/mkinstalldirs' \
      '*/gcc/DATESTAMP' '*/gcc/BASE-VER' '*/gcc/DEV-PHASE'
    rm -rf "$dir.deb"
  else
    # The files are checked already: against the pins, or by apt against the signed index.
    dpkg-source --no-check -x "$files"/*.dsc "$dir" >/dev/null
  fi
}

repin() { # NAME
  local work kind name release series version licence newest
  read -r kind name release series version licence < <(pin "$1")
  [[ -n $name ]] || die "no $1 in cmake/static/pins"
  work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  private_apt "$work/apt"
  for newest in $(versions "$kind" "$name" "$series"); do
    rm -rf "$work/files"
    if download "$kind" "$name" "$newest" "$work/files"; then break; fi
  done
  {
    awk -v name="$name" '/^[^ ]/ {mine = ($2 == name && /^(source|binary) /)} !mine' "$PINS" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
    printf '\n%s %s %s %s %s %s\n' "$kind" "$name" "$release" "$series" "$newest" "$licence"
    (cd "$work/files" && sha256sum -- * | sed 's/^/  /')
  } >"$work/pins"
  cat "$work/pins" >"$PINS"
  say "$name: $version -> $newest"
}

main() {
  local fetch_only='' dir name
  case ${1:-} in
    --repin)
      repin "${2:?NAME}"
      return
      ;;
    --fetch)
      fetch_only=1
      shift
      ;;
  esac
  dir=${1:?DIR}
  shift
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  work=$dir/.fetch
  trap 'rm -rf "$work"' EXIT
  [[ -n ${CERTLATCH_SOURCES:-} ]] || private_apt "$work/apt"
  # shellcheck disable=SC2046 # one word per name
  (($#)) || set -- $(pinned_names)
  for name; do
    say "source of $name"
    fetch "$name" "$work/$name" >>"$work.taken"
    if [[ -n $fetch_only ]]; then
      mv "$work/$name"/* "$dir/"
    else
      unpack "$name" "$work/$name" "$dir/$name"
    fi
  done
  mv "$work.taken" "$dir/taken"
}

main "$@"
