# shellcheck shell=bash
# What the scripts of this directory share, on top of the API server's. Sourced, never run.
HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
CLUSTER=$HERE/../cluster
# shellcheck source=test/cluster/lib.sh
. "$CLUSTER/lib.sh"

NODE_IP=10.77.0.1
SERVICE_IP=10.96.0.1 # the first address of the API server's --service-cluster-ip-range: the Service "kubernetes"
# shellcheck disable=SC2034 # for those who source this
readonly HERE CLUSTER NODE_IP SERVICE_IP

# The argument by which a process of this very run directory is told from any other.
own_argument() { # PROCESS
  case $1 in
    etcd) printf -- '--data-dir=%s/etcd' "$RUN" ;;
    apiserver) printf -- '--tls-cert-file=%s/pki/apiserver.crt' "$RUN" ;;
    node) printf -- '--node=%s' "$RUN" ;;
    containerd) printf -- '--config=%s/containerd.toml' "$RUN" ;;
    controllers | scheduler) printf -- '--kubeconfig=%s/kubeconfig' "$RUN" ;;
    kubelet) printf -- '--kubeconfig=%s/kubelet.kubeconfig' "$RUN" ;;
  esac
}

# The node's first process: the parent of everything in its PID namespace, whose end is the end of all.
init_pid() {
  local pid
  pid=$(pid_of node) && pgrep -P "$pid"
}

# --- control groups: version 1, each hierarchy with a directory of our own ---------------------------------------

hierarchies() { awk '$3 == "cgroup" {print $2, $4}' /proc/self/mounts; } # MOUNT_POINT OPTIONS

group_name() { # the same for the same RUN_DIR, so that a later run finds what a killed one left
  printf 'certlatch-node-%s' "$(sha256sum <<<"$RUN" | cut -c1-12)"
}

join_groups() {
  local at name
  name=$(group_name)
  while read -r at _; do
    mkdir -p "$at/$name"
    # A cpuset starts empty, and an empty one takes no process.
    for file in cpuset.cpus cpuset.mems; do
      [[ ! -e $at/$name/$file || -n $(<"$at/$name/$file") ]] || cat "$at/$file" >"$at/$name/$file"
    done
    echo "$BASHPID" >"$at/$name/cgroup.procs"
  done < <(hierarchies)
}

remove_groups() {
  local at name deadline=$((SECONDS + 10))
  name=$(group_name)
  while read -r at _; do
    while [[ -d $at/$name ]]; do # the kernel lets go of the last process a moment after its end
      find "$at/$name" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      ((SECONDS < deadline)) || {
        printf '%s: could not remove %s\n' "${0##*/}" "$at/$name" >&2
        break
      }
      [[ ! -d $at/$name ]] || sleep 0.1
    done
  done < <(hierarchies)
}
