FROM debian:13-slim
RUN set -e; \
    (set -eux; \
    cp /etc/passwd /srv/big; \
    true && cp /etc/group /srv/group;); \
# and away
    (set -eux; cd /srv; cp group other); \
    (set +e; umask 077; cp /srv/big /srv/kept; rm /srv/big)
