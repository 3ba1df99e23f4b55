# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=bind,source=a.txt,target=/tmp/a.txt,rw \
    --mount=type=bind,source=b.txt,target=/tmp/b.txt,rw \
    cat /tmp/a.txt /tmp/b.txt > /srv/both
