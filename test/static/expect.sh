# What a program promises, line by line: `ok: TEXT` or `NOT: TEXT`. Sourced; the script ends with `exit $broken`.
broken=0

expect() { # TEXT COMMAND...
  local text=$1
  shift
  if "$@"; then
    echo "ok: $text"
  else
    echo "NOT: $text"
    broken=1
  fi
}
