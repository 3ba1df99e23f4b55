# syntax=docker/dockerfile:1
FROM debian:13-slim
# what we need
RUN --mount=type=bind,source=a.txt,target=/tmp/a.txt,rw cat /tmp/a.txt
