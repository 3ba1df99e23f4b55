# syntax=docker/dockerfile:1
# escape=`
FROM debian:13-slim
SHELL ["/bin/sh", "-c"]
RUN --mount=type=bind,source=a.txt,target=/tmp/a.txt,rw `
    cat /tmp/a.txt
