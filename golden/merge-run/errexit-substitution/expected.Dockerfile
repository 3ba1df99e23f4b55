FROM debian:13-slim
RUN set -e; \
    (set +e; set -ex && cp /etc/passwd /srv/big && echo $(false; true)); \
    (set +e; rm /srv/big)
