FROM debian:13-slim
RUN set -e; \
    (set +e; . /etc/os-release && touch /tmp/a); \
    (set +e; rm /tmp/a)
