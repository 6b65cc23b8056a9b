#!/bin/bash
# Creates the objects of JSON files as the administrator. An object that is there already stays as it is. Returns when
# every CustomResourceDefinition among them is established and served.
#
#   apply.sh RUN_DIR FILE...        FILE: one JSON object, several, or a List; - is standard input
set -euo pipefail
# shellcheck source=test/cluster/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

use_run_dir "${1:-}"
shift
(($#)) || die 'name the files to apply: apply.sh RUN_DIR FILE...'
need_tools curl=curl jq=jq
[[ -s $RUN/env ]] || die "no cluster in $RUN: start one with start.sh"
# shellcheck source=/dev/null
. "$RUN/env"

# Tries again until COMMAND succeeds, within bounds.
eventually() { # COMMAND...
  local deadline=$((SECONDS + PATIENCE))
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# Asks the server where objects of a kind live. Sets PLURAL and NAMESPACED.
discover() { # GROUP_PATH KIND
  api GET "$1"
  [[ $STATUS == 200 ]] || return 1
  read -r PLURAL NAMESPACED < <(jq -r --arg kind "$2" \
    'first(.resources[] | select(.kind == $kind and (.name | contains("/") | not))) | "\(.name) \(.namespaced)"' <<<"$BODY") || return 1
}

crd_served() { # NAME LIST_PATH
  api GET "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/$1"
  jq -e 'any(.status.conditions[]?; .type == "Established" and .status == "True")' <<<"$BODY" >/dev/null || return 1
  api GET "$2"
  [[ $STATUS == 200 ]]
}

wait_for_crd() { # OBJECT
  local name path
  name=$(jq -r .metadata.name <<<"$1")
  path=$(jq -r '.spec | "/apis/\(.group)/\(first(.versions[] | select(.served)).name)/\(.names.plural)"' <<<"$1")
  eventually crd_served "$name" "$path" || die "$name was not served within $PATIENCE s: $STATUS $BODY"
}

create() { # OBJECT (one line of JSON)
  local version kind name namespace group path
  IFS=$'\t' read -r version kind name namespace < <(jq -r \
    '[.apiVersion // "", .kind // "", .metadata.name // .metadata.generateName // "", .metadata.namespace // "default"] | @tsv' <<<"$1")
  [[ -n $version && -n $kind ]] || die "an object without apiVersion or kind: ${1:0:80}"
  case $version in
    */*) group=/apis/$version ;;
    *) group=/api/$version ;;
  esac
  eventually discover "$group" "$kind" || die "the server does not know $version $kind: apply its definition first"
  path=$group/$PLURAL
  [[ $NAMESPACED != true ]] || path=$group/namespaces/$namespace/$PLURAL
  printf '%s' "$1" >"$object_file"
  api POST "$path" "$object_file"
  case $STATUS in
    201 | 409) ;;
    *) die "could not create $kind $name: $STATUS $(jq -r '.message? // .' <<<"$BODY" 2>/dev/null)" ;;
  esac
  [[ $kind != CustomResourceDefinition ]] || wait_for_crd "$1"
}

object_file=$(mktemp "$RUN/object.XXXXXX")
trap 'rm -f "$object_file"' EXIT
for file; do
  [[ $file == - ]] && file=/dev/stdin
  objects=$(jq -c 'if .kind == "List" then .items[] else . end' "$file") || die "$file is not JSON: see above"
  while IFS= read -r object; do
    [[ -z $object ]] || create "$object"
  done <<<"$objects"
done
