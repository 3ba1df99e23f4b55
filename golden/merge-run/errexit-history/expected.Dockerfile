FROM debian:13-slim
RUN set -e; \
    (set -e; cp /etc/passwd /srv/big; true); \
    (set +e; echo $? > /srv/a; rm /srv/big)
