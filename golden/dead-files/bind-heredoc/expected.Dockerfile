# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=bind,source=a.txt,target=/tmp/a.txt,rw <<EOF
set -e
cat /tmp/a.txt
EOF
