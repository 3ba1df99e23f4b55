FROM debian:13-slim
RUN <<EOF
set -e
mkdir /data
apt-get update
apt-get install -y curl
curl --version
EOF
