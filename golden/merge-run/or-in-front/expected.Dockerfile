FROM debian:13-slim
RUN touch /tmp/a || exit 1 \
    && rm /tmp/a
