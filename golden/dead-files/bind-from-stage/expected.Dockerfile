# syntax=docker/dockerfile:1
FROM debian:13-slim AS build
RUN mkdir /out && echo x > /out/x.deb
FROM debian:13-slim
RUN --mount=type=bind,from=build,source=/out/x.deb,target=/tmp/x.deb,rw cat /tmp/x.deb
