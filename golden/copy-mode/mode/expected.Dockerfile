# syntax=docker/dockerfile:1
FROM debian:13-slim
COPY entrypoint.sh server /usr/local/bin/
COPY --chmod=755 health.sh /usr/local/bin/
