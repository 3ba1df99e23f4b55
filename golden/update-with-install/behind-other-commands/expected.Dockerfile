FROM debian:13-slim
WORKDIR /srv
RUN mkdir -p /data \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        curl
