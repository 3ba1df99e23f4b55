# syntax=docker/dockerfile:1
FROM alpine:3.22
RUN --mount=type=cache,target=/etc/apk/cache,sharing=locked apk add --update-cache curl
RUN --mount=type=cache,target=/etc/apk/cache,sharing=locked apk update && apk add git && rm -rf /var/cache/apk/*
RUN --mount=type=cache,target=/etc/apk/cache,sharing=locked apk add --update-cache make
