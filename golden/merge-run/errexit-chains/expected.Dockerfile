FROM debian:13-slim
RUN (set -ex \
    && cp /etc/passwd /srv/big \
    && cat /srv/big | sort > /srv/sorted) \
    && (set -ex \
    && cp /srv/big /srv/kept \
    && rm /srv/big)
