# syntax=docker/dockerfile:1
FROM debian:13-slim
ADD --chmod=755 https://example.org/tool /usr/local/bin/tool
