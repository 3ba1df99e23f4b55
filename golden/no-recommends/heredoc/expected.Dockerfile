FROM debian:13-slim
RUN <<EOF
set -e
apt-get update
apt-get install -y --no-install-recommends git
EOF
