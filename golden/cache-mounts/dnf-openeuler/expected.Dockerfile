# syntax=docker/dockerfile:1
FROM openeuler/openeuler:24.03-lts
RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked dnf install --setopt=keepcache=1 -y gcc
FROM openeuler/openeuler:latest
RUN dnf install -y gcc
