FROM debian:13-slim
RUN --mount=type=cache,target=/root/.cache touch /tmp/a \
    && rm /tmp/a
