# syntax=docker/dockerfile:1
FROM debian:13-slim
COPY --chmod=755 a.sh /
COPY --chmod=700 b.sh /
RUN ls /
