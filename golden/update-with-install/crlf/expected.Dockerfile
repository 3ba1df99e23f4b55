FROM debian:13-slim
WORKDIR /srv
RUN set -e; \
    apt-get update; \
    apt-get install -y curl; \
    curl --version
