# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN rm -rf /tmp /var/tmp
RUN --mount=type=bind,source=site.tar,target=/tmp/site.tar,rw tar -xf /tmp/site.tar -C /srv
