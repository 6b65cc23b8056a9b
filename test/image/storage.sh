# Container storage in a directory of our own; the machine's is not touched. Sourced by base.sh and image.sh.
BUILDER=localhost/debian:12-slim
STAND_IN=gcr.io/distroless/static:nonroot

# overlay where the kernel takes it there (not in a container on overlay), else whole copies.
storage_driver() { # DIR: an existing one
  local dir driver=vfs
  dir=$(mktemp -d "$1/probe.XXXXXX")
  mkdir "$dir"/{lower,upper,work,merged}
  if mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/merged" 2>/dev/null; then
    umount "$dir/merged"
    driver=overlay
  fi
  rm -rf "$dir"
  echo "$driver"
}

# From here on buildah works in STORAGE, with the images of MORE to read. DRIVER: storage_driver's.
use_storage() { # STORAGE RUN [MORE]
  mkdir -p "$1" "$2"
  cat >"$2/storage.conf" <<CONF
[storage]
driver = "$DRIVER"
graphroot = "$1"
runroot = "$2"
[storage.options]
additionalimagestores = [${3:+\"$3\"}]
CONF
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$2/policy.json"
  echo 'unqualified-search-registries = []' >"$2/registries.conf"
  export CONTAINERS_STORAGE_CONF=$2/storage.conf CONTAINERS_REGISTRIES_CONF=$2/registries.conf BUILDAH_ISOLATION=chroot
}

unmount_below() { # DIR
  awk -v dir="$1/" 'index($2, dir) == 1 {print $2}' /proc/self/mounts | sort -r | while read -r mounted; do
    umount -l "$mounted"
  done
}

# With whatever a killed run has left mounted there.
remove_storage() { # DIR
  unmount_below "$1"
  rm -rf "$1"
}
