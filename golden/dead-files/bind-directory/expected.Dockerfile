# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=bind,source=src,target=/tmp/src,rw \
    cp -r /tmp/src /srv/src \
    && chmod 700 /tmp/src/x
