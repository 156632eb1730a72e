#!/usr/bin/env bash
# Finds a Docker engine, or starts one of its own, and makes sure that it has the base image. Prints shell lines to evaluate:
#   eval "$(tests/containers/engine.sh)"
# With Docker Hub the base is the official image. Elsewhere it is made of Debian packages and gets the same name, for tests alone.
# An engine that this script starts needs root and the packages docker.io and debootstrap. It runs until `kill $(cat FOLDER/pid)`.
set -euo pipefail

BASE=${BASE:-python:3.11-slim}
FOLDER=${ENGINE_FOLDER:-/var/tmp/image-classifier-engine}
RELEASE=bookworm # its Python is 3.11

say() { echo "engine: $*" >&2; }

# Debian's own client builds with BuildKit as it is; a newer one needs its buildx plugin.
if ! docker buildx version >/dev/null 2>&1 && [ -x /usr/bin/docker ]; then
  PATH=/usr/bin:$PATH
  echo "export PATH=/usr/bin:\$PATH"
fi

if ! docker version >/dev/null 2>&1; then
  export DOCKER_HOST=unix://$FOLDER/docker.sock
  if ! docker version >/dev/null 2>&1; then
    mkdir -p "$FOLDER"
    setsid dockerd --iptables=false --data-root="$FOLDER/data" --exec-root="$FOLDER/exec" --pidfile="$FOLDER/pid" \
      --host="$DOCKER_HOST" >"$FOLDER/log" 2>&1 </dev/null &
    engine=$!
    until docker version >/dev/null 2>&1; do
      kill -0 "$engine" 2>/dev/null || { say "dockerd does not start: $(tail -n 1 "$FOLDER/log")"; exit 1; }
      sleep 0.2
    done
    say "started in $FOLDER"
  fi
  echo "export DOCKER_HOST=$DOCKER_HOST BUILD_NETWORK=host" # its bridge has no way out
fi

if ! docker image inspect "$BASE" >/dev/null 2>&1 && ! timeout 120 docker pull --quiet "$BASE" >/dev/null 2>&1; then
  say "makes $BASE of Debian $RELEASE, since it cannot be pulled"
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  # From the mirror that apt uses here; without one debootstrap knows its own.
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | awk -v release="$RELEASE" '$2 == release { print $1; exit }')
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$RELEASE" "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 ||
    { tail -n 5 "$root.log" >&2; exit 1; }
  ln -s python3 "$root/usr/bin/python"
  # As in the official image: no caches, no documents, no byte code.
  rm -rf "$root.log" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,info,locale}
  find "$root/usr/lib/python3" "$root"/usr/lib/python3.* -name __pycache__ -prune -exec rm -rf {} +
  tar -C "$root" --exclude='./dev/*' -c . | docker import --change 'CMD ["python3"]' - "$BASE" >/dev/null
fi
