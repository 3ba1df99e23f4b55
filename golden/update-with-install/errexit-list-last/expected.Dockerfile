FROM debian:13-slim
RUN set -ex; mkdir /data; apt-get update && apt-get install -y curl && curl --version
