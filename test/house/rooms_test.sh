#!/bin/bash
# The rooms of src/ keep to themselves: each includes only the rooms below it, only platform touches
# the machine, and nowhere are exceptions, RTTI or iostreams. Prints every line that breaks a rule.
set -euo pipefail
cd "${1:-$(dirname "$(readlink -f "$0")")/../..}/src"
broken=0

refuse() { # RULE GREP_ARGUMENTS...
  local rule=$1 hits
  shift
  hits=$(grep -rnE "$@") || return 0
  printf 'not allowed, %s:\n%s\n' "$rule" "$hits"
  broken=1
}

# ROOM, and the rooms it may include (itself always)
may_include() {
  local room=$1 others
  others=$(printf '%s\n' base domain app cli platform | grep -vxF "$(printf '%s\n' "$@")" | paste -sd'|') || true
  [ -z "$others" ] || refuse "$room may include only: $*" "^#include \"($others)/" "$room"
}

may_include base base
may_include domain domain base
may_include app app domain base
may_include cli cli app domain base
may_include platform platform app domain base

# (arpa/inet.h and ctime turn values into text; unique_fd.h only closes)
machine='<(sys/|unistd|fcntl|poll|netdb|netinet/|curl/|signal|csignal|pthread|thread|mutex|dirent|filesystem)'
refuse 'only platform and main touch the machine' "^#include $machine" --exclude=unique_fd.h \
  base domain app cli
refuse 'only platform speaks TLS' '\bSSL_[A-Za-z]+\(' base domain app cli main.cc
refuse 'only platform uses curl' '\bcurl_[a-z]+' base domain app cli main.cc
refuse 'only main reads the environment' '\b(getenv|environ)\b' base domain app cli platform
refuse 'domain has no clock' 'clock::now|clock_gettime|\btime\((nullptr|NULL|0)\)' base domain
refuse 'simdjson is parsed in one place' 'simdjson' --exclude=json.cc --exclude=version.cc \
  --exclude=CMakeLists.txt --exclude='*.h' .
refuse 'no iostream' '^#include <(iostream|sstream|fstream|ostream|istream|regex)>' .
refuse 'no exceptions and no RTTI' '^[^/]*\b(throw|try|catch|dynamic_cast|typeid)\b[^-a-z]*[({;]' \
  --include='*.cc' --include='*.h' .
exit $broken
