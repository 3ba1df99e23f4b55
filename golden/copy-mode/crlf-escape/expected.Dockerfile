# syntax=docker/dockerfile:1
# escape=`
FROM debian:13-slim
SHELL ["/bin/sh", "-c"]
COPY --chmod=755 `
  a.sh /
RUN ls
