FROM debian:13-slim
RUN touch /tmp/a \
    && (set -eux; \
    rm /tmp/a; \
    touch /b)
