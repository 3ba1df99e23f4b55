# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked <<EOF
set -e
apt-get update
apt-get install -o Dir::Cache::archives=kept -y curl
EOF
