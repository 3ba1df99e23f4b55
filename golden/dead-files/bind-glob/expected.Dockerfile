# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=bind,source=sub,target=/tmp/parts,rw \
    cat /tmp/parts/a.txt > /srv/a
