#!/usr/bin/env bash
# Stops the dockerd that start-dockerd.sh started, by its pid, and the containerd that it started if that outlived it.
# Quiet, and no error, when none runs. A pid that now belongs to another program is left alone.
set -euo pipefail
home=${DFOPT_REALBUILD_HOME:-${HOME:-/root}/.cache/dfopt-realbuild}/docker

stop() { # stop PIDFILE WORD: ends the process of that pid file if WORD is in its command line
  local pid
  if pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2"; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 150); do
      if ! kill -0 "$pid" 2>/dev/null; then break; fi
      sleep 0.2
    done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$1"
}
stop "$home/pid" "$home/data"
stop "$home/exec/containerd/containerd.pid" "$home/exec/containerd"
