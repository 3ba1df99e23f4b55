FROM debian:13-slim
RUN cp /etc/passwd /srv/big \
    && mkdir -p /opt/build \
    && cd /opt/build \
    && cp /srv/big . \
    && rm /srv/big
WORKDIR /opt/build
