# syntax=docker/dockerfile:1
FROM debian:13-slim
COPY --chmod=700 setup /srv/
RUN /srv/setup
