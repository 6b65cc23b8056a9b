#!/bin/bash
# Prints, as the last line of its output, a directory that holds the executables etcd and kube-apiserver.
#
#   build.sh [--if-cached] [COMMAND...]     COMMAND: kube-apiserver (the default), kubelet,
#                                           kube-controller-manager, kube-scheduler
#
# The directory is $KUBEBUILDER_ASSETS when that is set; else a cache outside the source tree, which is filled at
# need by compiling Kubernetes from Debian's own source package (minutes, once). --if-cached builds nothing: it
# exits 1 without a word when there is nothing to use yet.
set -euo pipefail

# What is built. These lines and the functions marked "recipe" decide the result, so they make the cache's key.
KUBERNETES_PIN=1.20.5+really1.20.2-1.1+deb12u1
REFLECT2_PIN=1.0.2-2
GO_PIN=1.19.8-2
ETCD_PIN=3.4.23-4+b4
RELEASE=bookworm # the Debian release that has this Kubernetes and the Go that compiles it
GO_PACKAGE=golang-1.19-go
GO_BIN=/usr/lib/go-1.19/bin

say() { printf 'cluster build: %s\n' "$*" >&2; }
loud() { printf '\n*** cluster build: %s ***\n\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# --- the machine's packages -------------------------------------------------------------------------------------

installed_version() { # PACKAGE: its version, or nothing
  dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'
}

POLICY=/usr/sbin/policy-rc.d # not local: the trap outlives the function

# Keeps packages from starting their services while BODY runs. A policy that somebody else put there stays in force.
without_services() { # BODY...
  local mark='# put here by the test cluster build of certlatch'
  # One that bears our mark was left by a killed build: the lock that the caller holds says nobody uses it now.
  if [[ -e $POLICY ]] && ! grep -qxF "$mark" "$POLICY"; then
    "$@"
    return
  fi
  ( # the trap belongs to this subshell: it removes the guard whichever way BODY ends
    trap 'rm -f "$POLICY"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$POLICY"
    chmod 755 "$POLICY"
    "$@"
  )
}

apt_install() { # PACKAGE...
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "$@" >&2
}

apt_refresh() { # another archive of the machine may be out of reach: that alone is no reason to stop
  apt-get -o DPkg::Lock::Timeout=300 update -qq >&2 || say "apt-get update failed in part; going on with what it got"
}

install_now() { # PACKAGE...
  say "installing $*"
  apt_install "$@" && return
  say "refreshing the package lists and trying again"
  apt_refresh
  apt_install "$@"
}

need_packages() { # PACKAGE=PIN...
  local want package pin version missing=()
  for want in "$@"; do
    [[ -n $(installed_version "${want%%=*}") ]] || missing+=("${want%%=*}")
  done
  if ((${#missing[@]})); then
    ((EUID == 0)) || die "${missing[*]} not installed: install as root, or set KUBEBUILDER_ASSETS"
    # one installer at a time on this machine, so that nobody's guard goes away under somebody else's installation
    (
      flock 8
      without_services install_now "${missing[@]}"
    ) 8>/run/lock/certlatch-cluster-packages || die "apt-get could not install ${missing[*]}: see above, or set KUBEBUILDER_ASSETS"
  fi
  for want in "$@"; do
    package=${want%%=*} pin=${want#*=} version=$(installed_version "$package")
    [[ $version == "$pin" ]] || loud "$package is $version, the recipe was tried with $pin"
  done
}

# --- Debian's sources -------------------------------------------------------------------------------------------

# The mirror of RELEASE that the machine itself uses.
debian_mirror() {
  # shellcheck disable=SC2016 # apt's own notation
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $RELEASE" 'Component: main' | sed -n 1p
}

# A private view with deb-src, so that the machine's own sources stay as they are. Sets APT.
private_apt() { # DIR
  local dir=$1 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(debian_mirror)
  if [[ -z $mirror ]] && ((EUID == 0)); then # a fresh image has no package lists yet
    apt_refresh
    mirror=$(debian_mirror)
  fi
  [[ -n $mirror ]] || die "apt knows no mirror of Debian $RELEASE: add one and run apt-get update, or set KUBEBUILDER_ASSETS"
  mkdir -p "$dir"/{lists,cache/archives}/partial
  [[ -e $keyring ]] && keyring="[signed-by=$keyring] " || keyring= # without it apt takes the keys it trusts
  printf 'deb-src %s%s %s main\n' "$keyring" "$mirror" "$RELEASE" >"$dir/sources.list"
  APT=(-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$dir/lists"
    -o Dir::Cache="$dir/cache" -o APT::Sandbox::User="$(id -un)")
  apt-get "${APT[@]}" update -qq >&2 || die "could not read Debian's source index: check the network, or set KUBEBUILDER_ASSETS"
}

# Fetches PACKAGE's upstream source into DIR. apt checks its sha256 against the signed index. Prints the version taken.
fetch_source() { # PACKAGE PIN SERIES DIR
  local package=$1 pin=$2 series=$3 dir=$4 versions version
  versions=$(apt-cache "${APT[@]}" showsrc --only-source "$package" | sed -n 's/^Version: //p' | sort -V)
  version=$pin
  if ! grep -qxF -- "$pin" <<<"$versions"; then
    version=$(grep "^${series//./\\.}" <<<"$versions" | tail -n 1) || die "no $package $series in Debian $RELEASE: set KUBEBUILDER_ASSETS"
    loud "$package $pin has left the archive; taking $version"
  fi
  mkdir -p "$dir/dl"
  (cd "$dir/dl" && apt-get "${APT[@]}" source -qq --download-only "$package=$version" >&2) || die "could not fetch $package $version: check the network"
  mkdir -p "$dir/$package"
  tar xf "$dir/dl/$package"_*.orig.tar.* -C "$dir/$package" --strip-components=1
  printf '%s\n' "$version"
}

# --- the recipe -------------------------------------------------------------------------------------------------

# recipe: lays out the sources under WORK the way Go without modules wants them, and completes them.
prepare_sources() { # WORK
  local work=$1 tree=$1/kubernetes
  mkdir -p "$work"/{gopath/src/k8s.io,gocache,gotmp,bin}
  ln -sfn "$tree" "$work/gopath/src/k8s.io/kubernetes"
  # The vendored reflect2 1.0.1 crashes when Go 1.18 or newer compiled it; Debian's 1.0.2 does not.
  rm -f "$tree"/vendor/github.com/modern-go/reflect2/*.{go,s}
  cp "$work"/golang-github-modern-go-reflect2/*.{go,s} "$tree/vendor/github.com/modern-go/reflect2/"
  rm -f "$tree"/vendor/github.com/modern-go/reflect2/*_test.go
  generate_openapi "$work"
}

# recipe: zz_generated.openapi.go is not in the tarball.
generate_openapi() { # WORK
  local work=$1 dirs inputs
  cd "$work/gopath/src/k8s.io/kubernetes"
  go build -o "$work/bin/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  dirs=$(printf '%s\n' vendor/k8s.io/*/ | grep -vE '/(code-generator|sample-apiserver|gengo|kube-openapi)/$')
  # shellcheck disable=SC2086 # one word per directory
  inputs=$(grep -rl --include='*.go' '+k8s:openapi-gen=' cmd pkg plugin $dirs | grep -v /testdata/ | xargs -n1 dirname |
    sed 's#//*#/#g; s#^#k8s.io/kubernetes/#' | LC_ALL=C sort -u | paste -sd,)
  "$work/bin/openapi-gen" --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/gotmp/violations" >&2
}

# recipe: an ordinary static build without the cloud providers.
compile() { # WORK VERSION COMMAND
  local work=$1 version=$2 command=$3 package flags='-s -w'
  for package in k8s.io/kubernetes/vendor/k8s.io/{component-base/version,client-go/pkg/version}; do
    flags+=" -X $package.gitVersion=v$version -X $package.gitMajor=${version%%.*} -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
    flags+=" -X $package.gitTreeState=archive -X $package.buildDate=2021-01-14T00:00:00Z"
  done
  cd "$work/gopath/src/k8s.io/kubernetes"
  go build -tags=providerless,dockerless -trimpath -ldflags "$flags" -o "$work/bin/$command" "./cmd/$command" >&2
}

recipe() {
  declare -p KUBERNETES_PIN REFLECT2_PIN GO_PIN ETCD_PIN RELEASE GO_PACKAGE
  declare -f prepare_sources generate_openapi compile
  uname -m
}

go_environment() { # WORK
  export PATH=$GO_BIN:$PATH HOME=$1 GOPATH=$1/gopath GOCACHE=$1/gocache GOTMPDIR=$1/gotmp
  export GO111MODULE=off GOFLAGS='' GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
}

build_commands() { # WORK COMMAND...: leaves them in WORK/bin
  local work=$1 version
  shift
  need_packages "$GO_PACKAGE=$GO_PIN"
  private_apt "$work/apt"
  say "fetching Debian's sources"
  version=$(fetch_source kubernetes "$KUBERNETES_PIN" 1.20. "$work")
  fetch_source golang-github-modern-go-reflect2 "$REFLECT2_PIN" 1.0. "$work" >/dev/null
  version=${version##*really} version=${version%%[-+]*}
  ( # a subshell: HOME, PATH and the directory stay the caller's
    go_environment "$work"
    say "generating the OpenAPI tables of Kubernetes $version"
    prepare_sources "$work"
    for command; do
      say "compiling $command $version"
      compile "$work" "$version" "$command"
    done
  )
}

# --- the cache --------------------------------------------------------------------------------------------------

runs() { [[ -f $1 && -x $1 ]] && timeout 30 "$1" --version >/dev/null 2>&1; } # EXECUTABLE

# Prints those of NAME... that are not in DIR or do not run.
broken() { # DIR NAME...
  local dir=$1 name
  shift
  for name; do
    runs "$dir/$name" || printf '%s\n' "$name"
  done
}

# Puts a finished executable in place. The rename replaces a file that runs elsewhere without touching that process.
publish() { # EXECUTABLE CACHE
  runs "$1" || die "${1##*/} was built but does not run: see above"
  chmod 755 "$1"
  mv -f "$1" "$2/"
}

fill() { # CACHE NAME...
  local cache=$1 name work start=$SECONDS lack=() commands=()
  shift
  mkdir -p "$cache"
  exec 9>"$cache.lock"
  flock -n 9 || {
    say "another build is under way: waiting for it"
    flock 9
  }
  rm -rf "$cache".work.* # what killed builds left: whoever holds the lock is alone here
  mapfile -t lack < <(broken "$cache" "$@")
  ((${#lack[@]})) || return 0
  say "no working ${lack[*]} in $cache: building (minutes, once)"
  # Beside the cache, hence on the same file system: the last step is a rename.
  work=$(mktemp -d "$cache.work.XXXXXX")
  # shellcheck disable=SC2064 # the value of now is what is meant
  trap "rm -rf '$work'" EXIT
  trap 'exit 130' INT TERM HUP
  for name in "${lack[@]}"; do
    rm -f "${cache:?}/$name"
    [[ $name == etcd ]] || commands+=("$name")
  done
  mkdir -p "$work/bin"
  if [[ " ${lack[*]} " == *' etcd '* ]]; then
    need_packages "etcd-server=$ETCD_PIN"
    cp /usr/bin/etcd "$work/bin/etcd" # a copy: the cache stays whole when the package goes
    publish "$work/bin/etcd" "$cache"
  fi
  if ((${#commands[@]})); then
    build_commands "$work" "${commands[@]}"
    for name in "${commands[@]}"; do publish "$work/bin/$name" "$cache"; done
  fi
  say "ready after $((SECONDS - start)) s"
}

main() {
  local if_cached='' lack dir
  if [[ ${1:-} == --if-cached ]]; then
    if_cached=1
    shift
  fi
  (($#)) || set -- kube-apiserver
  for name; do
    case $name in
      kube-apiserver | kubelet | kube-controller-manager | kube-scheduler) ;;
      *) die "unknown command $name: kube-apiserver, kubelet, kube-controller-manager and kube-scheduler can be built" ;;
    esac
  done
  if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
    for name in etcd "$@"; do
      [[ -x $KUBEBUILDER_ASSETS/$name ]] || die "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS has no executable $name: complete it, or unset it to build from Debian's sources"
    done
    (cd "$KUBEBUILDER_ASSETS" && pwd)
    return
  fi
  dir=${CERTLATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certlatch}/cluster/$(recipe | sha256sum | cut -c1-16)
  lack=$(broken "$dir" etcd "$@")
  if [[ -n $lack ]]; then
    [[ -z $if_cached ]] || exit 1
    mkdir -p "${dir%/*}"
    dir=$(cd "${dir%/*}" && pwd)/${dir##*/}
    fill "$dir" etcd "$@" >&2
  fi
  (cd "$dir" && pwd)
}

main "$@"
