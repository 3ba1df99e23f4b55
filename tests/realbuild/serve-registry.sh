#!/usr/bin/env bash
# Serves a registry on loopback and prints its pid: the caller ends it with `kill PID`.
#   serve-registry.sh PORT DIR [HTPASSWD]     DIR: configuration, data and log; HTPASSWD: basic authentication
set -euo pipefail
port=$1 dir=$2 htpasswd=${3:-}
mkdir -p "$dir"
cat >"$dir/config.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: "$dir/data"}
  delete: {enabled: true}
http: {addr: "127.0.0.1:$port"}
YAML
if [ -n "$htpasswd" ]; then printf 'auth:\n  htpasswd: {realm: test, path: "%s"}\n' "$htpasswd" >>"$dir/config.yml"; fi
OTEL_TRACES_EXPORTER=none setsid nohup docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 100); do
  if ! kill -0 $pid 2>/dev/null; then break; fi
  status=
  if { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then
    printf 'GET /v2/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
    read -r -t 2 -u 3 _ status _ || true
    exec 3>&-
  fi
  case $status in 200|401) echo $pid; exit 0 ;; esac
  sleep 0.1
done
kill $pid 2>/dev/null || true
echo "serve-registry.sh: no answer on port $port; the end of $dir/log:" >&2
tail -n 20 "$dir/log" >&2
exit 1
