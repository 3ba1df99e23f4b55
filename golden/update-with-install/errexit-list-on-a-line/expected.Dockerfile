FROM debian:13-slim
RUN set -e; apt-get update; apt-get install -y curl; curl --version
