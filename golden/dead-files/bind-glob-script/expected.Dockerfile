# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=bind,source=library-scripts,target=/tmp/library-scripts,rw \
    bash /tmp/library-scripts/common.sh && rm -rf /var/lib/apt/lists/*
