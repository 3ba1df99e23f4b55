# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=bind,source=a.txt,target=/tmp/parts/a.txt,rw cat /tmp/parts/a.txt > /srv/a
ENV A=1
