# syntax=docker/dockerfile:1
FROM debian:13-slim
# both parts
RUN --mount=type=bind,source=a.txt,target=/tmp/parts/a.txt,rw \
    --mount=type=bind,source=sub/b.txt,target=/tmp/parts/b.txt,rw \
    cat /tmp/parts/a.txt /tmp/parts/b.txt > /srv/both
