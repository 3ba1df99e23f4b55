# syntax=docker/dockerfile:1
FROM fedora:41
RUN --mount=type=cache,target=/var/cache/libdnf5,sharing=locked dnf install --setopt=keepcache=1 -y gcc
FROM centos:7
RUN --mount=type=cache,target=/var/cache/yum,sharing=locked yum install --setopt=keepcache=1 -y gcc
FROM example.org/own:1
USER root
RUN dnf install -y gcc
