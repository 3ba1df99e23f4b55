FROM debian:13-slim
RUN --network=none touch /tmp/a \
    && rm /tmp/a
