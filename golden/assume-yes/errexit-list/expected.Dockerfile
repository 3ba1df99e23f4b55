FROM debian:13-slim
RUN set -eux; apt-get update; apt-get install -y curl; echo done
