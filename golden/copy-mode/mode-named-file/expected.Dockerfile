# syntax=docker/dockerfile:1
FROM debian:13-slim
COPY --chmod=755 run.sh /srv/start
