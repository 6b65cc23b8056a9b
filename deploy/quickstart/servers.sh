# What the story runs on: the static binary, an API server, an nginx. For quickstart.sh, which has set WORK, a directory
# of its own, and CERTLATCH, the binary's path.
# shellcheck shell=bash

# --- build ------------------------------------------------------------------------------------------------------

# What it says on the way comes out at once: the libraries take a while.
build_quietly() { # PRESET TARGET
  if ! { cmake --preset "$1" && cmake --build --preset "$1" --target "$2"; } \
    > >(tee "$WORK/build.log" | sed -un 's/^ *static build: /    /p') 2>&1; then
    wait $! || true # for tee's last words
    tail -n 30 "$WORK/build.log" >&2
    echo "quickstart.sh: no $2, see above: the preset $1 must build (README.md, Building)" >&2
    exit 1
  fi
}

build() {
  ./cmake/install-packages.sh g++ cmake ninja-build pkg-config git curl jq openssl nginx \
    libcurl4-openssl-dev libssl-dev libsimdjson-dev
  build_quietly static certlatch
}

# --- an API server: sets URL, CA and TOKEN_FILE -----------------------------------------------------------------

SERVER_PID=
CLUSTER=

start_real() {
  CLUSTER=$WORK/cluster
  ./test/cluster/start.sh "$CLUSTER" >/dev/null
  ./test/cluster/apply.sh "$CLUSTER" test/cluster/crds.json >/dev/null
  # shellcheck disable=SC1091
  . "$CLUSTER/env"
  URL=$API_URL CA=$CA_FILE TOKEN_FILE=$WORK/token
  (umask 077 && printf '%s' "$ADMIN_TOKEN" >"$TOKEN_FILE")
}

start_embedded() {
  local dir=$WORK/server
  mkdir "$dir"
  build_quietly release mini_apiserver # a tool of the tests, on this machine's libraries
  build/release/test/support/mini_apiserver --dir "$dir" 2>"$dir/log" &
  SERVER_PID=$!
  for _ in {1..200}; do
    [[ ! -s $dir/url ]] || break
    kill -0 "$SERVER_PID" || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
  done
  URL=$(<"$dir/url") CA=$dir/ca.crt TOKEN_FILE=$dir/token
}

wants_real_server() {
  [[ ${CERTLATCH_QUICKSTART_SERVER:-} != embedded ]] || return 1
  if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then # named by the user: must be usable
    ./test/cluster/build.sh >/dev/null || exit 1
    return
  fi
  ./test/cluster/build.sh --if-cached >/dev/null 2>&1
}

# --- nginx: serves the pair of DIR on a free port, which it leaves in PORT ----------------------------------------

NGINX_PID=

start_nginx() { # DIR
  local dir=$WORK/nginx
  mkdir "$dir"
  for _ in {1..10}; do
    PORT=$((RANDOM % 10000 + 20000))
    cat >"$dir/nginx.conf" <<EOF
daemon off;
pid $dir/nginx.pid;
error_log $dir/error.log;
events {}
http {
  access_log off;
  client_body_temp_path $dir/body;
  proxy_temp_path $dir/proxy;
  fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi;
  scgi_temp_path $dir/scgi;
  server {
    listen 127.0.0.1:$PORT ssl;
    ssl_certificate $1/tls.crt;
    ssl_certificate_key $1/tls.key;
  }
}
EOF
    nginx -c "$dir/nginx.conf" -e "$dir/error.log" 2>/dev/null &
    NGINX_PID=$!
    for _ in {1..100}; do
      if served_leaf >/dev/null; then return; fi
      kill -0 "$NGINX_PID" 2>/dev/null || break # the port was taken: another
      sleep 0.05
    done
  done
  cat "$dir/error.log" >&2
  exit 1
}

# SHA-256 of the certificate that nginx serves.
served_leaf() {
  openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null |
    openssl x509 -noout -fingerprint -sha256 2>/dev/null
}

stop_servers() {
  local pid
  for pid in "$NGINX_PID" "$SERVER_PID"; do
    if [[ -n $pid ]]; then kill "$pid" 2>/dev/null || true; fi
  done
  if [[ -n $CLUSTER ]]; then ./test/cluster/stop.sh "$CLUSTER" || true; fi
}
