#!/usr/bin/env bash
# Stops the dockerd that start-dockerd.sh started, by its pid, and the containerd that it started if that outlived it.
# Its mounts go too. Quiet, and no error, when none runs. A pid that now belongs to another program is left alone.
set -euo pipefail
home=${DFOPT_REALBUILD_HOME:-${HOME:-/root}/.cache/dfopt-realbuild}/docker

stop() { # stop PIDFILE WORD: ends the process of that pid file if WORD is in its command line
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  # by its command line, not `kill -0`: a zombie that nobody reaps has none
  running() { tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qF -- "$1"; } 2>/dev/null
  if running "$2"; then
    kill "$pid" 2>/dev/null || true
    for try in $(seq 150); do
      if ! running "$2"; then break; fi
      if [ "$try" = 100 ]; then kill -KILL "$pid" 2>/dev/null || true; fi
      sleep 0.2
    done
  fi
  rm -f "$1"
}
stop "$home/pid" "$home/data"
stop "$home/exec/containerd/containerd.pid" "$home/exec/containerd"
# dockerd binds its data directory on itself, and leaves that mount behind.
if mountpoint -q "$home/data"; then umount "$home/data" || true; fi
