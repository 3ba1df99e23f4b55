#!/usr/bin/env bash
# Starts a private dockerd for the tests, or finds the one that is running already, and prints its socket's address.
#   start-dockerd.sh            home: $DFOPT_REALBUILD_HOME, else ~/.cache/dfopt-realbuild
#                               more options of dockerd: $DFOPT_DOCKERD_OPTIONS, words split at blanks
# Socket, data, containerd namespace and pid file are its own: another docker on the machine is never touched. There is
# no bridge and no iptables rule: builds use --network=host, containers --network=none or host. Root is needed.
set -euo pipefail
home=${DFOPT_REALBUILD_HOME:-${HOME:-/root}/.cache/dfopt-realbuild}/docker
address=unix://$home/docker.sock
longest=$home/exec/containerd/containerd-debug.sock
if [ ${#longest} -gt 104 ]; then        # what a unix socket's address holds
  echo "start-dockerd.sh: the path $home is too long for sockets: set DFOPT_REALBUILD_HOME to a shorter one" >&2
  exit 1
fi
mkdir -p "$home/data" "$home/exec"
answers() { DOCKER_HOST=$address timeout 30 docker version >/dev/null 2>&1; }

exec 200>"$home/start.lock"
flock -w 120 200 || { echo "start-dockerd.sh: another start holds $home/start.lock" >&2; exit 1; }
if ! answers; then
  "$(dirname "$0")/stop-dockerd.sh"       # what a killed run left behind: a daemon that hangs, or a stale pid file
  # Its own configuration: the machine's daemon.json is for the machine's docker. Hardly a build takes layers from the
  # cache (engine.py), so little of it is kept.
  echo '{"builder": {"gc": {"enabled": true, "defaultKeepStorage": "1GB"}}}' >"$home/daemon.json"
  # setsid: an interrupt from the terminal must reach the tests, not the daemon that they still need to clean up
  read -ra more <<<"${DFOPT_DOCKERD_OPTIONS:-}"
  setsid nohup dockerd "${more[@]}" --config-file "$home/daemon.json" --data-root "$home/data" --exec-root "$home/exec" \
    --pidfile "$home/pid" --host "$address" --containerd-namespace dfopt --containerd-plugins-namespace dfopt-plugins \
    --iptables=false --ip6tables=false --bridge=none >"$home/dockerd.log" 2>&1 </dev/null 200>&- 201>&- &
  daemon=$!
  for _ in $(seq 600); do
    if answers; then break; fi
    if ! kill -0 $daemon 2>/dev/null; then break; fi
    sleep 0.2
  done
  answers || { echo "start-dockerd.sh: dockerd does not answer; the end of $home/dockerd.log:" >&2
               tail -n 20 "$home/dockerd.log" >&2; exit 1; }
  # What an earlier daemon kept may name layers that are gone: every build that takes such a step from the cache fails
  # ("failed to prepare ...: no such file or directory"). The base images are no part of it.
  DOCKER_HOST=$address timeout 120 docker builder prune --all --force >/dev/null
fi
echo "$address"
