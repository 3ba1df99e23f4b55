FROM debian:13-slim
RUN set -e; \
    (set -e; touch /tmp/a; touch /b); \
    (set +e; rm /tmp/a)
